"""The beginning of a stored file, wherever its bytes are, and what kind of thing it is."""

from __future__ import annotations

import io
from typing import BinaryIO

import pygit2

from localhub.cards import safetensors
from localhub.storage import lfs, trees
from localhub.storage.attributes import looks_binary
from localhub.storage.repos import Repo

IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
PICKLED = (".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth")


def opened(git: pygit2.Repository, repo: Repo, entry: trees.Entry) -> BinaryIO:
    """A file's bytes. FileNotFoundError when a large one is missing from the store."""
    if entry.lfs:
        return open(lfs.object_path(repo.path, entry.lfs.oid), "rb")
    return io.BytesIO(trees.blob(git, entry.oid))


def text(git: pygit2.Repository, repo: Repo, entry: trees.Entry, limit: int) -> str | None:
    """The first `limit` bytes of a UTF-8 text file, to the end of a line; None for another kind of file."""
    try:
        with opened(git, repo, entry) as file:
            data = file.read(limit)
    except FileNotFoundError:
        return None
    if looks_binary(data):
        return None
    found = data.decode(errors="ignore" if len(data) < entry.size else "replace")
    if len(data) < entry.size and "\n" in found:
        found = found[: found.rindex("\n") + 1]
    return found.removeprefix("\ufeff")


def header_size(git: pygit2.Repository, repo: Repo, entry: trees.Entry) -> int:
    """Bytes that `tensors` has to parse."""
    if not entry.path.endswith(".safetensors"):
        return 0
    try:
        with opened(git, repo, entry) as file:
            return safetensors.header_size(file)
    except FileNotFoundError:
        return 0


def tensors(git: pygit2.Repository, repo: Repo, entry: trees.Entry) -> list[safetensors.Tensor] | None:
    """The tensors of a safetensors file; None for any other."""
    if not entry.path.endswith(".safetensors"):
        return None
    try:
        with opened(git, repo, entry) as file:
            return safetensors.tensors(file)
    except FileNotFoundError:
        return None

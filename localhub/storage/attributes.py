""".gitattributes: which paths are large files. Matching is libgit2's own, from a commit.

Without a rule that covers it, a large file would reach a `git clone` as its pointer; so a commit that brings
one also appends the rule, as the Hub does.
"""

from __future__ import annotations

import re

import pygit2
from pygit2.enums import AttrCheck

FILE = ".gitattributes"
LARGE = 10 * 1024 * 1024  # bytes; the Hub's limit for a regular file
_EXTENSIONS = [
    "7z",
    "arrow",
    "avro",
    "bin",
    "bz2",
    "ckpt",
    "ftz",
    "gz",
    "h5",
    "joblib",
    "lz4",
    "mds",
    "mlmodel",
    "model",
    "msgpack",
    "npy",
    "npz",
    "onnx",
    "ot",
    "parquet",
    "pb",
    "pickle",
    "pkl",
    "pt",
    "pth",
    "rar",
    "safetensors",
    "tar",
    "tflite",
    "tgz",
    "wasm",
    "xz",
    "zip",
    "zst",
]

DEFAULT = "".join(f"*.{name} filter=lfs diff=lfs merge=lfs -text\n" for name in _EXTENSIONS).encode()


def is_large(git: pygit2.Repository, commit: pygit2.Oid, path: str) -> bool:
    """Whether the .gitattributes files of `commit` send `path` through LFS."""
    flags = AttrCheck.INDEX_ONLY | AttrCheck.NO_SYSTEM | AttrCheck.INCLUDE_COMMIT
    return bool(git.get_attr(path, "filter", flags, commit) == "lfs")


def rule(path: str) -> str:
    """The line that sends exactly `path` through LFS (spaces and globs escaped as `git lfs track` does)."""
    escaped = re.sub(r"([*?\[\]!#\"])", r"\\\1", path).replace(" ", "[[:space:]]")
    return (
        f"/{escaped} filter=lfs diff=lfs merge=lfs -text\n"
        if "/" not in path
        else (f"{escaped} filter=lfs diff=lfs merge=lfs -text\n")
    )


def looks_binary(sample: bytes) -> bool:
    """Whether the first bytes of a file are not UTF-8 text (a character cut at the end is fine)."""
    if b"\0" in sample:
        return True
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        return len(sample) - error.start > 3
    return False

"""What a revision says about itself: card metadata, task, library, tags, parameters. Read once a commit."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO

import pygit2

from localhub.cards import frontmatter
from localhub.cards.frontmatter import strings
from localhub.cards.safetensors import parameters
from localhub.cards.vocabulary import HEADS
from localhub.errors import HubError
from localhub.storage import lfs, trees
from localhub.storage.repos import Repo

MAX_SHARDS = 500


@dataclass(frozen=True)
class Facts:
    """Everything the API and the pages show of one commit, apart from its files' contents."""

    files: list[trees.Entry]
    card: dict[str, Any]
    config: dict[str, Any] | None
    task: str | None
    library: str | None
    relation: str | None
    tags: list[str]
    safetensors: dict[str, Any] | None


@lru_cache(maxsize=256)
def of(repo: Repo, sha: str) -> Facts:
    """The facts of a commit. Commits never change, so they are remembered."""
    git = repo.git()
    commit = trees.resolve(git, sha)
    files = [entry for entry in trees.listing(git, commit, recursive=True) if entry.kind == "file"]
    card = _card(git, commit)
    config = _config(git, commit)
    names = {entry.path for entry in files}
    library = next(
        iter(strings(card.get("library_name"))), "peft" if "adapter_config.json" in names else None
    )
    task = next(iter(strings(card.get("pipeline_tag"))), None) or _task(config)
    relation = _relation(card, names)
    weights = _weights(git, repo, files)
    tags = _tags(card, library, task, relation, config, bool(weights))
    return Facts(files, card, config, task, library, relation, tags, weights)


def _card(git: pygit2.Repository, commit: pygit2.Commit) -> dict[str, Any]:
    try:
        return frontmatter.parse(trees.text_at(git, commit, "README.md") or "") or {}
    except HubError:
        return {}


def _config(git: pygit2.Repository, commit: pygit2.Commit) -> dict[str, Any] | None:
    """The part of config.json that the Hub shows."""
    try:
        raw = json.loads(trees.text_at(git, commit, "config.json") or "null")
    except (ValueError, RecursionError):
        return None
    if not isinstance(raw, dict):
        return None
    return {key: raw[key] for key in ("architectures", "model_type") if key in raw}


def _task(config: dict[str, Any] | None) -> str | None:
    names = strings((config or {}).get("architectures"))
    return next((task for name in names for head, task in HEADS.items() if name.endswith(head)), None)


def _relation(card: dict[str, Any], names: set[str]) -> str | None:
    """How this model comes from its base: stated, or inferred as the Hub does."""
    if not strings(card.get("base_model")):
        return None
    stated = strings(card.get("base_model_relation"))
    if stated:
        return stated[0]
    if "adapter_config.json" in names:
        return "adapter"
    return "merge" if len(strings(card["base_model"])) > 1 else "finetune"


def _tags(
    card: dict[str, Any],
    library: str | None,
    task: str | None,
    relation: str | None,
    config: dict[str, Any] | None,
    weights: bool,
) -> list[str]:
    found = [library, "safetensors" if weights else None, *strings((config or {}).get("model_type"))]
    found += [task, *strings(card.get("tags"))]
    found += strings(card.get("language"))
    found += [f"dataset:{name}" for name in strings(card.get("datasets"))]
    bases = strings(card.get("base_model"))
    found += [f"base_model:{name}" for name in bases]
    found += [f"base_model:{relation}:{name}" for name in bases if relation]
    found += [f"license:{name}" for name in strings(card.get("license"))]
    found += ["model-index"] if card.get("model-index") else []
    return list(dict.fromkeys(tag for tag in [*found, "region:local"] if tag))


def _weights(git: pygit2.Repository, repo: Repo, files: list[trees.Entry]) -> dict[str, Any] | None:
    """{parameters: {dtype: n}, total: n} over the safetensors files at the root of the repository."""
    total: dict[str, int] = {}
    shards = [entry for entry in files if entry.path.endswith(".safetensors") and "/" not in entry.path]
    for entry in shards[:MAX_SHARDS]:
        try:
            with _open(git, repo, entry) as file:
                for dtype, count in parameters(file).items():
                    total[dtype] = total.get(dtype, 0) + count
        except FileNotFoundError:
            continue
    return {"parameters": total, "total": sum(total.values())} if total else None


def _open(git: pygit2.Repository, repo: Repo, entry: trees.Entry) -> BinaryIO:
    if entry.lfs:
        return open(lfs.object_path(repo.path, entry.lfs.oid), "rb")
    return io.BytesIO(trees.blob(git, entry.oid))

"""What a revision says about itself: card metadata, task, library, tags, parameters. Read once a commit."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any, BinaryIO

import pygit2

from localhub.cards import frontmatter, inference
from localhub.cards.frontmatter import strings
from localhub.cards.plain import plain
from localhub.cards.safetensors import header_size, parameters
from localhub.errors import HubError
from localhub.storage import lfs, trees
from localhub.storage.remembered import remembered
from localhub.storage.repos import Repo

MAX_SHARDS = 500
MAX_HEADERS = 50_000_000  # bytes of all shards together
MAX_JSON = 10_000_000  # bytes; an index of shards names every tensor
MAX_VALUES = 200_000  # in one JSON file
MAX_COUNT = 1 << 63  # parameters: a header may claim anything
MAX_REMEMBERED = 50_000  # files of all the commits whose facts are kept: about 20 MB
# How reading a repository ends that has no commit yet, is being deleted, or lost objects of its git.
UNREADABLE = (HubError, OSError, pygit2.GitError, KeyError)


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


def _weight(known: Facts) -> int:
    return 20 + len(known.files) + len(str(known.card)) // 200


@remembered(MAX_REMEMBERED, _weight)
def of(repo: Repo, sha: str) -> Facts:
    """The facts of a commit, whatever its files hold: what is wrong in one is passed over.

    Commits never change, so they are remembered. A repository that cannot be read raises one of UNREADABLE.
    """
    git = repo.git()
    commit = trees.resolve(git, sha)
    files = [entry for entry in trees.listing(git, commit, recursive=True) if entry.kind == "file"]
    names = {entry.path for entry in files}
    text = trees.text_at(git, commit, "README.md") or ""
    card = _card(text)
    papers = inference.papers(text)
    if repo.kind != "model":
        own = inference.tags_of_data_set(card) if repo.kind == "dataset" else strings(card.get("tags"))
        return Facts(files, card, None, None, None, None, _unique([*own, *papers]), None)
    config = _config(git, commit)
    library = inference.library(card, config, names)
    task = inference.task(card, config, library)
    relation = _relation(card, names)
    said = [library, *inference.formats(sorted(names)), *strings((config or {}).get("model_type")), task]
    tags = _unique([*(tag for tag in said if tag), *_stated(card, relation), *papers])
    return Facts(files, card, config, task, library, relation, tags, _weights(git, repo, commit, files))


def _unique(tags: list[str]) -> list[str]:
    return list(dict.fromkeys([*tags, "region:local"]))


def _card(text: str) -> dict[str, Any]:
    try:
        return frontmatter.parse(text) or {}
    except HubError:
        return {}


def _config(git: pygit2.Repository, commit: pygit2.Commit) -> dict[str, Any] | None:
    """The part of config.json that the Hub shows."""
    raw = json_at(git, commit, "config.json")
    return None if raw is None else {key: raw[key] for key in ("architectures", "model_type") if key in raw}


def json_at(git: pygit2.Repository, commit: pygit2.Commit, path: str) -> dict[str, Any] | None:
    """The object in a JSON file, of values that every answer can carry; None for any other file."""
    try:
        found = plain(json.loads(trees.text_at(git, commit, path, MAX_JSON) or "null"), MAX_VALUES)
    except (ValueError, RecursionError, HubError):
        return None
    return found if isinstance(found, dict) else None


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


def _stated(card: dict[str, Any], relation: str | None) -> list[str]:
    """The tags that a model's card gives."""
    bases = strings(card.get("base_model"))
    return [
        *strings(card.get("tags")),
        *strings(card.get("language")),
        *(f"dataset:{name}" for name in strings(card.get("datasets"))),
        *(f"base_model:{name}" for name in bases),
        *(f"base_model:{relation}:{name}" for name in bases if relation),
        *(f"license:{name}" for name in strings(card.get("license"))),
        *(["model-index"] if card.get("model-index") else []),
    ]


def _weights(
    git: pygit2.Repository, repo: Repo, commit: pygit2.Commit, files: list[trees.Entry]
) -> dict[str, Any] | None:
    """{parameters: {dtype: n}, total: n} of the model, of the adapter, or of whatever tensors are there.

    The same content under several names counts once. None when that is more than MAX_HEADERS to read.
    """
    total: dict[str, int] = {}
    left = MAX_HEADERS
    for entry in {entry.etag: entry for entry in _weight_files(git, commit, files)}.values():
        try:
            with _open(git, repo, entry) as file:
                left -= header_size(file)
                if left < 0:
                    return None
                for dtype, count in parameters(file).items():
                    total[dtype] = total.get(dtype, 0) + count
        except FileNotFoundError:
            continue
    sound = total and all(0 <= count < MAX_COUNT for count in total.values())
    return {"parameters": total, "total": sum(total.values())} if sound else None


def _weight_files(
    git: pygit2.Repository, commit: pygit2.Commit, files: list[trees.Entry]
) -> list[trees.Entry]:
    """One file, the shards that an index names, or all at the root: copies in other files count once.

    As huggingface_hub/hf_api.py: get_safetensors_metadata looks for them, and peft after it.
    """
    tensors = {entry.path: entry for entry in files if entry.path.endswith(".safetensors")}
    if "model.safetensors" in tensors:
        return [tensors["model.safetensors"]]
    index = (json_at(git, commit, "model.safetensors.index.json") or {}).get("weight_map")
    if isinstance(index, dict):
        shards = sorted({name for name in index.values() if isinstance(name, str) and name in tensors})
        return [tensors[name] for name in shards[:MAX_SHARDS]]
    if "adapter_model.safetensors" in tensors:
        return [tensors["adapter_model.safetensors"]]
    return [entry for path, entry in tensors.items() if "/" not in path][:MAX_SHARDS]


def _open(git: pygit2.Repository, repo: Repo, entry: trees.Entry) -> BinaryIO:
    if entry.lfs:
        return open(lfs.object_path(repo.path, entry.lfs.oid), "rb")
    return io.BytesIO(trees.blob(git, entry.oid))

"""What the API says about a repository, property by property: `model_info`, `dataset_info`, `space_info`.

The names that may be asked for with `expand` are those of huggingface_hub/hf_api.py (ExpandModelProperty_T
and its like). A property that this Hub cannot know is left out of the answer, as the Hub does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pygit2

from localhub.api.call import Call
from localhub.auth import may_open, may_read
from localhub.cards import facts
from localhub.cards.facts import Facts
from localhub.cards.frontmatter import strings
from localhub.cards.vocabulary import HEADS
from localhub.errors import HubError
from localhub.storage import lfs, repos, trees
from localhub.storage.repos import Repo

MASK = "*" * 64  # in place of the SHA-256 of a large file, for those before a gate


def _words(text: str) -> list[str]:
    return text.split()


_ALL = _words(
    "author cardData createdAt disabled lastModified likes private resourceGroup sha siblings tags "
    "trendingScore usedStorage"
)
EXPANDABLE = {
    "model": [
        *_ALL,
        *_words("baseModels childrenModelCount config downloads downloadsAllTime evalResults gated gguf"),
        *_words("inference inferenceProviderMapping library_name mask_token model-index pipeline_tag"),
        *_words("safetensors spaces transformersInfo widgetData"),
    ],
    "dataset": [
        *_ALL,
        *_words("citation description downloads downloadsAllTime gated mainSize paperswithcode_id"),
    ],
    "space": [*_ALL, *_words("datasets models region runtime sdk subdomain")],
}
_PLAIN = _words("author createdAt disabled gated lastModified likes private sha tags")
_MODEL = _words("modelId downloads pipeline_tag library_name")
_ONLY_IN_FULL = {
    "model": _words("config mask_token model-index safetensors transformersInfo widgetData"),
    "dataset": ["paperswithcode_id"],
    "space": ["datasets", "models"],
}


@dataclass(frozen=True)
class Subject:
    """A repository at one commit, and who asks about it."""

    call: Call
    repo: Repo
    git: pygit2.Repository
    commit: pygit2.Commit

    @cached_property
    def facts(self) -> Facts:
        """What the commit's files say."""
        return facts.of(self.repo, str(self.commit.id))


def subject(call: Call, repo: Repo, revision: str | None = None) -> Subject:
    """The repository at a revision, or at the head of main; HubError RevisionNotFound."""
    git = repo.git()
    return Subject(call, repo, git, trees.head(git) if revision is None else trees.resolve(git, revision))


def asked(call: Call, kind: str) -> list[str]:
    """The properties of `expand=a&expand=b`, also `expand[]=`; HubError 400 for one that there is not."""
    query = call.request.query_params
    names = [name for key in ("expand", "expand[]") for name in query.getlist(key)]
    for position, name in enumerate(names):
        if name not in EXPANDABLE[kind]:
            choice = "|".join(f'"{known}"' for known in sorted(EXPANDABLE[kind]))
            raise HubError(400, f"Invalid option: expected one of {choice} at expand[{position}]")
    return names


def in_full(kind: str) -> list[str]:
    """The properties of an answer about one repository."""
    return [*in_list(kind), "cardData", *_ONLY_IN_FULL[kind], "siblings", "usedStorage"]


def in_list(kind: str) -> list[str]:
    """The properties of a row in a list."""
    own = {"model": _MODEL, "dataset": ["downloads"], "space": ["sdk", "subdomain"]}[kind]
    return [*_PLAIN, *own, "trendingScore"]


def described(about: Subject, names: Iterable[str]) -> dict[str, Any]:
    """{`_id`, `id`, and the properties `names` as far as they are known}."""
    found = {"_id": about.repo.uid, "id": about.repo.id}
    values = {name: _PROPERTIES[name](about) for name in dict.fromkeys(names) if name in _PROPERTIES}
    return found | {name: value for name, value in values.items() if value is not None}


def _siblings(about: Subject) -> list[dict[str, Any]]:
    blobs = about.call.query.get("blobs", "").lower() in ("true", "1")
    masked = not may_open(about.call.user, about.repo)
    return [_sibling(entry, blobs, masked) for entry in about.facts.files]


def _sibling(entry: trees.Entry, blobs: bool, masked: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"rfilename": entry.path}
    if blobs:
        found |= {"size": entry.size, "blobId": entry.oid}
        if entry.lfs:
            oid = MASK if masked else entry.lfs.oid
            found["lfs"] = {"sha256": oid, "size": entry.lfs.size, "pointerSize": entry.lfs.length}
    return found


def used_storage(about: Subject) -> int:
    """Bytes: the small files of this revision, and every large file that is kept, also of older ones."""
    small = sum(entry.size for entry in about.facts.files if not entry.lfs)
    return small + sum(size for _, size, _ in lfs.stored(about.repo.path))


def _base_models(about: Subject) -> dict[str, Any] | None:
    bases = strings(about.facts.card.get("base_model"))
    return {"relation": about.facts.relation, "models": [{"id": name} for name in bases]} if bases else None


def _visible(about: Subject, kind: str) -> Iterator[tuple[Repo, Facts]]:
    for repo in repos.every(about.call.hub.data, kind):
        if may_read(about.call.user, repo):
            with suppress(*facts.UNREADABLE):
                sha = repo.tip()
                if sha:
                    yield repo, facts.of(repo, sha)


def _children(about: Subject) -> int:
    wanted = f"base_model:{about.repo.id}"
    return sum(wanted in known.tags for _, known in _visible(about, "model"))


def _spaces(about: Subject) -> list[str]:
    found = _visible(about, "space")
    return [repo.id for repo, known in found if about.repo.id in strings(known.card.get("models"))]


def _transformers(about: Subject) -> dict[str, str] | None:
    """The Auto class that loads a model, from the architecture that its config.json names."""
    config, names = about.facts.config or {}, {entry.path for entry in about.facts.files}
    for architecture in strings(config.get("architectures")):
        head = next((head for head in HEADS if architecture.endswith(head)), None)
        auto = (
            "AutoModel"
            if head is None
            else f"AutoModel{head}"
            if head.startswith("For")
            else "AutoModelForCausalLM"
        )
        found = {"auto_model": auto}
        found |= {"pipeline_tag": about.facts.task} if about.facts.task else {}
        tokenizer = names & {"tokenizer.json", "tokenizer_config.json", "vocab.txt"}
        return found | ({"processor": "AutoTokenizer"} if tokenizer else {})
    return None


def _mask_token(about: Subject) -> str | None:
    if about.facts.task != "fill-mask":
        return None
    token = (facts.json_at(about.git, about.commit, "tokenizer_config.json") or {}).get("mask_token")
    token = token.get("content") if isinstance(token, dict) else token
    return token if isinstance(token, str) else None


def _subdomain(about: Subject) -> str:
    return "".join(c if c.isalnum() else "-" for c in about.repo.id.lower())


def _card(key: str) -> Callable[[Subject], Any]:
    return lambda about: about.facts.card.get(key)


def _list(key: str) -> Callable[[Subject], list[str] | None]:
    return lambda about: strings(about.facts.card.get(key)) or None


_PROPERTIES: dict[str, Callable[[Subject], Any]] = {
    "author": lambda about: about.repo.namespace,
    "baseModels": _base_models,
    "cardData": lambda about: about.facts.card,
    "childrenModelCount": _children,
    "config": lambda about: about.facts.config,
    "createdAt": lambda about: about.repo.created_at,
    "datasets": _list("datasets"),
    "disabled": lambda _: False,
    "downloads": lambda _: 0,
    "downloadsAllTime": lambda _: 0,
    "gated": lambda about: about.repo.gated or False,
    "inferenceProviderMapping": lambda _: {},
    "lastModified": lambda about: trees.when(about.commit),
    "library_name": lambda about: about.facts.library,
    "likes": lambda _: 0,
    "mainSize": lambda about: sum(entry.size for entry in about.facts.files),
    "mask_token": _mask_token,
    "model-index": _card("model-index"),
    "modelId": lambda about: about.repo.id,
    "models": _list("models"),
    "paperswithcode_id": _card("paperswithcode_id"),
    "pipeline_tag": lambda about: about.facts.task,
    "private": lambda about: about.repo.private,
    "safetensors": lambda about: about.facts.safetensors,
    "sdk": lambda about: about.repo.sdk or _card("sdk")(about),
    "sha": lambda about: str(about.commit.id),
    "siblings": _siblings,
    "spaces": _spaces,
    "subdomain": _subdomain,
    "tags": lambda about: about.facts.tags,
    "transformersInfo": _transformers,
    "trendingScore": lambda _: 0,
    "usedStorage": used_storage,
    "widgetData": _card("widget"),
}

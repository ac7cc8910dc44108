"""What is here, as rows to search, to filter and to count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from localhub.api.call import Call
from localhub.auth import may_read
from localhub.cards import facts
from localhub.cards.frontmatter import strings
from localhub.pages import languages, titles
from localhub.storage import repos, trees
from localhub.storage.disk import read_json, write_json
from localhub.storage.repos import Repo


@dataclass(frozen=True)
class Row:
    """A repository as lists show it; all but `repo` follows from its newest commit."""

    repo: Repo
    when: str  # ISO time of the newest commit
    tasks: tuple[str, ...]
    libraries: tuple[str, ...]
    languages: tuple[str, ...]
    licenses: tuple[str, ...]
    tags: tuple[str, ...]
    parameters: int | None
    title: str  # that people gave it, and what it is; both empty for most
    about: str
    words: str  # what a search looks through beside the id, in lower case


@dataclass(frozen=True)
class Facet:
    """One filter: its name in addresses (the Hub's), its label, the values of a row, how a value is shown."""

    key: str
    label: str
    values: Callable[[Row], tuple[str, ...]]
    shown: Callable[[str], str] = str


_COMMON = (
    Facet("language", "Languages", lambda row: row.languages, languages.name),
    Facet("license", "License", lambda row: row.licenses),
)
FACETS: dict[str, tuple[Facet, ...]] = {
    "models": (
        Facet("pipeline_tag", "Task", lambda row: row.tasks),
        Facet("library", "Library", lambda row: row.libraries),
        *_COMMON,
    ),
    "datasets": (Facet("task_categories", "Task", lambda row: row.tasks), *_COMMON),
    "spaces": (Facet("license", "License", lambda row: row.licenses),),
}
# Filters without a list of their values: a tag as the API gives it (`base_model:NS/NAME`), and a namespace.
HIDDEN = (
    Facet("other", "Tag", lambda row: row.tags),
    Facet("author", "Namespace", lambda row: (row.repo.namespace.lower(),)),
)


def rows(call: Call, kind: str) -> list[Row]:
    """What the caller may read of a kind ("models"), newest first."""
    found = [
        row for repo in repos.every(call.hub.data, kind.removesuffix("s")) if (row := visible(call, repo))
    ]
    return sorted(found, key=lambda row: (row.when, row.repo.id), reverse=True)


def visible(call: Call, repo: Repo) -> Row | None:
    """A repository's row; None when the caller may not read it, or when it cannot be read."""
    if may_read(call.user, repo):
        with suppress(*facts.UNREADABLE):
            sha = repo.tip()
            return _row(repo, sha) if sha else None
    return None


@lru_cache(maxsize=20_000)
def _row(repo: Repo, sha: str) -> Row:
    """The row of a commit, which never changes: remembered here, and in `row.json` beside the repository.

    The card of a model takes some 20 ms to parse; without the file, the first list after a start would wait
    for every card.
    """
    made_of = [sha, _code()]
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept: dict[str, Any] = read_json(repo.path / "row.json")
        if kept.pop("made_of") == made_of:
            values: Any = {key: tuple(it) if isinstance(it, list) else it for key, it in kept.items()}
            return Row(repo, **values)
    row = _read(repo, sha)
    new = {field.name: getattr(row, field.name) for field in fields(Row) if field.name != "repo"}
    with suppress(OSError):  # a full disk: then it is read anew
        write_json(repo.path / "row.json", {"made_of": made_of} | new)
    return row


@cache
def _code() -> str:
    """A digest of the code that makes rows: what other code wrote is not read."""
    sources = [Path(__file__), Path(titles.__file__), *sorted(Path(facts.__file__).parent.glob("*.py"))]
    return sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def _read(repo: Repo, sha: str) -> Row:
    known = facts.of(repo, sha)
    card = known.card
    tasks = (
        strings(card.get("task_categories")) if repo.kind == "dataset" else [known.task] if known.task else []
    )
    title, about = titles.of(repo.kind, card)
    words = [title, about, *known.tags, *tasks]
    return Row(
        repo=repo,
        when=trees.when(trees.resolve(repo.git(), sha)),
        tasks=tuple(tasks),
        libraries=(known.library,) if known.library else (),
        languages=tuple(strings(card.get("language"))),
        licenses=tuple(strings(card.get("license"))),
        tags=tuple(known.tags),
        parameters=known.safetensors["total"] if known.safetensors else None,
        title=title,
        about=about,
        words=" ".join(words).lower(),
    )


def searched(found: Iterable[Row], query: str) -> list[Row]:
    """The rows in which every word of the query occurs."""
    words = query.lower().split()
    return [row for row in found if all(word in row.words or word in row.repo.id.lower() for word in words)]


def filtered(found: Iterable[Row], kind: str, chosen: Mapping[str, str], but: str = "") -> list[Row]:
    """The rows that have every chosen value, whatever facet `but` says."""
    facets = [facet for facet in (*FACETS[kind], *HIDDEN) if facet.key in chosen and facet.key != but]
    return [row for row in found if all(chosen[facet.key] in facet.values(row) for facet in facets)]


def counts(found: Iterable[Row], facet: Facet) -> list[tuple[str, int]]:
    """(value, number of rows) of a facet, the most frequent first."""
    counted = Counter(value for row in found for value in dict.fromkeys(facet.values(row)))
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))

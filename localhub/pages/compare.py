"""Two releases side by side: numbers, parameters, metadata, settings, versions, files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pygit2
from starlette.responses import RedirectResponse, Response

from localhub.api.call import Call
from localhub.cards import facts
from localhub.cards.facts import Facts
from localhub.pages import changes, deltas, keypaths, numbers, releases, render
from localhub.pages.deltas import Delta
from localhub.pages.history import way_of_showing
from localhub.pages.keypaths import KeyChange
from localhub.pages.views import frame
from localhub.pages.wording import amount, size
from localhub.storage import trees
from localhub.storage.repos import Repo

MAX_CHOICES = 1000  # revisions to choose from
MAX_FILES = 500
MAX_KEYED = 40  # files whose keys are compared
MAX_KEYS = 60  # shown of each
_DIGITS = re.compile(r"(\d+)")
# Where a record says with what it was made: `environment.torch`, `versions.datasets`, `transformers_version`.
_VERSION = re.compile(
    r"(?:.*\.)?(?:environment|versions?|libraries|packages)\.([^.]+)|(?:.*\.)?(\w+)_version"
)


@dataclass(frozen=True)
class Keyed:
    """A JSON or YAML file of both releases: the keys that differ, `left` of which are not shown."""

    path: str
    keys: list[KeyChange]
    left: int


def choose(call: Call) -> Response:
    """GET /NS/NAME/compare?from=&to=: on to that comparison, or to that of the two newest tags."""
    repo = call.find_listed()
    old, new = (call.query.get(name, "")[:300] for name in ("from", "to"))
    if not (old and new):
        tags = list(releases.in_order(repo.git()))
        if len(tags) < 2:
            return _page(call, repo, "compare.html", tags[-1] if tags else "", "main", None)
        old, new = tags[-2:]
    return RedirectResponse(address(repo, old, new), 303)


def address(repo: Repo, old: str, new: str) -> str:
    """The page that compares two revisions."""
    return f"{repo.url_path}/compare/{quote(old, safe='')}..{quote(new, safe='')}"


def compare(call: Call) -> Response:
    """GET /NS/NAME/compare/A..B?view=unified|split&path=: with `view` or `path` also line by line.

    No ref name holds "..", so that the first one separates the two.
    """
    repo = call.find()
    git = repo.git()
    old, _, new = call.args["pair"].partition("..")
    before, after = trees.resolve(git, old), trees.resolve(git, new)
    return _page(call, repo, "compare.html", old, new, _difference(call, repo, git, before, after))


def _page(
    call: Call, repo: Repo, template: str, old: str, new: str, found: dict[str, Any] | None
) -> Response:
    around = frame(call, repo, "compare")
    choices = [*reversed(releases.in_order(repo.git())), *around["branches"]][:MAX_CHOICES]
    choices += [name for name in dict.fromkeys((old, new)) if name and name not in choices]
    swapped = address(repo, new, old) if found else None
    return render.page(
        template,
        **around,
        old=old,
        new=new,
        choices=choices,
        swapped=swapped,
        found=found,
        **way_of_showing(call),
    )


def _difference(
    call: Call, repo: Repo, git: pygit2.Repository, before: pygit2.Commit, after: pygit2.Commit
) -> dict[str, Any]:
    old, new = facts.of(repo, str(before.id)), facts.of(repo, str(after.id))
    found = deltas.between(git, before.tree, after.tree)
    ahead, behind = git.ahead_behind(after.id, before.id)
    keyed, passed = _keyed(git, found)
    lines = "view" in call.query or "path" in call.query
    return {
        "same": before.id == after.id,
        "sides": [_side(before), _side(after)],
        "ahead": ahead,
        "behind": behind,
        "pairs": numbers.pairs(old.card, new.card),
        "measures": _measures(old, new),
        "card": _card(old, new),
        "keyed": keyed,
        "passed": passed,
        "versions": _versions(keyed),
        "files": found[:MAX_FILES],
        "files_left": max(0, len(found) - MAX_FILES),
        "counts": _counts(found),
        "changes": changes.between(git, repo, before.tree, after.tree, call.query.get("path"))
        if lines
        else None,
        "shown": numbers.shown,
    }


def _side(commit: pygit2.Commit) -> dict[str, str]:
    return {"sha": str(commit.id), "title": trees.subject(commit)[0], "when": trees.when(commit)}


def _measures(old: Facts, new: Facts) -> list[KeyChange]:
    """Parameters and sizes, also where they are equal: that nothing grew is worth knowing."""
    rows = [
        ("Parameters", [_parameters(side) for side in (old, new)]),
        ("Weights", [_bytes(side, ".safetensors") for side in (old, new)]),
        ("All files", [_bytes(side, "") for side in (old, new)]),
    ]
    return [KeyChange(label, *sides) for label, sides in rows if any(sides)]


def _parameters(side: Facts) -> str | None:
    if side.safetensors is None:
        return None
    dtypes = ", ".join(side.safetensors["parameters"])
    return f"{side.safetensors['total']:,} ({amount(side.safetensors['total'])}) · {dtypes}"


def _bytes(side: Facts, suffix: str) -> str | None:
    sizes = [file.size for file in side.files if file.path.endswith(suffix)]
    return f"{size(sum(sizes))} in {len(sizes):,} {'file' if len(sizes) == 1 else 'files'}" if sizes else None


def _card(old: Facts, new: Facts) -> list[KeyChange]:
    """The card's metadata without its numbers, which are compared by themselves."""
    sides = [{key: value for key, value in side.card.items() if key != "model-index"} for side in (old, new)]
    return (keypaths.changed(*sides) or [])[:MAX_KEYS]


def _keyed(git: pygit2.Repository, found: list[Delta]) -> tuple[list[Keyed], int]:
    """The JSON and YAML files that differ in keys, and how many more such files were passed over."""
    fit = [delta for delta in found if _has_keys(delta)]
    result = []
    for delta in fit[:MAX_KEYED]:
        keys = _keys(git, delta)
        if keys:
            result.append(Keyed(delta.path, keys[:MAX_KEYS], max(0, len(keys) - MAX_KEYS)))
    return result, max(0, len(fit) - MAX_KEYED)


def _has_keys(delta: Delta) -> bool:
    sides = [
        side for side in (delta.old, delta.new) if side and not side.lfs and side.size <= keypaths.MAX_JSON
    ]
    return delta.edited and len(sides) == 2 and delta.path.lower().endswith((".json", ".yaml", ".yml"))


def _keys(git: pygit2.Repository, delta: Delta) -> list[KeyChange] | None:
    assert delta.old is not None and delta.new is not None
    texts = [trees.blob(git, side.oid).decode(errors="replace") for side in (delta.old, delta.new)]
    old, new = keypaths.read(delta.old.path, texts[0]), keypaths.read(delta.new.path, texts[1])
    if not isinstance(old, dict | list) or not isinstance(new, dict | list):
        return None
    return keypaths.changed(old, new)


def _versions(keyed: list[Keyed]) -> list[KeyChange]:
    """Versions of libraries that differ, each once, from wherever a file of the release names them."""
    found: dict[tuple[str, str | None, str | None], KeyChange] = {}
    for name, key in _versioned(keyed):
        found.setdefault((name, key.old, key.new), KeyChange(name, key.old, key.new))
    return list(found.values())[:MAX_KEYS]


def _versioned(keyed: list[Keyed]) -> Iterator[tuple[str, KeyChange]]:
    for file in keyed:
        for key in file.keys:
            match = _VERSION.fullmatch(key.path)
            if match and any(side and _DIGITS.search(side) for side in (key.old, key.new)):
                yield (match[1] or match[2]), key


def _counts(found: list[Delta]) -> str:
    parts = []
    for word in ("added", "deleted", "renamed", "changed"):
        count = sum(delta.status == word for delta in found)
        parts += [f"{count:,} {word}"] if count else []
    return ", ".join(parts)

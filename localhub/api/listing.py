"""GET /api/models, /api/datasets, /api/spaces: cheap filters first; files are read for one page only."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from starlette.responses import Response

from localhub.api import describe
from localhub.api.call import Call
from localhub.api.paging import page
from localhub.auth import may_read
from localhub.cards import facts
from localhub.cards.frontmatter import strings
from localhub.errors import HubError
from localhub.storage import repos, trees
from localhub.storage.repos import Repo

MAX_PAGE = 1000
_UNKNOWABLE = ("apps", "other", "dataset_name")
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
# Nobody downloads or likes here: those orders are that of the last change.
_SORTS = ("lastModified", "createdAt", "downloads", "likes", "trendingScore")


@dataclass(frozen=True)
class Found:
    """A repository of the list, the head of its main, and its place in the order."""

    repo: Repo
    sha: str
    place: tuple[str, str]


def listing(call: Call) -> Response:
    """Rows by `author`, `search`, `filter`, `pipeline_tag`, `gated` and `num_parameters`.

    `sort`, `direction` and `limit` order and cut them; `expand`, or `full`, `cardData` and `config`, say what
    a row holds. `cursor` names the row before the first: what is made or deleted between two pages makes none
    appear twice.
    """
    kind = call.args["kind"].removesuffix("s")
    names = _names(call, kind)
    sort = call.query.get("sort", "lastModified")
    if sort not in _SORTS:
        raise HubError(400, f"'sort' must be one of {', '.join(_SORTS)}.")
    down = call.query.get("direction", "-1") != "1"
    found = sorted(_found(call, kind, sort), key=lambda item: item.place, reverse=down)
    after = _cursor(call)
    if after:
        found = [item for item in found if (item.place < after if down else item.place > after)]
    limit = max(1, call.count("limit", MAX_PAGE, MAX_PAGE))
    rows = [row for item in found[:limit] if (row := _row(call, item, names))]
    return page(call, rows, _written(found[limit - 1].place) if len(found) > limit else None)


def _row(call: Call, item: Found, names: list[str]) -> dict[str, Any] | None:
    with suppress(*facts.UNREADABLE):
        return describe.described(describe.subject(call, item.repo, item.sha), names)
    return None


def _names(call: Call, kind: str) -> list[str]:
    names = describe.asked(call, kind)
    if names:
        return names
    query = {key: value.lower() in ("true", "1") for key, value in call.query.items()}
    names = describe.in_list(kind)
    names += ["siblings"] if query.get("full") else []
    names += ["cardData"] if query.get("full") or query.get("cardData") else []
    return names + (["config"] if query.get("config") and kind == "model" else [])


def _found(call: Call, kind: str, sort: str) -> Iterator[Found]:
    for name in _UNKNOWABLE:
        if name in call.query:
            raise HubError(501, f"localhub does not serve lists filtered by '{name}'.", "NotImplemented")
    if call.query.get("inference") or call.query.get("inference_provider"):
        return  # no model is served by anybody here
    bounds = _bounds(call.query.get("num_parameters"))
    for repo in repos.every(call.hub.data, kind, call.query.get("author", "")):
        if _may_be_listed(call, repo):
            with suppress(*facts.UNREADABLE):
                sha = repo.tip()  # None: made, but its first commit has not been written yet
                if sha and _matches(call, repo, sha, bounds):
                    key = repo.created_at if sort == "createdAt" else _when(repo, sha)
                    yield Found(repo, sha, (key, repo.id))


@lru_cache(maxsize=50_000)
def _when(repo: Repo, sha: str) -> str:
    """The time of a commit; commits never change."""
    return trees.when(trees.resolve(repo.git(), sha))


def _may_be_listed(call: Call, repo: Repo) -> bool:
    gated = call.query.get("gated", "").lower()
    if gated in ("true", "false") and bool(repo.gated) != (gated == "true"):
        return False
    words = call.request.query_params.getlist("search")
    return may_read(call.user, repo) and all(word.lower() in repo.id.lower() for word in words)


def _matches(call: Call, repo: Repo, sha: str, bounds: tuple[float, float] | None) -> bool:
    """By what its files say, if that is asked at all."""
    query = call.request.query_params
    wanted = [tag for value in query.getlist("filter") for tag in value.split(",") if tag]
    wanted += [tag for tag in query.getlist("pipeline_tag") if tag]
    if repo.kind == "space":
        wanted += [f"{key}={name}" for key in ("models", "datasets") for name in query.getlist(key)]
        wanted += ["linked"] if query.get("linked") else []
    if not wanted and bounds is None:
        return True
    tags, parameters = _labels(repo, sha)
    if any(tag not in tags for tag in wanted):
        return False
    return bounds is None or (parameters is not None and bounds[0] <= parameters <= bounds[1])


@lru_cache(maxsize=20_000)
def _labels(repo: Repo, sha: str) -> tuple[frozenset[str], int | None]:
    """The tags of a commit, and how many parameters its weights have; without the list of its files.

    A space's tags here also say what it uses: `models=NS/NAME`, `datasets=NS/NAME`, `linked`.
    """
    known = facts.of(repo, sha)
    used = [f"{key}={name}" for key in ("models", "datasets") for name in strings(known.card.get(key))]
    tags = [*known.tags, *used, "linked"] if repo.kind == "space" and used else known.tags
    return frozenset(tags), known.safetensors["total"] if known.safetensors else None


def _bounds(text: str | None) -> tuple[float, float] | None:
    """(least, most) parameters of `min:6B,max:128B`, either part alone too; HubError 400."""
    if text is None:
        return None
    found = re.fullmatch(r"(?:min:([\d.]{1,12})([KMBT]?))?,?(?:max:([\d.]{1,12})([KMBT]?))?", text)
    try:
        if found:
            low = float(found[1] or 0) * _UNITS[found[2] or ""]
            return low, float(found[3] or "inf") * _UNITS[found[4] or ""]
    except ValueError:
        pass
    raise HubError(400, "'num_parameters' must look like min:6B,max:128B.")


def _written(place: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _cursor(call: Call) -> tuple[str, str] | None:
    text = call.query.get("cursor")
    if not text:
        return None
    try:
        key, repo_id = json.loads(base64.urlsafe_b64decode(text))
    except (ValueError, TypeError, RecursionError):
        raise HubError(400, "The cursor is not one of this list's.") from None
    return str(key), str(repo_id)

"""Trees, paths, refs and history."""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import Any

import pygit2
from starlette.responses import Response

from localhub.api.call import Call, bounded
from localhub.api.repositories import page
from localhub.errors import HubError
from localhub.storage import refs, trees
from localhub.storage.trees import Entry

PAGE = 1000
PAGE_EXPANDED = 50
PAGE_COMMITS = 50


def tree(call: Call) -> Response:
    """GET /api/T/ID/tree/REV[/PATH]?recursive=&expand=, in pages that a `Link` header chains."""
    git = call.find().git()
    commit = trees.resolve(git, call.args["rev"])
    expand = _true(call.query.get("expand"))
    size = PAGE_EXPANDED if expand else PAGE
    start, limit = call.count("cursor", 0, 10**7), max(1, call.count("limit", size, size))
    path = call.args.get("path", "").strip("/")
    entries = trees.listing(git, commit, path, _true(call.query.get("recursive")))
    rows = list(islice(entries, start, start + limit + 1))
    shown = _rows(git, commit, rows[:limit], expand)
    return page(call, shown, start + limit if len(rows) > limit else None)


def paths_info(call: Call) -> list[dict[str, Any]]:
    """POST /api/T/ID/paths-info/REV (a form): the same objects for chosen paths, unknown ones left out."""
    git = call.find().git()
    commit = trees.resolve(git, call.args["rev"])
    paths = call.body.get("paths", [])
    paths = [paths] if isinstance(paths, str) else paths
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise HubError(400, "'paths' must be a list of strings.")
    found = [_entry_or_none(git, commit, path.strip("/")) for path in bounded("paths", paths, 10_000)]
    expand = _true(str(call.body.get("expand", "")))
    return _rows(git, commit, [entry for entry in found if entry], expand)


def _entry_or_none(git: pygit2.Repository, commit: pygit2.Commit, path: str) -> Entry | None:
    try:
        return trees.entry(git, commit, path)
    except HubError:
        return None  # an impossible path is an unknown path


def _true(value: str | None) -> bool:
    return (value or "").lower() in ("true", "1")


def _rows(
    git: pygit2.Repository, commit: pygit2.Commit, entries: list[Entry], expand: bool
) -> list[dict[str, Any]]:
    last = trees.last_commits(git, commit, [entry.path for entry in entries]) if expand else {}
    return [_row(entry, last.get(entry.path)) for entry in entries]


def _row(entry: Entry, last: pygit2.Commit | None) -> dict[str, Any]:
    found: dict[str, Any] = {"type": entry.kind, "oid": entry.oid, "size": entry.size, "path": entry.path}
    if entry.lfs:
        found["lfs"] = {"oid": entry.lfs.oid, "size": entry.lfs.size, "pointerSize": entry.lfs.length}
    if last:
        found["lastCommit"] = {"id": str(last.id), "title": trees.subject(last)[0], "date": trees.when(last)}
    return found


def references(call: Call) -> dict[str, Any]:
    """GET /api/T/ID/refs?include_prs=1"""
    git = call.find().git()
    found = {
        "branches": _refs(git, "refs/heads/"),
        "converts": _refs(git, "refs/convert/"),
        "tags": _refs(git, "refs/tags/"),
    }
    if call.query.get("include_prs"):
        found["pullRequests"] = _refs(git, "refs/pr/")
    return found


def _refs(git: pygit2.Repository, prefix: str) -> list[dict[str, str]]:
    found = refs.names(git, prefix)
    return [{"name": name, "ref": prefix + name, "targetCommit": sha} for name, sha in found.items()]


def history(call: Call) -> Response:
    """GET /api/T/ID/commits/REV?p=&limit="""
    git = call.find().git()
    commit = trees.resolve(git, call.args["rev"])
    limit = max(1, call.count("limit", PAGE_COMMITS, 1000))
    start = call.count("cursor", call.count("p", 0, 10**6) * limit, 10**7)
    found = trees.history(git, commit, start, limit + 1)
    formatted = "formatted" in call.request.query_params.getlist("expand[]")
    rows = [_commit(past, formatted) for past in found[:limit]]
    return page(call, rows, start + limit if len(found) > limit else None)


def _commit(commit: pygit2.Commit, formatted: bool) -> dict[str, Any]:
    title, message = trees.subject(commit)
    found: dict[str, Any] = {
        "id": str(commit.id),
        "title": title,
        "message": message,
        "authors": [{"user": commit.author.name}],
        "date": trees.when(commit),
    }
    if formatted:
        found["formatted"] = {"title": escape(title), "message": escape(message)}
    return found

"""Trees, paths, refs and history."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import pygit2
from starlette.responses import Response

from localhub.api.call import Call, bounded
from localhub.api.describe import MASK
from localhub.api.paging import page
from localhub.auth import may_open
from localhub.errors import HubError
from localhub.storage import discussions, refs, trees
from localhub.storage.trees import Entry

PAGE = 1000
PAGE_EXPANDED = 50
PAGE_COMMITS = 50
_CURSOR = re.compile(r"([0-9a-f]{40})\.([0-9]{1,9})")


def tree(call: Call) -> Response:
    """GET /api/T/ID/tree/REV[/PATH]?recursive=&expand=, in pages that a `Link` header chains.

    With `expand`, the last commit of each path. `securityFileStatus` is left out: nothing here scans files.
    """
    repo = call.find_listed()
    git = repo.git()
    commit, start = _place(call, git)
    expand, recursive = _true(call.query.get("expand")), _true(call.query.get("recursive"))
    size = PAGE_EXPANDED if expand else PAGE
    limit, path = max(1, call.count("limit", size, size)), call.args.get("path", "").strip("/")
    found = trees.part_of_listing(git, commit, path, recursive, start, limit + 1)
    last = trees.last_commits_of_listing(git.path, str(commit.id), path, recursive) if expand else {}
    rows = _rows(git, found[:limit], last, masked=not may_open(call.user, repo))
    return page(call, rows, f"{commit.id}.{start + limit}" if len(found) > limit else None)


def _place(call: Call, git: pygit2.Repository) -> tuple[pygit2.Commit, int]:
    """(commit, number of rows before this page). A cursor names its commit: branches move between pages."""
    cursor = call.query.get("cursor")
    if cursor is None:
        return trees.resolve(git, call.args["rev"]), 0
    match = _CURSOR.fullmatch(cursor)
    if not match:
        raise HubError(400, "Invalid cursor: use the address in the Link header as it is.")
    return trees.resolve(git, match[1]), int(match[2])


def paths_info(call: Call) -> list[dict[str, Any]]:
    """POST /api/T/ID/paths-info/REV (a form): the same objects for chosen paths, unknown ones left out."""
    repo = call.find_listed()
    git = repo.git()
    commit = trees.resolve(git, call.args["rev"])
    paths = call.body.get("paths", [])
    paths = [paths] if isinstance(paths, str) else paths
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise HubError(400, "'paths' must be a list of strings.")
    asked = [_entry_or_none(git, commit, path.strip("/")) for path in bounded("paths", paths, 10_000)]
    found = [entry for entry in asked if entry]
    expand = _true(str(call.body.get("expand", "")))
    newest = trees.last_commits(git, commit, [entry.path for entry in found]) if expand else {}
    last = {path: str(changed.id) for path, changed in newest.items()}
    return _rows(git, found, last, masked=not may_open(call.user, repo))


def _entry_or_none(git: pygit2.Repository, commit: pygit2.Commit, path: str) -> Entry | None:
    try:
        return trees.entry(git, commit, path)
    except HubError:
        return None  # an impossible path is an unknown path


def _true(value: str | None) -> bool:
    return (value or "").lower() in ("true", "1")


def _rows(
    git: pygit2.Repository, entries: list[Entry], last: dict[str, str], masked: bool
) -> list[dict[str, Any]]:
    """One row an entry, with its commit where `last` has one. `masked` hides what would open large files."""
    commits = {sha: trees.resolve(git, sha) for sha in {last[e.path] for e in entries if e.path in last}}
    return [_row(entry, commits.get(last.get(entry.path, "")), masked) for entry in entries]


def _row(entry: Entry, last: pygit2.Commit | None, masked: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"type": entry.kind, "oid": entry.oid, "size": entry.size, "path": entry.path}
    if entry.lfs:
        oid = MASK if masked else entry.lfs.oid
        found["lfs"] = {"oid": oid, "size": entry.lfs.size, "pointerSize": entry.lfs.length}
    if last:
        found["lastCommit"] = {"id": str(last.id), "title": trees.subject(last)[0], "date": trees.when(last)}
    return found


def references(call: Call) -> dict[str, Any]:
    """GET /api/T/ID/refs?include_prs=1"""
    repo = call.find_listed()
    git = repo.git()
    prefixes = {"branches": "refs/heads/", "converts": "refs/convert/", "tags": "refs/tags/"}
    found = {key: _refs(prefix, refs.names(git, prefix)) for key, prefix in prefixes.items()}
    if call.query.get("include_prs"):
        found["pullRequests"] = _refs("refs/pr/", discussions.request_refs(repo, git))
    return found


def _refs(prefix: str, found: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "ref": prefix + name, "targetCommit": sha} for name, sha in found.items()]


def history(call: Call) -> Response:
    """GET /api/T/ID/commits/REV?p=&limit="""
    git = call.find_listed().git()
    commit, start = _place(call, git)
    limit = max(1, call.count("limit", PAGE_COMMITS, 1000))
    start = start or call.count("p", 0, 10**6) * limit
    found = trees.history(git, commit, start, limit + 1)
    formatted = "formatted" in call.request.query_params.getlist("expand[]")
    rows = [_commit(past, formatted) for past in found[:limit]]
    return page(call, rows, f"{commit.id}.{start + limit}" if len(found) > limit else None)


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

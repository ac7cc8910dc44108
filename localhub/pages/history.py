"""Commits as pages: the list of them, and what one of them changed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pygit2
from starlette.responses import Response

from localhub.api.call import Call
from localhub.pages import changes, hunks, render
from localhub.pages.views import frame
from localhub.storage import trees

PAGE = 50


def listing(call: Call) -> Response:
    """GET /NS/NAME/commits/REV?p=: fifty commits a page, tags beside theirs."""
    repo = call.find_listed()
    git, revision = repo.git(), call.args["rev"]
    number = call.count("p", 0, 10**5)
    found = trees.history(git, trees.resolve(git, revision), number * PAGE, PAGE + 1)
    around = frame(call, repo, "history", revision)
    names: dict[str, list[str]] = {}
    for name, sha in around["tags"].items():
        names.setdefault(sha, []).append(name)
    rows = [_row(past) | {"tags": names.get(str(past.id), [])} for past in found[:PAGE]]
    return render.page("history.html", **around, rows=rows, number=number, more=len(found) > PAGE)


def _row(commit: pygit2.Commit) -> dict[str, Any]:
    title, message = trees.subject(commit)
    return {
        "sha": str(commit.id),
        "title": title,
        "message": message,
        "author": commit.author.name,
        "when": trees.when(commit),
    }


def commit(call: Call) -> Response:
    """GET /NS/NAME/commit/SHA?view=unified|split&path=: the message and what it changed."""
    repo = call.find()
    git = repo.git()
    found = trees.resolve(git, call.args["sha"])
    around = frame(call, repo, "history", str(found.id))
    return render.page(
        "commit.html",
        **around,
        commit=_row(found),
        names=[name for name, sha in around["tags"].items() if sha == str(found.id)],
        parents=[str(parent.id) for parent in found.parents],
        changes=changes.of_commit(git, repo, found, call.query.get("path")),
        **way_of_showing(call),
    )


def way_of_showing(call: Call) -> dict[str, Any]:
    """`view` ("unified" or "split"), `only` (a path, or None), and `link(view, path)` to another way."""
    view = "split" if call.query.get("view") == "split" else "unified"
    only = call.query.get("path")

    def link(wanted: str, path: str | None = None) -> str:
        asked = {"view": wanted if wanted == "split" else None, "path": path}
        return "?" + urlencode({key: value for key, value in asked.items() if value is not None})

    return {"view": view, "only": only, "link": link, "beside": hunks.side_by_side}

"""Folders as pages: names first, each with the commit that last changed it."""

from __future__ import annotations

from typing import Any

import pygit2
from pygit2.enums import ObjectType
from starlette.responses import Response

from localhub.api.call import Call
from localhub.auth import may_open
from localhub.cards import frontmatter
from localhub.pages import markdown, render
from localhub.pages.views import frame
from localhub.storage import trees
from localhub.storage.repos import Repo

PAGE = 300  # rows: each costs a look into history


def tree(call: Call) -> Response:
    """GET /NS/NAME/tree/REV[/PATH]?p=: a folder, its own folders first, and its README below."""
    repo = call.find_listed()
    git, revision = repo.git(), call.args["rev"]
    commit = trees.resolve(git, revision)
    path = call.args.get("path", "").strip("/")
    names = _names(trees.tree_at(commit, path))
    number = min(call.count("p", 0, 10**5), max(0, len(names) - 1) // PAGE)
    shown = names[number * PAGE : (number + 1) * PAGE]
    title, _ = trees.subject(commit)
    return render.page(
        "tree.html",
        **frame(call, repo, "files", revision),
        rows=_rows(git, commit, [f"{path}/{name}" if path else name for name in shown]),
        total=len(names),
        number=number,
        pages=-(-len(names) // PAGE) or 1,
        first=number * PAGE + 1,
        crumbs=crumbs(path),
        path=path,
        sha=str(commit.id),
        title=title,
        author=commit.author.name,
        when=trees.when(commit),
        readme=_readme(call, repo, commit, path) if path else None,
    )


def _names(folder: pygit2.Tree) -> list[str]:
    """The names in a folder: folders, then files. Sizes are read for one page of them only."""
    kinds = {ObjectType.TREE: 0, ObjectType.BLOB: 1}  # a submodule has nothing to show
    found = [(kinds[child.type], str(child.name)) for child in folder if child.type in kinds]
    return [name for _, name in sorted(found)]


def _rows(git: pygit2.Repository, commit: pygit2.Commit, paths: list[str]) -> list[dict[str, Any]]:
    last = trees.last_commits(git, commit, paths)
    rows = []
    for path in paths:
        entry, past = trees.entry(git, commit, path), last.get(path)
        row = {"entry": entry, "name": path.rpartition("/")[2], "sha": "", "title": "", "when": None}
        if past is not None:
            row |= {"sha": str(past.id), "title": trees.subject(past)[0], "when": trees.when(past)}
        rows.append(row)
    return rows


def _readme(call: Call, repo: Repo, commit: pygit2.Commit, folder: str) -> str | None:
    """The README of a folder as safe HTML. The root's is the card, which has a page of its own."""
    text = trees.text_at(repo.git(), commit, f"{folder}/README.md")
    if text is None or not may_open(call.user, repo):
        return None
    return markdown.render(frontmatter.split(text)[1], repo.url_path, call.args["rev"], folder)


def crumbs(path: str) -> list[tuple[str, str]]:
    """(name, path) of each folder on the way."""
    parts = path.split("/") if path else []
    return [(part, "/".join(parts[: depth + 1])) for depth, part in enumerate(parts)]

"""Files, their text, and history as pages."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from localhub.api.call import Call
from localhub.errors import entry_not_found
from localhub.pages import changes, render
from localhub.pages.views import frame
from localhub.pages.wording import segment
from localhub.storage import trees

MAX_TEXT = 500_000  # bytes of a file shown as text
PAGE = 50


def tree(call: Call) -> Response:
    """GET /NS/NAME/tree/REV[/PATH]: folders first, each with the commit that last changed it."""
    repo = call.find()
    git, revision = repo.git(), call.args["rev"]
    commit = trees.resolve(git, revision)
    path = call.args.get("path", "").strip("/")
    entries = sorted(trees.listing(git, commit, path), key=lambda entry: (entry.kind == "file", entry.path))
    last = trees.last_commits(git, commit, [entry.path for entry in entries])
    rows = [
        {
            "entry": entry,
            "name": entry.path.rpartition("/")[2],
            "title": trees.subject(last[entry.path])[0],
            "when": trees.when(last[entry.path]),
        }
        for entry in entries
    ]
    around = frame(call, repo, "files", revision)
    return render.page(
        "tree.html",
        **around,
        rows=rows,
        crumbs=crumbs(path),
        path=path,
        sha=str(commit.id),
        title=trees.subject(commit)[0],
        when=trees.when(commit),
    )


def crumbs(path: str) -> list[tuple[str, str]]:
    """(name, path) of each folder on the way."""
    parts = path.split("/") if path else []
    return [(part, "/".join(parts[: depth + 1])) for depth, part in enumerate(parts)]


def blob(call: Call) -> Response:
    """GET /NS/NAME/blob/REV/PATH: a small text file with line numbers; a folder goes to its listing."""
    repo = call.find()
    git, revision, path = repo.git(), call.args["rev"], call.args["path"].strip("/")
    commit = trees.resolve(git, revision)
    entry = trees.entry(git, commit, path)
    if entry is None:
        raise entry_not_found(path)
    if entry.kind == "directory":
        return RedirectResponse(f"{repo.url_path}/tree/{segment(revision)}/{path}", 303)
    text = trees.text_at(git, commit, path, MAX_TEXT)
    image = path.lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".webp"))
    around = frame(call, repo, "files", revision)
    return render.page(
        "blob.html",
        **around,
        entry=entry,
        image=image,
        crumbs=crumbs(path),
        lines=None if text is None else text.splitlines(),
    )


def history(call: Call) -> Response:
    """GET /NS/NAME/commits/REV?p=: fifty commits a page."""
    repo = call.find()
    git, revision = repo.git(), call.args["rev"]
    number = call.count("p", 0, 10**5)
    found = trees.history(git, trees.resolve(git, revision), number * PAGE, PAGE + 1)
    rows = [
        {
            "sha": str(past.id),
            "title": trees.subject(past)[0],
            "author": past.author.name,
            "when": trees.when(past),
        }
        for past in found[:PAGE]
    ]
    around = frame(call, repo, "history", revision)
    names: dict[str, list[str]] = {}
    for name, sha in around["tags"].items():
        names.setdefault(sha, []).append(name)
    return render.page(
        "history.html", **around, rows=rows, number=number, more=len(found) > PAGE, names=names
    )


def commit(call: Call) -> Response:
    """GET /NS/NAME/commit/SHA: the message and what it changed."""
    repo = call.find()
    git = repo.git()
    found = trees.resolve(git, call.args["sha"])
    title, message = trees.subject(found)
    around = frame(call, repo, "history", str(found.id))
    return render.page(
        "commit.html",
        **around,
        sha=str(found.id),
        title=title,
        message=message,
        author=found.author.name,
        when=trees.when(found),
        parents=[str(parent.id) for parent in found.parents],
        changes=changes.of_commit(git, found),
    )

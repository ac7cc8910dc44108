"""The lists, the card, and the pages around them."""

from __future__ import annotations

from typing import Any

from starlette.responses import RedirectResponse, Response

from localhub.api.call import Call
from localhub.auth import may_read
from localhub.cards import facts, frontmatter
from localhub.errors import HubError
from localhub.names import is_repo_part
from localhub.pages import changes, markdown, panel, render
from localhub.storage import discussions as talk
from localhub.storage import refs, repos, trees
from localhub.storage.repos import Repo


def style(_: Call) -> Response:
    """GET /-/style.css"""
    return render.stylesheet()


def refusal(error: HubError, headers: dict[str, str]) -> Response:
    """An error as a page."""
    return render.page("error.html", error.status, headers, error=error, kind="models", user=None, query="")


def home(call: Call) -> Response:
    """GET /, /models, /datasets, /NS: what is here, newest first, with ?q= over ids, tasks and tags."""
    if "sign-in" in call.query:
        return _signed_in(call)
    kind, query = call.args.get("kind", "models"), call.query.get("q", "").strip()[:200]
    namespace = call.args.get("ns", "")
    if namespace and not is_repo_part(namespace):
        raise HubError(404, "There is no such page.")
    rows = [
        row
        for row in _rows(call, kind)
        if not namespace or row["repo"].namespace.lower() == namespace.lower()
    ]
    words = query.lower().split()
    shown = [row for row in rows if all(word in row["haystack"] for word in words)]
    hidden = call.user is None and any(
        repo.private for repo in repos.every(call.hub.data, kind.removesuffix("s"))
    )
    return render.page(
        "home.html",
        rows=shown,
        total=len(rows),
        kind=kind,
        namespace=namespace,
        query=query,
        user=call.user,
        hidden=hidden,
    )


def _signed_in(call: Call) -> Response:
    """Private repositories in a browser: Basic credentials, asked for at the root to hold everywhere."""
    if call.user is not None:
        return RedirectResponse("/", 303)
    challenge = {"WWW-Authenticate": 'Basic realm="localhub"'}
    error = HubError(
        401,
        "Sign in with any name and the token as password (the file 'token' in the data directory).",
    )
    return render.page("error.html", 401, challenge, error=error, kind="models", user=None, query="")


def _rows(call: Call, kind: str) -> list[dict[str, Any]]:
    found = []
    for repo in repos.every(call.hub.data, kind.removesuffix("s")):
        if not may_read(call.user, repo):
            continue
        try:
            git = repo.git()
            commit = trees.head(git)
        except HubError:
            continue
        known = facts.of(repo, str(commit.id))
        haystack = " ".join([repo.id, known.task or "", *known.tags]).lower()
        tags = list(refs.names(git, "refs/tags/"))
        found.append(
            {"repo": repo, "facts": known, "when": trees.when(commit), "tags": tags, "haystack": haystack}
        )
    return sorted(found, key=lambda row: (row["when"], row["repo"].id), reverse=True)


def frame(call: Call, repo: Repo, tab: str, revision: str = "main") -> dict[str, Any]:
    """What every page of a repository shows around its content."""
    git = repo.git()
    return {
        "repo": repo,
        "base": repo.url_path,
        "tab": tab,
        "revision": revision,
        "branches": refs.names(git, "refs/heads/"),
        "tags": refs.names(git, "refs/tags/"),
        "talks": len(talk.every(repo)),
        "kind": f"{repo.kind}s",
        "user": call.user,
        "query": "",
    }


def card(call: Call) -> Response:
    """GET /NS/NAME: the card as the Hub shows it, with its facts beside it."""
    repo = call.find()
    git = repo.git()
    commit = trees.head(git)
    known = facts.of(repo, str(commit.id))
    text = trees.text_at(git, commit, "README.md")
    body = markdown.render(frontmatter.split(text)[1], repo.url_path, "main") if text else ""
    around = frame(call, repo, "card")
    pinned = next((name for name, sha in around["tags"].items() if sha == str(commit.id)), "main")
    return render.page(
        "card.html",
        **around,
        facts=known,
        body=body,
        rows=panel.rows(known),
        scores=panel.scores(known),
        snippet=panel.snippet(repo, known, pinned),
        endpoint=call.endpoint,
        when=trees.when(commit),
        total=sum(entry.size for entry in known.files),
        sha=str(commit.id),
        present=_present(call),
    )


def _present(call: Call) -> set[str]:
    """The ids that are here: links to what is only on another Hub would be dead."""
    every = (repo for kind in repos.KINDS for repo in repos.every(call.hub.data, kind))
    return {repo.url_path for repo in every if may_read(call.user, repo)}


def discussions(call: Call) -> Response:
    """GET /NS/NAME/discussions"""
    repo = call.find()
    return render.page(
        "discussions.html", **frame(call, repo, "talks"), items=list(reversed(talk.every(repo)))
    )


def discussion(call: Call) -> Response:
    """GET /NS/NAME/discussions/N: the story, and for a pull request its changes."""
    repo = call.find()
    number = call.args["num"]
    item = talk.get(repo, int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0)
    changed, conflicts = [], []
    if item["isPullRequest"]:
        git = repo.git()
        start, head = git[item["changes"]["start"]], trees.resolve(git, f"refs/pr/{item['num']}")
        changed = changes.between(git, start.tree, head.tree)
        conflicts = talk.state_of_merge(repo, item)[1]
    around = frame(call, repo, "talks")
    return render.page("discussion.html", **around, item=item, changes=changed, conflicts=conflicts)

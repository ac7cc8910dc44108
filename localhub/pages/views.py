"""The card, and the pages around it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from localhub.api.call import Call
from localhub.auth import may_open, may_read
from localhub.cards import facts, frontmatter
from localhub.errors import HubError
from localhub.pages import catalogue, gate, markdown, panel, releases, render, snippets, titles
from localhub.pages.around import kinds
from localhub.storage import discussions as talk
from localhub.storage import refs, repos, trees
from localhub.storage.repos import Repo


def served(call: Call) -> Response:
    """GET /-/NAME: style sheets, the script of copy buttons, the icon."""
    return render.served(call.args["file"])


def refusal(error: HubError, headers: dict[str, str]) -> Response:
    """An error as a page."""
    return render.page(
        "error.html", error.status, headers, error=error, kind=None, user=None, query="", kinds=kinds()
    )


def frame(call: Call, repo: Repo, tab: str, revision: str = "main") -> dict[str, Any]:
    """What every page of a repository shows around its content."""
    git = repo.git()
    return {
        "repo": repo,
        "base": repo.url_path,
        "tab": tab,
        "revision": revision,
        "open": may_open(call.user, repo),
        "branches": refs.names(git, "refs/heads/"),
        "tags": releases.in_order(git),
        "talks": len(talk.numbers(repo)),
        "kind": f"{repo.kind}s",
        "user": call.user,
        "query": "",
        "kinds": kinds(),
    }


def card(call: Call) -> Response:
    """GET /NS/NAME: the card as the Hub shows it, with its facts beside it; both stand before a gate."""
    repo = call.find_listed()
    git = repo.git()
    commit = trees.head(git)
    known = facts.of(repo, str(commit.id))
    text = trees.text_at(git, commit, "README.md")
    body = markdown.render(frontmatter.split(text)[1], repo.url_path, "main") if text else ""
    around = frame(call, repo, "card")
    release = next(reversed(around["tags"]), None)
    pinned = facts.of(repo, around["tags"][release]) if release else known
    return render.page(
        "card.html",
        script=True,
        **around,
        facts=known,
        body=body,
        stated=any(file.path == "README.md" for file in known.files),
        titled=titles.of(repo.kind, known.card),
        gate=gate.of(call, repo, known.card),
        rows=panel.rows(repo, known, _present(call, panel.related(known))),
        built=_built_on(call, repo),
        results=panel.results(known),
        snippet=snippets.snippet(repo, pinned, release or "main"),
        release=release,
        ahead=release is not None and around["tags"][release] != str(commit.id),
        endpoint=call.endpoint,
        when=trees.when(commit),
        total=sum(entry.size for entry in known.files),
        sha=str(commit.id),
    )


def _present(call: Call, wanted: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The pages of those (kind, id) that are here, and may be seen."""
    found = {}
    for kind, name in wanted:
        repo = repos.find(call.hub.data, kind, *name.split("/")) if name.count("/") == 1 else None
        if repo is not None and may_read(call.user, repo):
            found[kind, name] = repo.url_path
    return found


def _built_on(call: Call, repo: Repo) -> tuple[int, str] | None:
    """How many models here name this repository as their base or data, and the list of them."""
    tag = {"model": f"base_model:{repo.id}", "dataset": f"dataset:{repo.id}"}.get(repo.kind)
    count = sum(tag in row.tags for row in catalogue.rows(call, "models")) if tag else 0
    return (count, f"/models?{urlencode({'other': tag})}") if count else None

"""The lists: what is here of a kind, with search, filters and order in the address; and the overviews."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from localhub.api.call import Call
from localhub.errors import HubError
from localhub.names import is_repo_part
from localhub.pages import catalogue, collected, releases, render
from localhub.pages.around import TITLES, around, kinds
from localhub.pages.catalogue import FACETS, HIDDEN, Facet, Row

PAGE = 30
NEWEST = 8  # rows of each kind on an overview
MAX_QUERY = 200  # characters
SORTS = {"modified": "newest", "alphabetical": "name"}


@dataclass(frozen=True)
class Choice:
    """A link that changes one filter: how many rows it leads to, and whether it is on (then it undoes it)."""

    name: str
    count: int
    href: str
    on: bool


@dataclass(frozen=True)
class State:
    """What an address asks for."""

    kind: str
    search: str
    sort: str
    chosen: dict[str, str]  # facet: value

    def href(self, **changes: str) -> str:
        """The address with some values changed; an empty one is left out, and the page is the first again."""
        asked = {"search": self.search, "sort": "" if self.sort == "modified" else self.sort} | self.chosen
        kept = {key: value for key, value in (asked | changes).items() if value}
        return f"/{self.kind}" + (f"?{urlencode(kept)}" if kept else "")


def _state(call: Call, kind: str) -> State:
    facets = (*FACETS[kind], *HIDDEN)
    given = {facet.key: call.query.get(facet.key, "").strip()[:MAX_QUERY] for facet in facets}
    # The Hub writes `license=license:mit`.
    chosen = {key: value.removeprefix(f"{key}:") for key, value in given.items() if value}
    if "author" in chosen:
        chosen["author"] = chosen["author"].lower()
    sort = call.query.get("sort", "")
    return State(kind, _search(call), sort if sort in SORTS else "modified", chosen)


def _search(call: Call) -> str:
    return call.query.get("search", "").strip()[:MAX_QUERY]


def listing(call: Call) -> Response:
    """GET /models, /datasets: `search`, a value for each facet, `sort`, and `p`, the page (from 0)."""
    kind = call.args.get("kind", "models")
    state = _state(call, kind)
    found = catalogue.searched(catalogue.rows(call, kind), state.search)
    shown = catalogue.filtered(found, kind, state.chosen)
    if state.sort == "alphabetical":
        shown.sort(key=lambda row: row.repo.id.lower())
    number = min(call.count("p", 0, 10**5), max(0, len(shown) - 1) // PAGE)
    return render.page(
        "list.html",
        rows=_with_tags(shown[number * PAGE : (number + 1) * PAGE]),
        total=len(shown),
        title=TITLES[kind],
        facets=[(facet.label, _choices(found, state, facet)) for facet in FACETS[kind]],
        undo=_undo(state),
        clear=state.href(search=""),
        sorts=[(SORTS[sort], state.href(sort=sort), sort == state.sort) for sort in SORTS],
        elsewhere=_elsewhere(call, state) if state.search else [],
        number=number,
        earlier=state.href(p=str(number - 1) if number > 1 else "") if number else None,
        later=state.href(p=str(number + 1)) if (number + 1) * PAGE < len(shown) else None,
        last=max(0, len(shown) - 1) // PAGE,
        kept=[*state.chosen.items(), *([("sort", state.sort)] if state.sort != "modified" else [])],
        **around(call, kind, state.search),
    )


def _with_tags(found: list[Row]) -> list[tuple[Row, list[str]]]:
    """Each row with the names of its newest tags."""
    return [(row, releases.newest(row.repo)) for row in found]


def _choices(found: list[Row], state: State, facet: Facet) -> list[Choice]:
    """Counts of what the other filters leave: so many would be shown."""
    left = catalogue.filtered(found, state.kind, state.chosen, but=facet.key)
    current = state.chosen.get(facet.key)
    return [
        Choice(
            facet.shown(value),
            count,
            state.href(**{facet.key: "" if value == current else value}),
            value == current,
        )
        for value, count in catalogue.counts(left, facet)
    ]


def _undo(state: State) -> list[tuple[str, str, str]]:
    """(label, value, the address without it) of each filter that is on."""
    facets = [facet for facet in (*FACETS[state.kind], *HIDDEN) if facet.key in state.chosen]
    return [
        (facet.label, facet.shown(state.chosen[facet.key]), state.href(**{facet.key: ""})) for facet in facets
    ]


def _elsewhere(call: Call, state: State) -> list[tuple[str, int, str]]:
    """(title, how many, address) of the other kinds in which the search finds something."""
    others = [(kind, title) for kind, title in kinds() if kind != state.kind]
    found = [
        (kind, title, len(catalogue.searched(catalogue.rows(call, kind), state.search)))
        for kind, title in others
    ]
    query = urlencode({"search": state.search})
    return [(title, count, f"/{kind}?{query}") for kind, title, count in found if count]


def overview(call: Call) -> Response:
    """GET / and /NS: the newest of each kind, of everyone or of one namespace."""
    if "sign-in" in call.query:
        return _signed_in(call)
    namespace = call.args.get("ns", "")
    if namespace and not is_repo_part(namespace):
        raise HubError(404, "There is no such page.")
    sections = [section for kind, title in kinds() if (section := _section(call, kind, title, namespace))]
    gathered = collected.newest(call, namespace)
    if namespace and not sections and not gathered and namespace.lower() not in _known(call):
        raise HubError(404, "There is no such page.")
    shown = next((rows[0][0].repo.namespace for _, rows, _, _ in sections), namespace) if namespace else ""
    return render.page(
        "home.html",
        sections=sections,
        gathered=gathered,
        namespace=shown,
        endpoint=call.endpoint,
        **around(call),
    )


def _section(
    call: Call, kind: str, title: str, namespace: str
) -> tuple[str, list[tuple[Row, list[str]]], int, str] | None:
    """(title, newest rows, how many there are, address of all)."""
    chosen = {"author": namespace.lower()} if namespace else {}
    found = catalogue.filtered(catalogue.rows(call, kind), kind, chosen)
    address = State(kind, "", "modified", chosen).href()
    return (title, _with_tags(found[:NEWEST]), len(found), address) if found else None


def _known(call: Call) -> set[str]:
    return {name for user in call.hub.users.values() for name in user.namespaces}


def _signed_in(call: Call) -> Response:
    """Private repositories in a browser: Basic credentials, asked for at the root to hold everywhere."""
    if call.user is not None:
        return RedirectResponse("/", 303)
    challenge = {"WWW-Authenticate": 'Basic realm="localhub"'}
    error = HubError(
        401,
        "Sign in with any name and the token as password (the file 'token' in the data directory).",
    )
    return render.page("error.html", 401, challenge, error=error, **around(call))

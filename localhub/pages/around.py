"""What stands around every page: the kinds of repositories to choose from, who is signed in, the search."""

from __future__ import annotations

from typing import Any

from localhub.api.call import Call
from localhub.storage.repos import KINDS

TITLES = {"models": "Models", "datasets": "Data sets", "spaces": "Spaces"}


def kinds() -> list[tuple[str, str]]:
    """(name in addresses, title) of the kinds of repositories that this Hub has."""
    return [(kind, title) for kind, title in TITLES.items() if kind.removesuffix("s") in KINDS]


def around(call: Call, kind: str | None = None, query: str = "") -> dict[str, Any]:
    """What the frame of a page that belongs to no repository needs."""
    return {"kind": kind, "query": query, "user": call.user, "kinds": kinds()}

"""The gate of a repository on its page: the form by which one asks, and what became of the request.

https://huggingface.co/docs/hub/models-gated, "Customize requested information".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localhub.api.call import Call
from localhub.auth import may_write
from localhub.cards.frontmatter import strings
from localhub.pages import markdown
from localhub.storage import access
from localhub.storage.repos import Repo

MAX_TEXT = 500  # characters of a label, a heading, an option
MAX_FIELDS = 100  # as many as `api.access` takes
_INPUTS = {"text": "text", "checkbox": "checkbox", "date_picker": "date", "country": "text"}


@dataclass(frozen=True)
class Field:
    """One question: `kind` is an HTML input's type, or "select" with its options (value, label)."""

    label: str
    kind: str
    options: list[tuple[str, str]]


@dataclass(frozen=True)
class Gate:
    """What a reader sees of it. `state`: "owner", "anonymous", "unasked" or the status of their request."""

    state: str
    when: str  # they asked, in ISO time; "" when they did not
    reason: str  # of a rejection
    waiting: int  # requests, for those who answer them
    heading: str
    description: str
    prompt: str  # safe HTML
    button: str
    fields: list[Field]


def of(call: Call, repo: Repo, card: dict[str, Any]) -> Gate | None:
    """The gate as `call.user` sees it; None when there is none."""
    if not repo.gated:
        return None
    known = access.every(repo)
    mine = known.get(call.user.name.lower(), {}) if call.user else {}
    owner = may_write(call.user, repo.namespace)
    state = "owner" if owner else str(mine.get("status", "unasked" if call.user else "anonymous"))
    prompt = _text(card, "extra_gated_prompt", "", markdown.MAX_CARD)
    return Gate(
        state,
        str(mine.get("timestamp", "")),
        str(mine.get("reason", "")),
        sum(request["status"] == "pending" for request in known.values()) if owner else 0,
        _text(card, "extra_gated_heading", "Access to this repository is restricted"),
        _text(card, "extra_gated_description", "You share your name and address with its authors by asking."),
        markdown.render(prompt, repo.url_path, "main") if prompt else "",
        _text(card, "extra_gated_button_content", "Ask for access"),
        _fields(card.get("extra_gated_fields")),
    )


def _text(card: dict[str, Any], key: str, default: str, most: int = MAX_TEXT) -> str:
    return "\n".join(strings(card.get(key)))[:most] or default


def _fields(asked: Any) -> list[Field]:
    """The questions of a card; those of a kind that is not known are passed over."""
    found = []
    for label, what in list(asked.items())[:MAX_FIELDS] if isinstance(asked, dict) else ():
        described = what if isinstance(what, dict) else {"type": what}
        kind = described.get("type")
        if kind == "select":
            found.append(Field(str(label), "select", _options(described.get("options"))))
        elif isinstance(kind, str) and kind in _INPUTS:
            found.append(Field(str(label), _INPUTS[kind], []))
    return found


def _options(given: Any) -> list[tuple[str, str]]:
    """(value, label) of each option: a string, or `{label, value}`."""
    found = []
    for option in given[:MAX_FIELDS] if isinstance(given, list) else ():
        label = option.get("label") if isinstance(option, dict) else option
        value = option.get("value", label) if isinstance(option, dict) else option
        found.append((str(value)[:MAX_TEXT], str(label)[:MAX_TEXT]))
    return found

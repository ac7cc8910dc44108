"""The title that a card gives beside the name: of a Space with its emoji and a line about it, of a data set.

https://huggingface.co/docs/hub/spaces-config-reference: title, emoji, short_description.
"""

from __future__ import annotations

from typing import Any

from localhub.cards.frontmatter import strings

MAX_TITLE = 200  # characters
_KEYS = {"space": ("emoji", "title"), "dataset": ("pretty_name",)}


def of(kind: str, card: dict[str, Any]) -> tuple[str, str]:
    """(title, what it is); empty where the card of such a repository says nothing of the sort."""
    title = " ".join(text for key in _KEYS.get(kind, ()) for text in strings(card.get(key))[:1])
    about = strings(card.get("short_description"))[:1] if kind == "space" else []
    return " ".join(title.split())[:MAX_TITLE], " ".join("".join(about).split())[:MAX_TITLE]

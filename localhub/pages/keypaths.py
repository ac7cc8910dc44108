"""Two YAML or JSON values as the keys in which they differ: `train.learning_rate`, old and new."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from localhub.cards import frontmatter
from localhub.errors import HubError

MAX_NODES = 20_000
MAX_DEPTH = 40
MAX_JSON = 1_000_000  # characters of a file whose keys are compared
MAX_YAML = 64_000  # as above; the YAML reader takes a second for a few hundred thousand
MAX_VALUE = 240  # characters of a value that are shown
_NAMES = ("name", "id", "path", "key")
_PLAIN_KEY = re.compile(r"[\w/+-]+")
_PLAIN_NAME = re.compile(r"(?!\d+\])[\w/+.() -]+")


@dataclass(frozen=True)
class KeyChange:
    """One key path, with its value on each side as JSON text; None where the key is missing."""

    path: str
    old: str | None
    new: str | None


def changed(old: Any, new: Any) -> list[KeyChange] | None:
    """The keys in which two values differ, in the order in which they stand; None if there are too many."""
    if all(isinstance(side, list) and len(side) == 1 for side in (old, new)):
        old, new = old[0], new[0]  # a record alone in its list: "[0]" before each key would say nothing
    before, after = _flat(old), _flat(new)
    if before is None or after is None:
        return None
    paths = [path for path in dict.fromkeys([*before, *after]) if before.get(path) != after.get(path)]
    return [KeyChange(path, _cut(before.get(path)), _cut(after.get(path))) for path in paths]


def _cut(text: str | None) -> str | None:
    """Strings lose their quotes, which only tell "1" from 1 where they matter."""
    if text is None:
        return None
    if text.startswith('"') and _is_plain(text[1:-1]):
        text = text[1:-1]
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}… ({len(text):,} characters)"


def _is_plain(text: str) -> bool:
    """Whether a string, without its quotes, can be taken for nothing but a string."""
    if text != text.strip() or not text or "\\" in text:
        return False
    try:
        json.loads(text)
    except ValueError:
        return True
    except RecursionError:
        pass
    return False


def _flat(value: Any) -> dict[str, str] | None:
    """{key path: JSON text} of every leaf, or None above MAX_NODES of them."""
    found: dict[str, str] = {}
    for path, text in _leaves(value, "", 0):
        found[path] = text
        if len(found) > MAX_NODES:
            return None
    return found


def _leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value and depth < MAX_DEPTH:
        for key, item in value.items():
            yield from _leaves(item, _below(path, str(key)), depth + 1)
    elif (
        isinstance(value, list) and any(isinstance(item, dict | list) for item in value) and depth < MAX_DEPTH
    ):
        for name, item in zip(_labels(value), value, strict=True):
            yield from _leaves(item, f"{path}[{name}]", depth + 1)
    elif path or value not in (None, {}, []):
        yield path, json.dumps(value, ensure_ascii=False, default=str)


def _below(path: str, key: str) -> str:
    if _PLAIN_KEY.fullmatch(key):
        return f"{path}.{key}" if path else key
    return f"{path}[{json.dumps(key, ensure_ascii=False)}]"


def _labels(items: list[Any]) -> list[str]:
    """How the items of a list are told apart: by a name that each has for itself, else by their position.

    A list of metrics then lines up although one was put in front.
    """
    for key in _NAMES:
        names = [item.get(key) for item in items if isinstance(item, dict)]
        texts = [name for name in names if isinstance(name, str) and name]
        if len(texts) == len(items) == len(set(texts)):
            return [
                text if _PLAIN_NAME.fullmatch(text) else json.dumps(text, ensure_ascii=False)
                for text in texts
            ]
    return [str(position) for position in range(len(items))]


def read(path: str, text: str) -> Any:
    """The value of a JSON or YAML file; None for another file, a large one, or one that cannot be read."""
    suffix = path.lower().rpartition(".")[2]
    try:
        if suffix == "json" and len(text) <= MAX_JSON:
            return json.loads(text)
        if suffix in ("yaml", "yml") and len(text) <= MAX_YAML:
            return _yaml(text)
    except (ValueError, RecursionError, HubError):
        pass
    return None


def _yaml(text: str) -> Any:
    """Read as a card's metadata are, with the same bounds: a file of several documents is refused there."""
    body = text.removeprefix("---\n")
    return frontmatter.parse(f"---\n{body}\n---\n")

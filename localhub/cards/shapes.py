"""Shapes of metadata values, and complaints about them in the words of the Hub's validator, Joi."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Metadata = dict[str, Any]

# What each type is called: https://joi.dev/api/ (`string.base`, `array.base` and so on).
_TYPES: dict[type, str] = {
    str: "a string",
    list: "an array",
    dict: "of type object",
    bool: "a boolean",
    int: "a number",
}


def each(card: Metadata, key: str) -> Iterator[tuple[str, Any]]:
    """(spelling of the place, value): the value itself, or each item of a list."""
    value = card.get(key)
    if isinstance(value, list):
        yield from ((f"{key}[{index}]", item) for index, item in enumerate(value))
    elif value is not None:
        yield key, value


def items(card: Metadata, key: str, place: str = "") -> Iterator[tuple[str, Any]]:
    """As `each`, of a list alone: nothing for any other value."""
    if isinstance(card.get(key), list):
        yield from ((f"{place}{name}", value) for name, value in each(card, key))


def is_a(value: Any, kind: type) -> bool:
    """Whether a value is of a JSON type; true and false are no numbers, whole or not is one."""
    if kind is int:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind)


def must_be(place: str, kind: type) -> str:
    """The complaint about a value of another type."""
    return f'"{place}" must be {_TYPES[kind]}'


def optional(card: Metadata, kind: type, *keys: str, place: str = "") -> Iterator[str]:
    """Complaints about keys that are there and hold another type."""
    for key in keys:
        if card.get(key) is not None and not is_a(card[key], kind):
            yield must_be(f"{place}{key}", kind)


def texts(card: Metadata, *keys: str, place: str = "") -> Iterator[str]:
    """Complaints about keys that hold neither one string nor a list of them."""
    for key in keys:
        for name, value in each(card, key):
            if not isinstance(value, str):
                yield must_be(f"{place}{name}", str)


def required(value: Any, place: str, wanted: dict[str, type]) -> Iterator[str]:
    """Complaints about an object that lacks keys, or holds other types or empty strings in them."""
    if value is not None and not isinstance(value, dict):
        yield must_be(place, dict)
        return
    for key, kind in wanted.items():
        found = (value or {}).get(key)
        if found is None:
            yield f'"{place}.{key}" is required'
        elif not isinstance(found, kind):
            yield must_be(f"{place}.{key}", kind)
        elif found == "":
            yield f'"{place}.{key}" is not allowed to be empty'


def one_of(card: Metadata, key: str, choices: tuple[str, ...]) -> Iterator[str]:
    """Complaints about values, one or a list of them, that are not among the choices."""
    for place, value in each(card, key):
        if value not in choices:
            yield f'"{place}" must be one of [{", ".join(choices)}]'


def known(card: Metadata, key: str, official: tuple[str, ...], called: str) -> Iterator[str]:
    """Remarks on strings that are not in an official list: the Hub warns of them and takes them."""
    for _, value in each(card, key):
        if isinstance(value, str) and value not in official:
            yield f'The {called} "{value[:60]}" is not in the official list: {", ".join(official)}'


def objects(card: Metadata, key: str, check: Callable[[Metadata, str], Iterator[str]]) -> Iterator[str]:
    """Complaints about a list of objects: about the list itself, and what `check` has about each of them."""
    if card.get(key) is not None and not isinstance(card[key], list):
        yield must_be(key, list)
    for place, value in items(card, key):
        if isinstance(value, dict):
            yield from check(value, place)
        else:
            yield must_be(place, dict)

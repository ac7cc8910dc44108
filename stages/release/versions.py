"""Version numbers of releases, and the tags that carry them."""

import re
from collections.abc import Iterable

Number = tuple[int, int, int]


def number(version: str) -> Number:
    """1.2.3 as a tuple that compares."""
    major, minor, patch = (int(part) for part in version.split("."))
    return major, minor, patch


def released(tags: Iterable[str]) -> dict[str, Number]:
    """The version that each tag of a release stands for; other tags are left out."""
    return {tag: number(tag[1:]) for tag in tags if re.fullmatch(r"v\d+\.\d+\.\d+", tag)}

"""A patch as lines to show: one column or two, with what changed inside a line marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pygit2

MAX_LINE = 1000  # characters of a line that are shown
_NO_NEWLINE = "No newline at the end of the file"


@dataclass(frozen=True)
class Line:
    """`mark` is " ", "-", "+", "@" (where a hunk begins) or "~" (a remark). Numbers count from 1.

    `pieces` are (text, whether it differs from the line that it replaces or is replaced by).
    """

    mark: str
    old: int | None
    new: int | None
    pieces: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Text:
    """From one text to another: lines to show, `left` more that are not, and how many came and went."""

    lines: list[Line]
    left: int
    added: int
    removed: int


def compared(old: bytes, new: bytes, most: int, skipped: tuple[int, int] = (0, 0)) -> Text:
    """At most `most` lines of what differs. `skipped`: lines of each side that stand before what is compared.

    A patch reads both texts from where they are in memory and does not keep them there, so that it never
    leaves this function.
    """
    patch = pygit2.Patch.create_from(old, new)
    same, added, removed = patch.line_stats
    found: list[Line] = []
    for hunk in patch.hunks if most > 0 else ():
        place = f"@@ −{hunk.old_start + skipped[0]} +{hunk.new_start + skipped[1]} @@"
        found.append(Line("@", None, None, ((place, False),)))
        found += _marked([_line(line, skipped) for line in hunk.lines[:most]])
        if len(found) >= most:
            break
    shown = found[:most]
    seen = sum(line.mark in (" ", "-", "+") for line in shown)
    return Text(shown, same + added + removed - seen, added, removed)


def _line(line: pygit2.DiffLine, skipped: tuple[int, int]) -> Line:
    if line.origin not in (" ", "-", "+"):
        return Line("~", None, None, ((_NO_NEWLINE, False),))
    text = line.raw_content.decode(errors="replace").removesuffix("\n")
    if text.endswith("\r"):
        text = f"{text[:-1]}␍"  # else a change of line ends alone would show two equal lines
    old = line.old_lineno + skipped[0] if line.old_lineno > 0 else None
    new = line.new_lineno + skipped[1] if line.new_lineno > 0 else None
    return Line(line.origin, old, new, ((_short(text), False),))


def _short(text: str) -> str:
    return text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]}… ({len(text):,} characters)"


def _marked(lines: list[Line]) -> list[Line]:
    """Lines that replace one another one by one, with the part that differs marked."""
    result = list(lines)
    for start, middle, end in _runs(lines):
        for minus, plus in zip(range(start, middle), range(middle, end), strict=False):
            old, new = _differing(lines[minus].pieces[0][0], lines[plus].pieces[0][0])
            result[minus], result[plus] = (
                replace(lines[minus], pieces=old),
                replace(lines[plus], pieces=new),
            )
    return result


def _runs(lines: list[Line]) -> Iterator[tuple[int, int, int]]:
    """(start, middle, end): removed lines [start, middle) directly followed by added ones [middle, end)."""
    position = 0
    while position < len(lines):
        start = position
        while position < len(lines) and lines[position].mark == "-":
            position += 1
        middle = position
        while position < len(lines) and lines[position].mark == "+":
            position += 1
        if start < middle < position:
            yield start, middle, position
        position = max(position, start + 1)


def _differing(old: str, new: str) -> tuple[tuple[tuple[str, bool], ...], ...]:
    """The common beginning and end of two lines stay plain; nothing is marked if too little is common."""
    most = min(len(old), len(new))
    head = next((at for at in range(most) if old[at] != new[at]), most)
    while head and old[head - 1].isalnum() and _at(old, head).isalnum() | _at(new, head).isalnum():
        head -= 1  # whole words
    tail = next((at for at in range(most - head) if old[-1 - at] != new[-1 - at]), most - head)
    while tail and old[-tail].isalnum() and _before(old, tail).isalnum() | _before(new, tail).isalnum():
        tail -= 1
    if (head + tail) * 3 < most:
        return ((old, False),), ((new, False),)
    return tuple(
        tuple(piece for piece in _cut(text, head, len(text) - tail) if piece[0]) for text in (old, new)
    )


def _at(text: str, position: int) -> str:
    return text[position : position + 1]


def _before(text: str, tail: int) -> str:
    return text[-tail - 1 : -tail]


def _cut(text: str, start: int, end: int) -> list[tuple[str, bool]]:
    return [(text[:start], False), (text[start:end], True), (text[end:], False)]


def side_by_side(lines: Iterable[Line]) -> list[tuple[Line | None, Line | None]]:
    """(left, right) rows: removed lines beside those that replace them, a hunk's head on both sides."""
    rows: list[tuple[Line | None, Line | None]] = []
    removed: list[Line] = []
    added: list[Line] = []

    def flush() -> None:
        for at in range(max(len(removed), len(added))):
            rows.append((removed[at] if at < len(removed) else None, added[at] if at < len(added) else None))
        removed.clear()
        added.clear()

    for line in lines:
        if line.mark == "-":
            if added:
                flush()
            removed.append(line)
        elif line.mark == "+":
            added.append(line)
        elif line.mark != "~":
            flush()
            rows.append((line, line))
    flush()
    return rows

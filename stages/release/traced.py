"""Values that know which record and key they came from, so that a card can say it of each number.

`trace` wraps a record. What a format makes of traced values knows its name and theirs (`keeping`), and text
put together knows which part came from where (`join`). None of it stands in the text itself, so that no text
from data can pass for it.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from stages.release import markdown
from stages.release.markdown import Markdown


@dataclass(frozen=True)
class Source:
    """A value of a record, or the `name` of its key. `key` is a JSON Pointer (RFC 6901)."""

    record: str
    key: str
    name: bool = False


@dataclass(frozen=True)
class Call:
    """What a format, an operator or a method made of its arguments: origins, constants, tuples of these."""

    format: str
    of: tuple[Any, ...]
    named: dict[str, Any] = field(default_factory=dict)


Origin = Source | Call


@dataclass(frozen=True)
class Span:
    """A part of a text that came from records: from `start` to before `end`, in characters."""

    start: int
    end: int
    origin: Origin


class Text(str):
    """A string of which `spans` came from records."""

    spans: tuple[Span, ...] = ()

    def __str__(self) -> str:
        return self  # Jinja calls `str` on all that it writes


class MarkdownText(Text, Markdown):
    """Markdown of which `spans` came from records."""


class Integer(int):
    """An integer from records."""

    origin: Origin


class Real(float):
    """A float from records."""

    origin: Origin


class Table(dict[str, Any]):
    """A mapping of a record: keys and values are traced."""

    origin: Origin


class Items(list[Any]):
    """A list of a record, whose items are traced when they are asked for: confusion matrices are large."""

    origin: Source

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        return trace(super().__getitem__(index), self.origin.record, f"{self.origin.key}/{place}")

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))


def trace(value: Any, record: str, key: str = "") -> Any:
    """`value`, which stands in `record` at the JSON Pointer `key`, and all in it with their origins.

    None and booleans stay what they are: Python lets no other type stand for them.
    """
    source = Source(record, key)
    if isinstance(value, dict):
        table = Table()
        for name, item in value.items():
            below = f"{key}/{name.replace('~', '~0').replace('/', '~1')}"
            table[_carry(name, Source(record, below, name=True))] = trace(item, record, below)
        table.origin = source
        return table
    if isinstance(value, list):
        items = Items(value)
        items.origin = source
        return items
    return _carry(value, source)


def _carry(value: Any, origin: Origin) -> Any:
    """A number or a string with its origin; anything else as it is."""
    if isinstance(value, str):
        text = MarkdownText(value) if isinstance(value, Markdown) else Text(value)
        text.spans = (Span(0, len(value), origin),)
        return text
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    number: Integer | Real = Integer(value) if isinstance(value, int) else Real(value)
    number.origin = origin
    return number


class _Opaque:
    """Stands for an argument that JSON cannot hold."""


def origin_of(value: Any) -> Any:
    """Where `value` came from; itself when it is a constant."""
    if isinstance(value, Text):
        return _of_text(value)
    if isinstance(value, Integer | Real | Table | Items):
        return value.origin
    if isinstance(value, list | tuple):
        return tuple(origin_of(item) for item in value)
    return value if value is None or isinstance(value, str | int | float | bool) else _Opaque


def _of_text(text: Text) -> Any:
    if len(text.spans) == 1 and (text.spans[0].start, text.spans[0].end) == (0, len(text)):
        return text.spans[0].origin
    parts: list[Any] = []
    at = 0
    for span in text.spans:
        parts += [text[at : span.start]] if at < span.start else []
        parts.append(span.origin)
        at = span.end
    parts += [text[at:]] if at < len(text) else []
    if not text.spans:
        return "".join(parts)
    return Call("concat" if isinstance(text, Markdown) else "~", tuple(parts))


def _any(origin: Any, kinds: type | tuple[type, ...]) -> bool:
    if isinstance(origin, tuple):
        return any(_any(part, kinds) for part in origin)
    return isinstance(origin, kinds)


def keeping(function: Callable[..., Any], name: str | None = None) -> Callable[..., Any]:
    """`function`, whose result also knows what traced arguments it was made of, under `name`."""
    passed = 1 if hasattr(function, "jinja_pass_arg") else 0  # Jinja's own first argument

    @functools.wraps(function)
    def kept(*arguments: Any, **named: Any) -> Any:
        made = function(*arguments, **named)
        if isinstance(made, Integer | Real) or (isinstance(made, Text) and made.spans):
            return made
        of = tuple(origin_of(argument) for argument in arguments[passed:])
        also = {key: origin_of(argument) for key, argument in named.items()}
        everything = (*of, *also.values())
        if _any(everything, type) or not _any(everything, (Source, Call)):
            return made
        return _carry(made, Call(name or function.__name__, of, also))

    return kept


_finalize = keeping(markdown.finalize, "text")


def finalize(value: Any) -> str:
    """What the templates write for a value (markdown.finalize); what that leaves alone keeps its format."""
    made: str = _finalize(value)
    origin = origin_of(value)
    if isinstance(origin, Call) and made == str(value) and not isinstance(value, Markdown):
        return _carry(Markdown(made), origin)  # type: ignore[no-any-return]
    return made


def join(pieces: Iterable[str]) -> MarkdownText:
    """The Markdown that `pieces` make up, one after the other."""
    parts = list(pieces)
    return spanned("".join(parts), _shifted(parts))


def spanned(text: str, spans: Iterable[Span]) -> MarkdownText:
    """Markdown of which these spans came from records."""
    whole = MarkdownText(text)
    whole.spans = tuple(spans)
    return whole


def joined(parts: Iterable[Any]) -> Text:
    """Jinja's `~`: the text, not yet Markdown, of all parts, one after the other."""
    strings = [_carry(str(p), p.origin) if isinstance(p, Integer | Real) else str(p) for p in parts]
    whole = Text("".join(strings))
    whole.spans = _shifted(strings)
    return whole


def _shifted(parts: list[str]) -> tuple[Span, ...]:
    spans, at = [], 0
    for part in parts:
        spans += [Span(at + s.start, at + s.end, s.origin) for s in getattr(part, "spans", ())]
        at += len(part)
    return tuple(spans)


def stripped(text: str) -> MarkdownText:
    """Markdown without the white space around it."""
    lead = len(text) - len(text.lstrip())
    spans: tuple[Span, ...] = getattr(text, "spans", ())
    return spanned(text.strip(), (Span(s.start - lead, s.end - lead, s.origin) for s in spans))

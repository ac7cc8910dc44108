"""The sidecar of a card, card.json: which record and key each value on the card came from.

    {"card": {"language", "sha256"},  "model": {"sha256"},
     "records": {path: sha256},  "figures": {path: sha256},
     "lines": [{"line", "text"}],
     "values": [{"line", "column", "text", "format", "of"}]}

Places count from 1, columns in characters. `format` made `text` of the arguments `of`: sources (`record`
with the JSON Pointer, RFC 6901, of a `key`, or of the `name` of one), formats of arguments in their turn,
constants, lists. `lines` are those that hold a value or a digit. `records` are those that values came from,
without params.yaml: a comment there would change its digest and nothing else. The card's language decides how
its figures are written.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from stages.core.records import Record
from stages.release.traced import Call, Source, Span, Text

PARAMS = "params.yaml"


def describe(
    card: Text, digests: Mapping[str, str], model: str, language: str, figures: Mapping[str, str]
) -> Record:
    """The sidecar of a card in this language: `digests` are the SHA-256 of every record by path, `figures`
    those of the figures that it shows, `model` that of its model."""
    spans = sorted((span for span in card.spans if span.start < span.end), key=lambda span: span.start)
    values = [_value(card, span) for span in spans]
    held = {number for value in values for number, *_ in pieces(value)}
    lines = enumerate(str(card).split("\n"), start=1)
    named = {source["record"] for value in values for source in sources(value)} - {PARAMS}
    return {
        "card": {"language": language, "sha256": hashlib.sha256(card.encode()).hexdigest()},
        "model": {"sha256": model},
        "records": {path: digests[path] for path in sorted(named)},
        "figures": dict(figures),
        "lines": [{"line": n, "text": line} for n, line in lines if n in held or has_digit(line)],
        "values": values,
    }


def shown(card: str) -> list[str]:
    """The figures that a card shows from its own folder, by their paths there."""
    return sorted(set(re.findall(r"\]\((figures/[\w-]+\.png)\)", card)))


def dumped(sidecar: Record) -> str:
    """The sidecar as a file: JSON, each line and value of the card in a line of its own."""
    fields = []
    for name, value in sorted(sidecar.items()):
        if isinstance(value, list):
            rows = ",\n    ".join(_json(item) for item in value)
            fields.append(f"  {_json(name)}: [\n    {rows}\n  ]")
        else:
            fields.append(f"  {_json(name)}: {_json(value)}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _value(card: Text, span: Span) -> Record:
    line = card.count("\n", 0, span.start) + 1
    column = span.start - card.rfind("\n", 0, span.start)
    place: Record = {"line": line, "column": column, "text": card[span.start : span.end]}
    return {**place, **_expression(span.origin)}


def _expression(origin: Any) -> Any:
    """An origin as JSON."""
    if isinstance(origin, Source):
        return {"record": origin.record, "name" if origin.name else "key": origin.key}
    if isinstance(origin, Call):
        named = {"with": {name: _expression(part) for name, part in origin.named.items()}}
        return {"format": origin.format, "of": _expression(origin.of)} | (named if origin.named else {})
    return [_expression(part) for part in origin] if isinstance(origin, tuple) else origin


def sources(expression: Any) -> Iterator[Mapping[str, str]]:
    """The sources that an expression, or a value, names, in order."""
    if isinstance(expression, list):
        for part in expression:
            yield from sources(part)
    elif isinstance(expression, dict) and "record" in expression:
        yield expression
    elif isinstance(expression, dict):
        yield from sources([*expression["of"], *expression.get("with", {}).values()])


def pieces(value: Record) -> Iterator[tuple[int, int, str]]:
    """The lines that a value stands in: number, column, and what of the value stands there."""
    for below, text in enumerate(value["text"].split("\n")):
        yield value["line"] + below, 1 if below else value["column"], text


def has_digit(text: str) -> bool:
    """Whether a text holds a digit of any script."""
    return re.search(r"\d", text) is not None

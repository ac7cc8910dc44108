"""Raw rows to labelled texts. Whatever is left out comes back with its reason: nothing disappears."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.schema import Data
from stages.sources.labels import label_of
from stages.sources.normalise import normalise
from stages.sources.rows import Rejected, Row

NO_TEXT = "no text"
NO_ID = "no id"
DUPLICATE = "duplicate"
CONTRADICTORY = "contradictory labels"


def check_columns(columns: Sequence[str], data: Data) -> None:
    """Raise PipelineError when a column that params name is not there, listing those that are."""
    there = ", ".join(map(repr, columns))
    wanted = {"data.text": data.text, "data.label": data.label} | ({"data.id": data.id} if data.id else {})
    missing = [f"{key}: there is no column {name!r}; there are {there}" for key, name in wanted.items()]
    missing = [line for line, name in zip(missing, wanted.values(), strict=True) if name not in columns]
    if missing:
        raise PipelineError("\n".join(missing))


def clean(records: Iterable[Record], data: Data) -> tuple[list[Row], list[Rejected]]:
    """The usable rows of one file, each text once, and the rejected ones."""
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for record in records:
        row = _row(record["at"], record["values"], data)
        if isinstance(row, Row):
            rows.append(row)
        else:
            rejected.append(row)
    return _once(rows, rejected), rejected


def check_ids(rows: Iterable[Row]) -> None:
    """Raise PipelineError when two kept rows share an id."""
    seen: dict[str, Row] = {}
    for row in rows:
        other = seen.setdefault(row.id, row)
        if other is not row:
            raise PipelineError(
                f"data.id: {row.id!r} is the id of two rows, {other.at} and {row.at}: ids must be unique;"
                " without data.id they are made from the texts"
            )


def _row(at: str, values: dict[str, Any], data: Data) -> Row | Rejected:
    text = normalise(_as_text(values.get(data.text)), data.unescape_html)
    id_ = _as_text(values.get(data.id)).strip() if data.id else hashlib.sha256(text.encode()).hexdigest()[:16]
    if not text:
        return Rejected(at, NO_TEXT, id_ if data.id else None, text)
    if not id_:
        return Rejected(at, NO_ID, None, text)
    label, reason = label_of(values.get(data.label), data, at)
    return Row(at, id_, text, label) if label is not None else Rejected(at, reason, id_, text)


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)


def _once(rows: list[Row], rejected: list[Rejected]) -> list[Row]:
    """Each text once. Which of several equal rows stays does not depend on their order: the smallest id.

    A text with two labels is of no use for either, so all its rows go.
    """
    same: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        same[row.text].append(row)
    kept = []
    for group in same.values():
        if len({row.label for row in group}) > 1:
            rejected += [Rejected(row.at, CONTRADICTORY, row.id, row.text) for row in group]
        else:
            first, *others = sorted(group, key=lambda row: row.id)
            kept.append(first)
            rejected += [Rejected(row.at, DUPLICATE, row.id, row.text) for row in others]
    return kept

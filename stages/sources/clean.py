"""Raw rows to labelled texts. Whatever is left out comes back with its reason: nothing disappears."""

import difflib
import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from stages.core.data_section import Data
from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.tasks import Kind
from stages.sources.kinds import KINDS
from stages.sources.labels import label_text, label_texts, single
from stages.sources.normalise import normalise
from stages.sources.rows import Cleaned, Label, Rejected, Row, Text, as_text, place

NO_TEXT = "no text"
NO_PAIR = "no second text"
NO_ID = "no id"
EMPTY_WORD = "empty word"
UNEVEN = "not one tag for each word"
DUPLICATE = "duplicate"
CONTRADICTORY = "contradictory labels"

# Spaces, control and format characters, and marks that sit on other characters: most tokenizers drop them.
_INVISIBLE = {"Cc", "Cf", "Me", "Mn", "Zl", "Zp", "Zs"}


def clean(files: Mapping[str, Iterable[Record]], data: Data, kind: Kind) -> Cleaned:
    """The usable rows of each file, each text once, and the rejected ones.

    Raises PipelineError for values of another form than the kind of label has, and for odd tags.
    """
    read: dict[str, list[Row | Rejected]] = {split: [] for split in files}
    said: set[str] = set()
    for split, records in files.items():
        for record in records:
            read[split].append(_row(record, data, kind))
            said.update(_labels(record["values"], data) if data.label_map else ())
    rejected = [row for rows in read.values() for row in rows if isinstance(row, Rejected)]
    kept = {split: [row for row in rows if isinstance(row, Row)] for split, rows in read.items()}
    settle = KINDS[kind].settle
    settled = settle(kept, data) if settle else Cleaned(kept, [])
    rejected += settled.rejected
    once = {split: _once(rows, rejected, KINDS[kind].one_answer) for split, rows in settled.rows.items()}
    found = [*settled.found, *_unused(data.label_map or {}, said), *_unlabelled(once)]
    return replace(settled, rows=once, rejected=rejected, found=found)


def check_ids(splits: Mapping[str, Iterable[Row]]) -> None:
    """Raise PipelineError when two kept rows share an id; a leak that was let pass may keep its own."""
    seen: dict[str, tuple[str, Row]] = {}
    for split, row in ((split, row) for split, rows in splits.items() for row in rows):
        first, other = seen.setdefault(row.id, (split, row))
        if other is not row and (first == split or (other.text, other.pair) != (row.text, row.pair)):
            raise PipelineError(
                f"data.id: {row.id!r} is the id of two rows, {other.at} and {row.at}: ids must be unique;"
                " without data.id they are made from the texts"
            )


def _labels(values: Record, data: Data) -> list[str]:
    """The labels of a row as they are given, which `data.label_map` may rename."""
    if isinstance(data.label, list):
        return data.label
    return label_texts(values.get(str(data.label)), data.label_separator)


def _unused(names: Collection[str], said: Collection[str]) -> list[str]:
    """A line on the names that are no label of any row, with the labels that come near."""
    folded = {label.casefold(): label for label in sorted(said)}
    shown = []
    for name in names:
        if name not in said:
            near = difflib.get_close_matches(name.casefold(), folded, 1)
            shown.append(f"{name!r} (is it {folded[near[0]]!r}?)" if near else repr(name))
    return [f"data.label_map: no row has the label {', '.join(shown)}"] if shown else []


def _unlabelled(kept: Mapping[str, list[Row]]) -> list[str]:
    """A line on the rows for which none of several classes holds."""
    count = sum(row.label == () for rows in kept.values() for row in rows)
    return [f"{count} of the rows kept have no label"] if count else []


def _row(record: Record, data: Data, kind: Kind) -> Row | Rejected:
    at, values, lines = record["at"], record["values"], tuple(record.get("lines", ()))
    text: Text = _words(values, data, at) if KINDS[kind].words else _text(values, "text", data, at)
    pair = _text(values, "pair", data, at) if data.pair else None
    label, reason = KINDS[kind].read(values, data, at)
    made = _digest(text, pair, None if KINDS[kind].one_answer else label)
    id_ = _as_text(single(values, data.id, "data.id", at)).strip() if data.id else made
    if not text:
        return Rejected(at, NO_TEXT, id_ if data.id else None, "")
    if not id_:
        return Rejected(at, NO_ID, None, as_text(text))
    if pair == "":
        return Rejected(at, NO_PAIR, id_, as_text(text))
    if isinstance(text, tuple):
        at, reason = _word_problem(text, label, at, lines) or (at, reason)
    if reason:
        return Rejected(at, reason, id_, as_text(text))
    return Row(at, id_, text, pair, label, lines, _slices(values, data, at))


def _slices(values: Record, data: Data, at: str) -> tuple[str, ...]:
    return tuple(label_text(single(values, column, "data.slices", at)) for column in data.slices)


def _text(values: Record, key: str, data: Data, at: str) -> str:
    value = single(values, getattr(data, key), f"data.{key}", at)
    return normalise(_as_text(value), data.unescape_html)


def _words(values: Record, data: Data, at: str) -> tuple[str, ...]:
    """The words of a sentence, each normalised, so that there are as many as before."""
    value = values.get(data.text)
    if not isinstance(value, list | None):
        raise PipelineError(
            f"{at}: data.text: {data.text!r} is {value!r:.80}: expected a list of words, since each"
            " tag belongs to one"
        )
    return tuple(normalise(_as_text(word), data.unescape_html) for word in value or [])


def _word_problem(
    words: tuple[str, ...], tags: Label, at: str, lines: tuple[int, ...]
) -> tuple[str, str] | None:
    """Where and why a sentence cannot be used."""
    for position, word in enumerate(words):
        if all(unicodedata.category(character) in _INVISIBLE for character in word):
            return place(at, lines, position), EMPTY_WORD
    return (at, UNEVEN) if isinstance(tags, tuple) and len(tags) != len(words) else None


def _digest(text: Text, pair: str | None, target: Label) -> str:
    """An id made from the content: texts, and a target where a text may have several."""
    parts = [*text] if isinstance(text, tuple) else [text]
    parts += [str(part) for part in (pair, target) if part is not None]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)


def _once(rows: list[Row], rejected: list[Rejected], one_answer: bool) -> list[Row]:
    """Each text once. Which of several equal rows stays does not depend on their order: the smallest id.

    Where a text has `one_answer`, one with two labels is of no use for either, so all its rows go.
    """
    same: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        same[row.text, row.pair, None if one_answer else row.label].append(row)
    kept = []
    for group in same.values():
        if len({row.label for row in group}) > 1:
            rejected += [Rejected(row.at, CONTRADICTORY, row.id, as_text(row.text)) for row in group]
        else:
            first, *others = sorted(group, key=lambda row: (row.id, row.slices))
            kept.append(first)
            rejected += [Rejected(row.at, DUPLICATE, row.id, as_text(row.text)) for row in others]
    return kept

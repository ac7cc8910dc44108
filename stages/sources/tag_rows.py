"""The tags of whole corpora: renamed, recognised, and rewritten as IOB2."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from stages.core.data_section import Data
from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.sources.labels import LEFT_OUT, label_text
from stages.sources.odd_tags import Names, check_tags
from stages.sources.rows import Cleaned, Rejected, Row, as_text, place
from stages.sources.tags import PLAIN, PREFIXES, parts, recognise, to_iob2, without_begin
from stages.tasks.entity_tags import ENTITY_SCORES, PLAIN_SCORES, are_entities

_MAY_BEGIN_WITH_I = (PLAIN, "IO", "IOB1")
_SHOWN = 3


def settle(given: dict[str, list[Row]], data: Data) -> Cleaned:
    """Bring the tags of all splits together into one scheme: IOB2, or plain tags as they are.

    Raises PipelineError with all tags that are odd for the scheme they are in.
    """
    names = data.label_map or {}
    renamed = {split: [_renamed(row, names) for row in rows] for split, rows in given.items()}
    rejected = [row for rows in renamed.values() for row in rows if isinstance(row, Rejected)]
    kept = {split: [row for row in rows if isinstance(row, Row)] for split, rows in renamed.items()}
    everything = [row for rows in kept.values() for row in rows]
    scheme = _scheme(everything, data)
    check_tags(everything, scheme, names)
    rows = {split: [_converted(row, scheme) for row in rows] for split, rows in kept.items()}
    pairs = [pair for split in kept for pair in zip(kept[split], rows[split], strict=True)]
    facts = {"scheme": scheme, "converted": _changes(pairs), "odd": _odd(given, everything, scheme, names)}
    manifest = {"tag_scheme": PLAIN if scheme == PLAIN else "entities"}
    found = [f"the tags are {scheme}" if scheme == PLAIN else f"the tags are those of {scheme}"]
    return Cleaned(rows, rejected, found, _sentences(facts), {"tags": facts}, manifest)


def check_scores(labels: Sequence[str], data: Data, metric: str) -> None:
    """Raise PipelineError for a metric that such tags do not have, and for entity tags called plain."""
    entities = are_entities(labels)
    some = ", ".join(labels[:_SHOWN]) + (", ..." if len(labels) > _SHOWN else "")
    if entities and data.tag_scheme == PLAIN:
        raise PipelineError(f"data.tag_scheme: plain, but the tags mark entities ({some}): take it out")
    scores = ENTITY_SCORES if entities else PLAIN_SCORES
    if metric not in scores:
        form = "mark entities" if entities else "are plain"
        raise PipelineError(
            f"task.metric: {metric} does not exist for these tags, which {form} ({some}): set it to"
            f" {', '.join(scores[:-1])} or {scores[-1]}"
        )


def _renamed(row: Row, names: Names) -> Row | Rejected:
    for position, tag in enumerate(_tags(row)):
        if names.get(tag, tag) is None:
            return Rejected(place(row.at, row.lines, position), LEFT_OUT, row.id, as_text(row.text))
    return replace(row, label=tuple(label_text(names.get(tag, tag)) for tag in _tags(row)))


def _scheme(rows: Iterable[Row], data: Data) -> str:
    if data.tag_scheme == "auto":
        return recognise(map(_tags, rows))
    if data.tag_scheme == "BIOES":  # BILOU by other letters
        letters = Counter(parts(tag)[0] for row in rows for tag in _tags(row))
        return max(("BIOES", "BILOU"), key=lambda scheme: sum(letters[p] for p in PREFIXES[scheme]))
    return data.tag_scheme


def _converted(row: Row, scheme: str) -> Row:
    return row if scheme == PLAIN else replace(row, label=to_iob2(_tags(row)))


def _changes(pairs: Iterable[tuple[Row, Row]]) -> dict[str, int]:
    changed = [sum(a != b for a, b in zip(_tags(old), _tags(new), strict=True)) for old, new in pairs]
    return {"sentences": sum(map(bool, changed)), "tags": sum(changed)}


def _odd(given: dict[str, list[Row]], kept: Iterable[Row], scheme: str, names: Names) -> Record:
    """How often `label_map` was needed, and how many entities of a scheme with B- begin without it."""
    counts = Counter(tag for rows in given.values() for row in rows for tag in _tags(row))
    begun = 0 if scheme in _MAY_BEGIN_WITH_I else sum(without_begin(_tags(row)) for row in kept)
    return {"mapped": {tag: counts[tag] for tag in names if counts[tag]}, "without_begin": begun}


def _sentences(facts: Record) -> list[str]:
    """The facts in words, for the records and the card."""
    said = []
    if facts["scheme"] not in (PLAIN, "IOB2"):
        said.append(f"Tags are rewritten from {facts['scheme']} to IOB2.")
    if facts["scheme"] == "IO":
        said.append("Neighbouring entities of one type count as one: IO does not tell them apart.")
    if count := facts["odd"]["without_begin"]:
        said.append(f"Entities that began with another tag than B- begin with B- ({count}).")
    return said


def _tags(row: Row) -> tuple[str, ...]:
    return row.label if isinstance(row.label, tuple) else ()

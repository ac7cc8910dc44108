"""The kinds of label as rows of a table: how each is read, counted, checked and written."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from stages.core.data_section import Data
from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.tasks import Kind
from stages.sources import labels
from stages.sources.disagreement import differ, differ_in_place, far_apart
from stages.sources.rows import Cleaned, Row
from stages.sources.tag_rows import check_scores, settle
from stages.tasks.entity_tags import OUTSIDE


@dataclass(frozen=True)
class KindOfLabel:
    """One kind of label.

    `read` makes a row's label (stages/sources/labels.py); `names` are those of a model's outputs that it
    names; `check` raises PipelineError where there is nothing to learn, `suits` where all labels together do
    not fit `data` or `task.metric`. `column` is its type in parquet, or "" for none. `keys` are the keys of
    `data` that only some kinds have.
    """

    wording: str
    read: Callable[[Record, Data, str], labels.Read]
    check: Callable[[Sequence[Row]], None]
    names: Callable[[Row], Iterable[str]]
    column: str
    keys: frozenset[str] = frozenset()
    words: bool = False  # texts are lists of words
    stratified: bool = False  # the splits have equal shares of each label
    one_answer: bool = True  # two labels of one text contradict each other
    first: str = ""  # the label that comes before the others, if it is there
    settle: Callable[[dict[str, list[Row]], Data], Cleaned] | None = (
        None  # what only all rows together can tell
    )
    suits: Callable[[Sequence[str], Data, str], None] | None = None
    disagree: Callable[[Row, Row, float], bool] | None = None  # whether near duplicates contradict each other


def _class(row: Row) -> Iterable[str]:
    return (str(row.label),)


def _each(row: Row) -> Iterable[str]:
    return row.label if isinstance(row.label, tuple) else ()


def _nothing(row: Row) -> Iterable[str]:
    return ()


def _two_classes(rows: Sequence[Row]) -> None:
    if len({row.label for row in rows}) == 1:
        raise PipelineError(f"every row has the label {rows[0].label!r}: a classifier needs two or more")


def _some_classes(rows: Sequence[Row]) -> None:
    names = {name for row in rows for name in _each(row)}
    if not names:
        raise PipelineError(f"no row has any label, from {rows[0].at} on: look at data.label")
    if len(names) == 1:
        raise PipelineError(
            f"there is one label only, {names.pop()!r}: set task.type to text-classification, and give the"
            ' rows without it a label too (for instance data.label_map: {"": other})'
        )


def _two_numbers(rows: Sequence[Row]) -> None:
    if len({row.label for row in rows}) == 1:
        raise PipelineError(f"every row has the number {rows[0].label}: there is nothing to learn")


def _two_tags(rows: Sequence[Row]) -> None:
    tags = {tag for row in rows for tag in _each(row)}
    if len(tags) == 1:
        raise PipelineError(f"every word has the tag {tags.pop()!r}: a tagger needs two or more")


def _anything(rows: Sequence[Row]) -> None:
    """Texts are worth learning whatever they are."""


KINDS: dict[Kind, KindOfLabel] = {
    "class": KindOfLabel(
        wording="one class a row",
        read=labels.class_of,
        check=_two_classes,
        names=_class,
        column="string",
        keys=frozenset({"pair", "label_rules", "label_map", "checks.label_errors"}),
        stratified=True,
        disagree=differ,
    ),
    "classes": KindOfLabel(
        wording="any number of classes a row",
        read=labels.classes_of,
        check=_some_classes,
        names=_each,
        column="strings",
        keys=frozenset({"pair", "label_map", "label_separator", "label"}),
        disagree=differ,
    ),
    "number": KindOfLabel(
        wording="a number a row",
        read=labels.number_of,
        check=_two_numbers,
        names=_nothing,
        column="double",
        keys=frozenset({"pair"}),
        disagree=far_apart,
    ),
    "tags": KindOfLabel(
        wording="a tag a word",
        read=labels.tags_of,
        check=_two_tags,
        names=_each,
        column="strings",
        keys=frozenset({"label_map", "tag_scheme"}),
        words=True,
        first=OUTSIDE,
        settle=settle,
        suits=check_scores,
        disagree=differ_in_place,
    ),
    "text": KindOfLabel(
        wording="a text a row",
        read=labels.target_of,
        check=_anything,
        names=_nothing,
        column="string",
        one_answer=False,
    ),
    "none": KindOfLabel(
        wording="none at all",
        read=labels.nothing_of,
        check=_anything,
        names=_nothing,
        column="",
    ),
}

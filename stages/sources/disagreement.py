"""When the labels of two near duplicates contradict each other, for each kind of label."""

import statistics
from collections.abc import Sequence
from difflib import SequenceMatcher

from stages.sources.rows import Row


def spread(rows: Sequence[Row]) -> float:
    """The standard deviation of the rows' numbers; 0 where labels are none."""
    return statistics.pstdev([row.label for row in rows if isinstance(row.label, float)] or [0.0])


def differ(one: Row, other: Row, tolerance: float) -> bool:
    """Classes contradict each other when they are not the same."""
    return one.label != other.label


def far_apart(one: Row, other: Row, tolerance: float) -> bool:
    """Numbers contradict each other when they are further apart than `tolerance`."""
    a, b = one.label, other.label
    return isinstance(a, float) and isinstance(b, float) and abs(a - b) > tolerance


def differ_in_place(one: Row, other: Row, tolerance: float) -> bool:
    """Tags contradict each other when a word has two, among the words that both sentences have in place."""
    words = [tuple(word.casefold() for word in row.text) for row in (one, other)]
    tags = [row.label if isinstance(row.label, tuple) else () for row in (one, other)]
    tag_of: dict[str, str] = {}
    every = [*zip(words[0], tags[0], strict=True), *zip(words[1], tags[1], strict=True)]
    if all(tag_of.setdefault(word, tag) == tag for word, tag in every):
        return False  # most pairs, and a tenth of the time
    blocks = SequenceMatcher(None, words[0], words[1], autojunk=False).get_matching_blocks()
    return any(tags[0][a : a + size] != tags[1][b : b + size] for a, b, size in blocks)

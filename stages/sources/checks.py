"""Look at the rows of all splits for what makes a model worse than its scores, or unfit to be published."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from stages.core.data_section import Checks
from stages.core.tasks import Kind
from stages.sources.damage import damage
from stages.sources.disagreement import spread
from stages.sources.findings import Finding, setting
from stages.sources.kinds import KINDS
from stages.sources.label_errors import suspected
from stages.sources.near import Near, both_near, clusters, near_duplicates
from stages.sources.personal import personal
from stages.sources.rows import Row, as_text
from stages.sources.split import Splits, row_key

_HELD_OUT = (("test", "train"), ("validation", "train"), ("test", "validation"))
_GIANT = 0.05  # of all rows: a cluster that large says more about the threshold than about duplicates


def look_for_near(splits: Splits, checks: Checks, kind: Kind) -> Near | None:
    """The near duplicates among all rows, where a check needs them."""
    contradictions = checks.contradictions != "off" and KINDS[kind].disagree is not None
    if checks.near_leaks == "off" and not contradictions:
        return None
    return near_duplicates([row for rows in splits.values() for row in rows], checks.near)


def kept_together(near: Near | None, checks: Checks) -> tuple[Mapping[Row, int], list[str]]:
    """The cluster of each row, for its rows to share a split; and a line where one is suspiciously large."""
    if near is None or checks.near_leaks == "off" or not len(near.first):
        return {}, []
    found = clusters(near, [row_key(row) for row in near.rows])
    largest = int(np.bincount(list(found.values())).max())
    if largest < max(3, _GIANT * len(near.rows)):
        return found, []
    return found, [
        f"{largest} of {len(near.rows)} rows are connected by near duplicates and stay in one split: if they"
        f" are not the same to you, raise data.checks.near (it is {checks.near}), or set"
        " data.checks.near_leaks to off"
    ]


def examine(splits: Splits, near: Near | None, checks: Checks, kind: Kind, seed: int) -> list[Finding]:
    """All findings of the checks that are not off."""
    looks: dict[str, Iterable[Finding]] = {
        "leaks": _leaks(splits),
        "near_leaks": _near_leaks(splits, near),
        "near_duplicates": _near_duplicates(splits, near),
        "contradictions": _contradictions(splits, near, kind, checks.near),
        "damage": _characters(splits),
        "personal": _persons(splits),
        "label_errors": _suspects(splits, seed),
    }
    return list(chain.from_iterable(look for check, look in looks.items() if setting(checks, check) != "off"))


def texts_of(row: Row) -> list[str]:
    """All texts of a row: its own, the second of a pair, a label that is one, its values for slices."""
    return [text for text in (as_text(row.text), row.pair, row.label, *row.slices) if isinstance(text, str)]


def _leaks(splits: Splits) -> Iterator[Finding]:
    """Held-out rows must be new to the model, and test rows also to the choice of the best checkpoint."""
    for held_out, other in _HELD_OUT:
        known = {row_key(row): row for row in splits[other]}
        for row in splits[held_out]:
            if same := known.get(row_key(row)):
                yield Finding("leaks", f"{held_out} in {other}", held_out, row, same)


def _near_leaks(splits: Splits, near: Near | None) -> Iterator[Finding]:
    """The same of near duplicates that are no leaks already."""
    if near is None:
        return
    own = _own_splits(splits, near)
    keys: dict[str, int] = {}
    key = np.array([keys.setdefault(row_key(row), len(keys)) for row in near.rows])
    first, second = own[near.first], own[near.second]
    new = key[near.first] != key[near.second]
    for held_out, other in _HELD_OUT:
        apart = ((first == held_out) & (second == other)) | ((first == other) & (second == held_out))
        for place, partner, similarity in near.partners(apart & new):
            if own[place] == held_out:
                row, same = near.rows[place], near.rows[partner]
                yield Finding("near_leaks", f"{held_out} in {other}", held_out, row, same, similarity)


def _near_duplicates(splits: Splits, near: Near | None) -> Iterator[Finding]:
    if near is None:
        return
    own = _own_splits(splits, near)
    for place, partner, similarity in near.partners(own[near.first] == own[near.second]):
        row, same = near.rows[place], near.rows[partner]
        yield Finding("near_duplicates", "near duplicate", str(own[place]), row, same, similarity)


def _contradictions(splits: Splits, near: Near | None, kind: Kind, least: float) -> Iterator[Finding]:
    disagree = KINDS[kind].disagree
    if near is None or disagree is None:
        return
    own, tolerance = _own_splits(splits, near), spread(near.rows)
    pairs = zip(near.first.tolist(), near.second.tolist(), strict=True)
    both = ((near.rows[a], near.rows[b]) for a, b in pairs)
    # Of pairs of texts a shared long one is not enough: both have to be alike.
    wanted = [
        disagree(one, other, tolerance) and (one.pair is None or both_near(one, other, least))
        for one, other in both
    ]
    for place, partner, similarity in near.partners(np.array(wanted, bool)):
        row, other = near.rows[place], near.rows[partner]
        yield Finding("contradictions", "near duplicate", str(own[place]), row, other, similarity)


def _characters(splits: Splits) -> Iterator[Finding]:
    for split, rows in splits.items():
        for row in rows:
            for kind in sorted({kind for text in texts_of(row) for kind in damage(text)}):
                yield Finding("damage", kind, split, row)


def _persons(splits: Splits) -> Iterator[Finding]:
    for split, rows in splits.items():
        for row in rows:
            for kind in sorted({kind for text in texts_of(row) for kind in personal(text)}):
                yield Finding("personal", kind, split, row)


def _suspects(splits: Splits, seed: int) -> Iterator[Finding]:
    for row in suspected(splits["train"], seed):
        yield Finding("label_errors", "label", "train", row)


def _own_splits(splits: Splits, near: Near) -> NDArray[np.str_]:
    """The split of each row of `near`, told by the object: a file given for two splits makes equal rows."""
    own = {id(row): split for split, rows in splits.items() for row in rows}
    return np.array([own[id(row)] for row in near.rows])

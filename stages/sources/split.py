"""Train, validation and test rows: by a hash of their content, never by the order of the file."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from stages.core.data_section import Split
from stages.core.errors import PipelineError
from stages.core.tasks import Kind
from stages.sources.kinds import KINDS
from stages.sources.normalise import leak_key
from stages.sources.rows import Row, as_text

Splits = dict[str, list[Row]]
Names = Callable[[Row], Iterable[str]]  # of a row's labels
NAMES = ("train", "validation", "test")
_SHOWN = 5
_ADVICE = (
    "; near duplicates stay in one split: raise data.checks.near, or set data.checks.near_leaks to off, where"
    " they are not the same to you"
)


def make_splits(
    given: Splits,
    shares: Split,
    labels: Sequence[str],
    seed: int,
    kind: Kind,
    clusters: Mapping[Row, int] = MappingProxyType({}),
) -> Splits:
    """All three splits, each in the order of its rows' hashes.

    `given` holds the user's own splits, or `all`. What is missing is cut from the training rows, stratified
    by label; rows with one leak key stay together, and so do those of one cluster where `clusters` are given.
    Raises PipelineError when a split is empty, or when a label is missing from one that needs it.
    """
    training = given.get("all", given.get("train", []))
    cut = {name: getattr(shares, name) for name in ("test", "validation") if name not in given}
    stratified = KINDS[kind].stratified
    if stratified:
        _check_counts(training, labels, 1 + len(cut))
    splits = {**given, **_cut(training, cut, seed, kind, clusters)}
    advice = _ADVICE if cut and clusters else ""
    ordered = {name: sorted(splits[name], key=lambda row: _order(row, seed)) for name in NAMES}
    if stratified:
        _check_labels(ordered, labels, advice)
    else:
        _check_empty(ordered, advice)
        _check_training(ordered, labels, KINDS[kind].names)
    return ordered


def _cut(
    rows: list[Row], shares: dict[str, float], seed: int, kind: Kind, clusters: Mapping[Row, int]
) -> Splits:
    """Rows for each name of `shares`, and the rest for `train`.

    Where a label is one class, every split gets its share of each. Where a row may have several, shares hold
    over all rows: what a label of few rows cannot give is made up for by the next ones. Groups that are
    larger than the smallest share stay for training as long as there are others.
    """
    splits: Splits = {name: [] for name in ("train", *shares)}
    each, seen, before = KINDS[kind].stratified, 0, dict.fromkeys(shares, 0)
    for groups in _strata(rows, seed, KINDS[kind].names, clusters):
        if each:
            seen, before = 0, {name: len(splits[name]) for name in shares}
        size = sum(map(len, groups))
        seen += size
        largest = max(1, round(size * min(shares.values(), default=1)))
        groups.sort(key=lambda group, largest=largest: len(group) > largest)  # type: ignore[misc]
        for to_come, (name, share) in zip(range(len(shares), 0, -1), shares.items(), strict=True):
            wanted = before[name] + max(1, round(seen * share))
            # One group at least stays for training, and of a class for each split that is still to come.
            while len(splits[name]) < wanted and len(groups) > (to_come if each else 1):
                splits[name] += groups.pop(0)
        for group in groups:
            splits["train"] += group
    return splits


def _strata(rows: list[Row], seed: int, names: Names, clusters: Mapping[Row, int]) -> list[list[list[Row]]]:
    """For each label, groups of rows with the same leak key or cluster, in the order of a hash.

    It is the hash of a group's smallest key: its smallest hash would put large groups first, into test.

    A row of several labels counts for its rarest one (after Sechidis et al., "On the stratification of
    multi-label data", ECML PKDD 2011), so that a label of few rows is not left to chance. Texts that share a
    key may differ in label ("good", "good?!"); their group counts for the first one's. Without labels to
    stratify by there is one stratum.
    """
    counts = Counter(name for row in rows for name in set(names(row)))
    groups: dict[str | int, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: _order(row, seed)):
        groups[clusters[row] if row in clusters else row_key(row)].append(row)
    strata: dict[str, list[list[Row]]] = defaultdict(list)
    for group in sorted(groups.values(), key=lambda group: _digest(min(map(row_key, group)), seed)):
        strata[min(names(group[0]), key=lambda name: (counts[name], name), default="")].append(group)
    return [strata[label] for label in sorted(strata)]


def row_key(row: Row) -> str:
    """The leak key of a row's text, or of both its texts, whichever comes first."""
    texts = [as_text(row.text), *([] if row.pair is None else [row.pair])]
    return "\0".join(sorted(map(leak_key, texts)))


def _order(row: Row, seed: int) -> tuple[str, ...]:
    return _digest(row_key(row), seed), as_text(row.text), row.pair or "", str(row.label)


def _digest(key: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}\0{key}".encode()).hexdigest()


def _check_counts(rows: list[Row], labels: Sequence[str], needed: int) -> None:
    counts = Counter(row.label for row in rows)
    few = [f"{label!r} {counts[label]}" for label in labels if counts[label] < needed]
    if few:
        more = f" and {len(few) - 2 * _SHOWN} more" if len(few) > 2 * _SHOWN else ""
        raise PipelineError(
            f"too few rows of {', '.join(few[: 2 * _SHOWN])}{more}: each label needs {needed} or more"
            " different texts among the rows to train on and to split"
        )


def _check_labels(splits: Splits, labels: Sequence[str], advice: str) -> None:
    counts = {name: Counter(row.label for row in rows) for name, rows in splits.items()}
    problems = [
        f"the label {label!r} is missing from {name}: it has "
        + ", ".join(f"{counts[n][label]} rows in {n}" for n in NAMES)
        + advice
        for label in labels
        for name in NAMES
        if not counts[name][label]
    ]
    if problems:
        raise PipelineError("\n".join(problems[: 2 * _SHOWN]))


def _check_empty(splits: Splits, advice: str) -> None:
    if empty := [name for name in NAMES if not splits[name]]:
        counts = ", ".join(f"{len(splits[name])} in {name}" for name in NAMES)
        raise PipelineError(
            f"too few rows: there are {counts}, and {' and '.join(empty)} needs one or more{advice}"
        )


def _check_training(splits: Splits, labels: Sequence[str], names: Names) -> None:
    """Held-out rows may lack a label: the records say so. One that training rows lack cannot be learned."""
    counts = {
        split: Counter(name for row in rows for name in set(names(row))) for split, rows in splits.items()
    }
    absent = [label for label in labels if not counts["train"][label]]
    problems = [
        f"the label {label!r} is missing from train, and cannot be learned: it has "
        + ", ".join(f"{counts[split][label]} rows in {split}" for split in NAMES)
        + "; rename it or leave its rows out with data.label_map, or take it out of task.labels"
        for label in absent
    ]
    if problems:
        more = [f"and {len(problems) - 2 * _SHOWN} more labels"] if len(problems) > 2 * _SHOWN else []
        raise PipelineError("\n".join(problems[: 2 * _SHOWN] + more))

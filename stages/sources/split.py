"""Train, validation and test rows: by a hash of their content, never by the order of the file."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

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


def make_splits(given: Splits, shares: Split, labels: Sequence[str], seed: int, kind: Kind) -> Splits:
    """All three splits, each in the order of its rows' hashes.

    `given` holds the user's own splits, or `all`. What is missing is cut from the training rows, stratified
    by label; rows with one leak key stay together. Raises PipelineError when the user's
    splits overlap, when one is empty, or when a label is missing from a split that needs it.
    """
    _refuse_leaks(given)
    training = given.get("all", given.get("train", []))
    cut = {name: getattr(shares, name) for name in ("test", "validation") if name not in given}
    stratified = KINDS[kind].stratified
    if stratified:
        _check_counts(training, labels, 1 + len(cut))
    splits = {**given, **_cut(training, cut, seed, kind)}
    ordered = {name: sorted(splits[name], key=lambda row: _order(row, seed)) for name in NAMES}
    if stratified:
        _check_labels(ordered, labels)
    else:
        _check_empty(ordered)
        _check_training(ordered, labels, KINDS[kind].names)
    return ordered


def _cut(rows: list[Row], shares: dict[str, float], seed: int, kind: Kind) -> Splits:
    """Rows for each name of `shares`, and the rest for `train`.

    Where a label is one class, every split gets its share of each. Where a row may have several, shares hold
    over all rows: what a label of few rows cannot give is made up for by the next ones.
    """
    splits: Splits = {name: [] for name in ("train", *shares)}
    each, seen, before = KINDS[kind].stratified, 0, dict.fromkeys(shares, 0)
    for groups in _strata(rows, seed, KINDS[kind].names):
        if each:
            seen, before = 0, {name: len(splits[name]) for name in shares}
        seen += sum(map(len, groups))
        for to_come, (name, share) in zip(range(len(shares), 0, -1), shares.items(), strict=True):
            wanted = before[name] + max(1, round(seen * share))
            # One group at least stays for training, and of a class for each split that is still to come.
            while len(splits[name]) < wanted and len(groups) > (to_come if each else 1):
                splits[name] += groups.pop(0)
        for group in groups:
            splits["train"] += group
    return splits


def _strata(rows: list[Row], seed: int, names: Names) -> list[list[list[Row]]]:
    """For each label, groups of rows with the same leak key, in the order of the key's hash.

    A row of several labels counts for its rarest one (after Sechidis et al., "On the stratification of
    multi-label data", ECML PKDD 2011), so that a label of few rows is not left to chance. Texts that share a
    key may differ in label ("good", "good?!"); their group counts for the first one's. Without labels to
    stratify by there is one stratum.
    """
    counts = Counter(name for row in rows for name in set(names(row)))
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: _order(row, seed)):
        groups[_key(row)].append(row)
    strata: dict[str, list[list[Row]]] = defaultdict(list)
    for group in groups.values():
        strata[min(names(group[0]), key=lambda name: (counts[name], name), default="")].append(group)
    return [strata[label] for label in sorted(strata)]


def _key(row: Row) -> str:
    """The leak key of a row's text, or of both its texts, whichever comes first."""
    texts = [as_text(row.text), *([] if row.pair is None else [row.pair])]
    return "\0".join(sorted(map(leak_key, texts)))


def _order(row: Row, seed: int) -> tuple[str, ...]:
    digest = hashlib.sha256(f"{seed}\0{_key(row)}".encode()).hexdigest()
    return digest, as_text(row.text), row.pair or "", str(row.label)


def _refuse_leaks(given: Splits) -> None:
    """Held-out rows must be new to the model, and test rows also to the choice of the best checkpoint."""
    problems = []
    for held_out, other in (("test", "train"), ("validation", "train"), ("test", "validation")):
        known = {_key(row): row for row in given.get(other, [])}
        pairs = [(row, known[key]) for row in given.get(held_out, []) if (key := _key(row)) in known]
        if pairs:
            but = "case, punctuation and order" if pairs[0][0].pair is not None else "case and punctuation"
            shown = [f"{row.id} ({row.at} is {same.at})" for row, same in pairs[:_SHOWN]]
            more = f" and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
            problems.append(
                f"{len(pairs)} of {len(given[held_out])} {held_out} rows are {other} rows too, but for {but}:"
                f" {', '.join(shown)}{more}; remove them from one of the two, or name no"
                f" {held_out} split, and it is cut from the training rows"
            )
    if problems:
        raise PipelineError("\n".join(problems))


def _check_counts(rows: list[Row], labels: Sequence[str], needed: int) -> None:
    counts = Counter(row.label for row in rows)
    few = [f"{label!r} {counts[label]}" for label in labels if counts[label] < needed]
    if few:
        more = f" and {len(few) - 2 * _SHOWN} more" if len(few) > 2 * _SHOWN else ""
        raise PipelineError(
            f"too few rows of {', '.join(few[: 2 * _SHOWN])}{more}: each label needs {needed} or more"
            " different texts among the rows to train on and to split"
        )


def _check_labels(splits: Splits, labels: Sequence[str]) -> None:
    counts = {name: Counter(row.label for row in rows) for name, rows in splits.items()}
    problems = [
        f"the label {label!r} is missing from {name}: it has "
        + ", ".join(f"{counts[n][label]} rows in {n}" for n in NAMES)
        for label in labels
        for name in NAMES
        if not counts[name][label]
    ]
    if problems:
        raise PipelineError("\n".join(problems[: 2 * _SHOWN]))


def _check_empty(splits: Splits) -> None:
    if empty := [name for name in NAMES if not splits[name]]:
        counts = ", ".join(f"{len(splits[name])} in {name}" for name in NAMES)
        raise PipelineError(f"too few rows: there are {counts}, and {' and '.join(empty)} needs one or more")


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

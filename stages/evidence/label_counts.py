"""Counts of class labels, one or any number a row, and the scores that follow from their sums."""

from collections.abc import Collection, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np

from stages.core.records import Record
from stages.evidence.statistics import Floats
from stages.tasks.metrics import numbers

Places = Sequence[Collection[int]]  # for each row the places of its labels


def class_counts(predicted: Sequence[Record], references: Sequence[str], labels: Sequence[str]) -> Any:
    """One class a row: by class whether it is right, true, and predicted: [rows, 3 classes]."""
    said = [[number] for number in numbers((record["predicted"] for record in predicted), labels)]
    true = [[number] for number in numbers(references, labels)]
    hits = [these if these == those else [] for these, those in zip(said, true, strict=True)]
    return label_table(hits, true, said, len(labels))


def class_values(sums: Floats, labels: Sequence[str]) -> dict[str, Floats]:
    """Accuracy and F1 of sums of `class_counts`.

    As scikit-learn with `labels` fixed to every class and `zero_division=0`: a class that occurs neither as
    truth nor as prediction has F1 0.
    """
    tp, true, said = thirds(sums, len(labels))
    total = true.sum(axis=-1)
    both = true + said
    of_class = ratio(2 * tp, both)
    return {
        "accuracy": ratio(tp.sum(axis=-1), total),
        "f1_macro": of_class.mean(axis=-1),
        "f1_micro": ratio(2 * tp.sum(axis=-1), both.sum(axis=-1)),
        "f1_weighted": ratio((of_class * true).sum(axis=-1), total),
    }


def classes_counts(
    predicted: Sequence[Record], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> Any:
    """Any number of classes a row: by class whether it is right, true, and predicted; the row's F1 (1 where
    nothing is true and nothing predicted), whether all of it is right, and 1: [rows, 3 classes + 3].
    """
    from scipy import sparse

    said = [set(row) for row in places([record["predicted"] for record in predicted], labels)]
    true = [set(row) for row in places(references, labels)]
    hits = [these & those for these, those in zip(said, true, strict=True)]
    counted = zip(hits, true, said, strict=True)
    rows = [(2 * len(h) / (len(t) + len(s)) if t or s else 1.0, t == s, 1) for h, t, s in counted]
    table = label_table(hits, true, said, len(labels))
    return sparse.hstack([table, sparse.csr_array(np.array(rows, dtype=np.float64))], format="csr")


def classes_values(sums: Floats, labels: Sequence[str]) -> dict[str, Floats]:
    """F1 (micro, macro, mean over rows) and exact matches of sums of `classes_counts`.

    0/0 is 0, but 1 as the F1 of a row.
    """
    tp, true, said = thirds(sums, len(labels))
    f1, exact, rows = np.moveaxis(sums[..., 3 * len(labels) :], -1, 0)
    both = true + said
    return {
        "f1_micro": ratio(2 * tp.sum(axis=-1), both.sum(axis=-1)),
        "f1_macro": ratio(2 * tp, both).mean(axis=-1),
        "f1_samples": f1 / rows,
        "exact_match": exact / rows,
    }


def places(rows: Sequence[Sequence[str]], labels: Sequence[str]) -> list[list[int]]:
    """The place in `labels` of each name of each row; PipelineError for a name that is not one of them."""
    flat = iter(numbers(chain.from_iterable(rows), labels))
    return [list(islice(flat, len(row))) for row in rows]


def label_table(hits: Places, true: Places, said: Places, labels: int) -> Any:
    """A sparse matrix of shape [rows, 3 labels]: how often each row has a label right, has it, is said to."""
    from scipy import sparse

    rows, columns = [], []
    for row, (right, those, these) in enumerate(zip(hits, true, said, strict=True)):
        found = [*right, *(labels + number for number in those), *(2 * labels + number for number in these)]
        columns += found
        rows += [row] * len(found)
    shape = (len(true), 3 * labels)
    return sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=shape).tocsr()


def thirds(sums: Floats, labels: int) -> tuple[Floats, Floats, Floats]:
    """The three tables of labels that sums of a `label_table` begin with, each of shape [..., labels]."""
    first, second, third = (sums[..., labels * n : labels * (n + 1)] for n in range(3))
    return np.ascontiguousarray(first), np.ascontiguousarray(second), np.ascontiguousarray(third)


def ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole, and 0 where there is no whole."""
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)

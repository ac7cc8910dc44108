"""Sums from which the scores of predicted numbers follow, and rank correlation from weights.

What is undefined is 0, as in stages/tasks/metrics.py: correlations of numbers that are all the same, r2 when
the references are.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.core.records import Record
from stages.evidence.label_counts import ratio
from stages.evidence.statistics import Floats

# A spread that is less than this share of the squares about the mean of all rows is rounding.
_CONSTANT = 1e-12


def number_counts(predicted: Sequence[Record], references: Sequence[float], labels: Sequence[str]) -> Any:
    """For each row 1, squared and absolute error, and x, y, x², y², xy of prediction x and reference y.

    x and y are taken about their means over all rows, or small spreads would drown in large squares.
    """
    x, y = _numbers(predicted), np.asarray(references, dtype=np.float64)
    error = x - y
    x, y = x - x.mean(), y - y.mean()
    return np.stack([np.ones_like(x), error**2, np.abs(error), x, y, x**2, y**2, x * y], axis=1)


def number_values(sums: Floats, labels: Sequence[str]) -> dict[str, Floats]:
    """Errors, Pearson's correlation and r2 of sums of `number_counts`."""
    rows, squared, absolute, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    spread_x, spread_y = _spread(xx, x, rows), _spread(yy, y, rows)
    joint = xy - x * y / rows
    mse = squared / rows
    return {
        "mse": mse,
        "rmse": np.sqrt(mse),
        "mae": absolute / rows,
        "pearson": _correlation(joint, spread_x, spread_y),
        "r2": np.where(spread_y > 0, 1 - ratio(squared, spread_y), 0.0),
    }


def spearman(
    predicted: Sequence[Record], references: Sequence[float]
) -> Callable[[Floats], dict[str, Floats]]:
    """A function from weights [resamples, rows] to Spearman's correlation of each resample.

    Equal numbers share the mean of their ranks, as in scipy.stats.spearmanr of the rows written out.
    """
    sides = [_levels(_numbers(predicted)), _levels(np.asarray(references, dtype=np.float64))]

    def of_weights(weights: Floats) -> dict[str, Floats]:
        (x, spread_x), (y, spread_y) = (_ranks(weights, *side) for side in sides)
        joint = np.einsum("ij,ij,ij->i", weights, x, y)
        return {"spearman": _correlation(joint, spread_x, spread_y)}

    return of_weights


def _numbers(predicted: Sequence[Record]) -> Floats:
    return np.array([record["predicted"] for record in predicted], dtype=np.float64)


def _spread(squares: Floats, total: Floats, rows: Floats) -> Floats:
    """The sum of squares about the mean, and 0 for what is rounding only."""
    spread = squares - total**2 / rows
    return np.where(spread > _CONSTANT * squares, spread, 0.0)


def _correlation(joint: Floats, one: Floats, other: Floats) -> Floats:
    return np.clip(ratio(joint, np.sqrt(one) * np.sqrt(other)), -1.0, 1.0)


def _levels(numbers: Floats) -> tuple[Any, NDArray[np.intp]]:
    """A sparse matrix [rows, distinct numbers in ascending order] of ones, and the column of each row."""
    from scipy import sparse

    distinct, level = np.unique(numbers, return_inverse=True)
    places = (np.arange(len(numbers)), level)
    return sparse.csr_array((np.ones(len(numbers)), places), shape=(len(numbers), len(distinct))), level


def _ranks(weights: Floats, levels: Any, level: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Ranks about their mean, [resamples, rows], and their sum of squares by resample: exact, in halves."""
    held = weights @ levels
    # A level of h rows that ends at rank c has the mean rank c - (h - 1) / 2; all n have (n + 1) / 2.
    rank = held.cumsum(axis=1) - held / 2 - weights.sum(axis=1, keepdims=True) / 2
    return rank[:, level], np.einsum("ij,ij,ij->i", held, rank, rank)

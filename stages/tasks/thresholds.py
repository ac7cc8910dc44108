"""From which probability on a label is said to hold, decided on the validation rows."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from stages.core.records import Record


def tune(predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]) -> list[float]:
    """For each label the threshold with the highest F1 on these rows; of equal ones that nearest to 0.5.

    Candidates are 0.5 and the midpoints between neighbouring probabilities, rounded to four significant
    digits where that still parts the two; none is 0. A label that no row has keeps 0.5. (F1-optimal
    thresholds by label: Lipton et al., "Optimal Thresholding of Classifiers to Maximize F1 Measure", ECML
    PKDD 2014.)
    """
    shares = np.array([record["probabilities"] for record in predicted])
    return [
        _best(shares[:, number], np.array([label in own for own in references]))
        for number, label in enumerate(labels)
    ]


def decided(
    shares: Sequence[Sequence[float]], labels: Sequence[str], thresholds: Sequence[float]
) -> list[Record]:
    """For each row the labels whose probability reaches their threshold; `shares` is [rows, labels]."""
    return [
        {
            "predicted": [label for label, p, t in zip(labels, row, thresholds, strict=True) if p >= t],
            "probabilities": list(row),
        }
        for row in shares
    ]


def _best(shares: np.ndarray[Any, Any], true: np.ndarray[Any, Any]) -> float:
    if not true.any():
        return 0.5
    levels = np.unique(shares).tolist()
    candidates = np.array([0.5, *(_between(low, high) for low, high in pairwise(levels))])
    ranked, own = np.sort(shares), np.sort(shares[true])
    said, hits = (len(of) - np.searchsorted(of, candidates) for of in (ranked, own))
    f1 = 2 * hits / (said + len(own))
    return float(max(zip(f1, -abs(candidates - 0.5), candidates, strict=True))[2])


def _between(low: float, high: float) -> float:
    """A short number that `high` reaches and `low` does not."""
    middle = (low + high) / 2
    return next(number for number in (float(f"{middle:.4g}"), middle, high) if low < number <= high)

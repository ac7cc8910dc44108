"""From which probability on a label is said to hold, decided on the validation rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.core.records import Record


def tune(predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]) -> list[float]:
    """For each label the threshold with the highest F1 on these rows; of equal ones that nearest to 0.5.

    Candidates are 0.5 and the midpoints between neighbouring probabilities, rounded to four decimals. A label
    that no row has keeps 0.5. (F1-optimal thresholds by label: Lipton et al., "Optimal Thresholding of
    Classifiers to Maximize F1 Measure", ECML PKDD 2014.)
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
    levels = np.unique(shares)
    candidates = {0.5, *np.round((levels[1:] + levels[:-1]) / 2, 4).tolist()}
    scored = []
    for threshold in sorted(candidates):
        said = shares >= threshold
        f1 = 2 * int((said & true).sum()) / (int(said.sum()) + int(true.sum()))
        scored.append((f1, -abs(threshold - 0.5), threshold))
    return float(max(scored)[2])

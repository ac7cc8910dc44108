"""How sure the numbers are: bootstrap intervals, paired differences, exact McNemar.

Sources: the percentile bootstrap, Efron, "Bootstrap methods: another look at the jackknife", Annals of
Statistics 7(1), 1979; McNemar, "Note on the sampling error of the difference between correlated proportions
or percentages", Psychometrika 12, 1947; which test suits which score, Dror et al., "The Hitchhiker's Guide
to Testing Statistical Significance in Natural Language Processing", ACL 2018.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Verdict = Literal["better", "same", "inconclusive", "worse"]

MARGIN = 0.01  # differences that stay within it on both sides count as none
METHOD = "percentile bootstrap over test rows; the same resampled rows for every model"


@dataclass(frozen=True)
class Bootstrap:
    """What makes an interval: how many resamples, how sure it should be, and the seed that draws them."""

    resamples: int
    confidence: float
    seed: int

    def interval(self, samples: Floats) -> tuple[float, float]:
        """The central share `confidence` of `samples`, as its lower and upper end."""
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(samples, [tail, 1 - tail])
        return float(low), float(high)


@dataclass(frozen=True)
class Comparison:
    """A model's score less a baseline's, on the same rows."""

    difference: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """`better` and `worse` when the interval excludes 0, `same` when it stays within MARGIN of 0."""
        if self.low > 0:
            return "better"
        if self.high < 0:
            return "worse"
        return "same" if max(-self.low, self.high) <= MARGIN else "inconclusive"


@dataclass(frozen=True)
class McNemar:
    """Rows that only one of two models gets right, and how surprising their split is if both are as good."""

    only_model: int
    only_baseline: int
    p: float


def scores(hits: ArrayLike, support: ArrayLike, predicted: ArrayLike) -> dict[str, Floats]:
    """Accuracy and F1 from counts whose last axis is the class; leading axes (resamples) are kept.

    `hits` are rows of a class predicted as it, `support` rows of the class, `predicted` rows predicted as it.
    As scikit-learn with `labels` fixed to every class and `zero_division=0`: a class that occurs neither as
    truth nor as prediction has F1 0.
    """
    tp, true, said = (np.asarray(counts, dtype=np.float64) for counts in (hits, support, predicted))
    total = true.sum(axis=-1)
    both = true + said
    f1 = np.divide(2 * tp, both, out=np.zeros_like(both), where=both > 0)
    accuracy = tp.sum(axis=-1) / total
    return {
        "accuracy": accuracy,
        "f1_macro": f1.mean(axis=-1),
        "f1_micro": 2 * tp.sum(axis=-1) / both.sum(axis=-1),
        "f1_weighted": (f1 * true).sum(axis=-1) / total,
    }


def resampled(
    predicted: Sequence[int], references: Sequence[int], classes: int, bootstrap: Bootstrap
) -> dict[str, Floats]:
    """Every metric of `scores` on each resample: arrays of shape [resamples].

    The rows drawn depend on the seed and on the number of rows alone, so that the arrays of two models on the
    same test set are paired, and a model's interval stays what it was when a baseline is added.
    """
    said, true = np.asarray(predicted), np.asarray(references)
    hit = said == true
    rng = np.random.default_rng(bootstrap.seed)
    counts = np.empty((3, bootstrap.resamples, classes))
    for number in range(bootstrap.resamples):
        rows = rng.integers(len(true), size=len(true))
        drawn = true[rows]
        counts[0, number] = np.bincount(drawn[hit[rows]], minlength=classes)
        counts[1, number] = np.bincount(drawn, minlength=classes)
        counts[2, number] = np.bincount(said[rows], minlength=classes)
    return scores(*counts)


def compare(model: Floats, baseline: Floats, difference: float, bootstrap: Bootstrap) -> Comparison:
    """Paired bootstrap of a difference: `model` and `baseline` are one metric's arrays from `resampled`.

    Rounded as records are, so that the verdict follows from the numbers that a reader sees.
    """
    low, high = bootstrap.interval(model - baseline)
    return Comparison(round(difference, 6), round(low, 6), round(high, 6))


def mcnemar(model: Sequence[int], baseline: Sequence[int], references: Sequence[int]) -> McNemar:
    """The exact two-sided test on the rows that one of the two gets right and the other wrong.

    If both are equally often right, those rows divide as fair coins fall. With no such row there is nothing
    to test and p is 1.
    """
    from scipy.stats import binomtest

    true = np.asarray(references)
    model_hit, baseline_hit = np.asarray(model) == true, np.asarray(baseline) == true
    only_model = int((model_hit & ~baseline_hit).sum())
    only_baseline = int((baseline_hit & ~model_hit).sum())
    rows = only_model + only_baseline
    p = float(binomtest(only_model, rows, 0.5).pvalue) if rows else 1.0
    return McNemar(only_model, only_baseline, p)

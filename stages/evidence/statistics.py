"""How sure the numbers are: intervals of resampled scores, paired differences, exact McNemar.

Sources: the percentile bootstrap, Efron, "Bootstrap methods: another look at the jackknife", Annals of
Statistics 7(1), 1979; McNemar, "Note on the sampling error of the difference between correlated proportions
or percentages", Psychometrika 12, 1947; which test suits which score, Dror et al., "The Hitchhiker's Guide
to Testing Statistical Significance in Natural Language Processing", ACL 2018.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stages.core.tasks import LOWER_IS_BETTER, PERCENTAGES, greater_is_better

Floats = NDArray[np.float64]
Verdict = Literal["better", "same", "inconclusive", "worse"]

MARGIN = 0.01  # of a score between 0 and 1: differences that stay within it on both sides count as none
METHOD = "percentile bootstrap over test rows; the same resampled rows for every model"

_UNBOUNDED = LOWER_IS_BETTER  # errors, losses and perplexities: these alone have no upper end


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

    metric: str
    difference: float
    low: float
    high: float
    margin: float = MARGIN

    @property
    def verdict(self) -> Verdict:
        """`better` and `worse` when the interval excludes 0, `same` when it stays within the margin of 0."""
        up = greater_is_better(self.metric)
        if self.low > 0:
            return "better" if up else "worse"
        if self.high < 0:
            return "worse" if up else "better"
        return "same" if max(-self.low, self.high) <= self.margin else "inconclusive"


@dataclass(frozen=True)
class McNemar:
    """Rows that only one of two models gets right, and how surprising their split is if both are as good."""

    only_model: int
    only_baseline: int
    p: float


def margin(metric: str, value: float) -> float:
    """The difference that counts as none: a hundredth of the score's range, or of the model's own value.

    0.01 of scores up to 1, a point of percentages, and 1% of `value` where a score has no upper end.
    """
    if metric in _UNBOUNDED:
        return MARGIN * abs(value)
    return 100 * MARGIN if metric in PERCENTAGES else MARGIN


def compare(
    metric: str, model: Floats, baseline: Floats, values: tuple[float, float], bootstrap: Bootstrap
) -> Comparison:
    """Paired bootstrap of a difference: `model` and `baseline` hold the metric on the same resamples.

    `values` are the two scores on all rows, the model's first. Rounded as records are, so that the verdict
    follows from the numbers that a reader sees.
    """
    low, high = bootstrap.interval(model - baseline)
    difference = values[0] - values[1]
    near = margin(metric, values[0])
    return Comparison(metric, round(difference, 6), round(low, 6), round(high, 6), round(near, 6))


def mcnemar(model: ArrayLike, baseline: ArrayLike) -> McNemar:
    """The exact two-sided test on the rows that one of the two gets right and the other wrong.

    Both say of each row whether it is right. If both are equally often right, the rows that they differ on
    divide as fair coins fall. With no such row there is nothing to test and p is 1.
    """
    from scipy.stats import binomtest

    ours, theirs = np.asarray(model, dtype=bool), np.asarray(baseline, dtype=bool)
    only_model = int((ours & ~theirs).sum())
    only_baseline = int((theirs & ~ours).sum())
    rows = only_model + only_baseline
    p = float(binomtest(only_model, rows, 0.5).pvalue) if rows else 1.0
    return McNemar(only_model, only_baseline, p)

"""How sure the numbers are: intervals of resampled scores, paired differences, exact McNemar.

Sources: the percentile bootstrap, Efron, "Bootstrap methods: another look at the jackknife", Annals of
Statistics 7(1), 1979; McNemar, "Note on the sampling error of the difference between correlated proportions
or percentages", Psychometrika 12, 1947; which test suits which score, Dror et al., "The Hitchhiker's Guide
to Testing Statistical Significance in Natural Language Processing", ACL 2018; what a test set can show at
all, Card et al., "With Little Power Comes Great Responsibility", EMNLP 2020.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stages.core.tasks import LOWER_IS_BETTER, PERCENTAGES, greater_is_better

Floats = NDArray[np.float64]
Verdict = Literal["better", "same", "inconclusive", "worse"]

MARGIN = 0.01  # of a score between 0 and 1: differences that stay within it on both sides count as none
POWER = 0.8  # how often a difference that is there should be found
METHOD = (
    "percentile bootstrap over test rows, the same ones for every model; macro F1 is centred on its value"
)
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
    """A model's score less a baseline's, on the same rows.

    `detectable` is the smallest true difference that four in five test sets like this one would show.
    `differ` rows tell the two apart, and fewer than `fewest` of them decide nothing.
    """

    metric: str
    difference: float
    low: float
    high: float
    detectable: float
    margin: float = MARGIN
    differ: int = 0
    fewest: int = 0

    @property
    def verdict(self) -> Verdict:
        """`better` and `worse` when the interval excludes 0, `same` when it stays within the margin of 0.

        Inconclusive too when too few rows tell the two apart.
        """
        up = greater_is_better(self.metric)
        if (self.low > 0 or self.high < 0) and self.differ < self.fewest:
            return "inconclusive"
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


def centred(samples: Floats, value: float) -> Floats:
    """Resampled scores, 0 to 1, about the score of all rows.

    For macro F1: a resample without a rare class counts that class as 0, so that all resamples lie too low.
    """
    moved: Floats = np.clip(samples - samples.mean() + value, 0.0, 1.0)
    return moved


def compare(
    metric: str,
    model: Floats,
    baseline: Floats,
    values: tuple[float, float],
    bootstrap: Bootstrap,
    rows: int,
    differ: int,
) -> Comparison:
    """Paired bootstrap of a difference: `model` and `baseline` hold the metric on the same resamples.

    `values` are the two scores on all `rows`, the model's first; `differ` of the rows tell the two apart.
    Where resampling never changes the difference, the interval is what these rows leave open (see `unseen`).
    Rounded as records are, so that the verdict follows from the numbers that a reader sees.
    """
    difference = values[0] - values[1]
    low, high = bootstrap.interval(model - baseline)
    least = detectable(model - baseline, bootstrap.confidence)
    if not least and metric not in _UNBOUNDED:
        least = unseen(rows, bootstrap.confidence) * (100 if metric in PERCENTAGES else 1)
        low, high = difference - least, difference + least
    return Comparison(
        metric,
        difference=round(difference, 6),
        low=round(low, 6),
        high=round(high, 6),
        detectable=round(least, 6),
        margin=round(margin(metric, values[0]), 6),
        differ=differ,
        fewest=fewest(bootstrap.confidence),
    )


def unseen(rows: int, confidence: float) -> float:
    """The largest share of rows of a kind that none of `rows` is of, with this confidence.

    The exact form of the rule of three: Hanley and Lippman-Hand, "If Nothing Goes Wrong, Is Everything All
    Right?", JAMA 249(13), 1983.
    """
    return float(1 - (1 - confidence) ** (1 / rows))


def fewest(confidence: float) -> int:
    """How many rows, all in favour of one of two models, an exact test takes to decide: six at 0.95."""
    return math.ceil(math.log2(2 / (1 - confidence)) - 1e-9)


def detectable(differences: Floats, confidence: float) -> float:
    """The smallest true difference whose interval excludes 0 with probability POWER.

    By the normal approximation, (z of the interval + z of the power) standard errors, the error being that of
    the resampled `differences`.
    """
    normal = NormalDist()
    return (normal.inv_cdf((1 + confidence) / 2) + normal.inv_cdf(POWER)) * float(np.std(differences, ddof=1))


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

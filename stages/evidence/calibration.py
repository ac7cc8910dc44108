"""Whether probabilities mean what they say: calibration error, Brier score, likelihood; before and after
temperature scaling.

Sources: expected calibration error with bins of equal width, and temperature scaling: Guo et al., "On
Calibration of Modern Neural Networks", ICML 2017; with bins of equal mass: Nguyen and O'Connor, "Posterior
calibration and exploratory analysis for natural language processing models", EMNLP 2015; what a calibrated
model would show: the consistency resampling of Bröcker and Smith, "Increasing the Reliability of Reliability
Diagrams", Weather and Forecasting 22, 2007; Brier, "Verification of forecasts expressed in terms of
probability", Monthly Weather Review 78, 1950.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.core.records import Record
from stages.evidence.label_counts import places
from stages.evidence.resampling import drawn
from stages.evidence.statistics import Bootstrap, Floats
from stages.tasks.metrics import numbers

BINS = 15  # as Guo et al.
EPSILON = 5e-7  # published probabilities have 6 decimals: what is below half the last one reads 0
TEMPERATURES = (0.1, 10.0)  # where one is looked for; validation rows without a mistake end at the lower one

_DRAWS = 10**8  # simulated outcomes at most: about a second
_AT_A_TIME = 2**22  # of these, held in memory
_FEWEST = 200  # simulations, however many outcomes each has

Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class _Outcomes:
    """Binary predictions, shape [rows, predictions a row], and two losses by row, shape [rows]."""

    confidence: Floats
    right: Floats
    brier: Floats
    nll: Floats


def calibrate(
    kind: str,
    predicted: Sequence[Record],
    references: Sequence[Any],
    labels: Sequence[str],
    bootstrap: Bootstrap,
    temperature: float | None = None,
) -> Record | None:
    """How far probabilities are from frequencies; None of labels, or predictions, that have no probabilities.

    Of `class` the confidence is the probability of the predicted class; of `classes` each label of each row
    is one prediction, and rows are resampled.
    * `ece`: mean distance of accuracy and confidence over BINS bins of equal width, weighted by their count
      (0 to 1); `ece_adaptive`: the same over bins of equal mass. Both are above 0 by noise alone: `expected`
      is the mean and the interval of what a perfectly calibrated model with these confidences shows. A value
      above `expected.high` is miscalibration, one below is not told from noise.
    * `brier`: squared error of the probabilities; of `class` summed over classes (0 to 2), of `classes` the
      mean over labels (0 to 1); mean over rows. `nll`: in nats, mean over rows (and labels), of
      probabilities of at least EPSILON.
    * `bins`: those of equal width that hold anything; `expected` is where the accuracy of a calibrated model
      lies.
    * `scaled`, with a `temperature`: all of this after it, and whether it stands at the end of its range.
    """
    if kind not in ("class", "classes") or any("probabilities" not in record for record in predicted):
        return None
    shares = np.array([record["probabilities"] for record in predicted], dtype=np.float64)
    said = [record["predicted"] for record in predicted]
    found = _measured(_outcomes(kind, shares, said, references, labels), bootstrap)
    if temperature is None:
        return found
    after = _outcomes(kind, _scaled(kind, shares, temperature), said, references, labels)
    ends = {"temperature": temperature, "at_bound": temperature in TEMPERATURES}
    return {**found, "scaled": {**_measured(after, bootstrap), **ends}}


def temperature_of(
    kind: str, probabilities: Sequence[Sequence[float]], references: Sequence[Any], labels: Sequence[str]
) -> float:
    """The temperature T that makes these (validation) rows most likely, rounded to 6 decimals.

    T divides the logits: softmax(log p / T) of `class`, sigmoid(logit p / T) of `classes`. Probabilities
    below EPSILON count as EPSILON, so that rounded ones and exact ones give about the same. Always within
    TEMPERATURES: where every row is right, likelihood only grows as T falls, and T is the lower end; and 1
    where no other is better.
    """
    from scipy.optimize import minimize_scalar

    logits, truth = (
        _logits(kind, np.asarray(probabilities, dtype=np.float64)),
        _truth(kind, references, labels),
    )

    def nll(log_temperature: float) -> float:
        # Rounded, or noise would decide where temperature makes no difference.
        return round(_mean_nll(kind, logits / np.exp(log_temperature), truth), 9)

    # Convex in 1/T, so that one minimum is all there is; the search itself never tries the ends.
    ends = np.log(TEMPERATURES)
    best = minimize_scalar(nll, bounds=ends, method="bounded", options={"xatol": 1e-6}).x
    return round(float(np.exp(min([0.0, *ends, best], key=nll))), 6)


def _truth(kind: str, references: Sequence[Any], labels: Sequence[str]) -> Floats:
    """1 where the row has the label: shape [rows, labels]."""
    rows = (
        [[number] for number in numbers(references, labels)]
        if kind == "class"
        else places(references, labels)
    )
    truth = np.zeros((len(rows), len(labels)))
    for own, row in zip(truth, rows, strict=True):
        own[row] = 1
    return truth


def _logits(kind: str, shares: Floats) -> Floats:
    if kind == "class":
        return np.log(np.maximum(shares, EPSILON))
    clipped = np.clip(shares, EPSILON, 1 - EPSILON)
    return np.log(clipped) - np.log1p(-clipped)


def _scaled(kind: str, shares: Floats, temperature: float) -> Floats:
    from scipy.special import expit, softmax

    logits = _logits(kind, shares) / temperature
    scaled: Floats = softmax(logits, axis=1) if kind == "class" else expit(logits)
    return scaled


def _mean_nll(kind: str, logits: Floats, truth: Floats) -> float:
    """Without the way over probabilities, which would round to 0 and 1."""
    from scipy.special import logsumexp

    if kind == "class":
        return float((logsumexp(logits, axis=1) - (logits * truth).sum(axis=1)).mean())
    return float(np.logaddexp(0, np.where(truth == 1, -logits, logits)).mean())


def _outcomes(
    kind: str, shares: Floats, said: Sequence[Any], references: Sequence[Any], labels: Sequence[str]
) -> _Outcomes:
    truth = _truth(kind, references, labels)
    squares = (shares - truth) ** 2
    surprise = -np.log(np.maximum(np.where(truth == 1, shares, 1 - shares), EPSILON))
    if kind == "classes":
        return _Outcomes(shares, truth, squares.mean(axis=1), surprise.mean(axis=1))
    own = np.array(numbers(said, labels))[:, None]
    confidence, right = (np.take_along_axis(of, own, axis=1) for of in (shares, truth))
    return _Outcomes(confidence, right, squares.sum(axis=1), (surprise * truth).sum(axis=1))


def _measured(outcomes: _Outcomes, bootstrap: Bootstrap) -> Record:
    confidence, right = outcomes.confidence.ravel(), outcomes.right.ravel()
    rows = len(outcomes.confidence)
    groups = _equal_width(confidence), _equal_mass(confidence)
    gaps = [_gaps(outcomes, group) for group in groups]
    table = np.column_stack([*gaps, outcomes.brier, outcomes.nll])
    samples = np.concatenate([weights @ table for weights in drawn(rows, bootstrap)])
    simulated = _simulated(confidence, groups, bootstrap)
    first = gaps[0].shape[1]

    def error(of_bins: Floats) -> Floats:
        """ECE from what confidence exceeds accuracy by, summed over each bin: shape [..., bins]."""
        return np.asarray(np.abs(of_bins).sum(axis=-1) / confidence.size)

    errors = (samples[:, :first], samples[:, first:-2])
    ece, adaptive = (
        _error(float(error(gap.sum(axis=0))), error(drawn_), error(calm), rows, bootstrap)
        for gap, drawn_, calm in zip(gaps, errors, simulated, strict=True)
    )
    return {
        "ece": ece,
        "ece_adaptive": adaptive,
        "brier": _interval(float(outcomes.brier.mean()), samples[:, -2] / rows, bootstrap) | {"n": rows},
        "nll": _interval(float(outcomes.nll.mean()), samples[:, -1] / rows, bootstrap) | {"n": rows},
        "bins": _bins(confidence, right, groups[0], simulated[0], bootstrap),
    }


def _equal_width(confidence: Floats) -> Numbers:
    """The bin of each prediction, numbered without the empty ones; a bin holds its upper end."""
    bins = np.searchsorted(np.arange(1, BINS) / BINS, confidence)
    return np.unique(bins, return_inverse=True)[1]


def _equal_mass(confidence: Floats) -> Numbers:
    """The same for bins of as many predictions each; equal confidences share a bin."""
    edges = np.quantile(confidence, np.arange(1, BINS) / BINS, method="inverted_cdf")
    return np.unique(np.searchsorted(np.unique(edges), confidence), return_inverse=True)[1]


def _gaps(outcomes: _Outcomes, group: Numbers) -> Floats:
    """What confidence exceeds outcomes by, summed over the predictions of a row in a bin: [rows, bins]."""
    rows, bins = len(outcomes.confidence), int(group.max()) + 1
    row = np.repeat(np.arange(rows), outcomes.confidence.shape[1])
    gap = (outcomes.confidence - outcomes.right).ravel()
    sums = np.bincount(row * bins + group, weights=gap, minlength=rows * bins)
    return sums.astype(np.float64).reshape(rows, bins)


def _simulated(confidence: Floats, groups: Sequence[Numbers], bootstrap: Bootstrap) -> list[Floats]:
    """For each grouping the sums of gaps, [simulations, bins], where each prediction comes true as often as
    its confidence says."""
    rng = np.random.default_rng(bootstrap.seed)
    order = np.argsort(confidence, kind="stable")  # in which bins follow one another
    starts = [np.flatnonzero(np.diff(group[order], prepend=-1)) for group in groups]
    shares = confidence[order].astype(np.float32)
    wanted = [np.add.reduceat(confidence[order], start) for start in starts]
    times = min(bootstrap.resamples, max(_FEWEST, _DRAWS // shares.size))
    some = max(1, _AT_A_TIME // shares.size)
    found: list[list[Floats]] = [[] for _ in groups]
    for first in range(0, times, some):
        true = rng.random((min(some, times - first), shares.size), dtype=np.float32) < shares
        for sums, start, of_bins in zip(found, starts, wanted, strict=True):
            sums.append(of_bins - np.add.reduceat(true, start, axis=1, dtype=np.int64))
    return [np.concatenate(sums) for sums in found]


def _error(value: float, samples: Floats, calm: Floats, rows: int, bootstrap: Bootstrap) -> Record:
    """A calibration error with its interval, and what it is expected to be of a calibrated model.

    Resampling adds noise to each bin, and so to its distance, whichever way it points: without taking that
    off, the interval of a well calibrated model would lie above its value.
    """
    centred = np.maximum(samples - (samples.mean() - value), 0.0)
    expected = _interval(float(calm.mean()), calm, bootstrap)
    return _interval(value, centred, bootstrap) | {"n": rows, "expected": expected}


def _interval(value: float, samples: Floats, bootstrap: Bootstrap) -> Record:
    low, high = bootstrap.interval(samples)
    return {"value": round(value, 6), "low": round(low, 6), "high": round(high, 6)}


def _bins(
    confidence: Floats, right: Floats, group: Numbers, simulated: Floats, bootstrap: Bootstrap
) -> list[Record]:
    found = []
    for number in range(int(group.max()) + 1):
        own = group == number
        count, mean = int(own.sum()), float(confidence[own].mean())
        low, high = bootstrap.interval(mean - simulated[:, number] / count)
        found.append(
            {
                "count": count,
                "confidence": round(mean, 6),
                "accuracy": round(float(right[own].mean()), 6),
                "expected": {"low": round(low, 6), "high": round(high, 6)},
            }
        )
    return found

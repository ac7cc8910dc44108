"""How the error falls with the number of training examples: error(n) = a n^-b + c, and how sure that is.

Sources: the curve and its use, Cortes, Jackel, Solla, Vapnik and Denker, "Learning curves: asymptotic values
and rate of convergence", NIPS 1993; that it holds for deep networks, Hestness et al., "Deep learning scaling
is predictable, empirically", arXiv:1712.00409, 2017; the bootstrap of residuals, Efron, "Bootstrap methods:
another look at the jackknife", Annals of Statistics 7(1), 1979; widening for a lack of fit, Birge, "The
calculation of errors by the method of least squares", Physical Review 40, 1932; and for a spread known from
few runs, Student, "The probable error of a mean", Biometrika 6(1), 1908.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stages.core.errors import PipelineError

Floats = NDArray[np.float64]

SLOWEST, FASTEST = 0.01, 3.0  # the exponents looked for
KNOWN = (0.05, 2.0)  # exponents that learning curves are known to have; others are no ground to go on from
LEAST_FLOOR = 1e-6  # of the lowest error; below it the floor is rounding
SIZES_FOR_FLOOR = 4  # with fewer, c is 0: two numbers are as many as so few points can tell
SIZES_TO_TELL = 3  # two points lie on a curve of every exponent
LEAST_FALL = 0.02  # of the error at the smallest size: a fall that may be less than that is none
_GRID = np.geomspace(SLOWEST, FASTEST, 240)

Estimate = tuple[float, float, float]


@dataclass(frozen=True)
class PowerLaw:
    """error(n) = a n^-b + c, with c >= 0 the error that no number of examples takes away.

    `informative` is false when the errors cannot be told from errors that do not fall, are of fewer than
    three sizes, or fall as no learning curve does: the curve is then a line through them, and no ground for
    saying what more examples would do.
    """

    a: float
    b: float
    c: float
    sizes: tuple[float, ...]
    informative: bool
    samples: Floats  # [resamples, 3]: a, b and c of each resample
    confidence: float  # of every interval

    def predict(self, n: float) -> Estimate:
        """The error expected with `n` examples, and the lower and upper end of its interval."""
        return self._with_interval(_curve((self.a, self.b, self.c), n), _curve(self.samples.T, n))

    def doubling(self) -> Estimate:
        """By how much the error changes (falls: below 0) from the largest size to twice it; its interval."""
        last = self.sizes[-1]
        return self._with_interval(
            _curve((self.a, self.b, self.c), 2 * last) - _curve((self.a, self.b, self.c), last),
            _curve(self.samples.T, 2 * last) - _curve(self.samples.T, last),
        )

    def _with_interval(self, value: float, samples: Floats) -> Estimate:
        low, high = _ends(samples, self.confidence)
        return float(value), min(low, float(value)), max(high, float(value))


def fit(
    sizes: Sequence[float], errors: ArrayLike, seed: int, resamples: int = 1000, confidence: float = 0.95
) -> PowerLaw:
    """The curve through the mean errors at each size, weighted by their spread over seeds.

    `errors` has the shape [sizes, seeds]; less is better and none is below 0 (of a score up to 1, give 1 less
    the score). Intervals come from resampled residuals about the curve, and are wider where the means lie
    farther from it than their spread allows, and where few runs tell the spread. They tell what other seeds
    would do, not other test rows. With one seed, what the means miss the curve by has to stand for the
    spread; with two sizes besides there is nothing left to miss, and intervals have no width.

    Raises PipelineError for fewer than two different sizes and for errors that are no numbers, or below 0.
    """
    n, found = _checked(sizes, errors)
    runs, scale = found.shape[1], float(found.mean()) or 1.0
    found = found / scale
    middle = float(np.exp(np.log(n).mean()))
    logs, means = np.log(n / middle), found.mean(axis=1)
    spread = _spread(found)
    floor = len(n) >= SIZES_FOR_FLOOR
    height, b, c = _polished(_best(logs, means[None], spread, floor)[0], logs, means, spread, floor)
    fitted = height * np.exp(-b * logs) + c
    c = c if c > LEAST_FLOOR * fitted.min() else 0.0
    pool = _residuals(found, fitted, spread, len(n) - (3 if floor else 2), confidence)
    drawn = np.random.default_rng(seed).choice(pool, size=(resamples, len(n), runs)).mean(axis=2)
    samples = _best(logs, np.maximum(fitted + spread * drawn, 0), spread, floor)
    samples[:, 0] *= middle ** samples[:, 1]
    falls = _curve(samples.T, n[0]) - _curve(samples.T, n[-1])
    informative = len(n) >= SIZES_TO_TELL and _ends(falls, confidence)[0] > LEAST_FALL * fitted[0]
    informative = informative and KNOWN[0] <= b <= KNOWN[1]
    known = tuple(float(size) for size in n)
    samples[:, [0, 2]] *= scale
    a = scale * height * middle**b
    return PowerLaw(a, b, scale * c, known, bool(informative), samples, confidence)


def _checked(sizes: Sequence[float], errors: ArrayLike) -> tuple[Floats, Floats]:
    """Sizes in rising order and their errors."""
    n, found = np.asarray(sizes, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if n.ndim != 1 or found.ndim != 2 or len(n) != len(found) or not found.shape[1]:
        shape = f"of shape {found.shape}, not [sizes, seeds] with {len(n)} sizes"
        raise PipelineError(f"learning curve: errors are {shape}")
    if len(set(n)) < max(2, len(n)) or not (n > 0).all():
        raise PipelineError(f"learning curve: needs two or more different sizes above 0, not {list(sizes)}")
    if not (np.isfinite(found).all() and (found >= 0).all()):
        raise PipelineError("learning curve: errors have to be numbers of 0 or more")
    order = np.argsort(n)
    return n[order], found[order]


def _ends(samples: Floats, confidence: float) -> tuple[float, float]:
    """The central share `confidence` of the samples."""
    low, high = np.quantile(samples, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _curve(parameters: Any, n: float) -> Any:
    a, b, c = parameters
    return a * n**-b + c


def _spread(errors: Floats) -> Floats:
    """The standard deviation over seeds at each size, half its own and half that of all: seeds are few.

    The same everywhere when there is one seed.
    """
    if errors.shape[1] == 1:
        return np.ones(len(errors))
    variances = errors.var(axis=1, ddof=1)
    spread: Floats = np.sqrt((variances + variances.mean()) / 2)
    return np.maximum(spread, 1e-6 * max(float(errors.mean()), 1e-6))


def _best(logs: Floats, means: Floats, spread: Floats, floor: bool) -> Floats:
    """The height at the middle size, b and c that fit each row of `means` [rows, sizes] best: [rows, 3].

    For a given b the rest is linear, so that b is looked for on a grid and cannot end in a local minimum.
    """
    weights = spread**-2 / np.sum(spread**-2)
    shape = np.exp(-_GRID[:, None] * logs)  # [grid, sizes]
    together = means @ (weights * shape).T  # [rows, grid]
    average, of_shape = (means @ weights)[:, None], shape @ weights
    squares = shape**2 @ weights
    height = (together - average * of_shape) / (squares - of_shape**2)
    rest = average - height * of_shape
    through_zero = together / squares
    height = np.where((rest < 0) | (not floor), through_zero, np.maximum(height, 0))
    rest = np.where((rest < 0) | (not floor), 0, np.where(height > 0, rest, average))
    misses = means[:, None] - height[..., None] * shape - rest[..., None]
    place = (misses**2 @ weights).argmin(axis=1)
    rows = np.arange(len(means))
    return np.column_stack([height[rows, place], _GRID[place], rest[rows, place]])


def _polished(start: Floats, logs: Floats, means: Floats, spread: Floats, floor: bool) -> Estimate:
    """The same between the points of the grid."""
    from scipy.optimize import least_squares

    def misses(parameters: Floats) -> Floats:
        rest = parameters[2] if floor else 0
        distance: Floats = (parameters[0] * np.exp(-parameters[1] * logs) + rest - means) / spread
        return distance

    free = 3 if floor else 2
    bounds = ([0, SLOWEST, 0][:free], [np.inf, FASTEST, np.inf][:free])
    found = least_squares(misses, np.clip(start[:free], *bounds), bounds=bounds, x_scale="jac").x
    if np.sum(misses(found) ** 2) > np.sum(misses(start) ** 2):
        found = start
    return float(found[0]), float(found[1]), float(found[2]) if floor else 0.0


def _residuals(errors: Floats, fitted: Floats, spread: Floats, freedom: int, confidence: float) -> Floats:
    """What resamples are drawn from, in units of `spread`, around 0. `freedom`: sizes less parameters."""
    sizes, runs = errors.shape
    distance = (errors.mean(axis=1) - fitted) / spread
    if runs == 1:
        scale = np.sqrt(sizes / freedom) * _student(freedom, confidence) if freedom > 0 else 0.0
        pool: Floats = (distance - distance.mean()) * scale
        return pool
    pool = ((errors - errors.mean(axis=1, keepdims=True)) / spread[:, None]).ravel()
    pool = pool / max(float(pool.std()), 1e-12)
    lack = runs * np.sum(distance**2) / freedom if freedom > 0 else 1.0
    return pool * float(np.sqrt(max(1.0, lack))) * _student(sizes * (runs - 1), confidence)


def _student(freedom: int, confidence: float) -> float:
    """How much wider an interval is when its spread is an estimate with so many degrees of freedom."""
    from scipy.stats import norm, t

    end = (1 + confidence) / 2
    return float(t.ppf(end, freedom) / norm.ppf(end))

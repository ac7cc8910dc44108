"""Linear least squares three ways that end in one place: solved, by gradient descent, by random steps.

What is minimised over the coefficients w and the intercept b, for n rows:

    1/(2n) |Xw + b - y|^2 + ridge/2 |w|^2

The ridge (Hoerl and Kennard, "Ridge Regression", Technometrics 12(1), 1970) keeps the minimum unique where
there are more features than rows, or features that repeat each other; without it the normal equations of most
texts are singular. The intercept is not penalised, and is never searched for: the best one for any w is
mean(y) - mean(x)w, so each way works on centred rows. Sparse rows stay sparse: their mean is taken off in the
products, never from the rows.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, sparse

Floats = NDArray[np.float64]
Solver = Literal["closed_form", "gradient_descent", "sgd"]

RIDGE = 1e-6
_POWER_STEPS = 200
_DIVERGED = 1e6  # times the first gradient


@dataclass(frozen=True)
class Solution:
    """A linear function, and how many steps were made to find it (0: it was solved for)."""

    coefficients: Floats
    intercept: float
    steps: int

    def predict(self, rows: Any) -> Floats:
        """The function's values, of shape [rows]."""
        return np.asarray(rows @ self.coefficients, dtype=np.float64) + self.intercept


@dataclass(frozen=True)
class Problem:
    """Rows of shape [n, features], dense or scipy.sparse, and a target for each; `ridge` must be above 0."""

    rows: Any
    targets: Floats
    mean: Floats
    ridge: float

    def solution(self, w: Floats, steps: int) -> Solution:
        """The function with coefficients `w` and the best intercept for them."""
        return Solution(w, float(self.targets.mean() - self.mean @ w), steps)

    def objective(self, found: Solution) -> float:
        """What is minimised."""
        error = found.predict(self.rows) - self.targets
        penalty = self.ridge / 2 * found.coefficients @ found.coefficients
        return float(error @ error / (2 * len(error)) + penalty)

    def gradient(self, w: Floats) -> Floats:
        """The objective's derivative at `w`, with the best intercept for it."""
        error = self.rows @ w - self.targets
        error -= error.mean()  # sums to 0, so that the rows need not be centred as well
        return np.asarray(self.rows.T @ error / len(error) + self.ridge * w)

    def curvature(self, w: Floats) -> Floats:
        """The second derivative times `w`."""
        moved = self.rows @ w
        return np.asarray(self.rows.T @ (moved - moved.mean()) / len(moved) + self.ridge * w)


def problem(rows: Any, targets: ArrayLike, ridge: float = RIDGE) -> Problem:
    """The problem in float64. Raises ValueError for a ridge of 0 or less, which may have no one minimum."""
    if ridge <= 0:
        raise ValueError("the ridge must be above 0: without it the minimum may not be unique")
    kept = sparse.csr_array(rows, dtype=np.float64) if sparse.issparse(rows) else np.asarray(rows, np.float64)
    mean = np.asarray(kept.mean(axis=0), dtype=np.float64).ravel()
    return Problem(kept, np.asarray(targets, dtype=np.float64), mean, ridge)


def closed_form(given: Problem) -> Solution:
    """Solve the normal equations, by whichever of their two forms is the smaller.

    (X'X/n + ridge) w = X'y/n has as many equations as features; w = X'a with (XX'/n + ridge) a = y/n has as
    many as rows and the same w. Memory grows with the square of the smaller number, time with its cube.
    """
    rows, n = given.rows, len(given.targets)
    centred = given.targets - given.targets.mean()
    if n < rows.shape[1]:
        products = _dense(rows @ rows.T)
        products -= products.mean(axis=0)
        products -= products.mean(axis=1, keepdims=True)
        a = _solve(products / n, centred / n, given.ridge)
        return given.solution(rows.T @ a - given.mean * a.sum(), 0)
    moments = _dense(rows.T @ rows) / n - np.outer(given.mean, given.mean)
    return given.solution(_solve(moments, rows.T @ centred / n, given.ridge), 0)


def gradient_descent(
    given: Problem, step: float | None = None, tolerance: float = 1e-6, most: int = 20_000
) -> Solution:
    """Full-batch steps against the gradient until its norm is `tolerance` of the first's, or `most` steps.

    With the largest eigenvalue L of the second derivative, `step` (by default 1/L) brings the minimum nearer
    as long as it is below 2/L (Nesterov, "Lectures on Convex Optimization", 2nd edition, 2018, section 2.1).
    Raises ArithmeticError when it is not, and the gradient grows without end.
    """
    step = 1 / largest_eigenvalue(given) if step is None else step
    w = np.zeros(given.rows.shape[1])
    gradient = given.gradient(w)
    first = np.linalg.norm(gradient)
    made = 0
    while made < most and np.linalg.norm(gradient) > tolerance * first:
        w = w - step * gradient
        gradient = given.gradient(w)
        made += 1
        if np.linalg.norm(gradient) > _DIVERGED * first:
            raise ArithmeticError(f"the gradient grew a millionfold in {made} steps: the step is above 2/L")
    return given.solution(w, made)


def sgd(given: Problem, seed: int, steps: int = 20_000, batch: int = 32) -> Solution:
    """Steps along the gradients of small batches of shuffled rows; the second half of the points is averaged.

    Each gradient is off by chance, so that with a constant step the last point never settles; the average
    does, and nears the minimum as 1/steps (Bach and Moulines, "Non-strongly-convex smooth stochastic
    approximation with convergence rate O(1/n)", NeurIPS 2013). How long a step a batch bears is from Jain et
    al., "Parallelizing Stochastic Gradient Descent for Least Squares Regression", JMLR 18, 2018: half of
    1 / (R^2/batch + L), where R is the length of the longest centred row.
    """
    rng = np.random.default_rng(seed)
    rows, n = given.rows, len(given.targets)
    centred = given.targets - given.targets.mean()
    step = 0.5 / (_longest(given) / min(batch, n) + largest_eigenvalue(given))
    w, total = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    batches: list[NDArray[np.int64]] = []
    for made in range(steps):
        # None is smaller than `batch`: it would not bear the step.
        batches = batches or np.array_split(rng.permutation(n), max(1, n // batch))
        chosen = batches.pop()
        drawn = rows[chosen]
        error = drawn @ w - given.mean @ w - centred[chosen]
        gradient = (drawn.T @ error - given.mean * error.sum()) / len(error) + given.ridge * w
        w = w - step * gradient
        if made >= steps // 2:
            total += w
    return given.solution(total / (steps - steps // 2), steps)


def solve(given: Problem, solver: Solver, seed: int) -> Solution:
    """By the way of that name; only `sgd` draws."""
    ways = {
        "closed_form": lambda: closed_form(given),
        "gradient_descent": lambda: gradient_descent(given),
        "sgd": lambda: sgd(given, seed),
    }
    return ways[solver]()


def largest_eigenvalue(given: Problem) -> float:
    """L, the largest curvature of the objective, by power iteration: from below, within a few thousandths."""
    w = np.random.default_rng(0).standard_normal(given.rows.shape[1])
    size = 1.0
    for _ in range(_POWER_STEPS):
        w = given.curvature(w / np.linalg.norm(w))
        size = float(np.linalg.norm(w))
    return size


def _longest(given: Problem) -> float:
    """The largest squared length of a centred row."""
    squares = given.rows.multiply(given.rows) if sparse.issparse(given.rows) else given.rows**2
    lengths = np.asarray(squares.sum(axis=1)).ravel() - 2 * (given.rows @ given.mean)
    return float(lengths.max() + given.mean @ given.mean)


def _solve(matrix: Floats, wanted: Floats, ridge: float) -> Floats:
    matrix[np.diag_indices_from(matrix)] += ridge
    return np.asarray(linalg.solve(matrix, wanted, assume_a="pos"))


def _dense(matrix: Any) -> Floats:
    return np.asarray(matrix.toarray() if sparse.issparse(matrix) else matrix, dtype=np.float64)

"""Least squares three ways: one minimum whatever the rows are like, and the longest step that converges."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from stages.training import least_squares
from stages.training.least_squares import (
    Problem,
    closed_form,
    gradient_descent,
    largest_eigenvalue,
    problem,
    sgd,
)


def _tall(ridge: float = 1e-6) -> Problem:
    """400 rows of 8 features, well-conditioned, none of mean 0."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((400, 8)) + 3
    return problem(rows, rows @ rng.standard_normal(8) + 2 + 0.3 * rng.standard_normal(400), ridge)


def _sparse(ridge: float = 1e-6) -> Problem:
    rng = np.random.default_rng(1)
    rows = sparse.random_array((300, 80), density=0.1, rng=rng, format="csr")
    return problem(rows, rows @ rng.standard_normal(80) + 0.3 * rng.standard_normal(300), ridge)


def _wide(ridge: float = 1e-3) -> Problem:
    """More features than rows: without a ridge any number of minima."""
    rng = np.random.default_rng(2)
    rows = sparse.random_array((60, 200), density=0.1, rng=rng, format="csr")
    return problem(rows, rows @ rng.standard_normal(200) + 0.3 * rng.standard_normal(60), ridge)


PROBLEMS = [_tall, _sparse, _wide]


def test_the_closed_form_is_what_lstsq_finds() -> None:
    given = _tall(ridge=1e-12)
    with_ones = np.column_stack([given.rows, np.ones(400)])
    expected = np.linalg.lstsq(with_ones, given.targets, rcond=None)[0]
    found = closed_form(given)
    np.testing.assert_allclose([*found.coefficients, found.intercept], expected, rtol=1e-8)


@pytest.mark.parametrize("make", PROBLEMS)
def test_the_closed_form_is_what_scikit_learn_finds(make: Any) -> None:
    """Its Ridge penalises the sum over rows, where ours penalises the mean."""
    from sklearn.linear_model import Ridge

    given = make(ridge=1e-3)
    dense = given.rows.toarray() if sparse.issparse(given.rows) else given.rows
    theirs = Ridge(alpha=1e-3 * len(dense), solver="svd").fit(dense, given.targets)
    found = closed_form(given)
    np.testing.assert_allclose(found.coefficients, theirs.coef_, atol=1e-8)
    assert found.intercept == pytest.approx(theirs.intercept_)
    np.testing.assert_allclose(found.predict(given.rows), theirs.predict(dense), atol=1e-8)


@pytest.mark.parametrize("make", PROBLEMS)
def test_descents_reach_the_objective_of_the_closed_form(make: Any) -> None:
    """Full-batch to one part in a million, stochastic to one in a thousand; neither may be below it."""
    given = make()
    least = given.objective(closed_form(given))
    for found, tolerance in ((gradient_descent(given), 1e-6), (sgd(given, seed=0), 1e-3)):
        assert least * (1 - 1e-9) <= given.objective(found) <= least * (1 + tolerance)


def test_where_the_problem_is_well_conditioned_coefficients_agree_too() -> None:
    given = _tall()
    solved = closed_form(given)
    for found, tolerance in ((gradient_descent(given), 1e-5), (sgd(given, seed=0), 1e-3)):
        np.testing.assert_allclose(found.coefficients, solved.coefficients, rtol=tolerance, atol=tolerance)
        assert found.intercept == pytest.approx(solved.intercept, rel=5 * tolerance)


@pytest.mark.parametrize("make", [_sparse, _wide])
def test_sparse_and_dense_rows_give_one_solution(make: Any) -> None:
    given = make()
    dense = problem(given.rows.toarray(), given.targets, given.ridge)
    for way in (closed_form, gradient_descent, lambda p: sgd(p, seed=3, steps=500)):
        np.testing.assert_allclose(way(given).coefficients, way(dense).coefficients, atol=1e-9)


def test_a_feature_given_twice_is_no_obstacle() -> None:
    """Without the ridge the normal equations would be singular."""
    tall = _tall()
    twice = problem(np.column_stack([tall.rows, tall.rows[:, :1]]), tall.targets)
    found = closed_form(twice)
    assert found.coefficients[0] == pytest.approx(found.coefficients[8])  # the ridge shares it out
    np.testing.assert_allclose(found.predict(twice.rows), closed_form(tall).predict(tall.rows), atol=1e-4)


def test_the_largest_eigenvalue_is_that_of_the_covariance() -> None:
    given = _tall()
    covariance = np.cov(given.rows.T, bias=True)
    assert largest_eigenvalue(given) == pytest.approx(np.linalg.eigvalsh(covariance)[-1] + 1e-6)


def test_a_step_converges_below_two_by_the_largest_eigenvalue_and_diverges_above() -> None:
    given = _tall()
    bound = 2 / largest_eigenvalue(given)
    assert given.objective(gradient_descent(given, step=0.95 * bound)) == pytest.approx(
        given.objective(closed_form(given))
    )
    few = [given.objective(gradient_descent(given, step=1.05 * bound, most=most)) for most in (0, 50, 100)]
    assert few[0] < few[1] < few[2]
    with pytest.raises(ArithmeticError, match="above 2/L"):
        gradient_descent(given, step=1.05 * bound)


def test_the_same_seed_makes_the_same_way() -> None:
    given = _sparse()
    first, again, other = (sgd(given, seed, steps=50).coefficients for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_solvers_are_had_by_name() -> None:
    given = _tall()
    objectives = [given.objective(least_squares.solve(given, way, 0)) for way in ("closed_form", "sgd")]
    assert objectives[0] == pytest.approx(objectives[1], rel=1e-3)
    assert least_squares.solve(given, "gradient_descent", 0).steps > 0


def test_targets_that_never_vary_are_the_intercept() -> None:
    given = problem(_tall().rows, np.full(400, 2.5))
    for way in ("closed_form", "gradient_descent", "sgd"):
        found = least_squares.solve(given, way, 0)
        assert found.intercept == pytest.approx(2.5)
        assert np.abs(found.coefficients).max() < 1e-12


def test_a_ridge_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="ridge"):
        problem(np.eye(3), [1.0, 2.0, 3.0], ridge=0.0)

"""Intervals, verdicts and McNemar's test."""

import numpy as np
import pytest

from stages.core.tasks import TASK_TYPES, greater_is_better
from stages.evidence.statistics import (
    Bootstrap,
    Comparison,
    McNemar,
    compare,
    detectable,
    fewest,
    margin,
    mcnemar,
    unseen,
)


def test_the_interval_is_the_central_share_of_the_samples() -> None:
    low, high = Bootstrap(101, confidence=0.9, seed=0).interval(np.arange(101) / 100)
    assert (low, high) == (pytest.approx(0.05), pytest.approx(0.95))


VERDICTS = [
    (0.001, 0.2, "better"),
    (-0.2, -0.001, "worse"),
    (0.0, 0.0, "same"),
    (-0.01, 0.01, "same"),
    (-0.011, 0.005, "inconclusive"),
    (-0.005, 0.2, "inconclusive"),
    (0.0, 0.2, "inconclusive"),
]


@pytest.mark.parametrize(("low", "high", "verdict"), VERDICTS)
def test_verdicts_at_their_borders(low: float, high: float, verdict: str) -> None:
    assert Comparison("f1_macro", (low + high) / 2, low, high, 0.0).verdict == verdict
    # Of an error less is better; the difference itself stays model less baseline.
    assert Comparison("mse", -(low + high) / 2, -high, -low, 0.0).verdict == verdict


def test_the_margin_decides_what_is_the_same() -> None:
    assert Comparison("chrf", 0.0, -0.9, 0.9, 0.0, margin=1.0).verdict == "same"
    assert Comparison("chrf", 0.0, -0.9, 1.1, 0.0, margin=1.0).verdict == "inconclusive"


def test_margins_suit_the_range_of_a_score() -> None:
    assert margin("f1_macro", 0.8) == margin("pearson", -0.3) == margin("r2", 0.5) == 0.01
    assert margin("bleu", 30.0) == margin("rougeL", 2.0) == 1.0
    assert margin("perplexity", 250.0) == pytest.approx(2.5)
    assert margin("mse", 0.0) == 0.0


@pytest.mark.parametrize("metric", sorted({name for task in TASK_TYPES.values() for name in task.metrics}))
def test_every_metric_compares_in_its_own_direction(metric: str) -> None:
    bootstrap = Bootstrap(50, 0.95, seed=0)
    high, low = np.full(50, 60.0), np.full(50, 50.0)
    up = compare(metric, high, low, (60.0, 50.0), bootstrap, 400, 400)
    down = compare(metric, low, high, (50.0, 60.0), bootstrap, 400, 400)
    assert (up.difference, down.difference) == (10.0, -10.0)
    assert (up.verdict, down.verdict) == (
        ("better", "worse") if greater_is_better(metric) else ("worse", "better")
    )


def test_rows_on_which_two_models_never_differ_leave_a_difference_open() -> None:
    """By the rule of three: with 59 rows that are alike, one row of 20 may still not be."""
    samples = np.random.default_rng(0).random(200)

    def itself(metric: str, rows: int) -> Comparison:
        return compare(metric, samples, samples, (0.5, 0.5), Bootstrap(200, 0.95, seed=5), rows, 0)

    few, many = itself("f1_macro", 59), itself("f1_macro", 300)
    assert few.high == -few.low == few.detectable == pytest.approx(0.05, abs=0.001)
    assert (few.verdict, many.verdict) == ("inconclusive", "same")
    assert itself("chrf", 59).high == pytest.approx(5, abs=0.1)
    assert (itself("perplexity", 59).low, itself("perplexity", 59).high) == (0.0, 0.0)
    assert unseen(1, 0.95) == pytest.approx(0.95)


def test_a_few_rows_decide_nothing_whatever_the_interval_says() -> None:
    """Six rows, all for one model, are the least that the exact test tells from chance at 0.05."""
    assert [mcnemar([True] * n, [False] * n).p < 0.05 for n in (5, 6)] == [False, True]
    assert [fewest(sure) for sure in (0.95, 0.99, 0.9)] == [6, 8, 5]
    bootstrap = Bootstrap(50, 0.95, seed=0)
    high, low = np.full(50, 0.7), np.full(50, 0.5) + np.arange(50) / 1000
    for differ, verdict in ((5, "inconclusive"), (6, "better")):
        assert compare("f1_macro", high, low, (0.7, 0.5), bootstrap, 20, differ).verdict == verdict


def test_mcnemar_is_the_exact_binomial_test_on_the_rows_that_differ() -> None:
    # 5 rows only the model has right, 1 only the baseline: p = 2 * (C(6,5) + C(6,6)) / 2**6.
    model = [True] * 5 + [False] + [True] * 2 + [False] * 2
    baseline = [False] * 5 + [True] + [True] * 2 + [False] * 2
    assert mcnemar(model, baseline) == McNemar(5, 1, pytest.approx(2 * 7 / 64))
    assert mcnemar(model, model) == McNemar(0, 0, 1.0)


def test_the_detectable_difference_is_found_in_four_of_five_test_sets() -> None:
    """A paired difference of mean accuracies, simulated: true differences of that size, many test sets."""
    rng = np.random.default_rng(0)
    bootstrap = Bootstrap(400, 0.95, seed=1)
    one = rng.choice([-1.0, 0.0, 1.0], p=[0.1, 0.8, 0.1], size=400)  # of each row: lost, equal, won
    resamples = one[rng.integers(400, size=(2000, 400))].mean(axis=1)
    size = detectable(resamples, 0.95)
    shift = size / 2  # moves the mean by `size`: from lost to won
    sets = rng.choice([-1.0, 0.0, 1.0], p=[0.1 - shift, 0.8, 0.1 + shift], size=(400, 400))
    found = 0
    for rows in sets:
        low, _ = bootstrap.interval(rows[rng.integers(400, size=(400, 400))].mean(axis=1))
        found += low > 0
    assert 0.72 < found / len(sets) < 0.88


def test_what_is_detectable_shrinks_with_the_root_of_the_rows() -> None:
    rng = np.random.default_rng(2)
    few, many = (rng.normal(0, 1 / np.sqrt(n), size=20000) for n in (100, 400))
    assert detectable(few, 0.95) / detectable(many, 0.95) == pytest.approx(2, rel=0.03)
    assert detectable(np.zeros(50), 0.95) == 0.0

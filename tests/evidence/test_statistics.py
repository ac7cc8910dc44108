"""Intervals, verdicts and McNemar's test."""

import numpy as np
import pytest

from stages.core.tasks import TASK_TYPES, greater_is_better
from stages.evidence.statistics import Bootstrap, Comparison, McNemar, compare, margin, mcnemar


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
    assert Comparison("f1_macro", (low + high) / 2, low, high).verdict == verdict
    # Of an error less is better; the difference itself stays model less baseline.
    assert Comparison("mse", -(low + high) / 2, -high, -low).verdict == verdict


def test_the_margin_decides_what_is_the_same() -> None:
    assert Comparison("chrf", 0.0, -0.9, 0.9, margin=1.0).verdict == "same"
    assert Comparison("chrf", 0.0, -0.9, 1.1, margin=1.0).verdict == "inconclusive"


def test_margins_suit_the_range_of_a_score() -> None:
    assert margin("f1_macro", 0.8) == margin("pearson", -0.3) == margin("r2", 0.5) == 0.01
    assert margin("bleu", 30.0) == margin("rougeL", 2.0) == 1.0
    assert margin("perplexity", 250.0) == pytest.approx(2.5)
    assert margin("mse", 0.0) == 0.0


@pytest.mark.parametrize("metric", sorted({name for task in TASK_TYPES.values() for name in task.metrics}))
def test_every_metric_compares_in_its_own_direction(metric: str) -> None:
    bootstrap = Bootstrap(50, 0.95, seed=0)
    high, low = np.full(50, 60.0), np.full(50, 50.0)
    up = compare(metric, high, low, (60.0, 50.0), bootstrap)
    down = compare(metric, low, high, (50.0, 60.0), bootstrap)
    assert (up.difference, down.difference) == (10.0, -10.0)
    assert (up.verdict, down.verdict) == (
        ("better", "worse") if greater_is_better(metric) else ("worse", "better")
    )


def test_a_model_compared_with_itself_never_differs() -> None:
    samples = np.random.default_rng(0).random(200)
    itself = compare("f1_macro", samples, samples, (0.5, 0.5), Bootstrap(200, 0.95, seed=5))
    assert (itself.low, itself.high, itself.verdict) == (0.0, 0.0, "same")


def test_mcnemar_is_the_exact_binomial_test_on_the_rows_that_differ() -> None:
    # 5 rows only the model has right, 1 only the baseline: p = 2 * (C(6,5) + C(6,6)) / 2**6.
    model = [True] * 5 + [False] + [True] * 2 + [False] * 2
    baseline = [False] * 5 + [True] + [True] * 2 + [False] * 2
    assert mcnemar(model, baseline) == McNemar(5, 1, pytest.approx(2 * 7 / 64))
    assert mcnemar(model, model) == McNemar(0, 0, 1.0)

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from stages.evidence.statistics import Bootstrap, Comparison, McNemar, compare, mcnemar, resampled, scores


def draw(classes: int, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """True classes, and predictions that are right for about two rows in three."""
    rng = np.random.default_rng(seed)
    true = rng.integers(classes, size=rows)
    return true, np.where(rng.random(rows) < 0.67, true, rng.integers(classes, size=rows))


def by_sklearn(true: np.ndarray, predicted: np.ndarray, classes: int) -> dict[str, float]:
    f1 = {
        f"f1_{mean}": f1_score(true, predicted, labels=range(classes), average=mean, zero_division=0)
        for mean in ("macro", "micro", "weighted")
    }
    return {"accuracy": accuracy_score(true, predicted), **f1}


@pytest.mark.parametrize(("classes", "rows"), [(2, 5), (2, 800), (3, 7), (7, 300), (40, 60)])
def test_each_resample_is_scored_as_scikit_learn_scores_its_rows(classes: int, rows: int) -> None:
    true, predicted = draw(classes, rows, seed=rows)
    found = resampled(predicted, true, classes, Bootstrap(resamples=12, confidence=0.95, seed=3))
    rng = np.random.default_rng(3)
    for number in range(12):
        drawn = rng.integers(rows, size=rows)
        for name, value in by_sklearn(true[drawn], predicted[drawn], classes).items():
            assert found[name][number] == pytest.approx(value, abs=1e-12), name


def test_scores_of_counts_worked_out_by_hand() -> None:
    # Three classes; the third neither occurs nor is predicted, so its F1 is 0 and lowers the macro mean.
    found = scores(hits=[3, 2, 0], support=[4, 3, 0], predicted=[4, 3, 0])
    assert found["accuracy"] == pytest.approx(5 / 7)
    assert found["f1_macro"] == pytest.approx((6 / 8 + 4 / 6 + 0) / 3)
    assert found["f1_weighted"] == pytest.approx((4 * 6 / 8 + 3 * 4 / 6) / 7)
    assert found["f1_micro"] == pytest.approx(5 / 7)


def test_a_seed_draws_the_same_rows_for_every_model() -> None:
    true, predicted = draw(2, 50, seed=0)
    bootstrap = Bootstrap(200, 0.95, seed=5)
    one, two = (resampled(predicted, true, 2, bootstrap)["f1_macro"] for _ in range(2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, resampled(predicted, true, 2, Bootstrap(200, 0.95, seed=6))["f1_macro"])
    # Paired: a model compared with itself never differs, where two independent resamplings would.
    itself = compare(one, two, 0.0, bootstrap)
    assert (itself.low, itself.high, itself.verdict) == (0.0, 0.0, "same")


def test_the_interval_is_the_central_share_of_the_samples() -> None:
    low, high = Bootstrap(101, confidence=0.9, seed=0).interval(np.arange(101) / 100)
    assert (low, high) == (pytest.approx(0.05), pytest.approx(0.95))


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        true = np.zeros(150, dtype=int)
        predicted = (rng.random(150) < 0.2).astype(int)  # right with probability 0.8
        low, high = Bootstrap(300, 0.95, seed=trial).interval(
            resampled(predicted, true, 2, Bootstrap(300, 0.95, seed=trial))["accuracy"]
        )
        covered += low <= 0.8 <= high
    assert 0.89 <= covered / 200 <= 0.99


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.001, 0.2, "better"),
        (-0.2, -0.001, "worse"),
        (0.0, 0.0, "same"),
        (-0.01, 0.01, "same"),
        (-0.011, 0.005, "inconclusive"),
        (-0.005, 0.2, "inconclusive"),
        (0.0, 0.2, "inconclusive"),
    ],
)
def test_verdicts_at_their_borders(low: float, high: float, verdict: str) -> None:
    assert Comparison((low + high) / 2, low, high).verdict == verdict


def test_mcnemar_is_the_exact_binomial_test_on_the_rows_that_differ() -> None:
    # 5 rows only the model has right, 1 only the baseline: p = 2 * (C(6,5) + C(6,6)) / 2**6.
    true = [0] * 10
    model = [0, 0, 0, 0, 0, 1, 0, 0, 1, 1]
    baseline = [1, 1, 1, 1, 1, 0, 0, 0, 1, 1]
    assert mcnemar(model, baseline, true) == McNemar(5, 1, pytest.approx(2 * 7 / 64))
    assert mcnemar(model, model, true) == McNemar(0, 0, 1.0)

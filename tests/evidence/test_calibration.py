"""Calibration: against scikit-learn, against loops written out, and against models that are calibrated."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brute
from sklearn import metrics as sk

from stages.evidence.calibration import BINS, TEMPERATURES, calibrate, temperature_of
from stages.evidence.statistics import Bootstrap

BOOTSTRAP = Bootstrap(300, 0.95, seed=42)
LABELS = ["a", "b", "c"]
Rows = tuple[list[dict[str, Any]], list[Any], list[str]]


def of_class(rng: np.random.Generator, rows: int, sharper: float = 1.0) -> Rows:
    """What is true follows probabilities; those that are given are `sharper`: at 1, calibrated."""
    shares = np.exp(2 * rng.normal(size=(rows, 3)))
    shares /= shares.sum(axis=1, keepdims=True)
    true = [LABELS[rng.choice(3, p=row)] for row in shares]
    given = shares**sharper / (shares**sharper).sum(axis=1, keepdims=True)
    return (
        [{"predicted": LABELS[row.argmax()], "probabilities": row.tolist()} for row in given],
        true,
        LABELS,
    )


def of_classes(rng: np.random.Generator, rows: int, sharper: float = 1.0) -> Rows:
    logits = 2 * rng.normal(size=(rows, 3)) - 1
    true = rng.random((rows, 3)) < 1 / (1 + np.exp(-logits))
    given = 1 / (1 + np.exp(-sharper * logits))
    return (
        [{"predicted": names(row >= 0.5), "probabilities": row.tolist()} for row in given],
        [names(row) for row in true],
        LABELS,
    )


def names(row: Any) -> list[str]:
    return [label for label, held in zip(LABELS, row, strict=True) if held]


DRAW = {"class": of_class, "classes": of_classes}


@pytest.fixture(params=DRAW)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def flat(kind: str, rows: Rows) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Confidence and outcome of every prediction, one by one."""
    pairs = []
    for record, true in zip(*rows[:2], strict=True):
        if kind == "class":
            said = record["predicted"]
            pairs.append((record["probabilities"][LABELS.index(said)], said == true))
        else:
            pairs += [(p, label in true) for label, p in zip(LABELS, record["probabilities"], strict=True)]
    confidence, right = zip(*pairs, strict=True)
    return np.array(confidence), np.array(right)


def test_errors_are_those_of_loops_over_bins(kind: str) -> None:
    rows = DRAW[kind](np.random.default_rng(0), 200, 1.5)
    confidence, right = flat(kind, rows)
    found = calibrate(kind, *rows, BOOTSTRAP)
    assert found
    wanted, bins = 0.0, []
    for number in range(BINS):
        inside = (confidence > number / BINS) & (confidence <= (number + 1) / BINS)
        if inside.any():
            bins.append((int(inside.sum()), confidence[inside].mean(), right[inside].mean()))
            wanted += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    assert found["ece"]["value"] == pytest.approx(wanted, abs=1e-6)
    assert len(found["bins"]) == len(bins)
    for own, (count, mean, accuracy) in zip(found["bins"], bins, strict=True):
        assert own["count"] == count
        assert own["confidence"] == pytest.approx(mean, abs=1e-6)
        assert own["accuracy"] == pytest.approx(accuracy, abs=1e-6)
    order = np.argsort(confidence)  # 200 and 600 do not divide by 15: bins end at the upper of two quantiles
    ends = [int(np.ceil(len(order) * n / BINS)) for n in range(BINS + 1)]
    parts = [order[low:high] for low, high in pairwise(ends)]
    wanted = sum(abs((confidence[part] - right[part]).sum()) for part in parts) / len(order)
    assert found["ece_adaptive"]["value"] == pytest.approx(wanted, abs=1e-6)


def test_brier_score_and_likelihood_of_classes_are_those_of_scikit_learn() -> None:
    rows = of_class(np.random.default_rng(1), 300, 0.7)
    found, shares = calibrate("class", *rows, BOOTSTRAP), [record["probabilities"] for record in rows[0]]
    assert found
    brier = sk.brier_score_loss(rows[1], shares, labels=LABELS, scale_by_half=False)
    assert found["brier"]["value"] == pytest.approx(brier, abs=1e-6)
    assert found["nll"]["value"] == pytest.approx(sk.log_loss(rows[1], shares, labels=LABELS), abs=1e-6)


def test_those_of_several_classes_a_row_are_means_over_labels() -> None:
    rows = of_classes(np.random.default_rng(1), 300, 0.7)
    found = calibrate("classes", *rows, BOOTSTRAP)
    assert found
    confidence, right = flat("classes", rows)
    assert found["brier"]["value"] == pytest.approx(sk.brier_score_loss(right, confidence), abs=1e-6)
    assert found["nll"]["value"] == pytest.approx(sk.log_loss(right, confidence), abs=1e-6)


def test_intervals_are_of_the_rows_that_every_other_score_is_resampled_by(kind: str) -> None:
    rows = DRAW[kind](np.random.default_rng(2), 80, 1.5)
    found = calibrate(kind, *rows, BOOTSTRAP)
    assert found
    rng, samples = np.random.default_rng(42), []
    for _ in range(300):
        own = rng.integers(80, size=80)
        again = calibrate(
            kind, [rows[0][i] for i in own], [rows[1][i] for i in own], LABELS, Bootstrap(1, 0.9, 0)
        )
        assert again
        samples.append((again["brier"]["value"], again["nll"]["value"], again["ece"]["value"]))
    brier, nll, ece = np.array(samples).T
    for name, sample in (("brier", brier), ("nll", nll), ("ece", ece + found["ece"]["value"] - ece.mean())):
        low, high = BOOTSTRAP.interval(sample)
        assert found[name]["low"] == pytest.approx(max(0, low), abs=1e-5), name
        assert found[name]["high"] == pytest.approx(high, abs=1e-5), name


@pytest.mark.parametrize("rows", [40, 400])
def test_a_calibrated_model_is_within_expectation_and_one_that_is_not_is_beyond(kind: str, rows: int) -> None:
    beyond = {1.0: 0, 4.0: 0}
    for sharper in beyond:
        values, expected = [], []
        for trial in range(60):
            drawn = DRAW[kind](np.random.default_rng(trial), rows, sharper)
            found = calibrate(kind, *drawn, Bootstrap(200, 0.95, seed=trial))
            assert found
            ece = found["ece"]
            assert ece["low"] <= ece["value"] <= ece["high"]
            beyond[sharper] += ece["value"] > ece["expected"]["high"]
            values.append(ece["value"])
            expected.append(ece["expected"]["value"])
        if sharper == 1:
            assert np.mean(values) == pytest.approx(np.mean(expected), rel=0.12)
    assert beyond[1.0] <= 6
    assert beyond[4.0] >= (60 if rows == 400 else 40)


def test_a_bin_of_equal_confidences_is_expected_to_be_binomial() -> None:
    rows = [{"predicted": "a", "probabilities": [0.83, 0.17]}] * 90
    found = calibrate("class", rows, ["a"] * 90, ["a", "b"], Bootstrap(4000, 0.95, seed=1))
    assert found
    low, high = stats.binom.ppf([0.025, 0.975], 90, 0.83) / 90
    assert found["bins"][0]["expected"]["low"] == pytest.approx(low, abs=1.1 / 90)
    assert found["bins"][0]["expected"]["high"] == pytest.approx(high, abs=1.1 / 90)
    distance = stats.binom(90, 0.83).expect(lambda hits: abs(hits / 90 - 0.83))
    assert found["ece"]["expected"]["value"] == pytest.approx(distance, rel=0.03)


def test_the_order_of_rows_changes_no_value(kind: str) -> None:
    rows = DRAW[kind](np.random.default_rng(3), 150)
    order = np.random.default_rng(4).permutation(150)
    one = calibrate(kind, *rows, BOOTSTRAP)
    other = calibrate(kind, [rows[0][i] for i in order], [rows[1][i] for i in order], LABELS, BOOTSTRAP)
    assert one and other
    for name in ("ece", "ece_adaptive", "brier", "nll"):
        assert one[name]["value"] == other[name]["value"]
    assert one["bins"] == other["bins"]


def test_temperature_is_found_again(kind: str) -> None:
    rows = DRAW[kind](np.random.default_rng(5), 8000, 2.0)
    shares = [record["probabilities"] for record in rows[0]]
    found = temperature_of(kind, shares, *rows[1:])
    assert found == pytest.approx(2.0, rel=0.1)
    assert found == pytest.approx(temperature_of(kind, np.round(shares, 6).tolist(), *rows[1:]), rel=0.01)


def test_temperature_is_the_one_of_the_least_likelihood_after_scaling(kind: str) -> None:
    rows = DRAW[kind](np.random.default_rng(6), 300, 1.7)
    found = temperature_of(kind, [record["probabilities"] for record in rows[0]], *rows[1:])

    def nll(temperature: Any) -> float:
        scaled = calibrate(kind, *rows, Bootstrap(1, 0.95, 0), float(np.ravel(temperature)[0]))
        assert scaled
        return float(scaled["scaled"]["nll"]["value"])

    assert nll(found) <= brute(nll, [slice(0.2, 5, 0.02)], finish=None, full_output=True)[1] + 1e-6
    scaled = calibrate(kind, *rows, BOOTSTRAP, found)
    assert scaled and scaled["scaled"]["temperature"] == found and not scaled["scaled"]["at_bound"]
    assert scaled["scaled"]["ece"]["value"] < scaled["ece"]["value"]


def test_temperature_of_validation_rows_without_a_mistake_stops_at_the_bound_and_it_is_said() -> None:
    shares = [[0.9, 0.1], [0.2, 0.8]]
    for kind, truth in (("class", ["a", "b"]), ("classes", [["a"], ["b"]])):
        found = temperature_of(kind, shares, truth, ["a", "b"])
        assert found == TEMPERATURES[0]
        rows = [{"predicted": "a", "probabilities": [0.9, 0.1]}] * 3
        scaled = calibrate(kind, rows, [truth[0]] * 3, ["a", "b"], BOOTSTRAP, found)
        assert scaled and scaled["scaled"]["at_bound"]


def test_temperature_that_changes_nothing_is_one() -> None:
    assert temperature_of("class", [[1.0]] * 4, ["a"] * 4, ["a"]) == 1.0
    assert temperature_of("class", [[0.5, 0.5]] * 4, ["a", "b"] * 2, ["a", "b"]) == 1.0


def test_certainty_is_finite_right_or_wrong() -> None:
    sure = [{"predicted": "a", "probabilities": [1.0, 0.0]}]
    right, wrong = (calibrate("class", sure, [true], ["a", "b"], BOOTSTRAP, 0.1) for true in ("a", "b"))
    assert right and right["ece"]["value"] == right["nll"]["value"] == 0
    assert wrong and wrong["ece"]["value"] == 1 and wrong["ece"]["expected"]["high"] == 0
    assert wrong["brier"]["value"] == 2
    assert wrong["nll"]["value"] == pytest.approx(14.508658)  # -ln 5e-7, what 0.000000 may be at most
    assert np.isfinite(wrong["scaled"]["nll"]["value"])


def test_a_confidence_on_the_edge_of_two_bins_belongs_to_the_lower_one() -> None:
    rows = [{"predicted": "a", "probabilities": [p, round(1 - p, 6)]} for p in (0.6, 0.600001, 0.8)]
    found = calibrate("class", rows, ["a"] * 3, ["a", "b"], BOOTSTRAP)
    assert found and [own["confidence"] for own in found["bins"]] == [0.6, 0.600001, 0.8]


def test_labels_and_predictions_without_probabilities_have_no_calibration() -> None:
    assert calibrate("number", [{"predicted": 1.0}], [1.0], [], BOOTSTRAP) is None
    assert calibrate("class", [{"predicted": "a"}], ["a"], LABELS, BOOTSTRAP) is None

"""Scores of classes and numbers: what the libraries give, and where they would mislead."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from stages.core.errors import PipelineError
from stages.core.tasks import TASK_TYPES
from stages.evidence.label_counts import classes_counts, classes_values
from stages.tasks.metrics import (
    Classification,
    confusion,
    per_class,
    per_label,
    score_class,
    score_classes,
    score_number,
)

LABELS = ["a", "b", "c"]


def records(values: Any) -> list[dict[str, Any]]:
    return [{"predicted": value} for value in values]


def test_classes_score_as_scikit_learn_scores_their_names() -> None:
    rng = np.random.default_rng(0)
    true = [LABELS[n] for n in rng.integers(3, size=80)]
    said = [name if rng.random() < 0.6 else LABELS[rng.integers(3)] for name in true]
    found = score_class(records(said), true, LABELS)
    assert set(found) == set(TASK_TYPES["text-classification"].metrics)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(true, said))
    for mean in ("macro", "micro", "weighted"):
        assert found[f"f1_{mean}"] == pytest.approx(sk.f1_score(true, said, average=mean))
    assert confusion(said, true, LABELS) == sk.confusion_matrix(true, said, labels=LABELS).tolist()
    by_name = per_class(said, true, LABELS)
    assert by_name["b"]["support"] == true.count("b")
    assert np.mean([row["f1"] for row in by_name.values()]) == pytest.approx(found["f1_macro"])


def test_a_class_that_no_row_has_counts_in_macro_f1() -> None:
    true = said = ["a", "b", "a"]
    assert sk.f1_score(true, said, average="macro") == 1.0  # what scikit-learn alone makes of it
    assert score_class(records(said), true, LABELS)["f1_macro"] == pytest.approx(2 / 3)


def test_a_prediction_that_is_no_class_is_refused_where_evaluate_would_cast_it() -> None:
    module = Classification(keep_in_memory=True)
    assert module.compute(predictions=[0.9, 1.0], references=[0, 1], labels=[0, 1])["accuracy"] == 1.0
    for odd in (0.9, 0, "d"):
        with pytest.raises(PipelineError, match=f"{odd!r} is not one of the labels"):
            score_class(records(["a", odd]), ["a", "b"], LABELS)
        with pytest.raises(PipelineError, match="not one of the labels"):
            score_classes(records([["a"], [odd]]), [["a"], ["b"]], LABELS)


def test_unequal_numbers_of_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="Mismatch"):
        score_class(records(["a"]), ["a", "b"], LABELS)
    with pytest.raises(ValueError, match="Mismatch"):
        score_number(records([1.0]), [1.0, 2.0], [])


def test_scores_of_several_labels_worked_out_by_hand() -> None:
    # a: one hit, one miss; b: one hit, one false alarm; c neither occurs nor is predicted.
    true = [["a", "b"], ["a"], []]
    said = [["b", "a"], ["b"], []]
    found = score_classes(records(said), true, LABELS)
    assert set(found) == set(TASK_TYPES["multi-label-classification"].metrics)
    assert found["f1_micro"] == pytest.approx(2 * 2 / (3 + 3))
    assert found["f1_macro"] == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert found["f1_samples"] == pytest.approx((1 + 0 + 1) / 3)  # nothing of nothing is all of it
    assert found["exact_match"] == pytest.approx(2 / 3)  # the order of a row's labels does not matter
    by_name = per_label(said, true, LABELS)
    assert by_name["a"] == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2}
    assert by_name["c"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}


def test_several_labels_score_as_scikit_learn_scores_their_indicators() -> None:
    rng = np.random.default_rng(1)
    true, said = rng.random((60, 3)) < 0.4, rng.random((60, 3)) < 0.5
    names = [
        [[label for label, on in zip(LABELS, row, strict=True) if on] for row in of] for of in (true, said)
    ]
    found = score_classes(records(names[1]), names[0], LABELS)
    assert found["exact_match"] == pytest.approx(sk.accuracy_score(true, said))
    for mean, undefined in (("macro", 0.0), ("micro", 0.0), ("samples", 1.0)):
        wanted = sk.f1_score(true, said, average=mean, zero_division=undefined)
        assert found[f"f1_{mean}"] == pytest.approx(wanted)


def test_rows_without_labels_count_alike_in_the_score_and_in_its_interval() -> None:
    """A row that is exactly right has F1 1, so that no share of exact matches is above the mean F1."""
    true, said = [[], [], ["a"], ["b"]], [[], ["a"], [], ["b"]]
    found = score_classes(records(said), true, LABELS)
    assert found["f1_samples"] == found["exact_match"] == 0.5
    sums = classes_counts(records(said), true, LABELS).sum(axis=0)
    counted = {name: float(value) for name, value in classes_values(sums, LABELS).items()}
    assert counted == pytest.approx(found)


def test_numbers_score_as_the_libraries_score_them() -> None:
    rng = np.random.default_rng(2)
    true = rng.integers(5, size=50) / 2  # many ties
    said = true + rng.normal(size=50).round(1)
    found = score_number(records(said), true.tolist(), [])
    assert set(found) == set(TASK_TYPES["text-regression"].metrics)
    assert found["mse"] == pytest.approx(sk.mean_squared_error(true, said))
    assert found["rmse"] == pytest.approx(math.sqrt(found["mse"]))
    assert found["mae"] == pytest.approx(sk.mean_absolute_error(true, said))
    assert found["pearson"] == pytest.approx(stats.pearsonr(true, said).statistic)
    assert found["spearman"] == pytest.approx(stats.spearmanr(true, said).statistic)
    assert found["r2"] == pytest.approx(sk.r2_score(true, said))


def test_numbers_stay_fractions_after_whole_ones() -> None:
    assert score_number(records([1, 0.9]), [1, 0], [])["mae"] == pytest.approx(0.45)


@pytest.mark.parametrize(
    ("said", "true"),
    [([0.1] * 3, [1.0, 2.0, 3.0]), ([1.0, 2.0, 3.0], [0.1] * 3), ([1.0], [2.0]), ([0.1] * 3, [0.1] * 3)],
)
def test_what_is_undefined_of_constant_numbers_is_nought(said: list[float], true: list[float]) -> None:
    found = score_number(records(said), true, [])
    assert found["pearson"] == found["spearman"] == 0.0
    assert found["r2"] == (0.0 if len(set(true)) == 1 else pytest.approx(sk.r2_score(true, said)))


def test_nearly_constant_numbers_warn_nobody() -> None:
    found = score_number(records([1.0, 1.0 + 1e-15, 1.0]), [1.0, 2.0, 3.0], [])
    assert all(math.isfinite(value) for value in found.values())


@pytest.mark.parametrize("odd", [math.nan, math.inf, -1e200])
def test_a_model_that_diverged_is_said_to_have(odd: float) -> None:
    with pytest.raises(PipelineError, match=r"row 1 .*diverged"):
        score_number(records([0.0, odd]), [0.0, 1.0], [])

"""The record of an evaluation, for every kind of label."""

import json
import random
from typing import Any

import pytest

from stages.core.errors import PipelineError
from stages.core.tasks import LOWER_IS_BETTER, TASK_TYPES
from stages.evidence import scoring
from stages.evidence.published import Predictions, published, rounded
from stages.evidence.statistics import Bootstrap

BOOTSTRAP = Bootstrap(200, 0.95, seed=1)
LABELS = ["a", "b"]
TRUE = ["a", "b"] * 20
ENTITIES = ["O", "B-PER", "I-PER"]


def said(values: list[Any]) -> list[dict[str, Any]]:
    return [{"predicted": value} for value in values]


def sets(values: list[list[str]]) -> list[dict[str, Any]]:
    """Predicted labels, each with the probability of who is sure of them."""
    return [{"predicted": own, "probabilities": [0.9 if x in own else 0.1 for x in LABELS]} for own in values]


def language(loss: float) -> list[dict[str, Any]]:
    return [{"loss": loss * n, "tokens": n, "hits": n // 2} for n in range(1, 31)]


# For each case: task, references, a better and a worse model, labels, metric, what the record says besides.
CASES: dict[str, tuple[str, list[Any], list[Any], list[Any], list[str], str, set[str]]] = {
    "class": (
        "text-classification", TRUE, said(TRUE), said(["a"] * 40), LABELS, "f1_macro",
        {"per_class", "confusion"},
    ),
    "classes": (
        "multi-label-classification", [["a"], ["b", "a"], []] * 10, sets([["a"], ["a", "b"], []] * 10),
        sets([["b"]] * 30), LABELS, "f1_micro", {"per_label", "calibration", "temperature"},
    ),
    "number": (
        "text-regression", [0.0, 1.0, 2.0] * 10, said([0.1, 1.1, 1.8] * 10), said([1.0] * 30), [], "mse",
        {"mistakes"},
    ),
    "entities": (
        "token-classification", [["B-PER", "I-PER", "O"]] * 20, said([["B-PER", "I-PER", "O"]] * 20),
        said([["O", "O", "O"]] * 20), ENTITIES, "entity_f1", {"per_entity"},
    ),
    "plain tags": (
        "token-classification", [["DET", "NOUN"]] * 20, said([["DET", "NOUN"]] * 20),
        said([["DET", "DET"]] * 20), ["DET", "NOUN"], "f1_macro", {"per_class"},
    ),
    "text": (
        "seq2seq", ["the cat sat on the mat"] * 20, said(["the cat sat on a mat"] * 20), said(["a dog"] * 20),
        [], "chrf", {"signatures", "mistakes"},
    ),
    "causal": (
        "causal-lm", [None] * 30, language(2.0), language(3.0), [], "perplexity", {"tokens", "mistakes"},
    ),
    "masked": (
        "masked-lm", [None] * 30, language(2.0), language(3.0), [], "pseudo_perplexity",
        {"tokens", "mistakes"},
    ),
}  # fmt: skip


def predictions(case: str) -> Predictions:
    task, true, good, bad, _, _, _ = CASES[case]
    kind = TASK_TYPES[task].label
    models = {"worse one": bad, "equal one": good}
    return Predictions(
        ids=[str(number) for number in range(len(true))],
        references=[None] * len(true) if kind == "text" else true,
        model=published(kind, good, true, whole=True),
        baselines={name: published(kind, model, true) for name, model in models.items()},
    )


def judge(case: str, metric: str = "") -> dict[str, Any]:
    task, _, _, _, labels, main, _ = CASES[case]
    return scoring.judge(predictions(case), scoring.Setting(task, labels, metric or main, BOOTSTRAP))


@pytest.mark.parametrize("case", CASES)
def test_the_record_of_each_kind_of_label(case: str) -> None:
    task, true, _, _, _, metric, besides = CASES[case]
    found = judge(case)
    assert set(found) == {"metrics", "baselines", "slices"} | besides
    assert set(found["metrics"]) <= set(TASK_TYPES[task].metrics)
    for scored in found["metrics"].values():
        assert set(scored) == {"value", "low", "high", "n"}
        assert scored["low"] <= scored["value"] <= scored["high"]
        assert scored["n"] == len(true)
    worse = found["baselines"]["worse one"]["comparison"]
    assert worse["metric"] == metric
    assert worse["verdict"] == "better"
    assert worse["margin"] > 0
    equal = found["baselines"]["equal one"]["comparison"]
    assert equal["differ"] == 0
    bounded = metric not in LOWER_IS_BETTER  # 20 to 40 rows leave a difference open (see statistics.unseen)
    assert equal["verdict"] == ("inconclusive" if bounded else "same")
    again = json.loads(json.dumps(found, allow_nan=False))
    assert again == rounded(found) == found


@pytest.mark.parametrize("case", CASES)
def test_only_rows_that_are_right_or_wrong_have_mcnemars_test(case: str) -> None:
    compared = judge(case)["baselines"]["worse one"]["comparison"]
    assert ("mcnemar" in compared) == (case in ("class", "classes"))


def test_exact_matches_are_what_mcnemar_counts_of_several_labels() -> None:
    # Every third row is empty for the better model and the truth; the worse one has no row right.
    compared = judge("classes")["baselines"]["worse one"]["comparison"]
    assert (compared["mcnemar"]["only_model"], compared["mcnemar"]["only_baseline"]) == (30, 0)


@pytest.mark.parametrize("metric", ["mse", "mae", "rmse", "r2", "pearson"])
def test_a_difference_is_model_less_baseline_and_the_verdict_knows_the_direction(metric: str) -> None:
    found = judge("number", metric)
    worse = found["baselines"]["worse one"]
    own, its = found["metrics"][metric]["value"], worse["metrics"][metric]["value"]
    assert worse["comparison"]["difference"] == pytest.approx(own - its, abs=1e-6)
    assert (worse["comparison"]["difference"] < 0) == (metric in ("mse", "mae", "rmse"))
    assert worse["comparison"]["verdict"] == "better"


def test_margins_of_the_record_suit_its_metric() -> None:
    for case, margin in (("class", 0.01), ("text", 1.0)):
        assert judge(case)["baselines"]["worse one"]["comparison"]["margin"] == margin
    found = judge("causal")
    value = found["metrics"]["perplexity"]["value"]
    assert found["baselines"]["worse one"]["comparison"]["margin"] == pytest.approx(value / 100, abs=1e-6)


def test_a_metric_that_these_labels_lack_is_refused() -> None:
    with pytest.raises(
        PipelineError, match="entity_f1 does not exist for these labels: choose one of accuracy"
    ):
        judge("plain tags", "entity_f1")


@pytest.mark.parametrize("case", ["class", "causal"])
def test_the_best_baseline_comes_first_whichever_way_a_score_points(case: str) -> None:
    found, metric = judge(case), CASES[case][5]
    assert list(scoring.ranked(found, metric)) == [scoring.MODEL, "equal one", "worse one"]


def test_the_printed_table_keeps_its_columns() -> None:
    interval = {"low": 0.1, "value": 0.2, "high": 0.3, "n": 9}
    wide = {"low": 123456.5, "value": 1.01e304, "high": 1e304, "n": 9}
    for scores, name in ((interval, "majority"), (wide, "a_baseline_with_a_name_longer_than_its_column")):
        comparison = {"verdict": "better"}
        found = {
            "metrics": {"pseudo_perplexity": scores},
            "baselines": {name: {"metrics": {"pseudo_perplexity": scores}, "comparison": comparison}},
        }
        head, own, other = scoring.table(found, "pseudo_perplexity").split("\n")
        assert other.startswith(f"  {name} ")
        assert head.index("interval") == own.index("[") == other.index("[")
        assert head.index("model against it") == other.index("better")
        assert len(own) < 110
    narrow = {"metrics": {"accuracy": interval}, "baselines": {}}
    assert (
        scoring.table(narrow, "accuracy").split("\n")[1]
        == f"  {'this model':28}{'0.200':>12}   [0.100, 0.300]"
    )


def test_intervals_of_macro_f1_hold_it_where_classes_are_rare() -> None:
    """A resample without a rare class counts it as 0; taken as they are, all resamples would lie too low."""
    rng = random.Random(3)
    labels = [f"c{number}" for number in range(20)]
    true = [label for number, label in enumerate(labels) for _ in range(2 + 4 * number)]
    some = [own if rng.random() < 0.8 else rng.choice(labels) for own in true]
    for right, least in ((true, 0.9), (some, 0.5)):
        ids = [str(number) for number in range(len(true))]
        predicted = [{"predicted": x, "probabilities": [float(x == name) for name in labels]} for x in right]
        found = scoring.judge(
            Predictions(ids, true, predicted),
            scoring.Setting("text-classification", labels, "f1_macro", BOOTSTRAP),
        )["metrics"]["f1_macro"]
        assert least < found["low"] <= found["value"] <= found["high"] <= 1
        middle = (found["low"] + found["high"]) / 2
        assert found["value"] == pytest.approx(min(middle, 1), abs=0.03)


def test_what_the_exact_test_does_not_decide_is_not_decided_for_accuracy() -> None:
    """7 to 1 of 100: the interval of the difference excludes 0, and McNemar's p is 0.07."""
    true = ["a"] * 100
    model, other = ["a"] * 99 + ["b"], ["b"] * 7 + ["a"] * 93
    ids, sure = (
        [str(n) for n in range(100)],
        [{"probabilities": [float(x == "a"), float(x == "b")]} for x in model],
    )
    ours = [row | shares for row, shares in zip(said(model), sure, strict=True)]
    setting = scoring.Setting("text-classification", LABELS, "accuracy", BOOTSTRAP)
    compared = scoring.judge(Predictions(ids, true, ours, {"other": said(other)}), setting)
    found = compared["baselines"]["other"]["comparison"]
    assert found["low"] > 0 and found["mcnemar"]["p"] > 0.05
    assert found["verdict"] == "inconclusive"

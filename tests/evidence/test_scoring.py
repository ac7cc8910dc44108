"""The record of an evaluation, for every kind of label."""

import json
from typing import Any

import pytest

from stages.core.errors import PipelineError
from stages.core.tasks import TASK_TYPES
from stages.evidence import scoring
from stages.evidence.statistics import Bootstrap
from stages.tasks.rows import Rows

BOOTSTRAP = Bootstrap(200, 0.95, seed=1)
LABELS = ["a", "b"]
TRUE = ["a", "b"] * 20
ENTITIES = ["O", "B-PER", "I-PER"]


def said(values: list[Any]) -> list[dict[str, Any]]:
    return [{"predicted": value} for value in values]


def language(loss: float) -> list[dict[str, Any]]:
    return [{"loss": loss * n, "tokens": n, "hits": n // 2} for n in range(1, 31)]


# For each case: task, references, a better and a worse model, labels, metric, what the record says besides.
CASES: dict[str, tuple[str, list[Any], list[Any], list[Any], list[str], str, set[str]]] = {
    "class": (
        "text-classification", TRUE, said(TRUE), said(["a"] * 40), LABELS, "f1_macro",
        {"per_class", "confusion"},
    ),
    "classes": (
        "multi-label-classification", [["a"], ["b", "a"], []] * 10, said([["a"], ["a", "b"], []] * 10),
        said([["b"]] * 30), LABELS, "f1_micro", {"per_label"},
    ),
    "number": (
        "text-regression", [0.0, 1.0, 2.0] * 10, said([0.1, 1.1, 1.8] * 10), said([1.0] * 30), [], "mse",
        set(),
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
        [], "chrf", {"signatures"},
    ),
    "causal": ("causal-lm", [None] * 30, language(2.0), language(3.0), [], "perplexity", {"tokens"}),
    "masked": ("masked-lm", [None] * 30, language(2.0), language(3.0), [], "pseudo_perplexity", {"tokens"}),
}  # fmt: skip


def judge(case: str, metric: str = "") -> dict[str, Any]:
    task, true, good, bad, labels, main, _ = CASES[case]
    models = {"worse one": bad, "equal one": good}
    return scoring.judge(task, good, models, true, labels, metric or main, BOOTSTRAP)


@pytest.mark.parametrize("case", CASES)
def test_the_record_of_each_kind_of_label(case: str) -> None:
    task, true, _, _, _, metric, besides = CASES[case]
    found = judge(case)
    assert set(found) == {"metrics", "baselines"} | besides
    assert set(found["metrics"]) <= set(TASK_TYPES[task].metrics)
    for scored in found["metrics"].values():
        assert set(scored) == {"value", "low", "high", "n"}
        assert scored["low"] <= scored["value"] <= scored["high"]
        assert scored["n"] == len(true)
    worse = found["baselines"]["worse one"]["comparison"]
    assert worse["metric"] == metric
    assert worse["verdict"] == "better"
    assert worse["margin"] > 0
    assert found["baselines"]["equal one"]["comparison"]["verdict"] == "same"
    again = json.loads(json.dumps(found, allow_nan=False))
    assert again == scoring._rounded(found) == found


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


def test_what_is_scored_is_what_is_published() -> None:
    predicted = said([0.1234564, 0.7654321999])
    rows = Rows(["x", "y"], ["t", "u"], None, [0.1, 5000.75])  # far off, so that squares show the rounding
    lines = list(scoring.prediction_lines(rows, predicted))
    assert lines == [
        {"id": "x", "label": 0.1, "predicted": 0.123456},
        {"id": "y", "label": 5000.75, "predicted": 0.765432},
    ]
    first, again = (
        scoring.judge("text-regression", of, {}, rows.labels, [], "mse", BOOTSTRAP)
        for of in (predicted, lines)
    )
    assert first == again


def test_lines_hold_whatever_is_predicted() -> None:
    rows = Rows(["x"], [["a", "b"]], None, [["O", "B-PER"]])
    assert next(scoring.prediction_lines(rows, said([["O", "O"]]))) == {
        "id": "x", "label": ["O", "B-PER"], "predicted": ["O", "O"],
    }  # fmt: skip
    classes = [{"predicted": "a", "probabilities": [1 / 3, 2 / 3]}]
    line = next(scoring.prediction_lines(Rows(["x"], ["t"], None, ["b"]), classes))
    assert line == {"id": "x", "label": "b", "predicted": "a", "probabilities": [0.333333, 0.666667]}


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


def test_a_model_with_other_labels_is_refused() -> None:
    scoring.same_labels(["a", "b"], ("a", "b"))
    with pytest.raises(PipelineError, match="not the prepared ones"):
        scoring.same_labels(["b", "a"], ["a", "b"])

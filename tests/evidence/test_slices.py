"""Slices: scores of their rows, against SciPy's permutation test, and what stays silent."""

import time
from typing import Any

import numpy as np
import pytest
from scipy import stats

from stages.core.tasks import TASK_TYPES
from stages.evidence.published import published
from stages.evidence.resampling import resampled
from stages.evidence.slices import FEWEST, MOST_VALUES, holm, lengths, slices
from stages.evidence.statistics import Bootstrap
from stages.tasks.table import TASKS
from tests.evidence.test_resampling import CASES

BOOTSTRAP = Bootstrap(200, 0.95, seed=42)


def hits(rights: Any) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    return [{"predicted": "a" if right else "b"} for right in rights], ["a"] * len(rights), ["a", "b"]


def by_value(found: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    return {record["value"]: record for record in found}


@pytest.mark.parametrize("case", CASES)
def test_a_slice_scores_as_its_rows_alone_with_their_own_interval(case: str) -> None:
    task_type, draw = CASES[case]
    predicted, references, labels = draw(np.random.default_rng(0), 120)
    values = [str(n) for n in np.random.default_rng(1).integers(3, size=120)]
    found = slices(task_type, predicted, references, labels, {"column": values}, BOOTSTRAP)
    assert [record["value"] for record in found] == ["0", "1", "2"]
    for record in found:
        own = [i for i, value in enumerate(values) if value == record["value"]]
        rest = [i for i, value in enumerate(values) if value != record["value"]]
        inside, outside = (
            TASKS[task_type].score([predicted[i] for i in of], [references[i] for i in of], labels)
            for of in (own, rest)
        )
        metric = record["metric"]
        assert metric in TASK_TYPES[task_type].metrics
        assert record["n"] == len(own)
        assert record["score"] == pytest.approx(inside[metric], abs=1e-6)
        assert record["rest"] == pytest.approx(outside[metric], abs=1e-6)
        assert record["difference"] == pytest.approx(inside[metric] - outside[metric], abs=1e-6)
        drawn = [predicted[i] for i in own], [references[i] for i in own]
        samples = resampled(task_type, *drawn, labels, BOOTSTRAP).samples[metric]
        assert (record["low"], record["high"]) == pytest.approx(BOOTSTRAP.interval(samples), abs=1e-6)


@pytest.mark.parametrize(("share", "rest"), [(0.7, 0.8), (0.6, 0.85), (0.8, 0.8)])
def test_p_is_that_of_scipy_and_of_fisher(share: float, rest: float) -> None:
    rng = np.random.default_rng(7)
    inside, outside = rng.random(40) < share, rng.random(160) < rest
    values = ["in"] * 40 + ["out"] * 160
    predicted, references, labels = hits([*inside, *outside])
    found = by_value(
        slices("text-classification", predicted, references, labels, {"c": values}, Bootstrap(4000, 0.95, 0))
    )
    wanted = stats.permutation_test(
        (inside.astype(float), outside.astype(float)),
        lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        n_resamples=4000,
        vectorized=True,
        rng=np.random.default_rng(1),
    )
    assert found["in"]["p"] == pytest.approx(wanted.pvalue, abs=0.04)
    assert found["in"]["p"] == found["out"]["p"]  # the same difference, seen from either side
    table = [[inside.sum(), 40 - inside.sum()], [outside.sum(), 160 - outside.sum()]]
    lower, upper = (stats.fisher_exact(table, alternative=side).pvalue for side in ("less", "greater"))
    assert found["in"]["p"] == pytest.approx(min(1, 2 * min(lower, upper)), abs=0.04)


def test_p_of_a_score_that_is_no_mean_is_that_of_scipy() -> None:
    _, draw = CASES["entities"]
    predicted, references, labels = draw(np.random.default_rng(2), 90)
    for tags in predicted[:35]:
        tags["predicted"] = ["O" if n % 3 == 0 else tag for n, tag in enumerate(tags["predicted"])]
    values = ["in"] * 35 + ["out"] * 55
    bootstrap = Bootstrap(1000, 0.95, 0)
    found = slices("token-classification", predicted, references, labels, {"c": values}, bootstrap)

    def difference(one: Any, other: Any) -> float:
        scores = [
            TASKS["token-classification"].score(
                [predicted[int(i)] for i in of], [references[int(i)] for i in of], labels
            )["entity_f1"]
            for of in (one, other)
        ]
        return scores[0] - scores[1]

    rows = np.arange(90)
    wanted = stats.permutation_test(
        (rows[:35], rows[35:]), difference, n_resamples=300, vectorized=False, rng=np.random.default_rng(0)
    )
    assert by_value(found)["in"]["p"] == pytest.approx(wanted.pvalue, abs=0.06)


def test_holm_by_hand() -> None:
    # Four tests: 4 x 0.01, 3 x 0.02, then 2 x 0.025 = 0.05 which stays at 0.06, and 1 x 0.9.
    assert holm([0.9, 0.01, 0.025, 0.02]) == pytest.approx([0.9, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def test_p_is_adjusted_over_the_slices_of_all_columns() -> None:
    rng = np.random.default_rng(3)
    rights = rng.random(400) < 0.8
    columns = {name: [str(n) for n in rng.integers(k, size=400)] for name, k in (("x", 3), ("y", 4))}
    found = slices("text-classification", *hits(rights), columns, BOOTSTRAP)
    assert len(found) == 7
    assert [record["p_holm"] for record in found] == pytest.approx(holm([record["p"] for record in found]))


@pytest.mark.parametrize(
    ("task_type", "verdict"), [("text-classification", "worse"), ("text-regression", "better")]
)
def test_a_lower_score_is_worse_or_better_by_its_direction(task_type: str, verdict: str) -> None:
    low = np.arange(200) < 60  # the slice where scores are low
    values = ["low" if one else "high" for one in low]
    if task_type == "text-classification":
        given = hits(np.random.default_rng(0).random(200) < np.where(low, 0.5, 0.9))
    else:
        errors = np.random.default_rng(0).random(200) * np.where(low, 1, 3)
        given = [{"predicted": float(x)} for x in errors], [0.0] * 200, []
    found = by_value(slices(task_type, *given, {"c": values}, BOOTSTRAP))
    assert found["low"]["verdict"] == verdict
    assert found["low"]["difference"] < 0
    assert found["high"]["verdict"] != verdict


def test_two_hundred_slices_can_still_show_a_difference() -> None:
    """With as few permutations as resamples, no p would be small enough to survive the correction."""
    rights = np.ones(1800, dtype=bool)
    rights[:30] = False
    columns = {f"c{n}": [f"{(i + 18 * n) // 36 % 50}" for i in range(1800)] for n in range(4)}
    columns["bad"] = ["bad" if i < 30 else "fine" for i in range(1800)]
    found = slices("text-classification", *hits(rights), columns, Bootstrap(100, 0.95, 0))
    assert sum("p" in record for record in found) == 202
    assert by_value(found[-2:])["bad"]["verdict"] == "worse"


def test_false_alarms_are_as_rare_over_all_slices_as_the_confidence_says() -> None:
    alarms = 0
    for trial in range(60):
        rng = np.random.default_rng(trial)
        values = [str(n) for n in rng.integers(6, size=400)]
        found = slices(
            "text-classification", *hits(rng.random(400) < 0.8), {"c": values}, Bootstrap(100, 0.95, 1)
        )
        alarms += any(record["verdict"] in ("better", "worse") for record in found)
    assert alarms <= 7


def test_too_few_rows_inside_or_outside_are_not_judged() -> None:
    values = ["few"] * (FEWEST - 1) + ["many"] * 200
    found = by_value(
        slices("text-classification", *hits([False] * 29 + [True] * 200), {"c": values}, BOOTSTRAP)
    )
    assert found["few"] == {
        "column": "c",
        "value": "few",
        "n": 29,
        "metric": "accuracy",
        "score": 0.0,
        "verdict": "too few",
    }
    assert found["many"]["verdict"] == "too few" and "p" not in found["many"] and found["many"]["low"] == 1
    enough = by_value(
        slices("text-classification", *hits([False] * 30 + [True] * 200), {"c": ["few", *values]}, BOOTSTRAP)
    )
    assert enough["few"]["verdict"] == "worse"


def test_a_slice_without_entities_is_not_called_bad() -> None:
    predicted = [{"predicted": ["O", "O"]}] * 40 + [{"predicted": ["B-X", "O"]}] * 40
    references = [["O", "O"]] * 40 + [["B-X", "O"]] * 40
    values = ["chat"] * 40 + ["press"] * 40
    found = slices("token-classification", predicted, references, ["O", "B-X"], {"c": values}, BOOTSTRAP)
    assert found[0] == {
        "column": "c",
        "value": "chat",
        "n": 40,
        "metric": "entity_f1",
        "verdict": "nothing to score",
    }
    assert found[1]["score"] == 1 and found[1]["verdict"] == "too few"  # nothing to compare it with


def test_rare_values_are_one_slice_that_no_value_can_be_taken_for() -> None:
    values = [f"v{n}" for n in range(MOST_VALUES + 3) for _ in range(4 if n < MOST_VALUES - 1 else 2)] + [
        "",
        "",
    ]
    found = slices("text-classification", *hits([True] * len(values)), {"c": values}, BOOTSTRAP)
    assert len(found) == MOST_VALUES + 1
    assert found[-1]["value"] is None and found[-1]["others"] == 4 and found[-1]["n"] == 8
    # Of equally rare ones the first by name stays: "" it is, and the order is that of numbers, not of digits.
    assert [record["value"] for record in found[:3]] == ["", "v0", "v1"]
    assert [record["value"] for record in found[-3:-1]] == ["v47", "v48"]
    assert not any("others" in record for record in found[:-1])
    assert sum(record["n"] for record in found) == len(values)


def test_the_order_of_rows_changes_no_score_and_a_further_column_no_p() -> None:
    rng = np.random.default_rng(5)
    rights, values = rng.random(300) < 0.7, [str(n) for n in rng.integers(4, size=300)]
    order = rng.permutation(300)
    one = slices("text-classification", *hits(rights), {"c": values}, BOOTSTRAP)
    other = slices("text-classification", *hits(rights[order]), {"c": [values[i] for i in order]}, BOOTSTRAP)
    for a, b in zip(one, other, strict=True):
        assert all(a[key] == b[key] for key in ("value", "n", "score", "rest", "difference"))
        assert a["p"] == pytest.approx(b["p"], abs=0.1)
    more = slices(
        "text-classification", *hits(rights), {"d": values[::-1], "c": values}, Bootstrap(700, 0.95, 42)
    )
    alone = slices("text-classification", *hits(rights), {"c": values}, Bootstrap(700, 0.95, 42))
    assert [record["p"] for record in more[4:]] == [record["p"] for record in alone]
    assert more == slices(
        "text-classification", *hits(rights), {"d": values[::-1], "c": values}, Bootstrap(700, 0.95, 42)
    )


def test_texts_as_they_are_published_give_the_same_slices() -> None:
    predicted, references, _ = CASES["text"][1](np.random.default_rng(0), 80)
    columns = {"c": ["x", "y"] * 40}
    counts = published("text", predicted, references)
    found = slices("seq2seq", counts, [None] * 80, [], columns, BOOTSTRAP)
    assert found == slices("seq2seq", predicted, references, [], columns, BOOTSTRAP)


def test_no_column_makes_no_slice() -> None:
    assert slices("text-classification", *hits([True] * 9), {}, BOOTSTRAP) == []


def test_lengths_are_quartiles_named_by_their_ends() -> None:
    texts = ["x" * n for n in (1, 2, 3, 4, 5, 6, 7, 8)]
    assert lengths(texts) == ["1-2", "1-2", "3-4", "3-4", "5-6", "5-6", "7-8", "7-8"]
    assert lengths([["a", "bc"], ["é"], "abcd"], n=2) == ["1-4", "1-4", "1-4"]
    assert lengths(["", "abc", "abc", "🙂" * 7], n=2) == ["0-3", "0-3", "0-3", "7"]
    assert lengths([]) == []


def test_equal_lengths_share_a_bin_however_many_they_are() -> None:
    texts = ["x" * n for n in [5] * 50 + [9] * 30 + [2] * 3 + [40]]
    found = lengths(texts)
    assert len(set(zip(map(len, texts), found, strict=True))) == 4
    assert set(found) == {"2-5", "9", "40"}
    assert set(lengths(["same"] * 10)) == {"4"}


def test_twenty_slices_of_25_000_rows_take_seconds() -> None:
    rng = np.random.default_rng(0)
    values = [str(n) for n in rng.integers(20, size=25_000)]
    start = time.process_time()
    found = slices(
        "text-classification", *hits(rng.random(25_000) < 0.9), {"c": values}, Bootstrap(2000, 0.95, 1)
    )
    assert len(found) == 20
    assert time.process_time() - start < 15  # 1.2 on the machine this was written on

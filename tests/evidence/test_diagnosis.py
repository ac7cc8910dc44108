"""The verdict on a training run: curves made to be each case, and each threshold from both its sides."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import pytest

from stages.core.tasks import TASK_TYPES, greater_is_better
from stages.evidence.diagnosis import ADVICE, RULES, Diagnosis, Rule, diagnose

LN2 = math.log(2)
LOGS = 10  # rows of training loss an evaluation


def curves(
    training: Sequence[float], losses: Sequence[float], scores: Sequence[float], metric: str = "accuracy"
) -> list[dict[str, float]]:
    """Rows as reports/history.tsv has them: an evaluation every 100 steps, ten training losses before each.

    `training` holds the levels at the start and at each evaluation; between them the loss goes evenly.
    """
    rows: dict[int, dict[str, float]] = {}
    for number, (start, end) in enumerate(pairwise(training)):
        for part in range(1, LOGS + 1):
            step = 100 * number + 100 * part // LOGS
            rows[step] = {"step": step, "loss": start + (end - start) * part / LOGS, "learning_rate": 1e-4}
    for number, (loss, score) in enumerate(zip(losses, scores, strict=True), start=1):
        rows[100 * number].update({"epoch": number, "eval_loss": loss, f"eval_{metric}": score})
    return list(rows.values())


def told(
    training: Sequence[float],
    losses: Sequence[float],
    scores: Sequence[float],
    metric: str = "accuracy",
    **known: Any,
) -> Diagnosis:
    best = scores.index(max(scores) if greater_is_better(metric) else min(scores))
    return diagnose(curves(training, losses, scores, metric), metric, 100 * (best + 1), **known)


FALLING = [0.7, 0.3, 0.2, 0.15, 0.1, 0.05, 0.02]  # a training loss
WELL = {"losses": [0.5, 0.42, 0.4, 0.4, 0.4, 0.4], "scores": [0.8, 0.85, 0.9, 0.9, 0.9, 0.9]}


def names(found: Diagnosis) -> set[str]:
    return {rule.name for rule in found.because}


def test_a_run_that_settles_is_well_fitted() -> None:
    found = told(FALLING, **WELL)
    assert found.verdict == "well_fitted"
    assert names(found) == {"training_loss_fell", "score_gained"}
    assert all(rule.holds for rule in found.because)
    assert (found.advice, found.over_confident) == ((), False)


def test_losses_that_part_and_a_score_that_drops_are_over_fitting() -> None:
    found = told(FALLING, [0.5, 0.4, 0.45, 0.5, 0.55, 0.6], [0.8, 0.9, 0.88, 0.86, 0.84, 0.82])
    assert found.verdict == "over_fitted"
    assert names(found) == {"validation_loss_rises", "training_loss_falls_on", "score_drops"}
    measured = {rule.name: round(rule.value, 3) for rule in found.because}
    assert measured["validation_loss_rises"] == pytest.approx(
        0.4375, abs=1e-3
    )  # from 0.4 to the mean of 0.55 and 0.6
    assert measured["score_drops"] == pytest.approx(0.07)  # from 0.9 to the mean of 0.84 and 0.82
    assert found.numbers["lowest_validation_loss_step"] == found.numbers["best_step"] == 200
    assert found.advice[:2] == ("early_stopping", "fewer_epochs")


@pytest.mark.parametrize(("end", "verdict"), [(0.885, "well_fitted"), (0.879, "over_fitted")])
def test_a_score_drops_when_it_leaves_its_tolerance(end: float, verdict: str) -> None:
    found = told(FALLING, [0.5, 0.4, 0.45, 0.5, 0.55, 0.6], [0.8, 0.9, 0.89, 0.89, end, end])
    assert found.verdict == verdict
    assert found.over_confident == (verdict == "well_fitted")


@pytest.mark.parametrize(("end", "verdict"), [(0.438, "well_fitted"), (0.442, "over_fitted")])
def test_a_validation_loss_rises_when_it_is_a_tenth_above_its_minimum(end: float, verdict: str) -> None:
    found = told(FALLING, [0.5, 0.4, 0.41, 0.42, end, end], [0.8, 0.9, 0.88, 0.86, 0.84, 0.82])
    assert found.verdict == verdict
    assert not found.over_confident


@pytest.mark.parametrize(("end", "over_fitted"), [(0.192, False), (0.188, True)])
def test_it_is_over_fitting_only_while_the_training_loss_falls_on(end: float, over_fitted: bool) -> None:
    training = [0.7, 0.2, 0.2, end, end, end, end]
    found = told(training, [0.5, 0.4, 0.45, 0.5, 0.55, 0.6], [0.8, 0.9, 0.88, 0.86, 0.84, 0.82])
    assert (found.verdict == "over_fitted") == over_fitted


def test_a_loss_that_rises_under_a_rising_score_is_over_confidence() -> None:
    found = told(FALLING, [0.4, 0.35, 0.4, 0.45, 0.5, 0.55], [0.8, 0.85, 0.87, 0.9, 0.9, 0.905])
    assert found.verdict == "well_fitted"
    assert found.over_confident
    assert {"validation_loss_rises", "training_loss_falls_on"} <= names(found)
    assert found.advice == ("label_smoothing",)


@pytest.mark.parametrize(("end", "verdict"), [(0.68, "well_fitted"), (0.71, "over_fitted")])
def test_a_model_that_ends_worse_than_the_trivial_one_learned_by_heart(end: float, verdict: str) -> None:
    scores = [0.55, 0.6, 0.61, 0.61, 0.61, 0.61]
    found = told(FALLING, [0.66, 0.6, 0.65, end, end, end], scores, trivial_loss=LN2)
    assert found.verdict == verdict
    assert ("worse_than_trivial_loss" in names(found)) == (verdict == "over_fitted")


def test_without_a_trivial_loss_the_first_training_loss_stands_for_it() -> None:
    scores = [0.55, 0.6, 0.61, 0.61, 0.61, 0.61]
    assert told(FALLING, [0.66, 0.6, 0.65, 0.8, 0.9, 0.9], scores).verdict == "over_fitted"
    assert told([2.0, *FALLING[1:]], [0.66, 0.6, 0.65, 0.8, 0.9, 0.9], scores).verdict == "well_fitted"


def test_over_fitting_within_the_first_third_asks_for_a_lower_rate() -> None:
    for low, losses in ((2, [0.5, 0.4, 0.5, 0.6, 0.6, 0.6]), (3, [0.5, 0.45, 0.4, 0.6, 0.6, 0.6])):
        found = told(FALLING, losses, [0.8, 0.9, 0.88, 0.86, 0.84, 0.82])
        assert found.verdict == "over_fitted"
        assert ("lower_learning_rate" in found.advice) == (low == 2)


@pytest.mark.parametrize(("end", "verdict"), [(0.892, "well_fitted"), (0.91, "still_learning")])
def test_a_score_that_still_gains_over_the_last_third_is_not_done(end: float, verdict: str) -> None:
    found = told(FALLING, [0.5, 0.4, 0.4, 0.4, 0.4, 0.4], [0.7, 0.8, 0.85, 0.88, 0.885, end])
    assert found.verdict == verdict
    assert ("more_epochs" in found.advice) == (verdict == "still_learning")


@pytest.mark.parametrize(("end", "verdict"), [(0.385, "well_fitted"), (0.37, "still_learning")])
def test_a_validation_loss_that_still_falls_is_not_done(end: float, verdict: str) -> None:
    found = told(FALLING, [0.6, 0.5, 0.45, 0.4, 0.39, end], [0.7, 0.8, 0.85, 0.9, 0.9, 0.905])
    assert found.verdict == verdict
    assert (names(found) == {"validation_loss_still_falls"}) == (verdict == "still_learning")


def test_a_run_whose_best_came_earlier_is_done() -> None:
    rows = curves(FALLING, [0.6, 0.5, 0.45, 0.4, 0.37, 0.33], [0.7, 0.8, 0.85, 0.9, 0.92, 0.92])
    assert diagnose(rows, "accuracy", 600).verdict == "still_learning"
    assert diagnose(rows, "accuracy", 500).verdict == "well_fitted"


def test_the_last_third_of_three_evaluations_is_the_step_from_the_second() -> None:
    rows = [
        {"step": 61 * (n + 1), "loss": loss, "eval_loss": 0.4, "eval_accuracy": score}
        for n, (loss, score) in enumerate([(0.5, 0.7), (0.3, 0.9), (0.1, 0.905)])
    ]
    assert diagnose(rows, "accuracy", 183).verdict == "well_fitted"


@pytest.mark.parametrize(("level", "verdict"), [(0.61, "well_fitted"), (0.64, "under_fitted")])
def test_a_training_loss_near_the_trivial_one_is_under_fitting(level: float, verdict: str) -> None:
    training = [0.7, *[level] * 6]
    found = told(training, [0.66] * 6, [0.6] * 6, trivial_loss=LN2)
    assert found.verdict == verdict
    assert [(r.name, r.holds) for r in found.because] == [("near_trivial_loss", verdict == "under_fitted")]
    if verdict == "under_fitted":
        assert found.advice == ("raise_learning_rate", "more_epochs", "more_capacity")


@pytest.mark.parametrize(("level", "first"), [(0.72, "lower_learning_rate"), (0.75, "raise_learning_rate")])
def test_a_loss_that_came_down_to_the_trivial_one_asks_for_a_lower_rate(level: float, first: str) -> None:
    found = told([2.0, *[level] * 6], [0.69] * 6, [0.55] * 6, trivial_loss=LN2)
    assert found.verdict == "under_fitted"
    assert found.advice[0] == first


@pytest.mark.parametrize(("end", "verdict"), [(0.6, "well_fitted"), (0.66, "under_fitted")])
def test_without_a_trivial_loss_curves_that_do_not_move_are_under_fitting(end: float, verdict: str) -> None:
    training = [0.7, 0.7, *[end] * 5]
    found = told(training, [0.66] * 6, [0.6] * 6)
    assert found.verdict == verdict
    if verdict == "under_fitted":
        assert names(found) == {"training_loss_fell", "score_gained"}
        assert not any(rule.holds for rule in found.because)


def test_a_language_model_that_was_good_and_gained_is_not_under_fitted() -> None:
    training = [3.0, 2.95, 2.9, 2.88, 2.87, 2.87, 2.87]
    scores = [19.0, 18.5, 18.2, 18.1, 18.1, 18.1]
    found = told(training, [2.94, 2.92, 2.9, 2.9, 2.9, 2.9], scores, "perplexity")
    assert found.verdict == "well_fitted"
    assert {rule.name: rule.holds for rule in found.checked}["training_loss_fell"] is False


def test_a_first_loss_that_was_logged_late_tells_nothing_of_the_start() -> None:
    rows = curves([0.2] * 7, [0.3] * 6, [0.9] * 6)
    assert diagnose(rows, "accuracy", 100).verdict == "under_fitted"
    late = [{**row, "loss": math.nan} if row["step"] <= 60 else row for row in rows]
    found = diagnose(late, "accuracy", 100)
    assert (found.verdict, names(found), found.advice) == ("not_told", {"score_gained"}, ("log_more_often",))
    assert diagnose(late, "accuracy", 100, trivial_loss=LN2).verdict == "well_fitted"


@pytest.mark.parametrize(("score", "verdict"), [(0.913, "not_told"), (0.93, "well_fitted")])
def test_without_a_start_a_score_that_gained_is_what_tells(score: float, verdict: str) -> None:
    rows = curves([0.2] * 7, [0.3] * 6, [0.9, score, score, score, score, score])
    late = [{**row, "loss": math.nan} if row["step"] <= 60 else row for row in rows]
    assert diagnose(late, "accuracy", 200).verdict == verdict


def test_every_verdict_has_a_reason() -> None:
    """Here: nothing moved after the first evaluation, and the loss is far below that of guessing."""
    found = told([0.1] * 7, [0.1] * 6, [0.95] * 6, trivial_loss=LN2)
    assert (found.verdict, names(found)) == ("well_fitted", {"near_trivial_loss"})


def test_a_smoothed_training_loss_is_not_held_against_the_trivial_one() -> None:
    """With rare labels its floor alone can be as high; and what is smoothed already is not to be smoothed."""
    training, losses = [0.5, *[0.2] * 6], [0.08, 0.06, 0.06, 0.06, 0.06, 0.06]
    scores = [0.8, 0.9, 0.97, 0.97, 0.97, 0.97]
    assert told(training, losses, scores, trivial_loss=0.2).verdict == "under_fitted"
    assert told(training, losses, scores, trivial_loss=0.2, smoothed=True).verdict == "well_fitted"
    rising = [0.4, 0.35, 0.4, 0.45, 0.5, 0.55]
    found = told(FALLING, rising, [0.8, 0.85, 0.87, 0.9, 0.9, 0.905], smoothed=True)
    assert (found.over_confident, found.advice) == (True, ("more_dropout",))


def test_only_probabilities_are_over_confident_and_only_a_softmax_is_smoothed() -> None:
    losses, scores = [0.4, 0.35, 0.4, 0.45, 0.5, 0.55], [0.8, 0.85, 0.87, 0.9, 0.9, 0.905]
    advised = {}
    for name, metric in (
        ("text-classification", "accuracy"),
        ("multi-label-classification", "f1_micro"),
        ("text-regression", "pearson"),
    ):
        found = told(FALLING, losses, scores, metric, task=TASK_TYPES[name])
        advised[name] = (found.over_confident, found.advice)
    assert advised == {
        "text-classification": (True, ("label_smoothing",)),
        "multi-label-classification": (True, ("more_dropout",)),
        "text-regression": (False, ()),
    }


def test_an_under_fitted_run_that_improves_is_still_learning() -> None:
    training = [0.72, 0.71, 0.7, 0.69, 0.68, 0.67, 0.65]
    found = told(training, [0.7] * 6, [0.5, 0.51, 0.53, 0.55, 0.58, 0.62], trivial_loss=LN2)
    assert found.verdict == "still_learning"
    assert found.advice == ("more_epochs", "raise_learning_rate")


@pytest.mark.parametrize(("end", "verdict"), [(0.24, "well_fitted"), (0.4, "under_fitted")])
def test_a_training_loss_that_climbs_again_has_diverged(end: float, verdict: str) -> None:
    training = [0.7, 0.5, 0.3, 0.2, 0.2, end, end]
    found = told(training, [0.5, 0.4, 0.4, 0.4, 0.4, 0.4], [0.7, 0.8, 0.9, 0.9, 0.7, 0.7])
    assert found.verdict == verdict
    assert ("lower_learning_rate" in found.advice) == (verdict == "under_fitted")


def test_losses_near_zero_may_double_without_meaning() -> None:
    losses, scores = [0.02, 0.002, 0.003, 0.004, 0.004, 0.004], [0.99, 1.0, 1.0, 1.0, 1.0, 1.0]
    found = told([0.7, 0.01, 0.005, 0.004, 0.003, 0.002, 0.001], losses, scores, trivial_loss=LN2)
    assert (found.verdict, found.over_confident) == ("well_fitted", False)


def test_where_less_is_better_the_directions_turn() -> None:
    losses, errors = [0.5, 0.4, 0.45, 0.5, 0.55, 0.6], [2.0, 1.0, 1.1, 1.3, 1.5, 1.6]
    over = told(FALLING, losses, errors, "mae")
    assert over.verdict == "over_fitted"
    assert over.numbers["best_score"] == 1.0
    assert over.numbers["last_score"] == pytest.approx(1.55)
    falling = told(FALLING, [0.5, 0.4, 0.4, 0.4, 0.4, 0.4], [2.0, 1.5, 1.2, 1.1, 1.05, 1.0], "mae")
    assert falling.verdict == "still_learning"


def test_the_loss_itself_may_be_the_score() -> None:
    rows = curves(FALLING, [0.5, 0.4, 0.45, 0.5, 0.55, 0.6], [0.0] * 6)
    assert diagnose(rows, "loss", 200).verdict == "over_fitted"


@pytest.mark.parametrize(("rows", "verdict"), [(100, "well_fitted"), (10_000, "still_learning")])
def test_more_validation_rows_make_smaller_changes_count(rows: int, verdict: str) -> None:
    scores = [0.7, 0.8, 0.85, 0.88, 0.89, 0.895]
    found = told(FALLING, [0.5, 0.4, 0.4, 0.4, 0.4, 0.4], scores, validation_rows=rows)
    assert found.verdict == verdict
    assert found.numbers["tolerance"] == pytest.approx(max(0.005 * 0.895, math.sqrt(0.895 * 0.105 / rows)))


def test_rows_say_nothing_of_scores_that_are_no_shares() -> None:
    found = told(FALLING, WELL["losses"], [50.0, 55.0, 60.0, 60.0, 60.0, 60.0], "chrf", validation_rows=100)
    assert found.numbers["tolerance"] == pytest.approx(1.2)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_evaluations_do_not_tell(count: int) -> None:
    found = diagnose(curves(FALLING[: count + 1], [0.5] * count, [0.8] * count), "accuracy", 100)
    assert found.verdict == "not_told"
    assert [asdict(rule) for rule in found.because] == [asdict(Rule("enough_evaluations", count, 2))]
    assert found.advice == ("evaluate_more_often",)


def test_evaluations_without_a_number_do_not_count() -> None:
    rows = curves(FALLING[:4], [0.5, math.nan, 0.4], [0.8, 0.9, math.inf])
    assert diagnose(rows, "accuracy", 100).verdict == "not_told"
    assert diagnose(curves(FALLING, **WELL), "f1_macro", 300).verdict == "not_told"


def test_no_training_losses_leave_the_validation_curves() -> None:
    rows = [{**row, "loss": math.nan} for row in curves(FALLING, **WELL)]
    found = diagnose(rows, "accuracy", 300, trivial_loss=LN2)
    assert found.verdict == "well_fitted"
    assert "training_loss_fell" not in {rule.name for rule in found.checked}


def test_losses_of_zero_and_one_spike_are_no_error() -> None:
    assert told([0.0] * 7, [0.0] * 6, [0.0] * 6, trivial_loss=LN2).verdict == "well_fitted"
    rows = curves(FALLING, **WELL)
    rows[45] = {**rows[45], "loss": 50.0}
    assert diagnose(rows, "accuracy", 300).verdict == "well_fitted"


def test_only_known_names_are_said_and_all_numbers_can_be_recorded() -> None:
    for losses in ([0.5, 0.4, 0.45, 0.5, 0.55, 0.6], [0.5] * 6, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]):
        for training in (FALLING, [0.7] * 7, [0.7, 0.2, 0.2, 0.2, 0.9, 0.9, 0.9]):
            for scores in ([0.8, 0.9, 0.8, 0.7, 0.6, 0.5], [0.8] * 6, [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]):
                found = told(training, losses, scores, trivial_loss=LN2)
                assert {rule.name for rule in found.checked} <= set(RULES)
                assert set(found.because) <= set(found.checked)
                assert set(found.advice) <= set(ADVICE)
                assert (found.advice == ()) == (found.verdict == "well_fitted" and not found.over_confident)
                values = [*found.numbers.values(), *(rule.value for rule in found.checked)]
                assert all(map(math.isfinite, values))


def test_every_name_of_a_rule_is_used() -> None:
    found = told(FALLING, [0.6, 0.5, 0.4, 0.38, 0.37, 0.39], [*WELL["scores"][:5], 0.95], trivial_loss=1)
    assert {rule.name for rule in found.checked} == set(RULES)


def test_a_training_loss_that_fell_and_climbed_above_where_it_was_did_not_fall_on() -> None:
    training = [0.7, 0.5, 0.3, 0.2, 0.2, 0.5, 0.5]
    found = told(training, [0.5, 0.4, 0.4, 0.5, 0.6, 0.6], [0.7, 0.8, 0.9, 0.9, 0.7, 0.7])
    assert (found.verdict, found.advice[0]) == ("under_fitted", "lower_learning_rate")

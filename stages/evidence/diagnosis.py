"""What the training curves say of a run: fitted well, too much or too little, or not done yet.

Every rule is one number against one threshold, so that a reader can check the verdict on the curves. Training
losses are noisy, a mean over few batches each: they are compared by their medians over parts of the run.
Validation scores differ by chance alone: changes below `tolerance` count as none.

Sources: the loss on unseen rows as the sign of over-fitting, Prechelt, "Early stopping - but when?", Neural
Networks: Tricks of the Trade, 1998; a loss that rises while the errors do not, which is over-confidence, Guo
et al., "On calibration of modern neural networks", ICML 2017.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Literal

from stages.core.tasks import TASK_TYPES, TaskType, greater_is_better

Verdict = Literal["well_fitted", "over_fitted", "under_fitted", "still_learning", "not_told"]

ENOUGH_EVALUATIONS = 3  # with fewer a curve has no shape
LOSS_RISE = 0.1  # of its minimum; below it the validation loss has not risen
LOSS_FALL = 0.05  # of where it was; below it a loss is not falling
LEARNED = 0.1  # of the first training loss; a run whose training loss falls less has learned little
NEAR_TRIVIAL = 0.9  # of the loss of a model that ignores its input; a training loss above it is no better
COLLAPSED = 1.05  # ... and one below it has come to rest there
TRIVIAL = 1.0  # ... and above it a validation loss is worse
SCORE_CHANGE = 0.02  # of the best score; what counts as a change when the score's own error is not known
LEAST_CHANGE = 0.005  # of the best score; what counts as one however many rows there are
OPENING = 0.1  # of the run; a first training loss that was logged later does not tell where the run began
NEGLIGIBLE = 0.05  # of the trivial loss; whether a validation loss below it halves or doubles tells nothing

RULES = (
    "enough_evaluations",
    "validation_loss_rises",
    "training_loss_falls_on",
    "score_drops",
    "worse_than_trivial_loss",
    "score_still_improves",
    "validation_loss_still_falls",
    "near_trivial_loss",
    "training_loss_fell",
    "score_gained",
    "training_loss_rises",
)
ADVICE = (
    "early_stopping",
    "fewer_epochs",
    "more_dropout",
    "more_weight_decay",
    "more_data",
    "more_epochs",
    "more_capacity",
    "raise_learning_rate",
    "lower_learning_rate",
    "label_smoothing",
    "evaluate_more_often",
    "log_more_often",
)


@dataclass(frozen=True)
class Rule:
    """A number measured on the curves, and what it has to exceed for the rule to hold."""

    name: str
    value: float
    threshold: float

    @property
    def holds(self) -> bool:
        """Whether the number exceeds its threshold."""
        return self.value > self.threshold


@dataclass(frozen=True)
class Diagnosis:
    """The verdict, the rules that it rests on, and what to try next.

    `because` lists a rule that did not hold where that decided (a loss that did not fall); `checked` are all
    that could be measured, and `numbers` the levels behind them. `over_confident`: the validation loss rose
    while the score held, so that probabilities have grown too sure but decisions not worse.
    """

    verdict: Verdict
    because: tuple[Rule, ...]
    advice: tuple[str, ...]
    over_confident: bool
    checked: tuple[Rule, ...]
    numbers: dict[str, float]


@dataclass(frozen=True)
class _Curves:
    """Steps and values of the training loss; steps, losses and scores (more is better) of the evaluations."""

    training: list[tuple[float, float]]
    evaluations: list[tuple[float, float, float]]

    @property
    def end(self) -> float:
        return max(step for step, *_ in (*self.training, *self.evaluations))

    def training_between(self, start: float, end: float) -> float:
        """The median training loss logged after step `start` and up to step `end`; NaN where none was."""
        losses = [loss for step, loss in self.training if start < step <= end]
        return median(losses) if losses else math.nan


def diagnose(
    history: Sequence[Mapping[str, float]],
    metric: str,
    best_step: int,
    validation_rows: int | None = None,
    trivial_loss: float | None = None,
    task: TaskType = TASK_TYPES["text-classification"],
    smoothed: bool = False,
) -> Diagnosis:
    """The verdict on a run from `history`, a mapping a step with the columns of reports/history.tsv it has.

    `best_step` is the step whose weights were kept. `validation_rows`, how many there are, sharpens what
    counts as a change of `metric`. `trivial_loss` is the loss of a model that ignores its input
    (stages/evidence/inputs.py). Pass it wherever there is one: the highest loss of the first steps
    stands for it, and a model that collapsed to one answer looks like one that has learned all there is.
    `task` says whether there are probabilities that could be too sure, and whether labels can be smoothed;
    where they are `smoothed`, the training loss has a floor and is not held against the trivial one.
    """
    curves = _curves(history, metric)
    count = Rule("enough_evaluations", len(curves.evaluations), ENOUGH_EVALUATIONS - 1)
    if not count.holds:
        numbers = {"evaluations": count.value}
        return Diagnosis("not_told", (count,), ("evaluate_more_often",), False, (count,), numbers)
    tolerance = _tolerance(curves, validation_rows)
    opening = [loss for step, loss in curves.training if step <= OPENING * curves.end]
    stand_in = max(opening, default=math.nan)
    numbers = {"trivial_loss": trivial_loss or stand_in, **_numbers(curves, best_step, tolerance)}
    known = None if smoothed else trivial_loss
    rules = {rule.name: rule for rule in (count, *_rules(curves, numbers, best_step, known))}
    verdict, names = _verdict(rules)
    over_confident = task.label != "number" and verdict != "over_fitted" and _overtrained(rules)
    if over_confident:
        names = (*names, "validation_loss_rises", "training_loss_falls_on")
    because = tuple(rules[name] for name in dict.fromkeys(names) if name in rules)
    advice = _advice(verdict, rules, numbers)
    if over_confident:
        advice = (*advice, "label_smoothing" if task.softmax and not smoothed else "more_dropout")
    numbers = {name: number for name, number in numbers.items() if not math.isnan(number)}
    if not greater_is_better(metric):
        numbers.update({name: -numbers[name] for name in ("best_score", "first_score", "last_score")})
    return Diagnosis(verdict, because, advice, over_confident, tuple(rules.values()), numbers)


def _curves(history: Sequence[Mapping[str, float]], metric: str) -> _Curves:
    """What can be drawn: rows with a value that is no number are left out."""
    sign = 1 if greater_is_better(metric) else -1
    name = f"eval_{metric}"

    def has(row: Mapping[str, float], *columns: str) -> bool:
        return all(math.isfinite(row.get(column, math.nan)) for column in columns)

    rows = sorted(history, key=lambda row: row["step"])
    return _Curves(
        [(row["step"], row["loss"]) for row in rows if has(row, "loss")],
        [(row["step"], row["eval_loss"], sign * row[name]) for row in rows if has(row, "eval_loss", name)],
    )


def _tolerance(curves: _Curves, validation_rows: int | None) -> float:
    """How far scores have to be apart to count as different.

    For shares (0 to 1) on a known number of rows, the standard error of a proportion. It is more than that of
    a difference on the same rows, and so on the safe side.
    """
    best = max(score for *_, score in curves.evaluations)
    if validation_rows and 0 <= best <= 1:
        return max(LEAST_CHANGE * best, math.sqrt(best * (1 - best) / validation_rows))
    return SCORE_CHANGE * abs(best)


def _numbers(curves: _Curves, best_step: int, tolerance: float) -> dict[str, float]:
    """The levels that rules compare; those at the end are means over the last third, once past the best."""
    late = 2 * curves.end / 3
    low_step, low, _ = min(curves.evaluations, key=lambda evaluation: evaluation[1])
    top_step, _, top = max(curves.evaluations, key=lambda evaluation: (evaluation[2], -evaluation[0]))
    losses = [loss for step, loss, _ in curves.evaluations if step > max(low_step, late)]
    scores = [score for step, _, score in curves.evaluations if step > max(top_step, late)]
    before = [step for step, *_ in curves.evaluations if step < low_step]
    return {
        "evaluations": len(curves.evaluations),
        "best_step": best_step,
        "last_step": curves.end,
        "tolerance": tolerance,
        "lowest_validation_loss": low,
        "lowest_validation_loss_step": low_step,
        "last_validation_loss": fmean(losses) if losses else low,
        "first_score": curves.evaluations[0][2],
        "best_score": top,
        "last_score": fmean(scores) if scores else top,
        "first_training_loss": curves.training_between(0, OPENING * curves.end),
        "early_training_loss": curves.training_between(0, curves.end / 3),
        "middle_training_loss": curves.training_between(curves.end / 3, late),
        "last_training_loss": curves.training_between(late, curves.end),
        "training_loss_at_lowest": curves.training_between(max(before, default=0), low_step),
        "training_loss_since_lowest": curves.training_between(max(low_step, late), curves.end),
    }


def _rules(
    curves: _Curves, numbers: Mapping[str, float], best_step: int, trivial_loss: float | None
) -> list[Rule]:
    """Every rule that could be measured."""
    tolerance, top, low = (numbers[n] for n in ("tolerance", "best_score", "lowest_validation_loss"))
    end, at = numbers["last_validation_loss"], numbers["training_loss_at_lowest"]
    first, last = numbers["first_training_loss"], numbers["last_training_loss"]
    early, middle = numbers["early_training_loss"], numbers["middle_training_loss"]
    trivial = numbers["trivial_loss"]
    floor = 0.0 if math.isnan(trivial) else NEGLIGIBLE * trivial
    rules = [
        Rule("validation_loss_rises", _share(end - low, max(low, floor)), LOSS_RISE),
        Rule("training_loss_falls_on", _share(at - numbers["training_loss_since_lowest"], at), LOSS_FALL),
        Rule("score_drops", top - numbers["last_score"], tolerance),
        Rule("worse_than_trivial_loss", _share(end, trivial), TRIVIAL),
        *_improvements(curves, best_step, tolerance, floor),
        Rule("near_trivial_loss", _share(last, trivial_loss or math.nan), NEAR_TRIVIAL),
        Rule("training_loss_fell", _share(first - last, first), LEARNED),
        Rule("score_gained", top - numbers["first_score"], tolerance),
        Rule("training_loss_rises", _share(last - min(early, middle), early), LOSS_RISE),
    ]
    return [rule for rule in rules if not math.isnan(rule.value)]


def _improvements(curves: _Curves, best_step: int, tolerance: float, floor: float) -> list[Rule]:
    """How much better the last evaluation is than the one at the last third's start, if it is the best."""
    last_step, loss, score = curves.evaluations[-1]
    if best_step < last_step:
        return []
    earlier = [found for found in curves.evaluations if found[0] <= 2 * last_step / 3]
    _, loss_then, score_then = earlier[-1] if earlier else curves.evaluations[0]
    fall = _share(loss_then - loss, max(loss_then, floor))
    return [
        Rule("score_still_improves", score - score_then, tolerance),
        Rule("validation_loss_still_falls", fall, LOSS_FALL),
    ]


def _share(part: float, whole: float) -> float:
    return part / max(abs(whole), 1e-9)


def _holds(rules: Mapping[str, Rule], name: str) -> bool:
    return name in rules and rules[name].holds


def _overtrained(rules: Mapping[str, Rule]) -> bool:
    return _holds(rules, "validation_loss_rises") and _holds(rules, "training_loss_falls_on")


def _verdict(rules: Mapping[str, Rule]) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict and the names of the rules that decided it; the first that applies."""
    harmed = [n for n in ("score_drops", "worse_than_trivial_loss") if _holds(rules, n)]
    if _overtrained(rules) and harmed:
        return "over_fitted", ("validation_loss_rises", "training_loss_falls_on", *harmed)
    improving = [n for n in ("score_still_improves", "validation_loss_still_falls") if _holds(rules, n)]
    if improving:
        return "still_learning", tuple(improving)
    if _holds(rules, "near_trivial_loss"):
        return "under_fitted", ("near_trivial_loss",)
    if _holds(rules, "training_loss_rises") and rules["score_drops"].holds:
        return "under_fitted", ("training_loss_rises", "score_drops")
    moved = tuple(n for n in ("training_loss_fell", "score_gained") if _holds(rules, n))
    if moved or "near_trivial_loss" in rules:
        return "well_fitted", moved or ("near_trivial_loss",)
    if "training_loss_fell" in rules:
        return "under_fitted", ("training_loss_fell", "score_gained")
    return "not_told", ("score_gained",)


def _advice(verdict: Verdict, rules: Mapping[str, Rule], numbers: Mapping[str, float]) -> tuple[str, ...]:
    """What to try, the likeliest to help first."""
    advice: list[str] = []
    if verdict == "over_fitted":
        advice = ["early_stopping", "fewer_epochs", "more_dropout", "more_weight_decay", "more_data"]
        if numbers["lowest_validation_loss_step"] <= numbers["last_step"] / 3:
            advice.insert(2, "lower_learning_rate")
    elif verdict == "still_learning":
        advice = ["more_epochs", *(["raise_learning_rate"] if _holds(rules, "near_trivial_loss") else [])]
    elif verdict == "under_fitted" and (_holds(rules, "training_loss_rises") or _collapsed(rules)):
        advice = ["lower_learning_rate", "more_capacity"]
    elif verdict == "under_fitted":
        advice = ["raise_learning_rate", "more_epochs", "more_capacity"]
    elif verdict == "not_told":
        advice = ["log_more_often"]
    return tuple(advice)


def _collapsed(rules: Mapping[str, Rule]) -> bool:
    """Whether the training loss fell, and came to rest where one answer to everything leaves it."""
    settled = "near_trivial_loss" in rules and rules["near_trivial_loss"].value <= COLLAPSED
    return settled and _holds(rules, "training_loss_fell")

"""From predictions to the record: scores with intervals, comparisons with the baselines, the lines printed.

Nothing here needs the model, so that scores can be computed again from published predictions.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.tasks import TASK_TYPES, greater_is_better
from stages.evidence.diagnosis import Diagnosis
from stages.evidence.resampling import resampled
from stages.evidence.statistics import Bootstrap, Floats, compare, mcnemar
from stages.tasks import metrics, tag_metrics, text_metrics
from stages.tasks.entity_tags import are_entities
from stages.tasks.rows import Rows
from stages.tasks.table import TASKS

MODEL = "this model"

Details = Callable[[Sequence[Record], Sequence[Any], Sequence[str]], Record]


@dataclass(frozen=True)
class _Scored:
    """A model's predictions, its scores on all rows with their intervals, and on each resample."""

    predicted: Sequence[Record]
    scores: Record
    samples: Mapping[str, Floats]


def same_labels(model: Sequence[str], prepared: Sequence[str]) -> None:
    """Raise PipelineError when the model's outputs are not the prepared labels, in that order."""
    if list(model) != list(prepared):
        raise PipelineError(
            f"the saved model's labels {list(model)} are not the prepared ones {list(prepared)}:"
            " run `dvc repro train`"
        )


def judge(
    task_type: str,
    predicted: Sequence[Record],
    baselines: Mapping[str, Sequence[Record]],
    references: Sequence[Any],
    labels: Sequence[str],
    metric: str,
    bootstrap: Bootstrap,
) -> Record:
    """What the record says of the model and, on the same rows, of each baseline; rounded to 6 decimals.

    Predictions are rounded before they are scored: what is scored is what is published. Raises PipelineError
    when these labels have no `metric`.
    """
    kind = TASK_TYPES[task_type].label
    rounded = _rounded(list(predicted))
    own = _scored(task_type, rounded, references, labels, bootstrap)
    if metric not in own.scores:
        names = ", ".join(own.scores)
        raise PipelineError(f"task.metric: {metric} does not exist for these labels: choose one of {names}")
    compared = {}
    for name, said in baselines.items():
        its = _scored(task_type, _rounded(list(said)), references, labels, bootstrap)
        compared[name] = {
            "metrics": its.scores,
            "comparison": _comparison(own, its, references, metric, bootstrap, _RIGHT.get(kind)),
        }
    details: Record = _rounded(DETAILS[kind](rounded, references, labels))
    return {"metrics": own.scores, **details, "baselines": compared}


def loss_of(found: Record, baseline: str) -> float | None:
    """The loss of a baseline, where it was scored and has one."""
    scores = found["baselines"].get(baseline, {"metrics": {}})["metrics"]
    return float(scores["loss"]["value"]) if "loss" in scores else None


def _scored(
    task_type: str,
    predicted: Sequence[Record],
    references: Sequence[Any],
    labels: Sequence[str],
    bootstrap: Bootstrap,
) -> _Scored:
    values = TASKS[task_type].score(predicted, references, labels)
    samples = resampled(task_type, predicted, references, labels, bootstrap)
    scores = {}
    for name, value in values.items():
        low, high = bootstrap.interval(samples[name])
        scores[name] = {"value": value, "low": low, "high": high, "n": len(references)}
    return _Scored(predicted, _rounded(scores), samples)


def _comparison(
    own: _Scored,
    its: _Scored,
    references: Sequence[Any],
    metric: str,
    bootstrap: Bootstrap,
    right: Callable[[Any, Any], bool] | None,
) -> Record:
    values = own.scores[metric]["value"], its.scores[metric]["value"]
    compared = compare(metric, own.samples[metric], its.samples[metric], values, bootstrap)
    found = {**asdict(compared), "verdict": compared.verdict}
    if right:
        hits = (
            [right(record["predicted"], true) for record, true in zip(of.predicted, references, strict=True)]
            for of in (own, its)
        )
        found["mcnemar"] = asdict(mcnemar(*hits))
    rounded: Record = _rounded(found)
    return rounded


def _of_class(predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]) -> Record:
    said = [record["predicted"] for record in predicted]
    return {
        "per_class": metrics.per_class(said, references, labels),
        "confusion": metrics.confusion(said, references, labels),
    }


def _of_classes(predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]) -> Record:
    said = [record["predicted"] for record in predicted]
    return {"per_label": metrics.per_label(said, references, labels)}


def _of_tags(predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]) -> Record:
    said = [record["predicted"] for record in predicted]
    if are_entities(labels):
        return {"per_entity": tag_metrics.per_entity(said, references, labels)}
    return {"per_class": metrics.per_class(*tag_metrics.words(said, references), labels)}


# What the record says besides, and of which kinds of label a row is right or wrong as a whole.
DETAILS: dict[str, Details] = {
    "class": _of_class,
    "classes": _of_classes,
    "number": lambda predicted, references, labels: {},
    "tags": _of_tags,
    "text": lambda predicted, references, labels: {"signatures": text_metrics.signatures()},
    "none": lambda predicted, references, labels: {"tokens": sum(record["tokens"] for record in predicted)},
}
_RIGHT: dict[str, Callable[[Any, Any], bool]] = {
    "class": lambda said, true: bool(said == true),
    "classes": lambda said, true: set(said) == set(true),
}


def _rounded(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _rounded(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_rounded(value) for value in node]
    return round(node, 6) if isinstance(node, float) else node


def prediction_lines(rows: Rows, predicted: Sequence[Record]) -> Iterator[Record]:
    """One object a row, in their order: id, true label, and what is predicted, rounded to 6 decimals."""
    for id_, label, record in zip(rows.ids, rows.labels, predicted, strict=True):
        yield {"id": id_, "label": label, **_rounded(record)}


def described(diagnosis: Diagnosis) -> Record:
    """What the record says of the training curves."""
    found: Record = _rounded(
        {
            "verdict": diagnosis.verdict,
            "because": [asdict(rule) | {"holds": rule.holds} for rule in diagnosis.because],
            "over_confident": diagnosis.over_confident,
            "advice": list(diagnosis.advice),
        }
    )
    return found


def ranked(found: Record, metric: str) -> dict[str, Record]:
    """The scores by `metric`: the model's first, then the baselines' from the best down."""
    sign = -1 if greater_is_better(metric) else 1
    baselines = {name: baseline["metrics"][metric] for name, baseline in found["baselines"].items()}
    by_score = sorted(baselines, key=lambda name: (sign * baselines[name]["value"], name))
    return {MODEL: found["metrics"][metric], **{name: baselines[name] for name in by_score}}


def rungs(ranking: Mapping[str, Record], train: Record, facts: Mapping[str, Record]) -> dict[str, Record]:
    """`ranked` scores with what each model cost: `parameters`, and `operations` where they were counted."""
    costs = {MODEL: {"parameters": train["parameters"]["total"], "operations": train["operations"]}, **facts}
    columns = ("parameters", "operations")
    return {name: {**scored, **{c: costs[name].get(c) for c in columns}} for name, scored in ranking.items()}


def table(found: Record, metric: str) -> str:
    """What the stage prints: a line a model, with its score, its interval and the verdict against it."""
    lines = [("", metric, "interval", "model against it")]
    for name, scored in ranked(found, metric).items():
        interval = f"[{_shown(scored['low'])}, {_shown(scored['high'])}]"
        verdict = "" if name == MODEL else found["baselines"][name]["comparison"]["verdict"]
        lines.append((name, _shown(scored["value"]), interval, verdict))
    names, values, intervals, _ = (max(map(len, column)) for column in zip(*lines, strict=True))
    wide = max(28, names), max(12, values + 1), max(17, intervals + 1)
    return "\n".join(
        f"  {name:{wide[0]}}{value:>{wide[1]}}   {interval:{wide[2]}}{verdict}".rstrip()
        for name, value, interval, verdict in lines
    )


def _shown(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1e6 else f"{value:.4g}"

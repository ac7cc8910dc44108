"""From predictions to the record: scores with intervals, comparisons with the baselines, the lines printed.

Nothing here needs the model: all of it can be worked out again from published predictions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.tasks import TASK_TYPES, greater_is_better
from stages.evidence.calibration import calibrate
from stages.evidence.diagnosis import Diagnosis
from stages.evidence.mistakes import mistakes
from stages.evidence.published import Predictions, rounded
from stages.evidence.resampling import resampled
from stages.evidence.slices import slices
from stages.evidence.statistics import Bootstrap, Floats, centred, compare, mcnemar
from stages.tasks import metrics, tag_metrics, text_metrics
from stages.tasks.entity_tags import are_entities

MODEL = "this model"
# The scores that are the share of rows that are right, of the kinds of label that have such.
_MACRO = "f1_macro"
_SHARES_OF_ROWS = ("accuracy", "exact_match")

Details = Callable[[Sequence[Record], Sequence[Any], Sequence[str]], Record]


@dataclass(frozen=True)
class _Scored:
    """A model's predictions, its scores on all rows with their intervals, and on each resample."""

    predicted: Sequence[Record]
    scores: Record
    samples: Mapping[str, Floats]


@dataclass(frozen=True)
class Setting:
    """How predictions are scored. `temperature` is what probabilities are divided by to be calibrated."""

    task_type: str
    labels: Sequence[str]
    metric: str
    bootstrap: Bootstrap
    temperature: float | None = None

    @property
    def kind(self) -> str:
        """What the label of a row is."""
        return TASK_TYPES[self.task_type].label


def judge(said: Predictions, setting: Setting) -> Record:
    """What the record says of the model and, on the same rows, of all that it is compared with.

    Raises PipelineError when these labels have no such metric.
    """
    own = _scored(said.model, said.references, setting)
    if setting.metric not in own.scores:
        names = ", ".join(own.scores)
        raise PipelineError(
            f"task.metric: {setting.metric} does not exist for these labels: choose one of {names}"
        )

    def against(predicted: Sequence[Record]) -> Record:
        its = _scored(predicted, said.references, setting)
        return {"metrics": its.scores, "comparison": _comparison(own, its, said.references, setting)}

    found: Record = {"metrics": own.scores, "baselines": {n: against(p) for n, p in said.baselines.items()}}
    if said.stressed:
        found["stressed"] = {name: against(predicted) for name, predicted in said.stressed.items()}
    if said.previous:
        found["previous"] = against(said.previous)
    found |= rounded(_looked_into(said, setting))
    return found


def _looked_into(said: Predictions, setting: Setting) -> Record:
    """Beyond the scores: by class, how sure the model is, where it errs, and its worst mistakes."""
    kind, labels, bootstrap = setting.kind, setting.labels, setting.bootstrap
    found = DETAILS[kind](said.model, said.references, labels)
    columns = {"label": said.references} if kind == "class" else {}
    columns |= dict(sorted(said.slices.items()))  # in the order that a file of predictions has them
    found["slices"] = slices(setting.task_type, said.model, said.references, labels, columns, bootstrap)
    if calibration := calibrate(kind, said.model, said.references, labels, bootstrap, setting.temperature):
        found |= {"calibration": calibration, "temperature": setting.temperature}
    if worst := mistakes(kind, said.ids, said.model, said.references, labels):
        found["mistakes"] = worst
    return found


def loss_of(found: Record, baseline: str) -> float | None:
    """The loss of a baseline, where it was scored and has one."""
    scores = found["baselines"].get(baseline, {"metrics": {}})["metrics"]
    return float(scores["loss"]["value"]) if "loss" in scores else None


def _scored(predicted: Sequence[Record], references: Sequence[Any], setting: Setting) -> _Scored:
    bootstrap = setting.bootstrap
    found = resampled(setting.task_type, predicted, references, setting.labels, bootstrap)
    scores, samples = {}, {}
    for name, value in found.values.items():
        samples[name] = centred(found.samples[name], value) if name == _MACRO else found.samples[name]
        low, high = bootstrap.interval(samples[name])
        scores[name] = {"value": value, "low": low, "high": high, "n": len(references)}
    return _Scored(predicted, rounded(scores), samples)


def _comparison(own: _Scored, its: _Scored, references: Sequence[Any], setting: Setting) -> Record:
    metric, bootstrap = setting.metric, setting.bootstrap
    values = own.scores[metric]["value"], its.scores[metric]["value"]
    samples, rows = (own.samples[metric], its.samples[metric]), len(references)
    tested: Record = {}
    if right := _RIGHT.get(setting.kind):
        hits = (
            [right(record["predicted"], true) for record, true in zip(of.predicted, references, strict=True)]
            for of in (own, its)
        )
        tested = asdict(mcnemar(*hits))
        differ = tested["only_model"] + tested["only_baseline"]
    else:
        differ = sum(_differ(*both) for both in zip(own.predicted, its.predicted, strict=True))
    compared = compare(metric, *samples, values, bootstrap, rows, differ)
    verdict = compared.verdict
    decided = verdict in ("better", "worse")
    if decided and metric in _SHARES_OF_ROWS and tested and tested["p"] > 1 - bootstrap.confidence:
        verdict = "inconclusive"  # the exact test is about this very score
    found: Record = rounded({**asdict(compared), "verdict": verdict})
    return found | ({"mcnemar": rounded(tested)} if tested else {})


def _differ(one: Record, other: Record) -> bool:
    """Whether two predictions of a row are not the same, probabilities aside."""
    return any(one[key] != other[key] for key in one.keys() & other.keys() - {"probabilities"})


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


def described(diagnosis: Diagnosis) -> Record:
    """What the record says of the training curves."""
    found: Record = rounded(
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

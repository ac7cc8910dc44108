"""From predictions to the record: scores with intervals, comparisons with the baselines, the lines printed.

Nothing here needs the model, so that scores can be computed again from published predictions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.evidence.statistics import Bootstrap, Floats, compare, mcnemar, resampled
from stages.tasks import metrics
from stages.tasks.rows import Rows

MODEL = "this model"


def same_labels(model: Sequence[str], prepared: Sequence[str]) -> None:
    """Raise PipelineError when the model's outputs are not the prepared labels, in that order."""
    if list(model) != list(prepared):
        raise PipelineError(
            f"the saved model's labels {list(model)} are not the prepared ones {list(prepared)}:"
            " run `dvc repro train`"
        )


def judge(
    predicted: Sequence[int],
    baselines: Mapping[str, Sequence[int]],
    references: Sequence[int],
    labels: Sequence[str],
    metric: str,
    bootstrap: Bootstrap,
) -> Record:
    """What the record says of the model and, on the same rows, of each baseline; rounded to 6 decimals."""
    samples = resampled(predicted, references, len(labels), bootstrap)
    own = _with_intervals(predicted, references, labels, samples, bootstrap)
    return {
        "metrics": own,
        "per_class": _rounded(metrics.per_class(predicted, references, labels)),
        "confusion": metrics.confusion(predicted, references, labels),
        "baselines": {
            name: _baseline(predicted, own, samples, said, references, labels, metric, bootstrap)
            for name, said in baselines.items()
        },
    }


def _baseline(
    predicted: Sequence[int],
    own: Record,
    samples: Mapping[str, Floats],
    said: Sequence[int],
    references: Sequence[int],
    labels: Sequence[str],
    metric: str,
    bootstrap: Bootstrap,
) -> Record:
    its_samples = resampled(said, references, len(labels), bootstrap)
    its = _with_intervals(said, references, labels, its_samples, bootstrap)
    difference = own[metric]["value"] - its[metric]["value"]
    compared = compare(samples[metric], its_samples[metric], difference, bootstrap)
    comparison = {
        "metric": metric,
        **asdict(compared),
        "mcnemar": asdict(mcnemar(predicted, said, references)),
        "verdict": compared.verdict,
    }
    return {"metrics": its, "comparison": _rounded(comparison)}


def _with_intervals(
    predicted: Sequence[int],
    references: Sequence[int],
    labels: Sequence[str],
    samples: Mapping[str, Floats],
    bootstrap: Bootstrap,
) -> Record:
    values = metrics.score(predicted, references, labels)
    found = {}
    for name, value in values.items():
        low, high = bootstrap.interval(samples[name])
        found[name] = {"value": value, "low": low, "high": high, "n": len(references)}
    rounded: Record = _rounded(found)
    return rounded


def _rounded(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _rounded(value) for key, value in node.items()}
    return round(node, 6) if isinstance(node, float) else node


def prediction_lines(
    rows: Rows, labels: Sequence[str], probabilities: NDArray[np.float64]
) -> Iterator[Record]:
    """One object a row, in their order: id, true label, predicted label, probability of every label."""
    for id_, label, shares in zip(rows.ids, rows.labels, probabilities, strict=True):
        yield {
            "id": id_,
            "label": label,
            "predicted": labels[int(shares.argmax())],
            "probabilities": [round(float(share), 6) for share in shares],
        }


def ranked(found: Record, metric: str) -> dict[str, Record]:
    """The scores by `metric`: the model's first, then the baselines' from the best down."""
    baselines = {name: baseline["metrics"][metric] for name, baseline in found["baselines"].items()}
    by_score = sorted(baselines, key=lambda name: (-baselines[name]["value"], name))
    return {MODEL: found["metrics"][metric], **{name: baselines[name] for name in by_score}}


def table(found: Record, metric: str) -> str:
    """What the stage prints: a line a model, with its score, its interval and the verdict against it."""
    lines = [f"  {'':28}{metric:>12}   interval         model against it"]
    for name, scored in ranked(found, metric).items():
        interval = f"[{scored['low']:.3f}, {scored['high']:.3f}]"
        verdict = "" if name == MODEL else found["baselines"][name]["comparison"]["verdict"]
        lines.append(f"  {name:28}{scored['value']:12.3f}   {interval:17}{verdict}".rstrip())
    return "\n".join(lines)

"""Every score of a release again, from its published predictions and without its model.

A release holds reports/predictions.jsonl and reports/eval.json. The second says how the scores were made
(metric, labels, resamples, seed); from the first they have to come out again.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.files import sha256
from stages.core.records import Record
from stages.evidence import published, scoring
from stages.evidence.statistics import Bootstrap

_TOLERANCE = (
    2e-6  # records have 6 decimals, and another machine's arithmetic may round the last one otherwise
)
_SHOWN = 10
# What of the record does not follow from predictions.
_GIVEN = {
    "bootstrap",
    "code",
    "diagnosis",
    "labels",
    "metric",
    "model",
    "outputs",
    "predictions",
    "release",
    "task",
    "temperature",
    "test",
}


def recompute(predictions: Path, report: Path) -> tuple[Record, str, int]:
    """The scores, the main metric, and how many numbers of the record they confirm.

    Raises PipelineError that names what does not come out again, or what is not there to do it with.
    """
    said = published.read(predictions)
    try:
        evaluation = records.parse(report.read_bytes())
        if sha256(predictions) != evaluation["predictions"]["sha256"]:
            raise PipelineError(f"{predictions} is not the file that {report} was worked out from")
        if evaluation["test"]["rows"] != len(said.ids):
            raise PipelineError(f"{report}: /test/rows is not the {len(said.ids)} rows of {predictions}")
        drawn = {key: evaluation["bootstrap"][key] for key in ("resamples", "confidence", "seed")}
        task, labels, metric = (evaluation[key] for key in ("task", "labels", "metric"))
        setting = scoring.Setting(task, labels, metric, Bootstrap(**drawn), evaluation.get("temperature"))
        found = scoring.judge(said, setting)
    except FileNotFoundError:
        raise PipelineError(f"{report} is missing: name the folder of a whole release") from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise PipelineError(f"{report}: does not say how to score again ({error!r:.100})") from None
    derived = sorted(found.keys() | (evaluation.keys() - _GIVEN))
    wrong = [line for key in derived for line in differences(found.get(key), evaluation.get(key), f"/{key}")]
    if wrong:
        more = [f"and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
        raise PipelineError("\n".join([f"{report}: {line}" for line in wrong[:_SHOWN]] + more))
    return found, setting.metric, sum(1 for key in found for _ in _numbers(found[key]))


def differences(found: Any, recorded: Any, at: str) -> Iterator[str]:
    """A line for each value that the record has otherwise; `at` is its JSON pointer (RFC 6901)."""
    if isinstance(found, dict) and isinstance(recorded, dict):
        for key in sorted(found.keys() | recorded.keys()):
            yield from differences(found.get(key), recorded.get(key), f"{at}/{_escaped(key)}")
    elif isinstance(found, list) and isinstance(recorded, list) and len(found) == len(recorded):
        for place, (one, other) in enumerate(zip(found, recorded, strict=True)):
            yield from differences(one, other, f"{at}/{place}")
    elif not _alike(found, recorded):
        yield f"{at} is {recorded!r:.80}, and the predictions give {found!r:.80}"


def _alike(found: Any, recorded: Any) -> bool:
    numbers = [isinstance(x, int | float) and not isinstance(x, bool) for x in (found, recorded)]
    if all(numbers):
        return math.isclose(found, recorded, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    return bool(found == recorded)


def _numbers(node: Any) -> Iterator[float]:
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _numbers(item)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield node


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")

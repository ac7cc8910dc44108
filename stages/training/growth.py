"""The score by the number of training rows: fine-tunings on growing parts, and a power law through them."""

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.tasks import PERCENTAGES, greater_is_better
from stages.tasks import inference
from stages.tasks.rows import Rows
from stages.training import fine_tuning, power_law
from stages.training.fine_tuning import FineTuning

_POINTS = 33  # of the line that is drawn through the sizes, and on to twice the largest
_RESAMPLES = 1000


def sizes(shares: Sequence[float], rows: int) -> list[int]:
    """How many rows each share is. Raises PipelineError when shares come out as equally many, or none."""
    found = [round(share * rows) for share in shares]
    if len(set(found)) < len(found) or min(found) < 1:
        raise PipelineError(
            f"params.yaml: curve.shares: of {rows} training rows these are {', '.join(map(str, found))}:"
            " name shares that differ by a row or more"
        )
    return found


def order(ids: Sequence[str], seed: int) -> list[int]:
    """The places of rows in an order that `seed` draws: its beginnings are the parts, each in the next."""

    def drawn(place: int) -> bytes:
        return hashlib.sha256(f"{seed} {ids[place]}".encode()).digest()

    return sorted(range(len(ids)), key=drawn)


def for_part(train: Mapping[str, Any], largest: Record) -> dict[str, Any]:
    """The hyperparameters for a smaller part: as many steps as the `largest` one, evaluated at the same ones,
    and none of its few rows dropped.

    So that only the rows differ. With as many epochs instead, small parts would be trained so briefly that
    the curve would tell of that (Mosbach et al., "On the stability of fine-tuning BERT", ICLR 2021).
    """
    own = {"max_steps": largest["steps"], "dataloader_drop_last": False}
    if train["eval_strategy"] == "epoch":
        per_epoch = largest["steps_per_epoch"]
        own |= {"eval_strategy": "steps", "eval_steps": per_epoch}
        own |= {"eval_delay": train["eval_delay"] * per_epoch} if "eval_delay" in train else {}
    return {**train, **own}


def measure(
    chosen: FineTuning, rows: Mapping[str, Rows], shares: Sequence[float], seeds: Sequence[int], folder: Path
) -> Iterator[Record]:
    """Train on each share of the training rows with each seed, and yield how each did: `rows`, `seed`, and
    the metric on the rows `validation` and `training` (as many as there are of validation, at most).

    The largest share comes first: it says how many steps the others make. What is done is kept in `folder`
    and not done again.
    """
    counts = sorted(sizes(shares, len(rows["train"])), reverse=True)
    largest: Record | None = None
    for seed in seeds:
        shuffled = order(rows["train"].ids, seed)
        for count in counts:
            done = folder / f"{seed}-{count}.json"
            if not done.exists():
                train = for_part(chosen.train, largest) if largest else chosen.train
                tuning = replace(chosen, train=train)
                records.write(done, _point(tuning, rows, shuffled[:count], seed, folder))
            point = records.read(done, "curve")
            largest = largest or point
            yield point


def _point(
    chosen: FineTuning, rows: Mapping[str, Rows], part: Sequence[int], seed: int, folder: Path
) -> Record:
    """One training, on the rows at `part`: in the order that the split has them in, as train does."""
    data = {"train": rows["train"].take(sorted(part)), "validation": rows["validation"]}
    checkpoints = folder / f"{seed}-{len(part)}"
    model, state = fine_tuning.fit(chosen, data, seed, checkpoints)
    found = _scores(chosen, model, rows["validation"], rows["train"].take(part[: len(rows["validation"])]))
    shutil.rmtree(checkpoints)
    per_epoch = max(1, round(state.global_step / float(state.epoch or 1)))
    return {"rows": len(part), "seed": seed, "steps": state.max_steps, "steps_per_epoch": per_epoch, **found}


def _scores(chosen: FineTuning, model: Any, validation: Rows, training: Rows) -> Record:
    """The metric on both; where labels have thresholds, those that suit the validation rows."""
    task, settings, labels = chosen.task, chosen.settings, chosen.settings.labels or []

    def say(rows: Rows) -> list[Record]:
        return inference.predictions(model, chosen.tokenizer, rows, task, settings)

    def score(said: list[Record], rows: Rows) -> float:
        found = task.score(inference.decide(said, labels, thresholds), rows.labels, labels)
        return round(found[settings.metric], 6)

    said = say(validation)
    thresholds = inference.tuned(task, settings, said, validation.labels)
    return {"validation": score(said, validation), "training": score(say(training), training)}


def summary(points: Sequence[Record], metric: str, seed: int) -> Record:
    """The points by size, the power law through their errors, and what it expects of twice the rows.

    The error is what is missing to `best` (1, or 100 for percentages), or the score itself where less is
    better. `law` holds a, b and c of stages/training/power_law.py; `line` and `twice` are scores again, with
    their intervals.
    """
    counts = sorted({point["rows"] for point in points})
    by_size = [
        {
            "rows": count,
            "training": [p["training"] for p in points if p["rows"] == count],
            "validation": [p["validation"] for p in points if p["rows"] == count],
        }
        for count in counts
    ]
    best = None if not greater_is_better(metric) else 100.0 if metric in PERCENTAGES else 1.0
    errors = [[v if best is None else best - v for v in size["validation"]] for size in by_size]
    law = power_law.fit(counts, errors, seed, _RESAMPLES)

    def score(estimate: power_law.Estimate, best: float | None) -> Record:
        value, low, high = estimate if best is None else (best - estimate[i] for i in (0, 2, 1))
        return {"value": round(value, 6), "low": round(low, 6), "high": round(high, 6)}

    along = np.geomspace(counts[0], 2 * counts[-1], _POINTS)
    twice = 2 * counts[-1]
    return {
        "points": by_size,
        "law": {name: float(f"{getattr(law, name):.6g}") for name in ("a", "b", "c")}
        | {
            "best": best,
            "informative": law.informative,
            "confidence": law.confidence,
            "resamples": _RESAMPLES,
        },
        "line": [{"rows": round(float(n), 3), **score(law.predict(float(n)), best)} for n in along],
        "twice": {
            "rows": twice,
            **score(law.predict(twice), best),
            "change": score(law.doubling(), None if best is None else 0.0),
        },
    }

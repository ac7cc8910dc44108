"""The score by the number of training rows: fine-tunings on growing parts, and a power law through them."""

import hashlib
import math
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


def for_part(train: Mapping[str, Any], share: float) -> dict[str, Any]:
    """The hyperparameters for a part of the rows: an evaluation falls due after each epoch, however short
    it is, and as large a part of the steps is warm-up as it is with all rows."""
    changed = {name: value for name, value in train.items() if name not in ("eval_steps", "eval_delay")}
    warmup = changed.get("warmup_steps", 0)
    if warmup >= 1 and changed.get("max_steps", 0) <= 0:
        changed["warmup_steps"] = math.ceil(warmup * share)
    return changed | {"eval_strategy": "epoch"}


def measure(
    chosen: FineTuning, rows: Mapping[str, Rows], shares: Sequence[float], seeds: Sequence[int], folder: Path
) -> Iterator[Record]:
    """Train on each share of the training rows with each seed, and yield how each did: `rows`, `seed`, and
    the metric on the rows `validation` and `training` (as many as there are of validation, at most).

    What is done is kept in `folder` and not done again.
    """
    for seed in seeds:
        shuffled = order(rows["train"].ids, seed)
        for share, size in zip(shares, sizes(shares, len(shuffled)), strict=True):
            part = rows["train"].take(sorted(shuffled[:size]))
            name = f"{seed}-{size}"
            done = folder / f"{name}.json"
            if not done.exists():
                tuning = replace(chosen, train=for_part(chosen.train, share))
                data = {"train": part, "validation": rows["validation"]}
                model, _ = fine_tuning.fit(tuning, data, seed, folder / name)
                some = rows["train"].take(shuffled[: min(size, len(rows["validation"]))])
                asked = {"validation": rows["validation"], "training": some}
                found = {split: _score(chosen, model, these) for split, these in asked.items()}
                records.write(done, {"rows": size, "seed": seed, **found})
                shutil.rmtree(folder / name)
            yield records.read(done, "curve")


def _score(chosen: FineTuning, model: Any, rows: Rows) -> float:
    settings = chosen.settings
    found = inference.predictions(model, chosen.tokenizer, rows, chosen.task, settings)
    return round(chosen.task.score(found, rows.labels, settings.labels or [])[settings.metric], 6)


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

"""Climb the ladder: train simpler models on the training rows and let them predict the test rows.

Reads   data/prepared, models/base; params: seed task baselines compute
Writes  models/baselines/NAME.jsonl, reports/baselines.json
Run     dvc repro baselines   (or: python -m stages.baselines)
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stages.core import records
from stages.core.closure import code_digest
from stages.core.files import digest, folder_digests, new_folder, sha256
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params

if TYPE_CHECKING:
    from stages.training.ladder import Start


def baselines(params: Params, layout: Layout) -> None:
    """Fit, predict, record; scoring is evaluate's, on the same rows as the model's."""
    import torch
    from threadpoolctl import threadpool_limits

    from stages.tasks.rows import read_rows
    from stages.training import environment, ladder

    torch.set_num_threads(params.compute.threads)
    labels = records.read(layout.prepared_manifest, "prepare")["labels"]
    settings = params.task.model_copy(update={"labels": labels})
    splits = ("train", "validation", "test")
    precision = environment.precision(params.compute.precision)
    start = ladder.Start(
        rows={split: read_rows(layout.split(split)) for split in splits},
        settings=settings,
        baselines=params.baselines,
        base=layout.base,
        precision=precision,
        seed=params.seed,
        checkpoints=layout.baseline_checkpoints,
        runtime=params.runtime,
        decides={
            "task": settings.described(),
            "baselines": params.baselines.model_dump(),
            "base": digest(folder_digests(layout.base)),
            "seed": params.seed,
            "threads": params.compute.threads,
            "precision": precision,
            "data": {split: sha256(layout.split(split)) for split in splits},
            "environment": environment.describe(),
            "code": code_digest("baselines", layout.root),
        },
    )
    chosen = params.baselines.models
    with new_folder(layout.baselines) as work, threadpool_limits(params.compute.threads):
        facts = _climbed(params.task.kind.quick_rungs if chosen is None else chosen, start, work)
    records.write_report(
        layout.baselines_report,
        {
            "models": facts,
            "test": {"rows": len(start.rows["test"]), "sha256": sha256(layout.split("test"))},
            "code": code_digest("baselines", layout.root),
        },
    )


def _climbed(rungs: Sequence[str], start: "Start", work: Path) -> records.Record:
    """What each rung says of the test rows, into the folder `work`; the facts of each that could say it."""
    from stages.training import ladder

    facts = {}
    for name in rungs:
        started = time.monotonic()
        fitted = ladder.climb(name, start)
        if fitted is None:
            say("baselines", f"{name}: left out, it cannot do the task before it is fine-tuned")
            continue
        facts[name] = fitted.facts
        lines = zip(start.rows["test"].ids, fitted.predicted, strict=True)
        records.write_lines(work / f"{name}.jsonl", ({"id": id_, **said} for id_, said in lines))
        say("baselines", f"{name}: {fitted.facts['description']}, {time.monotonic() - started:.1f} s")
    return facts


if __name__ == "__main__":
    run(baselines)

"""Measure how fast the saved model answers on this machine, and what it takes to run it.

The model is loaded from models/trained, as evaluate does, and put on a GPU if there is one. No two runs give
the same numbers, so that no stage declares what this writes; the card shows it while it is about its model.

Reads   models/trained, models/base, data/prepared, reports/train.json; params: compute
Writes  reports/measured/speed.json
Run     make speed   (or: python -m stages.speed)
"""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from stages.core import records
from stages.core.closure import code_digest
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params
from stages.evidence.inputs import check

if TYPE_CHECKING:
    from stages.tasks.timing import Timing


def speed(params: Params, layout: Layout) -> None:
    """Check that everything belongs together, measure, record."""
    train = records.read(layout.train_report, "train")
    check(layout, records.read(layout.prepared_manifest, "prepare"), train)
    found = _measured(layout, train, params.compute.threads)
    records.write(layout.speed_report, found)
    _tell(found)


def _measured(layout: Layout, train: records.Record, threads: int) -> records.Record:
    """Load the model and time it."""
    import torch

    from stages.core.task_section import Task as Settings
    from stages.tasks import inference, timing
    from stages.tasks.rows import read_rows
    from stages.tasks.table import TASKS
    from stages.training import hardware

    torch.set_num_threads(threads)
    settings = Settings.model_validate(train["task"])
    task, rows, machine = TASKS[settings.type], read_rows(layout.split("test")), hardware.describe()
    say("speed", f"{len(rows)} test rows on {machine['name']}")
    model, tokenizer = inference.load(layout.trained, layout.base, task, settings)
    model.to("cuda" if machine["gpus"] else "cpu")
    found = timing.timed(model, tokenizer, rows, task, settings, lambda line: say("speed", line))
    return {
        "model": {"sha256": train["model"]["sha256"]},
        **_described(found),
        "answers": "passes" if timing.reads_only(task) else "predictions",
        "memory": hardware.peak_memory(),
        "disk": _disk(layout, train["method"]),
        "hardware": machine,
        "threads": torch.get_num_threads(),
        "precision": str(next(model.parameters()).dtype).removeprefix("torch."),
        "software": {"python": platform.python_version()}
        | {name: version(name) for name in ("torch", "transformers")},
        "code": code_digest("speed", layout.root),
    }


def _described(found: "Timing") -> records.Record:
    """Examples a second, and milliseconds that half and 95% of the single texts took at most."""
    import numpy as np

    from stages.tasks import inference
    from stages.training.measuring import significant

    rows, seconds = (sum(column) for column in zip(*found.batches, strict=True))
    p50, p95 = (significant(1000 * float(value)) for value in np.percentile(found.alone, [50, 95]))
    return {
        "rows": found.rows,
        "throughput": {
            "per_second": significant(rows / seconds),
            "batch_size": inference.BATCH,
            "rows": rows,
        },
        "latency": {"p50_ms": p50, "p95_ms": p95, "texts": len(found.alone)},
    }


def _disk(layout: Layout, method: str) -> records.Record:
    """Megabytes (10⁶ bytes) of the model's files, and of the base's that an adapter is loaded into."""
    from stages.training.hardware import MB
    from stages.training.measuring import significant

    def size(folder: Path) -> float:
        return significant(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / MB)

    return {"model_mb": size(layout.trained), "base_mb": size(layout.base) if method == "lora" else None}


def _tell(record: records.Record) -> None:
    fast, late = record["throughput"], record["latency"]
    say("speed", f"{fast['per_second']:g} examples a second in batches of {fast['batch_size']}")
    say("speed", f"one text: {late['p50_ms']:g} ms, 95% within {late['p95_ms']:g} ms ({late['texts']} texts)")
    say(
        "speed",
        f"at most {record['memory']['process_mb']:,} MB of memory, {record['disk']['model_mb']:g} MB on disk",
    )
    say("speed", "`dvc repro card` shows it on the card; commit reports/measured with it")


if __name__ == "__main__":
    run(speed)

"""Opt-in: the score against the number of training rows, and what twice as many would likely bring.

Reads   data/prepared, models/base; params: seed task base method lora train compute curve
Writes  reports/curve.json
Run     dvc repro curve   (or: python -m stages.curve)
"""

import shutil

from stages.core import records
from stages.core.closure import code_digest
from stages.core.files import sha256
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params


def curve(params: Params, layout: Layout) -> None:
    """Train on growing parts of the training rows with several seeds, fit, record; or say that it is off."""
    if not params.curve.enabled:
        records.write_report(layout.curve_report, {"enabled": False})
        shutil.rmtree(layout.curve_checkpoints, ignore_errors=True)  # of one that was killed
        say("curve", "off (params.yaml: curve.enabled)")
        return
    import torch

    from stages.tasks.rows import read_rows
    from stages.training import fine_tuning, growth
    from stages.training.checkpoints import checkpoint_folder

    torch.set_num_threads(params.compute.threads)
    rows = {name: read_rows(layout.split(name)) for name in ("train", "validation")}
    chosen = fine_tuning.start(
        params.task,
        records.read(layout.prepared_manifest, "prepare")["labels"],
        layout.base,
        params.lora if params.method == "lora" else None,
        params.train,
        params.compute.precision,
        params.runtime,
        rows.values(),
        "curve",
    )
    shares, seeds = params.curve.shares, [params.seed + i for i in range(params.curve.seeds)]
    decided = {
        **fine_tuning.described(chosen, params.base),
        "shares": shares,
        "seeds": seeds,
        "data": {name: sha256(layout.split(name)) for name in rows},
        "code": code_digest("curve", layout.root),
    }
    metric, points = params.task.metric, []
    say("curve", f"{len(shares) * len(seeds)} trainings, on {shares[0]:.3g} of the rows and more")
    with checkpoint_folder(layout.curve_checkpoints, decided) as folder:
        for point in growth.measure(chosen, rows, shares, seeds, folder):
            points.append(point)
            say(
                "curve",
                f"{len(points)}/{len(shares) * len(seeds)}: {point['rows']} rows, seed {point['seed']}:"
                f" {metric} {point['validation']:.4f} (on training rows {point['training']:.4f})",
            )
        found = growth.summary(points, metric, params.seed)
        records.write_report(layout.curve_report, {"enabled": True, **decided, **found})


if __name__ == "__main__":
    run(curve)

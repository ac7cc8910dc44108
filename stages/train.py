"""Fine-tune the base model, fully or with LoRA, and keep the checkpoint that scores best on validation.

Reads   data/prepared, models/base; params: seed task base method lora train compute
Writes  models/trained, reports/train.json, reports/history.tsv; with runtime.measure, which changes none of
        them, reports/measured/training.json
Run     dvc repro train   (or: python -m stages.train)
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.core import records
from stages.core.closure import code_digest
from stages.core.files import digest, folder_digests, new_folder, sha256, write_text
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params

if TYPE_CHECKING:
    from stages.tasks.rows import Rows
    from stages.training.fine_tuning import FineTuning


def train(params: Params, layout: Layout) -> None:
    """Train, save, record."""
    import torch

    from stages.tasks.encode import truncated_share
    from stages.tasks.rows import read_rows
    from stages.training import build, fine_tuning, loop, measuring, save
    from stages.training.checkpoints import checkpoint_folder

    torch.set_num_threads(params.compute.threads)
    data = {name: read_rows(layout.split(name)) for name in ("train", "validation")}
    chosen = fine_tuning.start(
        params.task,
        records.read(layout.prepared_manifest, "prepare")["labels"],
        layout.base,
        params.lora if params.method == "lora" else None,
        params.train,
        params.compute.precision,
        params.runtime,
        [*data.values(), read_rows(layout.split("test"))],
    )
    task, settings, tokenizer = chosen.task, chosen.settings, chosen.tokenizer
    decided = {
        **fine_tuning.described(chosen, params.base),
        "seed": params.seed,
        "data": {name: sha256(layout.split(name)) for name in data},
        "code": code_digest("train", layout.root),
    }
    say("train", f"{params.method}, {chosen.precision}, {len(data['train'])} rows from {params.base.repo_id}")
    with checkpoint_folder(layout.checkpoints, decided) as folder:
        with measuring.metered(params.runtime, folder) as meter:
            model, state = fine_tuning.fit(chosen, data, params.seed, folder, [meter] if meter else [])
        thresholds = _thresholds(model, chosen, data["validation"])
        with new_folder(layout.trained) as work:
            save.save(model, work, layout.base, params.base, task, settings, thresholds)
        write_text(layout.history, loop.history(state, params.task.kind.metrics, settings.metric))
        found = loop.outcome(state, settings.metric) | {
            "chosen": loop.chosen(params.train),
            "parameters": build.parameters(model),
            "thresholds": thresholds,
            "tokenizer": {"class": type(tokenizer).__name__, "fast": tokenizer.is_fast},
            "truncated": {name: truncated_share(tokenizer, rows, settings) for name, rows in data.items()},
            "model": _described(layout.trained),
        }
        records.write_report(layout.train_report, decided | found)
        if meter:
            spent = measuring.record(meter.total, found["model"]["sha256"], decided["code"])
            records.write(layout.training_report, spent)


def _thresholds(model: Any, chosen: "FineTuning", held: "Rows") -> list[float] | None:
    """Of each label, those that suit the validation rows best, where the task decides by thresholds."""
    from stages.tasks import inference

    task, settings = chosen.task, chosen.settings
    if inference.tuner(task, settings) is None:
        return None
    said = inference.predictions(model, chosen.tokenizer, held, task, settings)
    return inference.tuned(task, settings, said, held.labels)


def _described(folder: Path) -> records.Record:
    files = folder_digests(folder)
    return {"files": files, "sha256": digest(files)}


if __name__ == "__main__":
    run(train)

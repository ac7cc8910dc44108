"""Fine-tune the base model, fully or with LoRA, and keep the checkpoint that scores best on validation.

Reads   data/prepared, models/base; params: seed task base method lora train compute
Writes  models/trained, reports/train.json, reports/history.tsv
Run     dvc repro train   (or: python -m stages.train)
"""

from pathlib import Path

from stages.core import records
from stages.core.closure import code_digest
from stages.core.files import digest, folder_digests, new_folder, sha256, write_text
from stages.core.layout import Layout
from stages.core.runtime import run, say
from stages.core.schema import Params


def train(params: Params, layout: Layout) -> None:
    """Train, save, record."""
    import torch

    from stages.tasks import inference
    from stages.tasks.encode import truncated_share
    from stages.tasks.rows import read_rows
    from stages.tasks.table import TASKS
    from stages.tasks.tokenizers import load_tokenizer, usable
    from stages.training import build, environment, loop, save
    from stages.training.checkpoints import checkpoint_folder

    torch.set_num_threads(params.compute.threads)
    task, metric = TASKS[params.task.type], params.task.metric
    labels = records.read(layout.prepared_manifest, "prepare")["labels"]
    data = {name: read_rows(layout.split(name)) for name in ("train", "validation")}
    tokenizer = load_tokenizer(layout.base, params.task)
    settings = usable(params.task, tokenizer, layout.base).model_copy(update={"labels": labels})
    if settings.max_length < params.task.max_length:
        say("train", f"the base takes {settings.max_length} tokens at most: longer texts are cut there")

    lora = params.lora if params.method == "lora" else None
    precision = environment.precision(params.compute.precision)
    decided = {
        "base": build.describe_base(params.base, digest(folder_digests(layout.base))),
        "method": params.method,
        "lora": lora.model_dump() if lora else None,
        "hyperparameters": params.train,
        "seed": params.seed,
        "task": settings.described(),
        "metric": metric,
        "threads": params.compute.threads,
        "precision": precision,
        "data": {name: sha256(layout.split(name)) for name in data},
        "environment": environment.describe(),
        "code": code_digest("train", layout.root),
    }
    say("train", f"{params.method}, {precision}, {len(data['train'])} rows from {params.base.repo_id}")
    with checkpoint_folder(layout.checkpoints, decided) as folder:
        dropout = params.train.get("dropout")
        model = build.build(task, layout.base, tokenizer, labels, params.seed, lora, dropout)
        args = loop.arguments(params.train, folder, params.seed, metric, precision, params.runtime)
        patience = loop.patience(params.train, metric)
        state = loop.fit(model, tokenizer, task, data, settings, args, params.runtime, patience)
        thresholds = None
        if task.decide and settings.thresholds == "tuned":
            said = inference.predictions(model.eval(), tokenizer, data["validation"], task, settings)
            thresholds = task.decide(said, data["validation"].labels, labels)
        with new_folder(layout.trained) as work:
            save.save(model, work, layout.base, params.base, task, settings, thresholds)
        write_text(layout.history, loop.history(state, params.task.kind.metrics))
        found = loop.outcome(state, metric) | {
            "chosen": loop.chosen(params.train),
            "parameters": build.parameters(model),
            "thresholds": thresholds,
            "tokenizer": {"class": type(tokenizer).__name__, "fast": tokenizer.is_fast},
            "truncated": {name: truncated_share(tokenizer, rows, settings) for name, rows in data.items()},
            "model": _described(layout.trained),
        }
        records.write(layout.train_report, decided | found)


def _described(folder: Path) -> records.Record:
    files = folder_digests(folder)
    return {"files": files, "sha256": digest(files)}


if __name__ == "__main__":
    run(train)

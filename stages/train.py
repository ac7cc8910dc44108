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

    from stages.tasks.encode import load_tokenizer, usable_length
    from stages.tasks.table import TASKS
    from stages.training import build, environment, loop, save
    from stages.training.checkpoints import checkpoint_folder

    torch.set_num_threads(params.compute.threads)
    task, metric = TASKS[params.task.type], params.task.metric
    labels = records.read(layout.prepared_manifest, "prepare")["labels"]
    data = {name: loop.examples(layout.split(name), labels) for name in ("train", "validation")}
    tokenizer = load_tokenizer(layout.base)
    max_length = usable_length(tokenizer, layout.base, params.task.max_length)
    if max_length < params.task.max_length:
        say("train", f"the base takes {max_length} tokens at most, so that is where longer texts are cut")

    lora = params.lora if params.method == "lora" else None
    precision = environment.precision(params.compute.precision)
    decided = {
        "base": build.describe_base(params.base, digest(folder_digests(layout.base))),
        "method": params.method,
        "lora": lora.model_dump() if lora else None,
        "hyperparameters": params.train,
        "seed": params.seed,
        "max_length": max_length,
        "metric": metric,
        "threads": params.compute.threads,
        "precision": precision,
        "data": {name: sha256(layout.split(name)) for name in data},
        "environment": environment.describe(),
        "code": code_digest("train", layout.root),
    }
    say("train", f"{params.method}, {precision}, {len(data['train'].texts)} rows from {params.base.repo_id}")
    with checkpoint_folder(layout.checkpoints, decided) as folder:
        model = build.build(task, layout.base, labels, params.seed, lora)
        args = loop.arguments(params.train, folder, params.seed, metric, precision, params.runtime)
        state = loop.fit(model, tokenizer, data, labels, max_length, args, params.runtime)
        with new_folder(layout.trained) as work:
            save.save(model, work, layout.base, params.base, task, labels)
        write_text(layout.history, loop.history(state, task.metrics))
        found = loop.outcome(state, metric) | {
            "chosen": loop.chosen(params.train),
            "parameters": build.parameters(model),
            "truncated": {name: d.truncated(tokenizer, max_length) for name, d in data.items()},
            "model": _described(layout.trained),
        }
        records.write(layout.train_report, decided | found)


def _described(folder: Path) -> records.Record:
    files = folder_digests(folder)
    return {"files": files, "sha256": digest(files)}


if __name__ == "__main__":
    run(train)

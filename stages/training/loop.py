"""The training loop: transformers' Trainer with dynamic padding, sealed checkpoints, exact resumption."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import DataCollatorWithPadding, PrinterCallback, TrainerState, TrainingArguments

from stages.core.errors import PipelineError
from stages.core.runtime import say
from stages.core.schema import Runtime
from stages.tasks.encode import encode, truncated_share
from stages.tasks.metrics import score
from stages.tasks.rows import read_rows
from stages.training.checkpoints import Seal, newest_intact
from stages.training.order import OrderedTrainer
from stages.training.progress import Progress


@dataclass(frozen=True)
class Examples:
    """Texts and the numbers of their labels, of equal length."""

    texts: list[str]
    numbers: list[int]

    def encoded(self, tokenizer: Any, max_length: int) -> list[dict[str, Any]]:
        """One dictionary a row, as the Trainer's collator takes them."""
        columns = {**encode(tokenizer, self.texts, max_length), "labels": self.numbers}
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def truncated(self, tokenizer: Any, max_length: int) -> float:
        """The share (0 to 1, six decimals) of texts that are cut at `max_length` tokens."""
        return round(truncated_share(tokenizer, self.texts, max_length), 6)


def examples(path: Path, labels: Sequence[str]) -> Examples:
    """The rows of one parquet file of data/prepared."""
    rows = read_rows(path)
    return Examples(rows.texts, rows.numbers(labels))


def arguments(
    train: dict[str, Any], folder: Path, seed: int, metric: str, precision: str, runtime: Runtime
) -> TrainingArguments:
    """The user's hyperparameters and, over them, what the pipeline decides.

    Raises PipelineError for values that transformers refuses.
    """
    saving = {"save_strategy": train["eval_strategy"]}
    if train["eval_strategy"] == "steps":
        saving["save_steps"] = train.get("eval_steps") or train.get("logging_steps", 500)
    try:
        return TrainingArguments(
            **train,
            **saving,
            output_dir=str(folder),
            seed=seed,
            data_seed=seed,
            use_cpu=not torch.cuda.is_available(),  # or bf16 would be refused without a GPU
            bf16=precision == "bf16",
            fp16=precision == "fp16",
            load_best_model_at_end=True,
            metric_for_best_model=metric,
            greater_is_better=True,
            dataloader_num_workers=runtime.workers,
            dataloader_pin_memory=False,
            logging_nan_inf_filter=False,  # or a broken loss would be logged as the mean of the others
            disable_tqdm=True,
            report_to="none",
            log_level="error",
        )
    except (ValueError, TypeError, ImportError) as error:
        raise PipelineError(f"params.yaml: train: {' '.join(str(error).split())}") from error


def fit(
    model: Any,
    tokenizer: Any,
    data: dict[str, Examples],
    labels: Sequence[str],
    max_length: int,
    args: TrainingArguments,
    runtime: Runtime,
) -> TrainerState:
    """Train `model` in place on `data["train"]` and leave it with the weights that scored best on
    `data["validation"]`; the Trainer's state tells the steps, the history and the best.

    Goes on from the newest intact checkpoint in `args.output_dir`. Raises PipelineError when the loss stops
    being a number and when no evaluation fell due.
    """
    trainer = OrderedTrainer(
        model=model,
        args=args,
        train_dataset=data["train"].encoded(tokenizer, max_length),
        eval_dataset=data["validation"].encoded(tokenizer, max_length),
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=lambda p: score(np.argmax(p.predictions, axis=-1), np.asarray(p.label_ids), labels),
        callbacks=[Seal(), Progress(str(args.metric_for_best_model), runtime.progress)],
    )
    trainer.remove_callback(PrinterCallback)
    _try_optimizer(trainer)
    checkpoint = newest_intact(Path(str(args.output_dir)))
    if checkpoint:
        say("train", f"going on from {checkpoint.name}")
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    state = trainer.state
    if state.best_model_checkpoint is None:
        raise PipelineError(
            f"params.yaml: train: no evaluation fell due in {state.max_steps} steps, so there is no best"
            " checkpoint: lower eval_steps (and eval_delay), or use eval_strategy: epoch"
        )
    if state.global_step < state.max_steps and not trainer.control.should_training_stop:
        raise PipelineError(
            f"training stopped at step {state.global_step} of {state.max_steps}: run it again"
        )
    return state


def _try_optimizer(trainer: OrderedTrainer) -> None:
    """Build optimiser and schedule for their complaints, before a step is made; train() builds its own."""
    try:
        trainer.create_optimizer_and_scheduler(num_training_steps=1)
    except (ImportError, TypeError, ValueError) as error:
        raise PipelineError(f"params.yaml: train: {' '.join(str(error).split())}") from error
    trainer.optimizer = trainer.lr_scheduler = None


def history(state: TrainerState, metrics: Sequence[str]) -> str:
    """The losses and validation scores by step, tab-separated, for `dvc plots` and the card's curve.

    Times and speeds are left out: they differ from run to run.
    """
    columns = ("epoch", "loss", "learning_rate", "eval_loss", *(f"eval_{name}" for name in metrics))
    steps: dict[int, dict[str, float]] = {}
    for entry in state.log_history:
        steps.setdefault(int(entry["step"]), {}).update({k: v for k, v in entry.items() if k in columns})
    steps = {step: row for step, row in steps.items() if row.keys() & {"loss", "eval_loss"}}
    lines = ["\t".join(("step", *columns))]
    for step, row in sorted(steps.items()):
        lines.append("\t".join((str(step), *(f"{row[c]:.6g}" if c in row else "" for c in columns))))
    return "\n".join(lines) + "\n"


def outcome(state: TrainerState, metric: str) -> dict[str, Any]:
    """How long the run was and which evaluation was the best, for the record."""
    best = next(e for e in state.log_history if e["step"] == state.best_global_step and "eval_loss" in e)
    return {
        "steps": state.global_step,
        "epochs": round(float(state.epoch or 0), 6),
        "best": {
            "step": state.best_global_step,
            "epoch": round(best["epoch"], 6),
            "metric": metric,
            "value": round(best[f"eval_{metric}"], 6),
        },
    }


def chosen(train: dict[str, Any]) -> dict[str, Any]:
    """The hyperparameters that differ from the Trainer's own defaults."""
    defaults = {field.name: field.default for field in dataclasses.fields(TrainingArguments)}
    return {name: value for name, value in train.items() if defaults.get(name) != value}

"""The training loop: transformers' Trainer with dynamic padding, sealed checkpoints, exact resumption."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, TrainerCallback, TrainerState, TrainingArguments

from stages.core import trainer_fields
from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.runtime import say
from stages.core.schema import Runtime
from stages.core.task_section import Task as Settings
from stages.core.tasks import greater_is_better
from stages.tasks import inference
from stages.tasks.masking import MaskedRows
from stages.tasks.rows import Rows
from stages.tasks.table import Task
from stages.training.checkpoints import Seal, newest_intact
from stages.training.order import OrderedTrainer
from stages.training.progress import Patience, Progress


def arguments(
    train: Mapping[str, Any], folder: Path, seed: int, metric: str, precision: str, runtime: Runtime
) -> TrainingArguments:
    """The user's hyperparameters and, over them, what the pipeline decides.

    Raises PipelineError for values that transformers refuses.
    """
    saving = {"save_strategy": train["eval_strategy"]}
    if train["eval_strategy"] == "steps":
        saving["save_steps"] = train.get("eval_steps") or train.get("logging_steps", 500)
    fields = {name: value for name, value in train.items() if name not in trainer_fields.OURS}
    try:
        return TrainingArguments(
            **fields,
            **saving,
            output_dir=str(folder),
            seed=seed,
            data_seed=seed,
            use_cpu=not torch.cuda.is_available(),  # or bf16 would be refused without a GPU
            bf16=precision == "bf16",
            fp16=precision == "fp16",
            load_best_model_at_end=True,
            metric_for_best_model=metric,
            greater_is_better=greater_is_better(metric),
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
    task: Task,
    data: Mapping[str, Rows],
    settings: Settings,
    args: TrainingArguments,
    runtime: Runtime,
    patience: Patience | None = None,
    stage: str = "train",
    watching: Sequence[TrainerCallback] = (),
) -> TrainerState:
    """Train `model` in place on `data["train"]` and leave it in evaluation mode with the weights that scored
    best on `data["validation"]`; the Trainer's state tells the steps, the history and the best.

    Goes on from the newest intact checkpoint in `args.output_dir`. Raises PipelineError when the loss stops
    being a number and when no evaluation fell due.
    """
    collator = inference.collator(task, tokenizer)
    trainer = OrderedTrainer(
        model=model,
        args=args,
        train_dataset=_training(task, tokenizer, data["train"], settings, args.seed),
        data_collator=collator,
        validate=_validation(model, tokenizer, task, data["validation"], settings, args),
        next_token=task.next_token,
        callbacks=[
            *watching,  # what these put into a checkpoint is sealed with it
            Seal(),
            Progress(stage, str(args.metric_for_best_model), runtime.progress),
            *([patience] if patience else []),
        ],
    )
    trainer.remove_callback(PrinterCallback)
    _try_optimizer(trainer)
    checkpoint = newest_intact(Path(str(args.output_dir)))
    if checkpoint:
        say(stage, f"going on from {checkpoint.name}")
    reached = _state(checkpoint) if checkpoint else None
    if reached and _is_over(reached, patience):
        trainer.end_with(reached)
    else:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    state = trainer.state
    _check_ended(state, trainer.control.should_training_stop)
    # The Trainer leaves autocast on the model's forward; what is predicted from here on is made in fp32.
    model.__dict__.pop("forward", None)
    model.eval()
    return state


def _validation(
    model: Any, tokenizer: Any, task: Task, rows: Rows, settings: Settings, args: TrainingArguments
) -> Callable[[], dict[str, float]]:
    """What gives the loss and the scores of the model, as it is when asked, on these rows."""
    collator = inference.collator(task, tokenizer)
    features = task.encode(tokenizer, rows, settings)
    labels, size = settings.labels or [], args.per_device_eval_batch_size

    def validate() -> dict[str, float]:
        predicted, loss = task.predict(model, tokenizer, collator, features, settings, size)
        thresholds = inference.tuned(task, settings, predicted, rows.labels)
        scores = task.score(inference.decide(predicted, labels, thresholds), rows.labels, labels)
        if args.metric_for_best_model not in scores:
            raise PipelineError(
                f"params.yaml: task.metric: {args.metric_for_best_model} does not exist for these labels:"
                f" choose one of {', '.join(scores)}"
            )
        return {"loss": loss, **scores}

    return validate


def _check_ended(state: TrainerState, stopped: bool) -> None:
    if state.best_model_checkpoint is None:
        raise PipelineError(
            f"params.yaml: train: no evaluation fell due in {state.max_steps} steps, so there is no best"
            " checkpoint: lower eval_steps (and eval_delay), or use eval_strategy: epoch"
        )
    if state.global_step < state.max_steps and not stopped:
        raise PipelineError(
            f"training stopped at step {state.global_step} of {state.max_steps}: run it again"
        )


def _state(checkpoint: Path) -> TrainerState:
    state: TrainerState = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    return state


def _is_over(state: TrainerState, patience: Patience | None) -> bool:
    """Whether no step is left. The Trainer would make one more, to stop at its end."""
    return state.global_step >= state.max_steps or (patience is not None and patience.is_over(state))


def _training(task: Task, tokenizer: Any, rows: Rows, settings: Settings, seed: int) -> Any:
    features = task.encode(tokenizer, rows, settings)
    return MaskedRows(features, tokenizer, settings.mask_share, seed) if task.masked else features


def patience(train: Mapping[str, Any], metric: str) -> Patience | None:
    """Early stopping, when `train.early_stopping_patience` asks for it."""
    if "early_stopping_patience" not in train:
        return None
    return Patience(metric, train["early_stopping_patience"], train.get("early_stopping_threshold", 0.0))


def _try_optimizer(trainer: OrderedTrainer) -> None:
    """Build optimiser and schedule for their complaints, before a step is made; train() builds its own."""
    try:
        trainer.create_optimizer_and_scheduler(num_training_steps=1)
    except (ImportError, TypeError, ValueError) as error:
        raise PipelineError(f"params.yaml: train: {' '.join(str(error).split())}") from error
    trainer.optimizer = trainer.lr_scheduler = None


def history(state: TrainerState, metrics: Sequence[str], main: str) -> str:
    """The losses and validation scores by step, tab-separated, for `dvc plots` and the card's curve.

    `eval_score` repeats the `main` one of `metrics`, by a name that does not depend on the task. What a step
    does not have is `nan`: plots of DVC draw an empty cell as 0. Times and speeds are left out: they differ
    from run to run.
    """
    logged = {name for entry in state.log_history for name in entry}
    scores = [f"eval_{name}" for name in metrics if f"eval_{name}" in logged]
    columns = tuple(dict.fromkeys(("epoch", "loss", "learning_rate", "eval_loss", "eval_score", *scores)))
    steps: dict[int, dict[str, float]] = {}
    for entry in state.log_history:
        row = steps.setdefault(int(entry["step"]), {})
        row |= {name: value for name, value in entry.items() if name in columns}
        if f"eval_{main}" in row:
            row["eval_score"] = row[f"eval_{main}"]
    steps = {step: row for step, row in steps.items() if row.keys() & {"loss", "eval_loss"}}
    lines = ["\t".join(("step", *columns))]
    for step, row in sorted(steps.items()):
        lines.append("\t".join((str(step), *(f"{row.get(c, nan):.6g}" for c in columns))))
    return "\n".join(lines) + "\n"


def outcome(state: TrainerState, metric: str) -> Record:
    """How long the run was and which evaluation was the best, for the record."""
    best = next(e for e in state.log_history if e["step"] == state.best_global_step and "eval_loss" in e)
    return {
        "steps": state.global_step,
        "epochs": round(float(state.epoch or 0), 6),
        # The Trainer's estimate: six a weight and token, embeddings left out.
        "operations": float(state.total_flos),
        "best": {
            "step": state.best_global_step,
            "epoch": round(best["epoch"], 6),
            "metric": metric,
            "value": round(best[f"eval_{metric}"], 6),
        },
    }


def chosen(train: Mapping[str, Any]) -> Record:
    """The hyperparameters that differ from the Trainer's own defaults."""
    defaults = {field.name: field.default for field in dataclasses.fields(TrainingArguments)}
    return {name: value for name, value in train.items() if defaults.get(name) != value}

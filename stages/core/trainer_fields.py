"""The fields of `transformers.TrainingArguments`, read from its source.

Importing transformers' Trainer takes seconds and pulls in torch; parsing one file with `ast` takes
milliseconds, and a misspelt key should be told at once.
"""

import ast
import difflib
import functools
import importlib.util
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

# Fields that the pipeline sets itself, and the key that stands for them.
_NONE = "the pipeline decides this"
OWNED: dict[str, str] = {
    "output_dir": "models/trained is where the model goes",
    "seed": "use `seed`",
    "data_seed": "use `seed`",
    "bf16": "use `compute.precision`",
    "fp16": "use `compute.precision`",
    "bf16_full_eval": "use `compute.precision`",
    "fp16_full_eval": "use `compute.precision`",
    "tf32": "use `compute.precision`",
    "use_cpu": "the device is chosen by what torch finds; set CUDA_VISIBLE_DEVICES to hide a GPU",
    "dataloader_num_workers": "use `runtime.workers`",
    "metric_for_best_model": "use `task.metric`",
    "greater_is_better": "it follows from `task.metric`",
    "load_best_model_at_end": "the best checkpoint by `task.metric` is always the one kept",
    "report_to": "history goes to reports/history.tsv",
    "push_to_hub": "use the `hub` section",
    "run_name": _NONE,
    "project": _NONE,
    "disable_tqdm": "use `runtime.progress`",
    "remove_unused_columns": _NONE,
    "label_names": _NONE,
    "include_for_metrics": _NONE,
    "batch_eval_metrics": _NONE,
    "prediction_loss_only": _NONE,
    "auto_find_batch_size": "it would make the batch size depend on free memory; set the size you want",
    "length_column_name": _NONE,
    "enable_jit_checkpoint": "checkpoints are sealed at each evaluation",
    "restore_callback_states_from_checkpoint": _NONE,
    "ignore_data_skip": "a resumed run must see the same batches",
    "logging_nan_inf_filter": "a loss that is not finite stops the run",
    "local_rank": _NONE,
    "parallelism_config": _NONE,
    "eval_on_start": _NONE,
}
_OWNED_PREFIXES = {
    "save_": "checkpoints are sealed at each evaluation",
    "resume_": "an interrupted run is continued by running it again",
    "hub_": "use the `hub` section",
    "trackio_": "history goes to reports/history.tsv",
    "do_": "each step is a stage of its own",
    "log_": "use `runtime`",
    "ddp_": "set up distributed training through accelerate",
}


# The classics of the field; whatever params.yaml does not name keeps the Trainer's own default.
DEFAULTS: dict[str, Any] = {
    "learning_rate": 2e-5,
    "per_device_train_batch_size": 16,
    "per_device_eval_batch_size": 16,
    "num_train_epochs": 3,
    "weight_decay": 0.01,
    "eval_strategy": "epoch",
    "train_sampling_strategy": "group_by_length",
    "optim": "adamw_torch_fused",
}


# Not fields of TrainingArguments, but hyperparameters of training like those: the dropout of the base's
# configuration, and the arguments of transformers.EarlyStoppingCallback.
OURS: dict[str, Any] = {
    "dropout": Annotated[float, Field(ge=0, lt=1)],
    "early_stopping_patience": Annotated[int, Field(ge=1)],
    "early_stopping_threshold": Annotated[float, Field(ge=0)],
}


def owner(name: str) -> str | None:
    """What to use instead of field `name`, or None when the field is the user's."""
    if name in OWNED:
        return OWNED[name]
    return next((why for prefix, why in _OWNED_PREFIXES.items() if name.startswith(prefix)), None)


@functools.cache
def fields() -> dict[str, Any]:
    """Name -> type of every TrainingArguments field; `Any` where the type is not one of Python's own."""
    body = _class_body("training_args.py", "TrainingArguments")
    return {
        n.target.id: _type(n.annotation)
        for n in body
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    }


def mistyped(name: str, value: Any) -> str | None:
    """What is wrong with `value` for field `name`, by the type that the field declares; None when it fits."""
    if isinstance(value, float) and not math.isfinite(value):
        return "should be a finite number"
    try:
        TypeAdapter(OURS.get(name) or fields()[name]).validate_python(value, strict=True)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Input ")
        return message[0].lower() + message[1:]
    return None


def checked(given: Any) -> dict[str, Any]:
    """The user's `train:` over the defaults, each value checked against the type that its field declares.

    Raises ValueError whose message holds a problem a field: name, NUL, what is wrong; joined by \\1.
    """
    found = _over(DEFAULTS, given)
    if "early_stopping_threshold" in found and "early_stopping_patience" not in found:
        raise ValueError("early_stopping_threshold\0belongs to early_stopping_patience: set that too")
    return found


def checked_partly(given: Any) -> dict[str, Any]:
    """`checked`, without defaults, for networks of our own: they have no layers to checkpoint."""
    found = _over({}, given)
    if found.get("gradient_checkpointing"):
        raise ValueError("gradient_checkpointing\0is not for the networks of the ladder: take it out")
    return found


def smooths(train: Mapping[str, Any]) -> bool:
    """Whether labels are smoothed, which is done to outputs that a softmax makes probabilities of."""
    return bool(train.get("label_smoothing_factor"))


def _over(defaults: dict[str, Any], given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValueError("should be a mapping of TrainingArguments fields")
    problems = []
    for name, value in given.items():
        if why := owner(str(name)):
            problems.append(f"{name}\0belongs to the pipeline: {why}")
        elif name not in fields() and name not in OURS:
            problems.append(f"{name}\0is not a field of TrainingArguments")
        elif why := mistyped(name, value) or _out_of_range(name, value) or _unknown_choice(name, value):
            problems.append(f"{name}\0{why}")
    if given.get("eval_strategy", "epoch") not in ("epoch", "steps"):
        problems.append(
            "eval_strategy\0should be `epoch` or `steps`: the best checkpoint is chosen at evaluations"
        )
    if problems:
        raise ValueError("\1".join(problems))
    return {**defaults, **given}


# What transformers finds out only in the middle of a run, as a traceback.
_POSITIVE = {
    "learning_rate",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "gradient_accumulation_steps",
    "num_train_epochs",
    "eval_steps",
    "logging_steps",
}
_NOT_NEGATIVE = {"weight_decay", "warmup_steps", "max_grad_norm", "label_smoothing_factor", "adam_epsilon"}


def _out_of_range(name: str, value: Any) -> str | None:
    if not isinstance(value, int | float):
        return None
    if name in _POSITIVE and value <= 0:
        return "should be greater than 0"
    return "should not be negative" if name in _NOT_NEGATIVE and value < 0 else None


def _unknown_choice(name: str, value: Any) -> str | None:
    """A misspelt optimiser or schedule, with what was probably meant."""
    if name not in _CHOICES:
        return None
    known = choices(*_CHOICES[name])
    if not known or value in known:
        return None
    close = difflib.get_close_matches(str(value), known, n=1)
    return f"is none of transformers' choices{f': did you mean {close[0]}?' if close else ''}"


# Where transformers lists the names: file and class.
_CHOICES = {
    "optim": ("training_args.py", "OptimizerNames"),
    "lr_scheduler_type": ("trainer_utils.py", "SchedulerType"),
}


@functools.cache
def choices(file: str, enumeration: str) -> tuple[str, ...]:
    """The values of a string enumeration in transformers' source."""
    assigned = [n.value for n in _class_body(file, enumeration) if isinstance(n, ast.Assign)]
    return tuple(str(v.value) for v in assigned if isinstance(v, ast.Constant))


def _class_body(file: str, name: str) -> list[ast.stmt]:
    spec = importlib.util.find_spec("transformers")
    if spec is None or spec.origin is None:
        return []
    tree = ast.parse((Path(spec.origin).parent / file).read_text(encoding="utf-8"))
    return next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name).body


_TYPES: dict[str, Any] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "list[str]": list[str],
    "dict": dict,
    "None": None,
}


def _type(annotation: ast.expr) -> Any:
    """The annotation as a type. `SchedulerType | str` is a str in YAML: enumerations drop out of unions."""
    parts = [p.strip() for p in ast.unparse(annotation).split(" | ")]
    known = [_TYPES[p] for p in parts if p in _TYPES]
    if not known or (len(known) < len(parts) and str not in known):
        return Any
    union = known[0]
    for part in known[1:]:
        union = union | part
    return union

"""One fine-tuning, from the base to its best checkpoint: what train does once and curve many times."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import TrainerState

from stages.core.records import Record
from stages.core.runtime import say
from stages.core.schema import Lora, Runtime
from stages.core.task_section import Task as Settings
from stages.tasks.encode import check_ends
from stages.tasks.rows import Rows
from stages.tasks.table import TASKS, Task
from stages.tasks.tokenizers import load_tokenizer, usable
from stages.training import build, environment, loop


@dataclass(frozen=True)
class FineTuning:
    """What decides a fine-tuning apart from its rows and its seed; `lora` is None for a full one."""

    task: Task
    settings: Settings
    tokenizer: Any
    base: Path
    lora: Lora | None
    train: Mapping[str, Any]
    precision: str
    runtime: Runtime
    stage: str  # that asks for it, for lines of progress


def start(
    settings: Settings,
    labels: Sequence[str],
    base: Path,
    lora: Lora | None,
    train: Mapping[str, Any],
    precision: str,
    runtime: Runtime,
    rows: Iterable[Rows],
    stage: str = "train",
) -> FineTuning:
    """Load the tokenizer and find out what base and processor can do. `precision` may be `auto`.

    Raises PipelineError for what the base cannot do, and for a text in `rows` that it cannot take.
    """
    tokenizer = load_tokenizer(base, settings)
    config = transformers.AutoConfig.from_pretrained(base, trust_remote_code=False)
    check_ends(tokenizer, config, rows, settings)
    able = usable(settings, tokenizer, base).model_copy(update={"labels": list(labels)})
    if able.max_length < settings.max_length:
        say(stage, f"the base takes {able.max_length} tokens at most: task.max_length is lowered to that")
    task = TASKS[settings.type]
    return FineTuning(
        task, able, tokenizer, base, lora, train, environment.precision(precision), runtime, stage
    )


def described(chosen: FineTuning) -> Record:
    """All of it for a record, with the software and the number of threads."""
    return {
        "lora": chosen.lora.model_dump() if chosen.lora else None,
        "hyperparameters": dict(chosen.train),
        "task": chosen.settings.described(),
        "metric": chosen.settings.metric,
        "threads": torch.get_num_threads(),
        "precision": chosen.precision,
        "environment": environment.describe(),
    }


def fit(chosen: FineTuning, rows: Mapping[str, Rows], seed: int, folder: Path) -> tuple[Any, TrainerState]:
    """The model with the weights that scored best on `rows["validation"]`, in evaluation mode and fp32, and
    the Trainer's state. Goes on from the newest intact checkpoint in `folder`."""
    train, metric = chosen.train, chosen.settings.metric
    labels = chosen.settings.labels or []
    model = build.build(
        chosen.task, chosen.base, chosen.tokenizer, labels, seed, chosen.lora, train.get("dropout")
    )
    args = loop.arguments(train, folder, seed, metric, chosen.precision, chosen.runtime)
    patience = loop.patience(train, metric)
    state = loop.fit(
        model,
        chosen.tokenizer,
        chosen.task,
        rows,
        chosen.settings,
        args,
        chosen.runtime,
        patience,
        chosen.stage,
    )
    return model, state

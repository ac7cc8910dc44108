"""One fine-tuning, from the base to its best checkpoint: what train does once and curve many times."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import TrainerCallback, TrainerState

from stages.core.files import digest, folder_digests
from stages.core.licensing import base_licence
from stages.core.records import Record
from stages.core.runtime import say
from stages.core.schema import Base, Lora, Runtime
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


def described(chosen: FineTuning, base: Base) -> Record:
    """All of it for a record, with where the `base` came from, the software and the number of threads."""
    return {
        "base": build.describe_base(
            base, digest(folder_digests(chosen.base)), base_licence(base, chosen.base)
        ),
        "method": "lora" if chosen.lora else "full",
        "lora": chosen.lora.model_dump() if chosen.lora else None,
        "hyperparameters": dict(chosen.train),
        "task": chosen.settings.described(),
        "metric": chosen.settings.metric,
        "threads": torch.get_num_threads(),
        "precision": chosen.precision,
        "environment": environment.describe(),
    }


def fit(
    chosen: FineTuning,
    rows: Mapping[str, Rows],
    seed: int,
    folder: Path,
    watching: Sequence[TrainerCallback] = (),
) -> tuple[Any, TrainerState]:
    """The model, fine-tuned as `learn` says, and the Trainer's state."""
    labels, dropout = chosen.settings.labels or [], chosen.train.get("dropout")
    model = build.build(chosen.task, chosen.base, chosen.tokenizer, labels, seed, chosen.lora, dropout)
    return model, learn(model, chosen, rows, seed, folder, watching)


def learn(
    model: Any,
    chosen: FineTuning,
    rows: Mapping[str, Rows],
    seed: int,
    folder: Path,
    watching: Sequence[TrainerCallback] = (),
) -> TrainerState:
    """Leave `model` in evaluation mode and fp32, with the weights that scored best on `rows["validation"]`.

    Goes on from the newest intact checkpoint in `folder`. `watching` may add files to a checkpoint, and have
    to leave all else alone.
    """
    metric = chosen.settings.metric
    return loop.fit(
        model,
        chosen.tokenizer,
        chosen.task,
        rows,
        chosen.settings,
        loop.arguments(chosen.train, folder, seed, metric, chosen.precision, chosen.runtime),
        chosen.runtime,
        loop.patience(chosen.train, metric),
        chosen.stage,
        watching,
    )

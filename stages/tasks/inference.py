"""Load a saved model folder, full or LoRA, and predict with it: one way for evaluation and release."""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from peft import PeftModel

from stages.core.records import Record
from stages.core.task_section import Task as Settings
from stages.tasks.rows import Rows
from stages.tasks.table import Decide, Task
from stages.tasks.thresholds import decided
from stages.tasks.tokenizers import load_tokenizer

# PEFT asks transformers by a name that transformers 5 deprecates; nothing here can mend that.
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)

# Never code from a repository, never pickled weights.
SAFE = {"trust_remote_code": False, "use_safetensors": True}
BATCH = 32
NUMBER = "value"  # the name of the one output of a regression


def load(folder: Path, base: Path, task: Task, settings: Settings) -> tuple[Any, Any]:
    """The model in evaluation mode and fp32, and its tokenizer.

    `base` is read only when `folder` holds a LoRA adapter. That has no configuration of its own, so what a
    head is made by stands in its labels.json.
    """
    tokenizer = load_tokenizer(folder, settings)
    auto = getattr(transformers, task.auto_class)
    if (folder / "adapter_config.json").exists():
        head = _head(folder)
        thresholds = head.pop("label_thresholds", None)
        model = auto.from_pretrained(base, dtype=torch.float32, **head, **SAFE)
        if thresholds:
            model.config.label_thresholds = thresholds
        model = PeftModel.from_pretrained(model, folder, use_safetensors=True)
    else:
        model = auto.from_pretrained(folder, dtype=torch.float32, **SAFE)
    pad(model, tokenizer)
    return model.eval(), tokenizer


def _head(folder: Path) -> dict[str, Any]:
    file = folder / "labels.json"
    if not file.exists():
        return {}
    head: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return head | {"id2label": {int(number): name for number, name in head["id2label"].items()}}


def head_settings(task: Task, labels: Sequence[str]) -> dict[str, Any]:
    """What a configuration says of a head: its outputs' names, and how its loss is computed."""
    if not task.head:
        return {}
    names = list(labels) or [NUMBER]
    return {
        "num_labels": len(names),
        "id2label": dict(enumerate(names)),
        "label2id": {name: number for number, name in enumerate(names)},
        "problem_type": task.problem_type,
    }


def pad(model: Any, tokenizer: Any) -> None:
    """Tell the model its padding token: GPT-2's kind looks for the last token that is not padding."""
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id


def outputs(model: Any) -> list[str]:
    """The names of the model's outputs, in their order."""
    names = model.config.id2label
    return [names[number] for number in range(len(names))]


def collator(task: Task, tokenizer: Any) -> Any:
    """What makes a padded batch of features."""
    return getattr(transformers, task.collator)(tokenizer)


def tuner(task: Task, settings: Settings) -> Decide | None:
    """What finds thresholds, where a task decides by them and they are not fixed."""
    return None if settings.thresholds == "fixed" else task.decide


def tuned(
    task: Task, settings: Settings, predicted: Sequence[Record], references: Sequence[Any]
) -> list[float] | None:
    """The threshold of each label that suits these rows best, where a task decides by thresholds; or None."""
    decide = tuner(task, settings)
    return decide(predicted, references, settings.labels or []) if decide else None


def decide(
    predicted: Sequence[Record], labels: Sequence[str], thresholds: Sequence[float] | None
) -> list[Record]:
    """The predictions, decided anew by `thresholds` where there are any."""
    if thresholds is None:
        return list(predicted)
    return decided([row["probabilities"] for row in predicted], labels, thresholds)


def predictions(
    model: Any, tokenizer: Any, rows: Rows, task: Task, settings: Settings, size: int = BATCH
) -> list[Record]:
    """One object a row, in the rows' order (see stages/tasks/predict.py)."""
    features = task.encode(tokenizer, rows, settings)
    return task.predict(model, tokenizer, collator(task, tokenizer), features, settings, size)[0]

"""The base model as a rung of the ladder: what it can do before any fine-tuning, where it can do the task."""

import json
from pathlib import Path
from typing import Any

import torch
import transformers

from stages.core.records import Record
from stages.core.task_section import Task as Settings
from stages.tasks import inference
from stages.tasks.rows import Rows
from stages.tasks.table import Task
from stages.tasks.tokenizers import load_tokenizer, usable
from stages.training.build import parameters
from stages.training.fitted import Fitted

DESCRIPTION = "the model that was fine-tuned, as it was before"


def untouched(task: Task, settings: Settings, base: Path, asked: Rows) -> Fitted | None:
    """What the base says of the rows `asked`; None where it cannot do the task.

    It can when its checkpoint has every weight that the task needs and, where outputs are labels, its own are
    these labels by name, in any order.
    """
    labels, own = settings.labels or [inference.NUMBER], _outputs(base)
    if task.head and sorted(own) != sorted(labels):
        return None
    model = _whole(task, base)
    if model is None:
        return None
    tokenizer = load_tokenizer(base, settings)
    settings = usable(
        settings.model_copy(update={"labels": own if settings.labels else None}), tokenizer, base
    )
    inference.pad(model, tokenizer)
    predicted = inference.predictions(model.eval(), tokenizer, asked, task, settings)
    facts = {"description": DESCRIPTION, "parameters": parameters(model)["total"]}
    return Fitted([_in_order(row, own, labels) for row in predicted], facts)


def _whole(task: Task, base: Path) -> Any:
    """The model, or None when the checkpoint lacks weights of it, which would be drawn at random."""
    auto = getattr(transformers, task.auto_class)
    try:
        model, loaded = auto.from_pretrained(
            base, dtype=torch.float32, output_loading_info=True, **inference.SAFE
        )
    except (OSError, ValueError):
        return None  # an architecture that has no such head
    return None if loaded["missing_keys"] or loaded["mismatched_keys"] else model


def _outputs(base: Path) -> list[str]:
    """The names of the checkpoint's outputs, in their order; the only one of a regression has ours."""
    config: Record = json.loads((base / "config.json").read_text(encoding="utf-8"))
    names = config.get("id2label") or {}
    if config.get("problem_type") == "regression" and len(names) == 1:
        return [inference.NUMBER]
    return [names[number] for number in sorted(names, key=int)]


def _in_order(row: Record, own: list[str], labels: list[str]) -> Record:
    """A prediction with its probabilities in the order of `labels`."""
    if "probabilities" not in row:
        return row
    return row | {"probabilities": [row["probabilities"][own.index(label)] for label in labels]}

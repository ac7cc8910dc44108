"""The model to train: the base with a fresh head, and for LoRA its adapter."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from peft import LoraConfig, get_peft_model

from stages.core.errors import PipelineError
from stages.core.schema import Base, Lora
from stages.tasks.inference import SAFE
from stages.tasks.table import Task


def build(task: Task, base: Path, labels: Sequence[str], seed: int, lora: Lora | None) -> Any:
    """A model on the CPU in fp32 with one output a label; a PeftModel when `lora` is given.

    Seeds first: the head and LoRA's matrices are drawn here, before a Trainer could seed. Raises
    PipelineError for a base whose architecture has no head for the task.
    """
    transformers.set_seed(seed)
    auto = getattr(transformers, task.auto_class)
    try:
        model = auto.from_pretrained(
            base,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: number for number, label in enumerate(labels)},
            problem_type=task.problem_type,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            **SAFE,
        )
    except (OSError, ValueError) as error:
        raise PipelineError(f"{base} cannot be fine-tuned for this task: {_first_line(error)}") from error
    # Heads ignore the count of items in an accumulated batch, so without this line gradient accumulation
    # trains on a multiple of the loss (transformers #47688). It has to be on the base, not on a wrapper.
    model.accepts_loss_kwargs = False
    return model if lora is None else _adapter(model, task, lora)


def _first_line(error: Exception) -> str:
    """Transformers lists every class that it knows; who made the mistake needs the beginning."""
    text = str(error).strip().split("\n")[0]
    return text if len(text) <= 200 else f"{text[:200]}..."


def describe_base(base: Base, digest: str) -> dict[str, Any]:
    """Where the base came from, for records."""
    package = base.from_package
    pinned = {k: getattr(package, k) for k in ("package", "version", "sha256")} if package else None
    return {"repo_id": base.repo_id, "revision": base.revision, "package": pinned, "sha256": digest}


def parameters(model: Any) -> dict[str, int]:
    """How many weights the model has, and how many of them are trained."""
    counts = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return {"total": sum(n for n, _ in counts), "trainable": sum(n for n, trained in counts if trained)}


def _adapter(model: Any, task: Task, lora: Lora) -> Any:
    # PEFT knows heads by two names only and silently leaves others out of the saved adapter: name them all.
    heads = [
        name
        for name, child in model.named_children()
        if name != model.base_model_prefix and any(True for _ in child.parameters())
    ]
    layers = {
        name.rpartition(".")[2]
        for name, module in model.base_model.named_modules()
        if isinstance(module, torch.nn.Linear | transformers.pytorch_utils.Conv1D)
    }
    unknown = [] if lora.target_modules == "all-linear" else set(lora.target_modules) - layers
    if unknown:
        raise PipelineError(
            f"params.yaml: lora.target_modules: the base has no layer {', '.join(sorted(unknown))};"
            f" it has {', '.join(sorted(layers))}"
        )
    config = LoraConfig(task_type=task.peft_type, modules_to_save=heads, **lora.model_dump())
    return get_peft_model(model, config)

"""The model to train: the base, with a fresh head where the task's outputs are labels, and LoRA's adapter."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from peft import LoraConfig, get_peft_model

from stages.core.errors import PipelineError
from stages.core.schema import Base, Lora
from stages.tasks.encode import check_segments
from stages.tasks.inference import SAFE, head_settings, pad
from stages.tasks.table import Task


def build(
    task: Task,
    base: Path,
    tokenizer: Any,
    labels: Sequence[str],
    seed: int,
    lora: Lora | None,
    dropout: float | None = None,
) -> Any:
    """A model on the CPU in fp32, with one output a label where it has a head; a PeftModel for `lora`.

    Seeds first: the head and LoRA's matrices are drawn here, before a Trainer could seed. `dropout` (a share)
    replaces every dropout of the base's configuration. Raises PipelineError for a base whose architecture has
    no head for the task.
    """
    transformers.set_seed(seed)
    auto = getattr(transformers, task.auto_class)
    head = head_settings(task, labels)
    try:
        config = transformers.AutoConfig.from_pretrained(base, trust_remote_code=False, **head)
        if dropout is not None:
            set_dropout(config, dropout)
        # Only a head may be of another size than the checkpoint's.
        model, loaded = auto.from_pretrained(
            base,
            config=config,
            dtype=torch.float32,
            ignore_mismatched_sizes=task.head,
            output_loading_info=True,
            **SAFE,
        )
    except (OSError, ValueError) as error:
        raise PipelineError(f"{base} cannot be fine-tuned for this task: {_first_line(error)}") from error
    if dropout is not None:  # some heads have one that their configuration does not name
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = dropout
    pad(model, tokenizer)
    check_segments(tokenizer, model.config)
    # Heads ignore the count of items in an accumulated batch, so without this line gradient accumulation
    # trains on a multiple of the loss (transformers #47688). It has to be on the base, not on a wrapper.
    model.accepts_loss_kwargs = False
    return model if lora is None else _adapter(model, task, lora, _new_modules(model, loaded))


def set_dropout(config: Any, share: float) -> None:
    """Families name their dropouts differently (hidden_dropout_prob, resid_pdrop, dropout_rate, ...)."""
    names = [n for n in config.to_dict() if ("dropout" in n or n.endswith("pdrop")) and "layer" not in n]
    for name in names:
        value = getattr(config, name)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            setattr(config, name, share)


def _first_line(error: Exception) -> str:
    """Transformers lists every class that it knows; who made the mistake needs the beginning."""
    text = str(error).strip().split("\n")[0]
    return text if len(text) <= 200 else f"{text[:200]}..."


def describe_base(base: Base, digest: str, licence: str | None) -> dict[str, Any]:
    """Where the base came from, and under which licence, for records."""
    package = base.from_package
    return {
        "repo_id": base.repo_id,
        "revision": base.revision,
        "package": {k: getattr(package, k) for k in ("package", "version", "sha256")} if package else None,
        "sha256": digest,
        "license": licence,
    }


def parameters(model: Any) -> dict[str, int]:
    """How many weights the model has, and how many of them are trained.

    PEFT keeps the fresh head beside the copy that it trains; only the copy is the model's.
    """
    used = [(n, p) for n, p in model.named_parameters() if ".original_module." not in n]
    counts = [(p.numel(), p.requires_grad) for _, p in used]
    return {"total": sum(n for n, _ in counts), "trainable": sum(n for n, trained in counts if trained)}


def _new_modules(model: Any, loaded: dict[str, Any]) -> list[str]:
    """The modules of which the base brings no weights, by their paths below the model or its body.

    Their random weights are neither in the base nor in LoRA's matrices: an adapter has to carry them whole,
    or a reload draws others. Beside a head these are layers such as BERT's pooler, which bases that were
    trained without it lack.
    """
    names = {*loaded["missing_keys"], *(key for key, *_ in loaded["mismatched_keys"])}
    paths = {name.rpartition(".")[0].removeprefix(f"{model.base_model_prefix}.") for name in names}
    return sorted(paths)


def _adapter(model: Any, task: Task, lora: Lora, new: list[str]) -> Any:
    if new and not task.head:
        raise PipelineError(
            f"the base has no weights for {', '.join(new)}, which this task's outputs come from: LoRA cannot"
            " train them; use method: full, or a base that was trained with such a head"
        )
    # PEFT knows heads by two names only and silently leaves others out of the saved adapter: name them all.
    heads = [
        name
        for name, child in model.named_children()
        if task.head and name != model.base_model_prefix and any(True for _ in child.parameters())
    ]
    kept = [*heads, *(path for path in new if path.partition(".")[0] not in heads)]
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
    settings = lora.model_dump() | {"fan_in_fan_out": _fan_in_fan_out(model)}
    config = LoraConfig(task_type=task.peft_type, modules_to_save=kept or None, **settings)
    return get_peft_model(model, config)


def _fan_in_fan_out(model: Any) -> bool:
    """GPT-2's Conv1D holds its weights transposed; PEFT would correct the setting itself, with a warning."""
    return any(isinstance(module, transformers.pytorch_utils.Conv1D) for module in model.modules())

"""The rungs of the ladder that are neural networks, built from nothing: no weight comes from the base.

The base gives what makes them comparable: its tokenizer's vocabulary, and the sizes of its own architecture.
They take a higher learning rate than fine-tuning does (1e-3 suits them): every weight has a long way to go.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from stages.core.errors import PipelineError
from stages.tasks.inference import head_settings
from stages.tasks.table import Task
from stages.training import build
from stages.training.networks import CLASSES, LadderConfig

_WIDEST = 128


def rung(
    name: str,
    task: Task,
    base: Path,
    labels: Sequence[str],
    seed: int,
    sizes: Mapping[str, Any] | None = None,
    dropout: float | None = None,
) -> Any:
    """A network with random weights, on the CPU in fp32: `name` is one of NETWORKS (core/tasks.py).

    `transformer` is the base's own architecture in its own size. The others have embeddings and states of the
    base's hidden size, at most 128; `sizes` are fields of LadderConfig that say otherwise, and are theirs
    alone. `dropout` (a share) replaces the usual one. `labels` name the outputs (none for a regression).
    Raises PipelineError for a base whose architecture has no head for the task.
    """
    config = transformers.AutoConfig.from_pretrained(base, trust_remote_code=False)
    tokenizer = transformers.AutoTokenizer.from_pretrained(base, trust_remote_code=False)
    head = head_settings(task, labels) | {"pad_token_id": _padding(config, tokenizer)}
    transformers.set_seed(seed)  # before a weight is drawn: a Trainer would seed too late
    if name == "transformer":
        return _transformer(task.auto_class, base, head, dropout)
    width = min(_WIDEST, config.get_text_config().hidden_size)
    settings = {
        "kind": _KINDS[name],
        "vocab_size": max(config.get_text_config().vocab_size, len(tokenizer)),
        "embedding_size": width,
        "hidden_size": width,
        **(sizes or {}),
        **({} if dropout is None else {"dropout": dropout}),
    }
    return CLASSES[task.auto_class](LadderConfig(**settings, **head))


_KINDS = {"feed_forward": "feed-forward", "rnn": "rnn", "lstm": "lstm"}


def _transformer(auto_class: str, base: Path, head: dict[str, Any], dropout: float | None) -> Any:
    try:
        config = transformers.AutoConfig.from_pretrained(base, trust_remote_code=False, **head)
        if dropout is not None:
            build.set_dropout(config, dropout)
        # A base that was saved in bf16 would otherwise be drawn and trained in it.
        model = getattr(transformers, auto_class).from_config(
            config, dtype=torch.float32, trust_remote_code=False
        )
    except ValueError as error:
        said = str(error).strip().split("\n")[0][:200]
        raise PipelineError(f"{base} has no architecture for this task: {said}") from error
    model.accepts_loss_kwargs = False  # as in stages/training/build.py
    return model


def _padding(config: Any, tokenizer: Any) -> int | None:
    """GPT-2's kind has no padding token, and takes the end of the text for it."""
    known = (config.pad_token_id, tokenizer.pad_token_id, tokenizer.eos_token_id)
    return next((number for number in known if number is not None), None)

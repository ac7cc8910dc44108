"""Texts to token ids."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.core.errors import PipelineError


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a model folder; never with code of its own.

    Raises PipelineError for one that cannot pad: batches of texts of unequal length need it.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if tokenizer.pad_token is None:
        raise PipelineError(f"the tokenizer in {folder} has no padding token: choose another base model")
    return tokenizer


def encode(tokenizer: Any, texts: Sequence[str], max_length: int) -> dict[str, list[list[int]]]:
    """Token ids of each text, cut at `max_length` tokens, not padded: batches are padded when they form."""
    encoded: dict[str, list[list[int]]] = dict(tokenizer(list(texts), truncation=True, max_length=max_length))
    return encoded


def usable_length(tokenizer: Any, base: Path, max_length: int) -> int:
    """The most tokens that the model in folder `base` can take, at most `max_length`.

    RoBERTa's family counts positions from `pad_token_id + 1` on, so some of its table is never used.
    """
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(base, trust_remote_code=False)
    limits = [max_length, tokenizer.model_max_length]
    positions = getattr(config, "max_position_embeddings", None)
    if positions:
        offset = config.pad_token_id + 1 if config.model_type in _POSITIONS_AFTER_PAD else 0
        limits.append(positions - offset)
    return int(min(limits))


_POSITIONS_AFTER_PAD = ("camembert", "roberta", "xlm-roberta", "xlm-roberta-xl", "longformer")


def truncated_share(tokenizer: Any, texts: Sequence[str], max_length: int) -> float:
    """The share (0 to 1) of texts that have more than `max_length` tokens."""
    ids = tokenizer(list(texts), truncation=True, max_length=max_length + 1)["input_ids"]
    return sum(len(row) > max_length for row in ids) / max(1, len(ids))

"""Sums from which the scores of language models follow."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.core.records import Record
from stages.evidence.label_counts import ratio
from stages.evidence.statistics import Floats
from stages.tasks.language_metrics import MOST_NATS


def causal_counts(predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]) -> Any:
    """For each row the loss (nats, summed over its tokens) and how many tokens there are: [rows, 2]."""
    return np.array([(record["loss"], record["tokens"]) for record in predicted], dtype=np.float64)


def causal_values(sums: Floats, labels: Sequence[str]) -> dict[str, Floats]:
    """Loss by token and perplexity of sums of `causal_counts`; without any token the loss is 0."""
    loss = ratio(sums[..., 0], sums[..., 1])
    return {"perplexity": np.exp(np.minimum(loss, MOST_NATS)), "loss": loss}


def masked_counts(predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]) -> Any:
    """For each row its loss, its tokens, and how many of them are guessed right: [rows, 3]."""
    hits = np.array([[record["hits"]] for record in predicted], dtype=np.float64)
    return np.hstack([causal_counts(predicted, references, labels), hits])


def masked_values(sums: Floats, labels: Sequence[str]) -> dict[str, Floats]:
    """Loss, pseudo-perplexity and masked accuracy of sums of `masked_counts`."""
    scores = causal_values(sums, labels)
    return {
        "pseudo_perplexity": scores["perplexity"],
        "loss": scores["loss"],
        "masked_accuracy": ratio(sums[..., 2], sums[..., 1]),
    }

"""Scores of language models, from the negative log-likelihood and the number of the tokens of each row.

Sums over all rows are divided once: a mean of means over batches or rows would weigh tokens unequally.
"""

import math
from collections.abc import Sequence
from typing import Any

import datasets
import evaluate

from stages.core.errors import PipelineError
from stages.core.records import Record

# exp of more leaves the range of floats; a blind guess among a million tokens has a loss of 14.
MOST_NATS = 700.0


class Likelihood(evaluate.Metric):  # type: ignore[misc]
    """Loss in nats by token, and its exponential."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="mean negative log-likelihood of a token, in nats, and its exponential",
            citation="",
            inputs_description="losses: sum over each row's tokens, in nats; tokens: how many each row has",
            features=datasets.Features(
                {"losses": datasets.Value("float64"), "tokens": datasets.Value("int64")}
            ),
        )

    def _compute(self, losses: Sequence[float], tokens: Sequence[int]) -> dict[str, float]:
        loss = math.fsum(losses) / sum(tokens)
        return {"perplexity": math.exp(min(loss, MOST_NATS)), "loss": loss}


def score_causal(
    predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]
) -> dict[str, float]:
    """Loss (nats by token) and perplexity, its exponential, of a model that predicts each next token.

    Perplexity is cut at exp(700), so that it stays finite. Raises PipelineError when no row has a token to
    score, and for a loss that is no finite number, as that of a model that diverged.
    """
    for row, record in enumerate(predicted):
        if not math.isfinite(record["loss"]):
            raise PipelineError(
                f"row {row} has a loss of {record['loss']}: training diverged; lower learning_rate"
            )
    if not any(record["tokens"] for record in predicted):
        raise PipelineError("no row has a token to score: these texts are too short for a language model")
    metric = Likelihood(keep_in_memory=True)
    result: dict[str, float] = metric.compute(
        losses=[record["loss"] for record in predicted], tokens=[record["tokens"] for record in predicted]
    )
    return result


def score_masked(
    predicted: Sequence[Record], references: Sequence[Any], labels: Sequence[str]
) -> dict[str, float]:
    """Loss (nats by token), pseudo-perplexity and masked accuracy of a model that fills in masks.

    Every token of a text is predicted exactly once while it is masked, in round(1 / mask_share) passes that
    each mask another share of the tokens; loss and accuracy are over all tokens, and pseudo-perplexity is the
    exponential of the loss. (Salazar et al., "Masked Language Model Scoring", ACL 2020, mask one token a
    pass: the numbers compare with theirs only roughly, as more masks leave less to see.) Raises as
    `score_causal` does.
    """
    scores = score_causal(predicted, references, labels)
    hits, tokens = (sum(record[name] for record in predicted) for name in ("hits", "tokens"))
    return {
        "pseudo_perplexity": scores["perplexity"],
        "loss": scores["loss"],
        "masked_accuracy": hits / tokens,
    }

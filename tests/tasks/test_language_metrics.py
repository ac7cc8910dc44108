"""Scores of language models: sums divided once, and finite whatever happens."""

import math

import pytest

from stages.core.errors import PipelineError
from stages.core.tasks import TASK_TYPES
from stages.tasks.language_metrics import score_causal, score_masked

ROWS = [
    {"loss": 6.0, "tokens": 2, "hits": 1},
    {"loss": 4.0, "tokens": 8, "hits": 6},
    {"loss": 0.0, "tokens": 0, "hits": 0},
]


def test_every_token_weighs_alike() -> None:
    found = score_causal(ROWS, [None] * 3, [])
    assert found == {
        "loss": pytest.approx(1.0),
        "perplexity": pytest.approx(math.e),
    }  # not the mean of 3 and 0.5
    assert set(found) == set(TASK_TYPES["causal-lm"].metrics)


def test_masked_models_have_hits_too() -> None:
    found = score_masked(ROWS, [None] * 3, [])
    assert found == {
        "pseudo_perplexity": pytest.approx(math.e),
        "loss": pytest.approx(1.0),
        "masked_accuracy": pytest.approx(0.7),
    }
    assert set(found) == set(TASK_TYPES["masked-lm"].metrics)


def test_perplexity_is_finite_for_any_loss() -> None:
    found = score_causal([{"loss": 5000.0, "tokens": 1}], [None], [])
    assert found == {"loss": 5000.0, "perplexity": math.exp(700)}


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_model_that_diverged_is_said_to_have(loss: float) -> None:
    with pytest.raises(PipelineError, match=r"row 3 .*diverged"):
        score_causal([*ROWS, {"loss": loss, "tokens": 1}], [None] * 4, [])


def test_rows_without_any_token_are_refused() -> None:
    with pytest.raises(PipelineError, match="no row has a token"):
        score_masked(ROWS[2:], [None], [])

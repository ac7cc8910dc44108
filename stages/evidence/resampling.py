"""Every score of every task on bootstrap resamples of the test rows.

A score of a resample is worked out from sums over its rows. So each row is counted once, a resample is how
often it holds each row, and one matrix product gives the sums of many resamples. Rank correlations are no
function of sums; they are worked out from the same weights.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stages.core.records import Record
from stages.evidence import label_counts, language_counts, number_counts, tag_counts, text_counts
from stages.evidence.statistics import Bootstrap, Floats

Predicted = Sequence[Record]
Labels = Sequence[str]

_CELLS = 2**21  # weights held at a time: 16 MiB


@dataclass(frozen=True)
class Resampling:
    """How a task's scores follow from counts.

    `counts` makes a matrix of shape [rows, k], dense or sparse, of what predictions and references hold.
    `values` makes scores of sums over rows: of shape [..., k], arrays of shape [...] by name; of all rows
    they are the task's own scores. `weighted` makes a function of predictions and references that gives
    further scores of weights of shape [resamples, rows].
    """

    counts: Callable[[Predicted, Sequence[Any], Labels], Any]
    values: Callable[[Floats, Labels], dict[str, Floats]]
    weighted: Callable[[Predicted, Sequence[Any]], Callable[[Floats], dict[str, Floats]]] | None = None


# By the names of stages.core.tasks.TASK_TYPES.
RESAMPLING: dict[str, Resampling] = {
    "text-classification": Resampling(label_counts.class_counts, label_counts.class_values),
    "multi-label-classification": Resampling(label_counts.classes_counts, label_counts.classes_values),
    "text-regression": Resampling(
        number_counts.number_counts, number_counts.number_values, number_counts.spearman
    ),
    "token-classification": Resampling(tag_counts.tag_counts, tag_counts.tag_values),
    "seq2seq": Resampling(text_counts.text_counts, text_counts.text_values),
    "causal-lm": Resampling(language_counts.causal_counts, language_counts.causal_values),
    "masked-lm": Resampling(language_counts.masked_counts, language_counts.masked_values),
}


@dataclass(frozen=True)
class Scores:
    """Every metric of a task: of all rows, and of each resample, an array of shape [resamples]."""

    values: dict[str, float]
    samples: dict[str, Floats]


def resampled(
    task_type: str, predicted: Predicted, references: Sequence[Any], labels: Labels, bootstrap: Bootstrap
) -> Scores:
    """Every metric of the task, of all rows and of each resample of them.

    The rows drawn depend on the seed and on the number of rows alone, so that the arrays of two models on the
    same test set are paired, and a model's interval stays what it was when a baseline is added.
    """
    task = RESAMPLING[task_type]
    counts = task.counts(predicted, references, labels)
    weighted = task.weighted(predicted, references) if task.weighted else None

    def of(weights: Floats) -> dict[str, Floats]:
        return task.values(weights @ counts, labels) | (weighted(weights) if weighted else {})

    values = {name: float(value[0]) for name, value in of(np.ones((1, len(references)))).items()}
    parts = [of(weights) for weights in drawn(len(references), bootstrap)]
    return Scores(
        values=values,
        samples={name: np.concatenate([part[name] for part in parts]) for name in values},
    )


def drawn(rows: int, bootstrap: Bootstrap) -> Iterator[Floats]:
    """How often each resample holds each row, some resamples at a time: shape [some, rows]."""
    rng = np.random.default_rng(bootstrap.seed)
    some = max(1, _CELLS // rows)
    for start in range(0, bootstrap.resamples, some):
        weights = np.empty((min(some, bootstrap.resamples - start), rows))
        for resample in weights:
            resample[:] = np.bincount(rng.integers(rows, size=rows), minlength=rows)
        yield weights

"""The card's words for what records name by a key. A change here renders a card anew and retrains nothing."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Metric:
    """A score as a reader and as the Hub know it. Names stand in the middle of a sentence."""

    name: str
    hub_id: str  # of https://huggingface.co/metrics
    args: dict[str, Any] | None = None  # of the metric, which tell its variants apart


@dataclass(frozen=True)
class Task:
    """A task as a reader and as the Hub know it."""

    name: str
    pipeline_tag: str
    columns: tuple[str, ...]  # the scores in the card's table; the main metric comes first in any case


METRICS: dict[str, Metric] = {
    "f1_macro": Metric("macro F1", "f1", {"average": "macro"}),
    "f1_weighted": Metric("weighted F1", "f1", {"average": "weighted"}),
    "f1_micro": Metric("micro F1", "f1", {"average": "micro"}),
    "accuracy": Metric("accuracy", "accuracy"),
}

TASKS: dict[str, Task] = {
    # Micro F1 is left out of the table: with one label a row it equals accuracy.
    "text-classification": Task(
        "Text classification", "text-classification", ("f1_macro", "f1_weighted", "accuracy")
    ),
}

BASELINES: dict[str, str] = {
    "majority": "majority class",
    "tfidf_logistic_regression": "TF-IDF + logistic regression",
}

SPLITS: dict[str, str] = {"train": "training", "validation": "validation", "test": "test"}

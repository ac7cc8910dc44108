"""Scores and tasks as the Hub knows them. Names are English, whatever the card's language."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Metric:
    """A score. Its name stands within sentences of English cards, and in the front matter of all."""

    name: str
    hub_id: str  # of https://huggingface.co/metrics
    args: dict[str, Any] | None = None  # of the metric, which tell its variants apart


@dataclass(frozen=True)
class Task:
    """A task; what its card says stands in its own template."""

    name: str
    pipeline_tag: str
    columns: tuple[str, ...]  # the scores in the card's table; the main metric comes first in any case
    auto_class: str  # that a reader loads the model by
    pipeline: str | None = None  # of transformers, where it has one


METRICS: dict[str, Metric] = {
    "f1_macro": Metric("macro F1", "f1", {"average": "macro"}),
    "f1_weighted": Metric("weighted F1", "f1", {"average": "weighted"}),
    "f1_micro": Metric("micro F1", "f1", {"average": "micro"}),
    "f1_samples": Metric("F1 by row", "f1", {"average": "samples"}),
    "accuracy": Metric("accuracy", "accuracy"),
    "exact_match": Metric("exact match", "exact_match"),
    "entity_f1": Metric("entity F1", "f1", {"mode": "strict", "scheme": "IOB2"}),
    "entity_precision": Metric("entity precision", "precision", {"mode": "strict", "scheme": "IOB2"}),
    "entity_recall": Metric("entity recall", "recall", {"mode": "strict", "scheme": "IOB2"}),
    "mse": Metric("mean squared error", "mse"),
    "rmse": Metric("root mean squared error", "mse", {"squared": False}),
    "mae": Metric("mean absolute error", "mae"),
    "pearson": Metric("Pearson correlation", "pearsonr"),
    "spearman": Metric("Spearman correlation", "spearmanr"),
    "r2": Metric("R²", "r_squared"),
    "chrf": Metric("chrF", "chrf"),
    "bleu": Metric("BLEU", "sacrebleu"),
    "rouge1": Metric("ROUGE-1", "rouge", {"rouge_type": "rouge1"}),
    "rouge2": Metric("ROUGE-2", "rouge", {"rouge_type": "rouge2"}),
    "rougeL": Metric("ROUGE-L", "rouge", {"rouge_type": "rougeL"}),
    "perplexity": Metric("perplexity", "perplexity"),
    "loss": Metric("loss", "loss"),
    "pseudo_perplexity": Metric("pseudo-perplexity", "pseudo_perplexity"),
    "masked_accuracy": Metric("accuracy on masked tokens", "accuracy", {"tokens": "masked"}),
}

_SEQUENCES, _TOKENS = "AutoModelForSequenceClassification", "AutoModelForTokenClassification"
TASKS: dict[str, Task] = {
    # Micro F1 is left out of the table: with one label a row it equals accuracy.
    "text-classification": Task(
        "Text classification",
        "text-classification",
        ("f1_macro", "f1_weighted", "accuracy"),
        _SEQUENCES,
        "text-classification",
    ),
    "multi-label-classification": Task(
        "Multi-label text classification",
        "text-classification",
        ("f1_micro", "f1_macro", "f1_samples", "exact_match"),
        _SEQUENCES,
        "text-classification",
    ),
    "text-regression": Task(
        "Regression on texts",
        "text-classification",
        ("rmse", "mae", "pearson", "spearman", "r2"),
        _SEQUENCES,
        "text-classification",
    ),
    "token-classification": Task(
        "Token classification",
        "token-classification",
        ("entity_f1", "entity_precision", "entity_recall", "f1_macro", "accuracy"),
        _TOKENS,
        "token-classification",
    ),
    # transformers has no pipeline for it any more; the Hub calls it by what it is used for.
    "seq2seq": Task("Text to text", "translation", ("chrf", "bleu", "rougeL"), "AutoModelForSeq2SeqLM"),
    "causal-lm": Task(
        "Language modelling",
        "text-generation",
        ("perplexity", "loss"),
        "AutoModelForCausalLM",
        "text-generation",
    ),
    "masked-lm": Task(
        "Masked language modelling",
        "fill-mask",
        ("pseudo_perplexity", "masked_accuracy"),
        "AutoModelForMaskedLM",
        "fill-mask",
    ),
}

# The user's own sections: the names of their files.
SECTIONS = ("intended_use", "out_of_scope", "limitations", "ethics", "contact")

"""The tasks by name: what the label of a row is, and which scores there are.

Plain data that every room may read: all that reading rows and checking params.yaml needs to know of a task.
How it learns and predicts is its row in stages/tasks/table.py, what is said of it in
stages/release/wording.py.
"""

from dataclasses import dataclass
from typing import Literal

# What a row's label is: one class, any number of classes, a number, a tag a word, a text, or nothing.
Kind = Literal["class", "classes", "number", "tags", "text", "none"]

# The rungs that are neural networks, trained as the model itself is.
NETWORKS = ("feed_forward", "rnn", "lstm", "transformer")
# The rung that is the base model before fine-tuning, where that can do the task.
BASE = "base"


@dataclass(frozen=True)
class TaskType:
    """One task. The first of `metrics` decides which checkpoint is best unless `task.metric` does."""

    label: Kind
    metrics: tuple[str, ...]
    rungs: tuple[str, ...]  # what `baselines.models` chooses among, from the simplest up
    options: frozenset[str] = frozenset()  # the keys of params.yaml's `task` that only some tasks have

    @property
    def softmax(self) -> bool:
        """Whether outputs are probabilities that sum to 1."""
        return self.label not in ("classes", "number")

    @property
    def quick_rungs(self) -> tuple[str, ...]:
        """Those that take seconds: the baselines of a params.yaml that names none."""
        return tuple(rung for rung in self.rungs if rung not in NETWORKS)


TASK_TYPES: dict[str, TaskType] = {
    "text-classification": TaskType(
        label="class",
        metrics=("f1_macro", "accuracy", "f1_micro", "f1_weighted"),
        rungs=("majority", "linear", *NETWORKS, BASE),
        options=frozenset({"labels"}),
    ),
    "multi-label-classification": TaskType(
        label="classes",
        metrics=("f1_micro", "f1_macro", "f1_samples", "exact_match"),
        rungs=("majority", "linear", *NETWORKS, BASE),
        options=frozenset({"labels", "thresholds"}),
    ),
    "text-regression": TaskType(
        label="number",
        metrics=("mse", "rmse", "mae", "pearson", "spearman", "r2"),
        rungs=("mean", "linear", *NETWORKS, BASE),
    ),
    # Entity scores exist for entity tags (B-PER), f1_macro for plain ones (NOUN).
    "token-classification": TaskType(
        label="tags",
        metrics=("entity_f1", "entity_precision", "entity_recall", "accuracy", "f1_macro"),
        rungs=("majority", "most_frequent_tag", "linear", *NETWORKS, BASE),
        options=frozenset({"labels", "label_all_tokens", "stride"}),
    ),
    "seq2seq": TaskType(
        label="text",
        metrics=("chrf", "bleu", "rouge1", "rouge2", "rougeL"),
        rungs=("copy", "lead", "transformer", BASE),
        options=frozenset({"prefix", "max_target_length", "num_beams"}),
    ),
    "causal-lm": TaskType(label="none", metrics=("perplexity", "loss"), rungs=("unigram", *NETWORKS, BASE)),
    "masked-lm": TaskType(
        label="none",
        metrics=("pseudo_perplexity", "loss", "masked_accuracy"),
        rungs=("unigram", *NETWORKS, BASE),
        options=frozenset({"mask_share"}),
    ),
}

# Of every other score more is better.
LOWER_IS_BETTER = frozenset({"mse", "rmse", "mae", "loss", "perplexity", "pseudo_perplexity"})


# Scores up to 100; the others that grow have 1 as their best.
PERCENTAGES = frozenset({"chrf", "bleu", "rouge1", "rouge2", "rougeL"})


def greater_is_better(metric: str) -> bool:
    """Which way a score points."""
    return metric not in LOWER_IS_BETTER

"""The tasks, one row each. A new task is one row, one encode, one score and one test parameter.

Wording and pipeline tags live with the card, so that a phrase never retrains a model.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """What training, inference and scoring need to know of a task."""

    auto_class: str  # name in transformers, resolved late: importing it costs seconds
    peft_type: str  # name in peft.TaskType
    problem_type: str
    metrics: tuple[str, ...]  # what `score` returns; greater is better in each


TASKS: dict[str, Task] = {
    "text-classification": Task(
        auto_class="AutoModelForSequenceClassification",
        peft_type="SEQ_CLS",
        problem_type="single_label_classification",
        metrics=("f1_macro", "accuracy", "f1_micro", "f1_weighted"),
    ),
}

"""The tasks, one row each: how a task learns, predicts and is scored.

A new task is a row here (with its encode and its predict), a score, a row of what the evidence needs, and a
row of the card's wording; see CONTRIBUTING.md. Wording lives with the card, so that a phrase never retrains a
model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stages.core.records import Record
from stages.core.task_section import Task as Settings
from stages.tasks import encode, language_metrics, metrics, predict, tag_metrics, text_metrics, thresholds
from stages.tasks.encode import Feature
from stages.tasks.rows import Rows

Encode = Callable[[Any, Rows, Settings], list[Feature]]
Predict = Callable[[Any, Any, Any, list[Feature], Settings, int], predict.Predicted]
Score = Callable[[Sequence[Record], Sequence[Any], Sequence[str]], dict[str, float]]
Decide = Callable[[Sequence[Record], Sequence[Any], Sequence[str]], list[float]]


@dataclass(frozen=True)
class Task:
    """What training, inference and scoring need to know of a task.

    Names of classes are resolved late: importing them costs seconds. `head` is whether the task's outputs are
    its labels, so that the base gets a new head. `collator` pads: with labels of one value a row by
    DataCollatorWithPadding, with labels of one value a token by DataCollatorForSeq2Seq.
    """

    auto_class: str
    peft_type: str | None  # None: PEFT has no such type
    problem_type: str | None
    head: bool
    collator: str
    encode: Encode
    predict: Predict
    score: Score
    masked: bool = False  # training rows are masked anew in each epoch
    next_token: bool = False  # what is predicted at a token is the one after it
    decide: Decide | None = None  # what is decided on the validation rows when training is over


TASKS: dict[str, Task] = {
    "text-classification": Task(
        auto_class="AutoModelForSequenceClassification",
        peft_type="SEQ_CLS",
        problem_type="single_label_classification",
        head=True,
        collator="DataCollatorWithPadding",
        encode=encode.class_features,
        predict=predict.predict_class,
        score=metrics.score_class,
    ),
    "multi-label-classification": Task(
        auto_class="AutoModelForSequenceClassification",
        peft_type="SEQ_CLS",
        problem_type="multi_label_classification",
        head=True,
        collator="DataCollatorWithPadding",
        encode=encode.classes_features,
        predict=predict.predict_classes,
        score=metrics.score_classes,
        decide=thresholds.tune,
    ),
    "text-regression": Task(
        auto_class="AutoModelForSequenceClassification",
        peft_type="SEQ_CLS",
        problem_type="regression",
        head=True,
        collator="DataCollatorWithPadding",
        encode=encode.number_features,
        predict=predict.predict_number,
        score=metrics.score_number,
    ),
    "token-classification": Task(
        auto_class="AutoModelForTokenClassification",
        peft_type="TOKEN_CLS",
        problem_type=None,
        head=True,
        collator="DataCollatorForSeq2Seq",
        encode=encode.word_features,
        predict=predict.predict_tags,
        score=tag_metrics.score_tags,
    ),
    "seq2seq": Task(
        auto_class="AutoModelForSeq2SeqLM",
        peft_type="SEQ_2_SEQ_LM",
        problem_type=None,
        head=False,
        collator="DataCollatorForSeq2Seq",
        encode=encode.target_features,
        predict=predict.predict_text,
        score=text_metrics.score_text,
    ),
    "causal-lm": Task(
        auto_class="AutoModelForCausalLM",
        peft_type="CAUSAL_LM",
        problem_type=None,
        head=False,
        collator="DataCollatorForSeq2Seq",
        encode=encode.chunk_features,
        predict=predict.predict_next_tokens,
        score=language_metrics.score_causal,
        next_token=True,
    ),
    "masked-lm": Task(
        auto_class="AutoModelForMaskedLM",
        peft_type=None,
        problem_type=None,
        head=False,
        collator="DataCollatorForSeq2Seq",
        encode=encode.maskable_features,
        predict=predict.predict_masked_tokens,
        score=language_metrics.score_masked,
        masked=True,
    ),
}

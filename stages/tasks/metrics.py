"""Classification metrics, as `evaluate.Metric` modules of our own around scikit-learn.

Our own and imported, because `evaluate.load` fetches code when it runs and hides it from the import closure
that DVC tracks.
"""

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

Numbers = Sequence[int] | NDArray[np.integer[Any]]

_CITATION = """@article{scikit-learn, title={Scikit-learn: Machine Learning in {P}ython},
author={Pedregosa, F. and others}, journal={Journal of Machine Learning Research}, volume={12},
year={2011}}"""


class Classification(evaluate.Metric):  # type: ignore[misc]
    """Accuracy and F1 of single-label classification.

    `labels` names every class by its number, seen or not: a class that is absent from the rows counts as F1 0
    in the macro mean, where scikit-learn alone would leave it out and flatter the model.
    """

    def _info(self) -> evaluate.MetricInfo:
        number = datasets.Value("int64")
        return evaluate.MetricInfo(
            description="accuracy; F1 as macro, micro and weighted mean over classes",
            citation=_CITATION,
            inputs_description="predictions, references: class numbers; labels: all class numbers",
            features=datasets.Features({"predictions": number, "references": number}),
        )

    def _compute(self, predictions: Numbers, references: Numbers, labels: Sequence[int]) -> dict[str, float]:
        f1 = {
            f"f1_{mean}": float(
                sk.f1_score(references, predictions, labels=list(labels), average=mean, zero_division=0)
            )
            for mean in ("macro", "micro", "weighted")
        }
        return {"accuracy": float(sk.accuracy_score(references, predictions)), **f1}


def score(predicted: Numbers, references: Numbers, labels: Sequence[str]) -> dict[str, float]:
    """Accuracy and F1 (macro, micro, weighted) of class numbers into `labels`; both sequences of length n."""
    # In memory: the default writes an Arrow file and a lock into the user's cache at each call.
    metric = Classification(keep_in_memory=True)
    result: dict[str, float] = metric.compute(
        predictions=predicted, references=references, labels=list(range(len(labels)))
    )
    return result


def per_class(predicted: Numbers, references: Numbers, labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Precision, recall, F1 and support (rows whose true class it is) of every label."""
    columns = sk.precision_recall_fscore_support(
        references, predicted, labels=list(range(len(labels))), zero_division=0
    )
    return {
        label: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)}
        for label, p, r, f, s in zip(labels, *columns, strict=True)
    }


def confusion(predicted: Numbers, references: Numbers, labels: Sequence[str]) -> list[list[int]]:
    """Counts, a row for each true class and a column for each predicted one."""
    matrix: list[list[int]] = sk.confusion_matrix(
        references, predicted, labels=list(range(len(labels)))
    ).tolist()
    return matrix

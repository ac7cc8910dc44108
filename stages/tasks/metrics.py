"""Scores of classes and numbers, as `evaluate.Metric` modules of our own around scikit-learn and SciPy.

Our own and imported, because `evaluate.load` fetches code when it runs and hides it from the import closure
that DVC tracks. Always with `keep_in_memory`: the default writes an Arrow file and a lock into the user's
cache at each call.
"""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from stages.core.errors import PipelineError
from stages.core.records import Record

Numbers = Sequence[int] | NDArray[np.integer[Any]]
Scores = dict[str, dict[str, Any]]  # precision, recall, f1 and support by name

_CITATION = """@article{scikit-learn, title={Scikit-learn: Machine Learning in {P}ython},
author={Pedregosa, F. and others}, journal={Journal of Machine Learning Research}, volume={12},
year={2011}}"""
_LARGEST = 1e100  # beyond it squares leave the range of floats


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


class MultiLabel(evaluate.Metric):  # type: ignore[misc]
    """F1 over labels and over rows, and the share of rows whose labels are all right.

    A label that neither occurs nor is predicted has F1 0. A row that has no label and gets none is all right:
    its F1 is 1.
    """

    def _info(self) -> evaluate.MetricInfo:
        names = datasets.Sequence(datasets.Value("string"))
        return evaluate.MetricInfo(
            description="F1 as micro and macro mean over labels and as mean over rows; exact matches",
            citation=_CITATION,
            inputs_description="predictions, references: label names of each row; labels: all label names",
            features=datasets.Features({"predictions": names, "references": names}),
        )

    def _compute(
        self, predictions: Sequence[Sequence[str]], references: Sequence[Sequence[str]], labels: Sequence[str]
    ) -> dict[str, float]:
        said, true = _indicators(predictions, labels), _indicators(references, labels)
        undefined = {"micro": 0.0, "macro": 0.0, "samples": 1.0}
        f1 = {
            f"f1_{mean}": float(sk.f1_score(true, said, average=mean, zero_division=value))
            for mean, value in undefined.items()
        }
        return {**f1, "exact_match": float(sk.accuracy_score(true, said))}


class Regression(evaluate.Metric):  # type: ignore[misc]
    """Errors, correlations and the coefficient of determination of predicted numbers.

    Where a score is undefined it is 0, as for a model that knows nothing: a correlation with numbers that are
    all the same, and r2 when the references are, one row included.
    """

    def _info(self) -> evaluate.MetricInfo:
        number = datasets.Value("float64")
        return evaluate.MetricInfo(
            description="mean squared error, its root, mean absolute error, Pearson, Spearman, r2",
            citation=_CITATION,
            inputs_description="predictions, references: numbers",
            features=datasets.Features({"predictions": number, "references": number}),
        )

    def _compute(self, predictions: Sequence[float], references: Sequence[float]) -> dict[str, float]:
        varied = bool(np.ptp(references) > 0)
        both = varied and bool(np.ptp(predictions) > 0)
        pearson, spearman = _correlations(predictions, references) if both else (0.0, 0.0)
        return {
            "mse": float(sk.mean_squared_error(references, predictions)),
            "rmse": float(sk.root_mean_squared_error(references, predictions)),
            "mae": float(sk.mean_absolute_error(references, predictions)),
            "pearson": pearson,
            "spearman": spearman,
            "r2": float(sk.r2_score(references, predictions)) if varied else 0.0,
        }


def score_class(
    predicted: Sequence[Record], references: Sequence[str], labels: Sequence[str]
) -> dict[str, float]:
    """Accuracy and F1 (macro, micro, weighted) of one class a row."""
    metric = Classification(keep_in_memory=True)
    result: dict[str, float] = metric.compute(
        predictions=numbers((record["predicted"] for record in predicted), labels),
        references=numbers(references, labels),
        labels=list(range(len(labels))),
    )
    return result


def score_classes(
    predicted: Sequence[Record], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """F1 (micro, macro, mean over rows) and exact matches of any number of classes a row."""
    metric = MultiLabel(keep_in_memory=True)
    result: dict[str, float] = metric.compute(
        predictions=[record["predicted"] for record in predicted],
        references=list(references),
        labels=list(labels),
    )
    return result


def score_number(
    predicted: Sequence[Record], references: Sequence[float], labels: Sequence[str]
) -> dict[str, float]:
    """Errors (mse in squared units of the label, rmse and mae in its units), correlations and r2.

    Raises PipelineError for a prediction that is no finite number, as those of a model that diverged.
    """
    said = [float(record["predicted"]) for record in predicted]
    for row, number in enumerate(said):
        if not abs(number) < _LARGEST:
            raise PipelineError(f"row {row} is predicted as {number}: training diverged; lower learning_rate")
    metric = Regression(keep_in_memory=True)
    result: dict[str, float] = metric.compute(predictions=said, references=list(references))
    return result


def numbers(names: Iterable[str], labels: Sequence[str]) -> list[int]:
    """The place of each name in `labels`. Raises PipelineError for a name that is not one of them."""
    place = {label: number for number, label in enumerate(labels)}
    try:
        return [place[name] for name in names]
    except KeyError as unknown:
        raise PipelineError(f"{unknown} is not one of the labels: run `dvc repro prepare`") from None


def per_class(predicted: Sequence[str], references: Sequence[str], labels: Sequence[str]) -> Scores:
    """Precision, recall, F1 and support (rows whose true class it is) of every class."""
    said, true = numbers(predicted, labels), numbers(references, labels)
    columns = sk.precision_recall_fscore_support(
        true, said, labels=list(range(len(labels))), average=None, zero_division=0
    )
    return _by_name(labels, columns)


def per_label(
    predicted: Sequence[Sequence[str]], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> Scores:
    """Precision, recall, F1 and support (rows that have it) of every label, where rows have any number."""
    said, true = _indicators(predicted, labels), _indicators(references, labels)
    columns = sk.precision_recall_fscore_support(true, said, average=None, zero_division=0)
    return _by_name(labels, columns)


def confusion(predicted: Sequence[str], references: Sequence[str], labels: Sequence[str]) -> list[list[int]]:
    """Counts, a row for each true class and a column for each predicted one."""
    said, true = numbers(predicted, labels), numbers(references, labels)
    matrix: list[list[int]] = sk.confusion_matrix(true, said, labels=list(range(len(labels)))).tolist()
    return matrix


def _by_name(labels: Sequence[str], columns: Iterable[Any]) -> Scores:
    return {
        label: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)}
        for label, p, r, f, s in zip(labels, *columns, strict=True)
    }


def _indicators(rows: Sequence[Sequence[str]], labels: Sequence[str]) -> Any:
    """A sparse matrix of shape [rows, labels]: 1 where the row has the label."""
    from sklearn.preprocessing import MultiLabelBinarizer

    numbers((name for row in rows for name in row), labels)  # or the binarizer would leave unknown ones out
    return MultiLabelBinarizer(classes=list(labels), sparse_output=True).fit_transform(rows)


def _correlations(predicted: Sequence[float], references: Sequence[float]) -> tuple[float, float]:
    from scipy import stats

    with warnings.catch_warnings():
        # Nearly constant numbers: less exact, not undefined.
        warnings.simplefilter("ignore", stats.NearConstantInputWarning)
        pearson = stats.pearsonr(predicted, references).statistic
    return float(pearson), float(stats.spearmanr(predicted, references).statistic)

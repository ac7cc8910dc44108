"""What a baseline gives back: predictions of the test rows, in the form of the model's own, and facts."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.tasks.rows import Rows


@dataclass(frozen=True)
class Fitted:
    """One prediction a test row, as stages/tasks/predict.py makes them, and what records say of the model.

    `facts` are a `description` for the card, `parameters` (how many numbers were fitted) and what was chosen.
    """

    predicted: list[Record]
    facts: Record


# Fitted to the first rows, it predicts the second ones; labels in their order, and a seed.
Baseline = Callable[[Rows, Rows, Sequence[str], int], Fitted]


def classes(shares: NDArray[np.float64], labels: Sequence[str]) -> list[Record]:
    """The most probable class of each row; `shares` has shape [rows, labels]. Ties go to the first."""
    return [{"predicted": labels[int(row.argmax())], "probabilities": row.tolist()} for row in shares]


def membership(rows: Rows, labels: Sequence[str]) -> NDArray[np.bool_]:
    """Which labels each row has, of shape [rows, labels]."""
    return np.array([[label in own for label in labels] for own in rows.labels], dtype=bool)


@contextlib.contextmanager
def fitting(name: str) -> Iterator[None]:
    """scikit-learn's complaint about rows (no words, one class) as a user's mistake, on one line."""
    try:
        yield
    except ValueError as error:
        said = " ".join(str(error).split())
        raise PipelineError(f"baseline {name}: {said}: take it out of baselines.models") from error

"""What evaluation starts from: the loss that a model has which ignores its input."""

import math

import pytest

from stages.core.records import Record
from stages.core.tasks import TASK_TYPES, Kind
from stages.evidence.inputs import entropy, trivial_loss

SPLIT: dict[Kind, Record] = {
    "class": {"rows": 10, "labels": {"a": 9, "b": 1}},
    "tags": {"rows": 2, "words": 10, "labels": {"O": 9, "B-PER": 1}},
    # Ten labels of a tenth of the rows each: their counts sum to the rows, and they are not classes.
    "classes": {"rows": 1000, "labels": {str(number): 100 for number in range(10)}},
    "number": {"rows": 3, "number": {"sd": 2.0}},
    "text": {"rows": 3},
    "none": {"rows": 3},
}
ONE_IN_TEN = -0.9 * math.log(0.9) - 0.1 * math.log(0.1)


@pytest.mark.parametrize("kind", sorted({task.label for task in TASK_TYPES.values()}))
def test_every_kind_of_label_has_the_loss_of_its_own_objective(kind: Kind) -> None:
    wanted = {"class": ONE_IN_TEN, "tags": ONE_IN_TEN, "classes": ONE_IN_TEN, "number": 4.0, "none": 3.2}
    found = trivial_loss(kind, SPLIT[kind], unigram=3.2)
    assert found == (pytest.approx(wanted[kind]) if kind in wanted else None)


def test_raw_texts_have_none_without_a_unigram_baseline() -> None:
    assert trivial_loss("none", SPLIT["none"]) is None


def test_the_entropy_of_the_labels_is_the_loss_of_guessing_their_shares() -> None:
    assert entropy([5, 5]) == pytest.approx(math.log(2))
    assert entropy([1, 1, 1]) == pytest.approx(math.log(3))
    assert entropy([9, 1, 0]) == pytest.approx(-0.9 * math.log(0.9) - 0.1 * math.log(0.1))
    assert entropy([7]) == 0

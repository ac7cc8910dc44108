from typing import Any, get_args

import pytest

from stages.core.tasks import Kind
from stages.evidence.mistakes import _RANKED, mistakes

LABELS = ["neg", "pos"]


def said(name: str, share: float) -> dict[str, Any]:
    return {"predicted": name, "probabilities": [1 - share, share]}


def test_the_most_confident_wrong_classes_come_first_and_equal_ones_by_id() -> None:
    predicted = [said("pos", 0.7), said("neg", 0.1), said("pos", 0.9), said("pos", 0.99)]
    found = mistakes("class", ["d", "c", "b", "a"], predicted, ["neg", "pos", "neg", "pos"], LABELS)
    assert found == [
        {"id": "b", "predicted": "pos", "true": "neg", "confidence": 0.9},
        {"id": "c", "predicted": "neg", "true": "pos", "confidence": 0.9},
        {"id": "d", "predicted": "pos", "true": "neg", "confidence": 0.7},
    ]
    backwards = mistakes("class", ["a", "b", "c", "d"], predicted[::-1], ["pos", "neg", "pos", "neg"], LABELS)
    assert backwards == found


def test_no_more_than_asked_for() -> None:
    predicted = [said("pos", 0.5 + i / 100) for i in range(40)]
    found = mistakes("class", [str(i) for i in range(40)], predicted, ["neg"] * 40, LABELS, most=7)
    assert [own["id"] for own in found] == ["39", "38", "37", "36", "35", "34", "33"]


def test_of_several_classes_each_label_is_a_mistake_of_its_own() -> None:
    predicted = [
        {"predicted": ["neg"], "probabilities": [0.8, 0.1]},  # both wrong, and surer of what it missed
        {"predicted": ["neg", "pos"], "probabilities": [0.9, 0.35]},  # pos is over it, and right
    ]
    found = mistakes("classes", ["x", "y"], predicted, [["pos"], ["neg", "pos"]], LABELS)
    assert found == [
        {"id": "x", "label": "pos", "probability": 0.1, "true": True},
        {"id": "x", "label": "neg", "probability": 0.8, "true": False},
    ]


def test_the_largest_errors_of_numbers_either_way() -> None:
    predicted = [{"predicted": x} for x in (1.0, 5.0, -4.5)]
    found = mistakes("number", ["x", "y", "z"], predicted, [1.0, 1, 2.0], [])
    assert found == [
        {"id": "z", "predicted": -4.5, "true": 2.0, "error": -6.5},
        {"id": "y", "predicted": 5.0, "true": 1.0, "error": 4.0},
    ]


def test_the_sentences_with_the_most_wrong_tags() -> None:
    predicted = [{"predicted": tags} for tags in (["O", "O"], ["B-X", "O", "O"], ["B-X", "B-X"])]
    found = mistakes("tags", ["x", "y", "z"], predicted, [["O", "O"], ["O"] * 3, ["O", "O"]], ["O", "B-X"])
    assert found == [{"id": "z", "wrong": 2, "words": 2}, {"id": "y", "wrong": 1, "words": 3}]


def test_the_texts_that_are_least_like_what_was_wanted() -> None:
    from sacrebleu import CHRF

    said, true = ["the cat sat", "a dog", "the same text"], ["the cat sits", "quite another", "the same text"]
    found = mistakes("text", ["x", "y", "z"], [{"predicted": text} for text in said], true, [])
    assert [row["id"] for row in found] == ["y", "x"]  # z is right
    expected = [CHRF().sentence_score(said[i], [true[i]]).score for i in (1, 0)]
    assert [row["chrf"] for row in found] == pytest.approx(expected, abs=1e-4)


def test_the_texts_that_surprise_most_by_token() -> None:
    predicted = [{"loss": 8.0, "tokens": 4}, {"loss": 9.0, "tokens": 2}, {"loss": 0.0, "tokens": 0}]
    assert mistakes("none", ["x", "y", "z"], predicted, [None] * 3, []) == [
        {"id": "y", "loss": 4.5, "tokens": 2},
        {"id": "x", "loss": 2.0, "tokens": 4},
    ]


def test_every_kind_of_label_has_its_mistakes() -> None:
    assert list(_RANKED) == list(get_args(Kind))

"""Scores of tags: strict IOB2 after one repair, plain tags, and seqeval's silent traps."""

import numpy as np
import pytest
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.scheme import IOB2
from sklearn import metrics as sk

from stages.core.errors import PipelineError
from stages.tasks.entity_tags import are_entities
from stages.tasks.tag_metrics import entities, iob2, per_entity, score_tags

LABELS = ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]
NO_ENTITY = {"entity_f1": 0.0, "entity_precision": 0.0, "entity_recall": 0.0, "accuracy": 1.0}


def score(said: list[list[str]], true: list[list[str]], labels: list[str]) -> dict[str, float]:
    return score_tags([{"predicted": tags} for tags in said], true, labels)


def draw(labels: list[str], rows: int, seed: int) -> tuple[list[list[str]], list[list[str]]]:
    """True tags, and tags of which four in five are the same; rows without a word among them."""
    rng = np.random.default_rng(seed)
    true = [[str(tag) for tag in rng.choice(labels, size=rng.integers(0, 9))] for _ in range(rows)]
    said = [[tag if rng.random() < 0.8 else str(rng.choice(labels)) for tag in tags] for tags in true]
    return said, true


def test_entities_score_as_seqeval_scores_them_strictly() -> None:
    said, true = draw(LABELS, 60, seed=0)
    said, true = [iob2(tags) for tags in said], [iob2(tags) for tags in true]
    found = score(said, true, LABELS)
    for name, function in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        assert found[f"entity_{name}"] == pytest.approx(function(true, said, mode="strict", scheme=IOB2))
    flat = [tag for tags in true for tag in tags], [tag for tags in said for tag in tags]
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(*flat))
    by_type = per_entity(said, true, LABELS)
    assert list(by_type) == ["LOC", "PER"]
    for row, f1 in zip(
        by_type.values(), f1_score(true, said, average=None, mode="strict", scheme=IOB2), strict=True
    ):
        assert row["f1"] == pytest.approx(f1)


def test_own_entities_are_those_of_seqeval() -> None:
    from seqeval.scheme import Tokens

    for tags in draw([*LABELS, "B-GEO-LOC", "I-GEO-LOC"], 200, seed=1)[0]:
        seen = Tokens(iob2(tags), scheme=IOB2).entities
        assert entities(tags) == {(found.tag, found.start, found.end) for found in seen}


def test_an_entity_half_found_is_not_found() -> None:
    true = [["B-PER", "I-PER", "O", "B-LOC"]]
    said = [["B-PER", "O", "O", "B-LOC"]]
    assert score(said, true, LABELS) == {
        "entity_f1": pytest.approx(1 / 2),
        "entity_precision": pytest.approx(1 / 2),
        "entity_recall": pytest.approx(1 / 2),
        "accuracy": pytest.approx(3 / 4),
    }


def test_tags_that_are_not_iob2_are_scored_where_the_strict_mode_alone_sees_nothing() -> None:
    inside = [["I-PER", "I-PER", "O", "I-LOC"]]
    assert f1_score(inside, inside, mode="strict", scheme=IOB2, zero_division=0) == 0.0
    assert score(inside, inside, LABELS)["entity_f1"] == 1.0


def test_a_type_that_changes_inside_is_another_entity() -> None:
    true, said = [["B-PER", "O", "O"]], [["B-PER", "I-LOC", "O"]]
    assert f1_score(true, said, mode="strict", scheme=IOB2) == 1.0  # the strict mode alone sees PER only
    assert score(said, true, LABELS)["entity_precision"] == 0.5


@pytest.mark.parametrize(
    ("tags", "repaired"),
    [
        (["O", "I-PER", "I-PER"], ["O", "B-PER", "I-PER"]),
        (["B-PER", "I-LOC", "I-LOC"], ["B-PER", "B-LOC", "I-LOC"]),
        (["B-PER", "O", "I-PER"], ["B-PER", "O", "B-PER"]),
        (["I-PER", "B-PER", "I-PER"], ["B-PER", "B-PER", "I-PER"]),
        (["B-GEO-LOC", "I-GEO-LOC", "I-LOC"], ["B-GEO-LOC", "I-GEO-LOC", "B-LOC"]),
        ([], []),
    ],
)
def test_an_inside_that_continues_nothing_starts_an_entity(tags: list[str], repaired: list[str]) -> None:
    assert iob2(tags) == repaired == iob2(repaired)


def test_accuracy_is_of_the_tags_as_predicted() -> None:
    found = score([["O", "I-PER"]], [["O", "B-PER"]], LABELS)
    assert (found["entity_f1"], found["accuracy"]) == (1.0, 0.5)


@pytest.mark.parametrize("tags", [[["O", "O"]], [["O"], []]])
def test_no_entity_on_either_side_is_nought_and_warns_nobody(tags: list[list[str]]) -> None:
    assert score(tags, tags, LABELS) == NO_ENTITY
    assert per_entity(tags, tags, LABELS)["PER"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}


def test_entities_on_one_side_only_are_nought_and_warn_nobody() -> None:
    for one, other in ((["B-PER"], ["O"]), (["O"], ["B-PER"])):
        assert score([one], [other], LABELS) == {**NO_ENTITY, "accuracy": 0.0}


def test_rows_without_a_word_score_nought() -> None:
    assert score([[]], [[]], LABELS) == {**NO_ENTITY, "accuracy": 0.0}
    assert score([[]], [[]], ["NOUN", "VERB"]) == {"accuracy": 0.0, "f1_macro": 0.0}


def test_arrays_and_tuples_are_taken_which_seqeval_refuses() -> None:
    rows = (np.array(["B-PER", "O"]), ("O",))
    with pytest.raises(TypeError, match="list of list"):
        f1_score(list(rows), list(rows), mode="strict", scheme=IOB2)
    assert score_tags([{"predicted": tags} for tags in rows], rows, LABELS)["entity_f1"] == 1.0


def test_plain_tags_have_no_entity_scores() -> None:
    labels = ["ADJ", "NOUN", "VERB", "X"]
    said, true = draw(labels[:3], 40, seed=2)
    found = score(said, true, labels)
    flat = [tag for tags in true for tag in tags], [tag for tags in said for tag in tags]
    assert found == {
        "accuracy": pytest.approx(sk.accuracy_score(*flat)),
        "f1_macro": pytest.approx(0.75 * sk.f1_score(*flat, average="macro")),  # X occurs nowhere
    }


@pytest.mark.parametrize(
    ("labels", "entity"),
    [(LABELS, True), (["O", "I-PER"], True), (["NOUN", "O"], False), (["B", "I", "O"], False)],
)
def test_entity_tags_are_told_from_plain_ones(labels: list[str], entity: bool) -> None:
    assert are_entities(labels) is entity


@pytest.mark.parametrize("odd", ["PER", "b-PER", "B_PER", "E-PER", "B-", "B-PER-", "B--PER", ""])
def test_tags_that_seqeval_would_misread_are_refused(odd: str) -> None:
    with pytest.raises(PipelineError, match="not IOB2"):
        per_entity([["B-PER", odd]], [["B-PER", odd]], LABELS)
    assert not are_entities([*LABELS, odd])


def test_rows_must_have_as_many_tags_as_words() -> None:
    with pytest.raises(PipelineError, match="row 1 has 2 words but 1 predicted"):
        score([["O"], ["O"]], [["O"], ["O", "O"]], LABELS)
    with pytest.raises(PipelineError, match="'B-ORG' is not one of the labels"):
        score([["B-ORG"]], [["O"]], LABELS)

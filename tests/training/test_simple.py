"""The rungs without layers: what each predicts where that can be told by hand, and what it refuses."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from stages.core.errors import PipelineError
from stages.core.tasks import BASE, NETWORKS, TASK_TYPES
from stages.tasks.rows import Rows
from stages.training.fitted import Fitted
from stages.training.linear import linear_number
from stages.training.simple import SIMPLE, unigram
from tests import corpora


def rows(texts: Sequence[Any], labels: Sequence[Any], pairs: Sequence[str] | None = None) -> Rows:
    return Rows([str(i) for i in range(len(texts))], list(texts), pairs and list(pairs), list(labels))


def made(kind: str, count: int = 160, held: int = 60) -> tuple[Rows, Rows]:
    """Training and test rows that can be learned."""
    found = corpora.rows(kind, count + held)
    columns = [row["text"] for row in found], [row.get("label") for row in found]
    return rows(*(c[:count] for c in columns)), rows(*(c[count:] for c in columns))


def said(fitted: Fitted) -> list[Any]:
    return [row["predicted"] for row in fitted.predicted]


LABELS: dict[str, list[str]] = {"number": [], "text": [], **corpora.LABELS}
EVERY = [(kind, name) for kind, named in SIMPLE.items() for name in named]


def test_the_table_has_what_tasks_offer() -> None:
    for task in TASK_TYPES.values():
        ours = set(task.rungs) - {*NETWORKS, BASE, "unigram"}  # these need a tokenizer
        assert ours == set(SIMPLE[task.label])


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_every_rung_predicts_each_row_describes_itself_and_repeats_itself(kind: str, name: str) -> None:
    train, test = made(kind)
    fitted = SIMPLE[kind][name](train, test, LABELS[kind], 3)
    assert len(fitted.predicted) == len(test)
    description = fitted.facts["description"]
    assert description[0].islower()
    assert not description.endswith(".")
    assert fitted.facts["parameters"] >= 0
    assert fitted == SIMPLE[kind][name](train, test, LABELS[kind], 3)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_predictions_are_of_the_kind_and_in_range(kind: str, name: str) -> None:
    train, test = made(kind)
    labels = LABELS[kind]
    for row, text in zip(SIMPLE[kind][name](train, test, labels, 3).predicted, test.texts, strict=True):
        assert row.keys() == (
            {"predicted", "probabilities"} if kind in ("class", "classes") else {"predicted"}
        )
        shares = row.get("probabilities", [])
        assert all(type(share) is float and 0 <= share <= 1 for share in shares)
        if kind == "class":
            assert sum(shares) == pytest.approx(1)
            assert row["predicted"] == labels[int(np.argmax(shares))]
        elif kind == "classes":
            assert len(shares) == len(labels)
            assert set(row["predicted"]) <= set(labels)
        elif kind == "tags":
            assert len(row["predicted"]) == len(text)
            assert set(row["predicted"]) <= set(labels)
        else:
            assert type(row["predicted"]) is (float if kind == "number" else str)


def test_the_majority_is_of_the_training_rows() -> None:
    fitted = SIMPLE["class"]["majority"](rows("abcd", "xyyy"), rows("ef", "xx"), ["x", "y", "z"], 0)
    assert fitted.predicted == [{"predicted": "y", "probabilities": [0.25, 0.75, 0.0]}] * 2
    tied = SIMPLE["class"]["majority"](rows("ab", "yx"), rows("e", "x"), ["x", "y"], 0)
    assert said(tied) == ["x"]


def test_a_label_is_said_when_half_of_the_rows_have_it() -> None:
    train = rows("abcd", [["often", "half"], ["often", "half"], ["often", "rare"], []])
    fitted = SIMPLE["classes"]["majority"](train, rows("e", [[]]), ["half", "often", "rare"], 0)
    assert fitted.predicted == [{"predicted": ["half", "often"], "probabilities": [0.5, 0.75, 0.25]}]


def test_the_mean_is_of_the_training_rows() -> None:
    assert said(SIMPLE["number"]["mean"](rows("ab", [1.0, 4.0]), rows("cd", [0.0, 0.0]), [], 0)) == [2.5, 2.5]


def test_words_keep_their_most_frequent_tag_and_unknown_ones_get_the_commonest() -> None:
    train = rows(
        [["le", "livre"], ["il", "livre"], ["le", "livre"]], [["DET", "N"], ["PRO", "V"], ["DET", "N"]]
    )
    test = rows([["il", "livre", "tout"], []], [["PRO", "V", "PRO"], []])
    labels = ["DET", "N", "PRO", "V"]
    assert said(SIMPLE["tags"]["most_frequent_tag"](train, test, labels, 0)) == [["PRO", "N", "DET"], []]
    assert said(SIMPLE["tags"]["majority"](train, test, labels, 0)) == [["DET"] * 3, []]
    assert said(SIMPLE["tags"]["linear"](train, test, labels, 0))[1] == []


def test_the_linear_tagger_tells_a_word_by_its_neighbour_and_by_its_shape() -> None:
    train = rows(
        [["the", "run"], ["we", "run"], ["in", "Oslo"], ["in", "tea"], ["we", "sing"]] * 5,
        [["O", "N"], ["O", "V"], ["O", "LOC"], ["O", "N"], ["O", "V"]] * 5,
    )
    test = rows([["the", "run"], ["we", "run"], ["in", "Lima"]], [[]] * 3)
    found = said(SIMPLE["tags"]["linear"](train, test, ["O", "N", "V", "LOC"], 0))
    assert [tags[1] for tags in found] == ["N", "V", "LOC"]


@pytest.mark.parametrize("kind", ["class", "classes", "tags"])
def test_linear_models_learn_what_can_be_learned(kind: str) -> None:
    train, test = made(kind)
    right = {
        name: np.mean(
            [a == b for a, b in zip(said(model(train, test, LABELS[kind], 3)), test.labels, strict=True)]
        )
        for name, model in SIMPLE[kind].items()
    }
    assert right["linear"] > 0.9
    assert right["linear"] > right["majority"]


@pytest.mark.parametrize("solver", [None, "closed_form", "gradient_descent", "sgd"])
def test_a_line_is_fitted_alike_by_every_solver(solver: Any) -> None:
    train, test = made("number")
    truth = np.array(test.labels)
    errors = said(linear_number(train, test, [], 3, solver=solver)) - truth
    assert np.sqrt(np.mean(errors**2)) < 0.5 * truth.std()  # the mean would have 1
    reference = said(linear_number(train, test, [], 3, solver="closed_form"))
    np.testing.assert_allclose(errors + truth, reference, atol=0.02)


@pytest.mark.parametrize(
    ("kind", "values"),
    [("class", ["a", "b"]), ("classes", [["a"], ["b"]]), ("number", [0.0, 1.0])],
)
def test_it_matters_which_of_two_texts_a_word_is_in(kind: str, values: list[Any]) -> None:
    """The same words on both sides: only their side tells."""
    sides = [("red wine", "blue sea"), ("blue sea", "red wine")] * 12
    train = rows([a for a, _ in sides], values * 12, [b for _, b in sides])
    test = rows([a for a, _ in sides[:2]], values, [b for _, b in sides[:2]])
    found = said(SIMPLE[kind]["linear"](train, test, ["a", "b"], 0))
    assert found == (pytest.approx(values, abs=0.1) if kind == "number" else values)


def test_a_class_of_one_row_and_one_of_none_are_no_obstacle() -> None:
    train = rows(["good film", "bad film", "odd film", "good play", "bad play"], "ababa"[:2] + "cab")
    fitted = SIMPLE["class"]["linear"](train, rows(["odd film"], "c"), ["a", "b", "c", "d"], 0)
    assert said(fitted) == ["c"]
    assert fitted.predicted[0]["probabilities"][3] == 0


def test_labels_that_all_rows_or_none_have_are_certain() -> None:
    train, test = made("classes")
    train.labels[:] = [["always", *own] for own in train.labels]
    fitted = SIMPLE["classes"]["linear"](train, test, ["always", "bad", "never"], 0)
    assert {(row["probabilities"][0], row["probabilities"][2]) for row in fitted.predicted} == {(1.0, 0.0)}


@pytest.mark.parametrize(
    ("kind", "train"),
    [
        ("class", rows(["!", "?", "..."] * 2, "ababab")),
        ("class", rows(["one word", "two words"], "aa")),
        ("classes", rows(["!", "?", "..."], [["a"], ["b"], []])),
        ("number", rows(["!", "?"], [1.0, 2.0])),
        ("tags", rows([["one", "word"]], [["a", "a"]])),
        ("tags", rows([[]], [[]])),
    ],
)
def test_rows_that_nothing_can_be_fitted_to_are_refused_in_one_line(kind: str, train: Rows) -> None:
    with pytest.raises(PipelineError, match=r"take it out of baselines\.models") as refused:
        SIMPLE[kind]["linear"](train, train, ["a", "b"], 0)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 250


def test_lead_is_as_long_as_targets_are_and_copy_is_all_of_it() -> None:
    train = rows(["a b c d", "a b c d e"], ["x y", "x y z w"])  # three words on average
    test = rows(["one two three four", "one"], ["", ""])
    assert said(SIMPLE["text"]["lead"](train, test, [], 0)) == ["one two three", "one"]
    assert said(SIMPLE["text"]["copy"](train, test, [], 0)) == test.texts


def test_unigrams_are_counted_with_one_added() -> None:
    found = unigram([[1, 1, 2], [], [1]], 4)
    np.testing.assert_allclose(np.exp(found), [1 / 8, 4 / 8, 2 / 8, 1 / 8])

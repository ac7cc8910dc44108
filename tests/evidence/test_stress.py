"""Texts that are changed without changing what they mean."""

import random

import pytest

from stages.core.tasks import TASK_TYPES
from stages.evidence.stress import CHANGES, stressed
from stages.tasks.rows import Rows

TEXTS = ["Un été charmant, n'est-ce pas ?", "WOW!!! So good :)", "...", "ok", ""]


def rows(texts: list[object], pairs: list[str] | None = None) -> Rows:
    return Rows([str(i) for i in range(len(texts))], texts, pairs, ["x"] * len(texts))


def test_case_and_punctuation() -> None:
    found = stressed(rows(list(TEXTS)), "class", seed=1)
    assert found["lower_case"].texts[0] == "un été charmant, n'est-ce pas ?"
    assert found["upper_case"].texts[1] == "WOW!!! SO GOOD :)"
    assert found["no_punctuation"].texts == ["Un été charmant n est ce pas", "WOW So good", "...", "ok", ""]


def test_about_one_long_word_in_ten_has_one_typing_error() -> None:
    words = ["garden", "village", "letter", "painter"] * 500
    changed = CHANGES["typos"]([" ".join(words)], random.Random(0))[0].split()
    assert len(changed) == len(words)
    wrong = [(a, b) for a, b in zip(words, changed, strict=True) if a != b]
    assert 0.06 < len(wrong) / len(words) < 0.12
    for before, after in wrong:
        assert after[0] == before[0] and after[-1] == before[-1] and abs(len(after) - len(before)) < 2
    assert CHANGES["typos"](["the cat sat"], random.Random(0)) == ["the cat sat"]


def test_every_text_with_a_long_word_has_an_error_in_one_at_least() -> None:
    """Or what is said of short texts would be said of texts that stayed as they are."""
    texts = ["a nice villa", "our painter", "Grenoble!"]
    for seed in range(30):
        for text in texts:
            changed = CHANGES["typos"]([text], random.Random(seed))[0]
            assert changed != text
        words = CHANGES["typos"](["Anna", "of", "Orleans"], random.Random(seed))
        assert words != ["Anna", "of", "Orleans"] and words[1] == "of"


def test_the_same_seed_makes_the_same_errors() -> None:
    given = rows(["a garden of letters and villages"] * 50)
    assert stressed(given, "class", 1) == stressed(given, "class", 1)
    assert stressed(given, "class", 1)["typos"] != stressed(given, "class", 2)["typos"]


def test_words_with_tags_stay_as_many() -> None:
    given = rows([["Anna", ",", "of", "Grenoble", "."]] * 20)
    found = stressed(given, "tags", seed=3)
    assert "no_punctuation" not in found
    for changed in found.values():
        assert all(len(words) == 5 and all(words) for words in changed.texts)


def test_pairs_change_on_both_sides_and_labels_on_none() -> None:
    given = rows(["One Text"], ["Another ONE"])
    changed = stressed(given, "number", 0)["lower_case"]
    assert (changed.texts, changed.pairs, changed.labels) == (["one text"], ["another one"], ["x"])


@pytest.mark.parametrize("kind", sorted({task.label for task in TASK_TYPES.values()}))
def test_every_kind_of_label_has_an_answer(kind: str) -> None:
    given = rows([["a", "b"]] if kind == "tags" else ["a b"])
    assert bool(stressed(given, kind, 0)) == (kind != "none")  # type: ignore[arg-type]

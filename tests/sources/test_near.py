"""Near duplicates against a dense product of scikit-learn's counts, and the clusters that they make."""

import random

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from stages.core.errors import PipelineError
from stages.sources import near as module
from stages.sources.near import Near, clusters, folded, near_duplicates
from stages.sources.rows import Row

SENTENCE = "le film était très long mais the ending was superb and l'été à Paris 😀 🎉 日本 नहीं plutôt bien"


def rows_of(texts: list[str], pair: str | None = None) -> list[Row]:
    return [Row(f"a:{n}", f"{n:06}", text, pair, "x") for n, text in enumerate(texts)]


def corpus(count: int) -> list[str]:
    """Texts of one to sixty words in two languages, and as many slightly changed."""
    rng = random.Random(0)
    texts = [" ".join(rng.choices(SENTENCE.split(), k=rng.randint(1, 60))) for _ in range(count)]
    return texts + [text[: rng.randrange(len(text) + 1)] + text[rng.randrange(len(text)) :] for text in texts]


def found(near: Near) -> set[tuple[str, str]]:
    ids = [row.id for row in near.rows]
    return {(ids[a], ids[b]) for a, b in zip(near.first, near.second, strict=True)}


@pytest.mark.parametrize("least", [0.5, 0.7, 0.9, 1.0])
def test_all_pairs_and_their_cosines(least: float) -> None:
    rows = rows_of(corpus(400))
    near = near_duplicates(rows, least)
    counted = CountVectorizer(analyzer="char", ngram_range=(5, 5), lowercase=False, dtype=np.float64)
    counts = normalize(counted.fit_transform([folded(row) for row in rows]))
    cosines = np.triu((counts @ counts.T).toarray(), 1)
    first, second = np.nonzero(cosines >= least - 1e-9)
    assert len(first) >= 10
    assert found(near) == {(rows[a].id, rows[b].id) for a, b in zip(first, second, strict=True)}
    np.testing.assert_allclose(near.similarity, cosines[near.first, near.second], atol=1e-6)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Le film était très long, mais bien.", "LE FILM   était très\tlong, mais bien."),
        ("the story was quite superb 😀 and long", "the story was quite superb 😀 and long!"),
    ],
)
def test_case_and_white_space_do_not_count(one: str, other: str) -> None:
    assert found(near_duplicates(rows_of([one, "something else altogether", other]), 0.9)) == {
        ("000000", "000002")
    }


def test_texts_too_short_to_tell() -> None:
    assert not found(near_duplicates(rows_of(["ok", "OK", "", "😀", "ok!", "non"]), 0.5))
    assert not found(near_duplicates(rows_of(["ok"]), 0.5))


def test_words_and_pairs_are_compared_as_texts() -> None:
    words = [
        Row("a:1", "1", ("le", "film", "est", "long"), None, ()),
        Row("a:2", "2", "Le film est long", None, ()),
    ]
    assert found(near_duplicates(words, 0.99)) == {("1", "2")}
    pairs = [Row("a:1", "1", "le premier texte", "the second text", 1.0)]
    pairs += [Row("a:2", "2", "The second text", "le premier texte", 1.0)]
    pairs += [Row("a:3", "3", "le premier texte", "another one altogether", 1.0)]
    assert found(near_duplicates(pairs, 0.99)) == {("1", "2")}


def test_the_most_similar_partner_of_each_row() -> None:
    base = "a sentence that is long enough to be nearly the same as another one of its kind"
    near = near_duplicates(rows_of([base, base + " indeed", base + " indeed!", "else"]), 0.8)
    assert [pair[:2] for pair in near.partners(np.ones(len(near.first), bool))] == [(0, 1), (1, 2), (2, 1)]
    assert not list(near.partners(np.zeros(len(near.first), bool)))


def test_clusters_are_what_near_duplicates_and_keys_connect() -> None:
    base = "a sentence that is long enough to be nearly the same as another one of its kind"
    rows = rows_of([base, base + " 12345678901", base + " 12345678901234567890", "else", "other", "third"])
    near = near_duplicates(rows, 0.9)
    assert found(near) == {("000000", "000001"), ("000001", "000002")}
    group = clusters(near, ["a", "b", "c", "d", "d", "e"])
    assert [group[row] for row in rows] == [group[rows[0]]] * 3 + [group[rows[3]]] * 2 + [group[rows[5]]]
    assert len(set(group.values())) == 3


def test_so_many_pairs_that_they_mean_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 1000)
    texts = [
        f"the order with the number {n} was shipped to the customer on the day agreed" for n in range(60)
    ]
    with pytest.raises(PipelineError, match=r"data\.checks\.near: more than 1000 pairs .* at 0\.9: raise it"):
        near_duplicates(rows_of(texts), 0.9)

"""Scores of resamples: those of the rows written out, for every task."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from stages.core.tasks import TASK_TYPES
from stages.evidence.label_counts import class_values
from stages.evidence.resampling import RESAMPLING, drawn, resampled
from stages.evidence.statistics import Bootstrap
from stages.evidence.text_counts import bleu_of, chrf_of
from stages.tasks.table import TASKS

Rows = tuple[list[dict[str, Any]], list[Any], list[str]]  # predicted, references, labels
WORDS = ["été", "nuit", "la", "a", "chat", "Noir", "dort", "."]


def classes(rng: np.random.Generator, rows: int) -> Rows:
    labels = ["a", "b", "c", "never"]
    true = [labels[n] for n in rng.integers(3, size=rows)]
    said = [name if rng.random() < 0.6 else labels[rng.integers(3)] for name in true]
    return [{"predicted": name} for name in said], true, labels


def sets(rng: np.random.Generator, rows: int) -> Rows:
    labels = ["a", "b", "c", "never"]
    true, said = ([[n for n in labels[:3] if rng.random() < 0.4] for _ in range(rows)] for _ in range(2))
    return [{"predicted": names} for names in said], true, labels


def numbers(rng: np.random.Generator, rows: int) -> Rows:
    true = 1000 + rng.integers(6, size=rows) / 2  # far from 0, with ties
    return [{"predicted": float(x)} for x in (true + rng.normal(size=rows)).round(1)], true.tolist(), []


def tagged(labels: Sequence[str]) -> Callable[[np.random.Generator, int], Rows]:
    def draw(rng: np.random.Generator, rows: int) -> Rows:
        true = [[str(tag) for tag in rng.choice(labels[:-1], size=rng.integers(0, 9))] for _ in range(rows)]
        said = [[t if rng.random() < 0.7 else str(rng.choice(labels)) for t in tags] for tags in true]
        return [{"predicted": tags} for tags in said], true, list(labels)

    return draw


def texts(rng: np.random.Generator, rows: int) -> Rows:
    """Some are empty, some too short for four words in a row."""
    true = [[str(word) for word in rng.choice(WORDS, size=rng.integers(0, 9))] for _ in range(rows)]
    said = [[w if rng.random() < 0.8 else str(rng.choice(WORDS)) for w in words] for words in true]
    return [{"predicted": " ".join(words)} for words in said], [" ".join(words) for words in true], []


def losses(rng: np.random.Generator, rows: int) -> Rows:
    tokens = rng.integers(0, 20, size=rows)
    said = [
        {"loss": float(n * rng.gamma(2)), "tokens": int(n), "hits": int(rng.integers(n + 1))} for n in tokens
    ]
    return said, [None] * rows, []


CASES: dict[str, tuple[str, Callable[[np.random.Generator, int], Rows]]] = {
    "class": ("text-classification", classes),
    "classes": ("multi-label-classification", sets),
    "number": ("text-regression", numbers),
    "entities": ("token-classification", tagged(["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "I-ORG"])),
    "plain tags": ("token-classification", tagged(["O", "ADJ", "NOUN", "VERB", "X"])),
    "text": ("seq2seq", texts),
    "causal": ("causal-lm", losses),
    "masked": ("masked-lm", losses),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[str, Callable[[np.random.Generator, int], Rows]]:
    return CASES[request.param]


def test_every_task_has_its_row() -> None:
    assert set(RESAMPLING) == set(TASK_TYPES) == {name for name, _ in CASES.values()}


@pytest.mark.parametrize("rows", [2, 60])
def test_sums_over_all_rows_give_the_scores_of_the_task(case: Any, rows: int) -> None:
    name, draw = case
    predicted, references, labels = draw(np.random.default_rng(rows), rows)
    found = resampled(name, predicted, references, labels, Bootstrap(2, 0.95, seed=0)).values
    wanted = TASKS[name].score(predicted, references, labels)
    assert set(found) == set(wanted)
    for metric, value in wanted.items():
        assert found[metric] == pytest.approx(value, abs=1e-9), metric


@pytest.mark.parametrize("rows", [5, 60])
def test_each_resample_scores_as_its_rows_written_out(case: Any, rows: int) -> None:
    name, draw = case
    predicted, references, labels = draw(np.random.default_rng(rows + 1), rows)
    found = resampled(name, predicted, references, labels, Bootstrap(8, 0.95, seed=3)).samples
    rng = np.random.default_rng(3)
    for number in range(8):
        own = rng.integers(rows, size=rows)
        wanted = TASKS[name].score([predicted[i] for i in own], [references[i] for i in own], labels)
        assert set(found) == set(wanted)
        for metric, value in wanted.items():
            assert found[metric][number] == pytest.approx(value, abs=1e-9), metric


def test_a_seed_draws_the_same_rows_for_every_model(case: Any) -> None:
    name, draw = case
    given = draw(np.random.default_rng(0), 40)
    one, two, other = (resampled(name, *given, Bootstrap(30, 0.95, seed=seed)).samples for seed in (5, 5, 6))
    for metric, samples in one.items():
        assert samples.shape == (30,)
        assert np.isfinite(samples).all()
        assert np.array_equal(samples, two[metric])
        assert not np.array_equal(samples, other[metric])


def test_classes_are_resampled_bit_by_bit_as_by_counting_each_resample() -> None:
    """As this project did it first: published intervals stay what they are."""
    predicted, references, labels = classes(np.random.default_rng(1), 300)
    said = np.array([labels.index(record["predicted"]) for record in predicted])
    true = np.array([labels.index(name) for name in references])
    rng, counted = np.random.default_rng(42), np.empty((100, 12))
    for counts in counted:
        rows = rng.integers(300, size=300)
        hits = true[rows][said[rows] == true[rows]]
        counts[:] = np.concatenate([np.bincount(x, minlength=4) for x in (hits, true[rows], said[rows])])
    wanted = class_values(counted, labels)
    found = resampled(
        "text-classification", predicted, references, labels, Bootstrap(100, 0.95, seed=42)
    ).samples
    for metric, samples in wanted.items():
        assert np.array_equal(found[metric], samples), metric


def test_rows_are_drawn_alike_however_many_resamples_are_held_at_a_time() -> None:
    parts = list(drawn(3000, Bootstrap(1500, 0.95, seed=9)))
    assert len(parts) > 1
    weights = np.concatenate(parts)
    rng = np.random.default_rng(9)
    for own in weights:
        assert np.array_equal(own, np.bincount(rng.integers(3000, size=3000), minlength=3000))


def test_scores_of_class_counts_worked_out_by_hand() -> None:
    # Three classes; the third neither occurs nor is predicted, so its F1 is 0 and lowers the macro mean.
    found = class_values(np.array([3.0, 2, 0, 4, 3, 0, 4, 3, 0]), ["a", "b", "c"])
    assert found["accuracy"] == pytest.approx(5 / 7)
    assert found["f1_macro"] == pytest.approx((6 / 8 + 4 / 6 + 0) / 3)
    assert found["f1_weighted"] == pytest.approx((4 * 6 / 8 + 3 * 4 / 6) / 7)
    assert found["f1_micro"] == pytest.approx(5 / 7)


def test_an_absent_class_lowers_macro_f1_in_every_resample() -> None:
    predicted, references, labels = classes(np.random.default_rng(4), 50)
    found = resampled(
        "text-classification", predicted, references, labels, Bootstrap(10, 0.95, seed=1)
    ).samples
    rng = np.random.default_rng(1)
    said = np.array([record["predicted"] for record in predicted])
    for macro in found["f1_macro"]:
        rows = rng.integers(50, size=50)
        seen = sk.f1_score(np.array(references)[rows], said[rows], average="macro")
        assert macro == pytest.approx(seen * 3 / 4)


def test_spearman_of_a_resample_is_that_of_scipy_on_its_rows() -> None:
    predicted, references, _ = numbers(np.random.default_rng(7), 200)
    found = resampled("text-regression", predicted, references, [], Bootstrap(40, 0.95, seed=2)).samples[
        "spearman"
    ]
    rng = np.random.default_rng(2)
    said, true = np.array([record["predicted"] for record in predicted]), np.array(references)
    for value in found:
        rows = rng.integers(200, size=200)
        assert value == pytest.approx(stats.spearmanr(said[rows], true[rows]).statistic, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_correlations_do_not_drown_in_a_large_mean(scale: float) -> None:
    rng = np.random.default_rng(0)
    true = 1e5 * scale + scale * rng.normal(size=100)
    said = [{"predicted": float(x)} for x in true + scale * rng.normal(size=100)]
    found = resampled("text-regression", said, true.tolist(), [], Bootstrap(5, 0.95, seed=0)).samples
    rng = np.random.default_rng(0)
    x = np.array([record["predicted"] for record in said])
    for value in found["pearson"]:
        rows = rng.integers(100, size=100)
        assert value == pytest.approx(stats.pearsonr(x[rows], true[rows]).statistic, abs=1e-8)


def test_a_constant_baseline_has_no_correlation_in_any_resample() -> None:
    _, references, _ = numbers(np.random.default_rng(3), 30)
    constant = [{"predicted": 0.1}] * 30  # the mean of thirty times 0.1 is not quite 0.1
    found = resampled("text-regression", constant, references, [], Bootstrap(100, 0.95, seed=0)).samples
    assert not found["pearson"].any() and not found["spearman"].any()


def test_a_resample_of_one_row_again_and_again_has_no_r2() -> None:
    true = [0.1, 0.2, 0.7]
    said = [{"predicted": x} for x in (0.3, 0.11, 0.6)]
    found = resampled("text-regression", said, true, [], Bootstrap(200, 0.95, seed=0)).samples
    weights = np.concatenate(list(drawn(3, Bootstrap(200, 0.95, seed=0))))
    same = weights.max(axis=1) == 3
    assert 0 < same.sum() < 200
    for metric in ("r2", "pearson", "spearman"):
        assert not found[metric][same].any()
        assert found[metric][~same].any()


def test_corpus_scores_of_counts_are_those_of_sacrebleu() -> None:
    from sacrebleu.metrics import BLEU, CHRF

    rng = np.random.default_rng(5)
    for _ in range(300):
        given, wanted = rng.integers(0, 12, size=(2, 6))
        shared = [int(rng.integers(0, most + 1)) for most in np.minimum(given, wanted)]
        chrf = [int(n) for of_order in zip(given, wanted, shared, strict=True) for n in of_order]
        assert chrf_of(np.array(chrf, dtype=float)) == pytest.approx(
            CHRF()._compute_score_from_stats(chrf).score
        )
        length, true = (int(n) for n in rng.integers(0, 9, size=2))
        total = [max(0, length - n) for n in range(4)]
        upto = rng.integers(0, 5)  # none are shared that are longer, and at times none at all
        correct = [int(rng.integers(0, most + 1)) * (n < upto) for n, most in enumerate(total)]
        bleu = [length, true, *correct, *total]
        assert bleu_of(np.array(bleu, dtype=float)) == pytest.approx(
            BLEU()._compute_score_from_stats(bleu).score
        )


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        right = rng.random(150) < 0.8
        predicted = [{"predicted": "a" if hit else "b"} for hit in right]
        bootstrap = Bootstrap(300, 0.95, seed=trial)
        found = resampled("text-classification", predicted, ["a"] * 150, ["a", "b"], bootstrap).samples
        low, high = bootstrap.interval(found["accuracy"])
        covered += low <= 0.8 <= high
    assert 0.89 <= covered / 200 <= 0.99

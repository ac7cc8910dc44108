"""The split depends on the rows' content and the seed, and on nothing else."""

import random

import pytest

from stages.core.data_section import Split
from stages.core.errors import PipelineError
from stages.core.tasks import Kind
from stages.sources.normalise import leak_key
from stages.sources.rows import Row
from stages.sources.split import NAMES, make_splits

SHARES = Split(validation=0.1, test=0.2)
LABELS = ["bad", "good"]


def made(count: int, name: str = "rows.csv") -> list[Row]:
    """A fourth of the rows is good; every third text has a twin that differs in case and punctuation."""
    rows = []
    for number in range(count):
        text = f"Text number {number - 1}?!" if number % 3 == 2 else f"text number {number}"
        rows.append(
            Row(
                f"{name}:{number + 1}", str(number), text, None, "good" if number % 12 in (1, 2, 6) else "bad"
            )
        )
    return rows


def test_shuffled_rows_give_the_same_splits_in_the_same_order() -> None:
    rows = made(600)
    expected = make_splits({"all": rows}, SHARES, LABELS, 42, "class")
    for seed in range(5):
        shuffled = random.Random(seed).sample(rows, len(rows))
        assert make_splits({"all": shuffled}, SHARES, LABELS, 42, "class") == expected
    assert make_splits({"all": rows}, SHARES, LABELS, 43, "class") != expected


def test_shares_hold_for_every_label_and_no_key_is_in_two_splits() -> None:
    rows = made(1200)
    splits = make_splits({"all": rows}, SHARES, LABELS, 1, "class")
    assert sorted(r.id for part in splits.values() for r in part) == sorted(r.id for r in rows)
    for label in LABELS:
        total = sum(r.label == label for r in rows)
        for name, share in (("test", 0.2), ("validation", 0.1), ("train", 0.7)):
            assert abs(sum(r.label == label for r in splits[name]) / total - share) < 0.01
    keys = {name: {leak_key(r.text) for r in splits[name]} for name in NAMES}
    assert not keys["train"] & keys["test"] and not keys["train"] & keys["validation"]
    assert not keys["test"] & keys["validation"]


def test_adding_a_row_moves_few_others() -> None:
    rows = made(600)
    before = {r.id for r in make_splits({"all": rows}, SHARES, LABELS, 42, "class")["test"]}
    more = [*rows, Row("rows.csv:9999", "new", "a new text", None, "bad")]
    after = {r.id for r in make_splits({"all": more}, SHARES, LABELS, 42, "class")["test"]}
    assert len(before ^ after) <= 4


def test_three_rows_a_label_are_enough() -> None:
    rows = [Row(f"a:{n}", str(n), f"text {n}", None, LABELS[n % 2]) for n in range(6)]
    splits = make_splits({"all": rows}, Split(validation=0.01, test=0.9), LABELS, 42, "class")
    assert {name: sorted(r.label for r in splits[name]) for name in NAMES} == dict.fromkeys(NAMES, LABELS)


def test_too_few_rows_of_a_label() -> None:
    rows = [
        *(Row(f"a:{n}", str(n), f"text {n}", None, "bad") for n in range(9)),
        Row("a:10", "10", "x", None, "good"),
    ]
    with pytest.raises(
        PipelineError, match="too few rows of 'good' 1: each label needs 3 or more different texts"
    ):
        make_splits({"all": rows}, SHARES, LABELS, 42, "class")


def test_twins_alone_cannot_fill_three_splits() -> None:
    rows = [Row(f"a:{n}", str(n), f"text {n}", None, "bad") for n in range(9)]
    rows += [Row(f"a:{n + 9}", str(n + 9), "same" + "!" * n, None, "good") for n in range(5)]
    with pytest.raises(PipelineError, match="the label 'good' is missing from"):
        make_splits({"all": rows}, SHARES, LABELS, 42, "class")


def test_missing_splits_are_cut_from_train() -> None:
    train = made(300)
    test = [Row(f"test.csv:{n}", f"t{n}", f"other text {n}", None, LABELS[n % 2]) for n in range(40)]
    splits = make_splits({"train": train, "test": test}, SHARES, LABELS, 42, "class")
    assert {r.id for r in splits["test"]} == {r.id for r in test}
    assert len(splits["validation"]) == pytest.approx(30, abs=2)
    assert len(splits["train"]) + len(splits["validation"]) == 300


def test_a_label_missing_from_a_given_split() -> None:
    train = [Row(f"train.csv:{n}", f"a{n}", f"text {n}", None, LABELS[n % 2]) for n in range(20)]
    test = [Row(f"test.csv:{n}", f"b{n}", f"new {n}", None, "bad") for n in range(5)]
    with pytest.raises(
        PipelineError, match="the label 'good' is missing from test: it has 9 rows in train, 1"
    ):
        make_splits({"train": train, "test": test}, SHARES, LABELS, 42, "class")


def test_leak_keys() -> None:
    assert leak_key("  Ｈello,   WORLD!") == leak_key("hello world") == "hello world"
    assert leak_key("Straße") == leak_key("STRASSE")
    assert leak_key(":-)") == ":-)" and leak_key(":-(") != leak_key(":-)")


@pytest.mark.parametrize(
    ("one", "other"),
    [("super 😀", "super 😡"), ("C++", "C#"), ("नहीं", "नहा"), ("5 $", "5 €"), ("a < b", "a > b")],
)
def test_symbols_and_marks_tell_texts_apart(one: str, other: str) -> None:
    assert leak_key(one) != leak_key(other)
    assert leak_key(f" {one} !") == leak_key(one)


def test_symbols_are_compared_without_white_space_and_variants() -> None:
    assert leak_key("super😀!") == leak_key("Super 😀") == "super 😀"
    assert leak_key("love \u2764\ufe0f") == leak_key("love \u2764")
    assert leak_key("e\u0301t\u00e9") == leak_key("\u00c9T\u00c9") == "\u00e9t\u00e9"


def paired(count: int) -> list[Row]:
    return [Row(f"a:{n}", str(n), f"text {n % 5}", f"pair {n}", float(n)) for n in range(count)]


def test_rows_without_classes_are_one_stratum() -> None:
    rows = paired(300)
    splits = make_splits({"all": rows}, SHARES, [], 42, "number")
    assert [len(splits[name]) for name in NAMES] == [210, 30, 60]
    shuffled = random.Random(1).sample(rows, len(rows))
    assert make_splits({"all": shuffled}, SHARES, [], 42, "number") == splits


def test_targets_of_one_text_stay_together_whatever_their_order() -> None:
    rows = [Row(f"a:{n}", str(n), f"text {n // 3}", None, f"target {n}") for n in range(90)]
    splits = make_splits({"all": rows}, SHARES, [], 42, "text")
    sources = {name: {row.text for row in splits[name]} for name in NAMES}
    assert not sources["train"] & sources["test"] and not sources["train"] & sources["validation"]
    assert make_splits({"all": rows[::-1]}, SHARES, [], 42, "text") == splits


def test_a_split_without_rows() -> None:
    with pytest.raises(
        PipelineError, match="too few rows: there are 1 in train, 0 in validation, 1 in test, and"
    ):
        make_splits({"all": paired(2)}, SHARES, [], 42, "number")
    with pytest.raises(PipelineError, match="0 in validation, 4 in test, and validation needs one or more"):
        make_splits(
            {"train": paired(4), "validation": [], "test": [*paired(8)[4:]]}, SHARES, [], 42, "number"
        )


def test_a_label_that_training_rows_lack() -> None:
    given = {
        "train": [Row("a:1", "1", "x", None, ("a",)), Row("a:2", "2", "y", None, ("a", "b"))],
        "validation": [Row("b:1", "3", "z", None, ())],
        "test": [Row("c:1", "4", "w", None, ("c",)), Row("c:2", "5", "v", None, ("b",))],
    }
    # A held-out split may lack one.
    assert (
        len(make_splits({**given, "test": given["test"][1:]}, SHARES, ["a", "b"], 42, "classes")["test"]) == 1
    )
    with pytest.raises(PipelineError) as error:
        make_splits(given, SHARES, ["a", "b", "c", "d"], 42, "classes")
    first, second = str(error.value).splitlines()
    assert first.startswith(
        "the label 'c' is missing from train, and cannot be learned: it has 0 rows in train,"
    )
    assert "0 rows in validation, 1 rows in test; rename it" in first and "the label 'd'" in second


def test_a_pair_and_its_reverse_stay_together() -> None:
    rows = paired(100)
    turned = [Row(f"b:{row.id}", f"t{row.id}", row.pair or "", str(row.text), 0.0) for row in rows]
    splits = make_splits({"all": rows + turned}, SHARES, [], 42, "number")
    for part in splits.values():
        ids = {row.id for row in part}
        assert {f"t{row_id}" for row_id in ids if row_id[0] != "t"} == {i for i in ids if i[0] == "t"}


def test_a_label_of_few_rows_is_always_trained_on() -> None:
    """Left to chance, the one row of a tag would lie in the test split for one seed in five."""
    tags = {0: "B-ONE", 1: "B-THREE", 2: "B-THREE", 3: "B-THREE"}
    rows = [Row(f"a:{n}", str(n), (f"word{n}",), None, ("O", tags.get(n, "B-MANY"))) for n in range(200)]
    labels = ["O", "B-MANY", "B-ONE", "B-THREE"]
    for seed in range(20):
        splits = make_splits({"all": rows}, SHARES, labels, seed, "tags")
        found = {name: [row.label[1] for row in splits[name]] for name in NAMES}  # type: ignore[index]
        assert found["train"].count("B-ONE") == 1
        assert found["train"].count("B-THREE") >= 1
        assert [len(splits[name]) for name in NAMES] == [140, 20, 40]


@pytest.mark.parametrize("size", [2, 3, 5, 8])
def test_shares_hold_however_few_rows_each_label_has(size: int) -> None:
    """600 rows that all have one label in common, and one more: a different one every `size` rows."""
    rows = [Row(f"a:{n}", str(n), f"word{n}", None, ("common", f"label{n // size}")) for n in range(600)]
    labels = sorted({name for row in rows for name in row.label})  # type: ignore[union-attr]
    splits = make_splits({"all": rows}, SHARES, labels, 42, "classes")
    assert [len(splits[name]) for name in NAMES] == [420, 60, 120]
    assert {name for row in splits["train"] for name in row.label} == set(labels)  # type: ignore[union-attr]


def clusters_of(rows: list[Row], size: int) -> dict[Row, int]:
    return {row: number // size for number, row in enumerate(rows)}


@pytest.mark.parametrize("kind", ["class", "number"])
def test_a_cluster_stays_together_and_shares_hold(kind: Kind) -> None:
    rows = [
        Row(f"a:{n}", str(n), f"word{n}", None, LABELS[n % 7 < 2] if kind == "class" else n / 1)
        for n in range(900)
    ]
    clusters = clusters_of(rows, 3)
    labels = LABELS if kind == "class" else []
    splits = make_splits({"all": rows}, SHARES, labels, 42, kind, clusters)
    where = {name: {clusters[row] for row in splits[name]} for name in NAMES}
    assert not where["train"] & where["test"] and not where["train"] & where["validation"]
    assert not where["test"] & where["validation"]
    for name, share in (("train", 0.7), ("validation", 0.1), ("test", 0.2)):
        assert abs(len(splits[name]) / 900 - share) < 0.01
    if kind == "class":
        for name in NAMES:
            good = sum(row.label == "good" for row in splits[name]) / len(splits[name])
            assert abs(good - 2 / 7) < 0.12
    shuffled = random.Random(1).sample(rows, len(rows))
    assert make_splits({"all": shuffled}, SHARES, labels, 42, kind, clusters) == splits


def test_clusters_have_their_share_of_every_split() -> None:
    """Those of many rows have small hashes among theirs: ordered by these, they would fill the test split."""
    rows = [Row(f"a:{n}", str(n), f"word{n}", None, LABELS[n % 2]) for n in range(3000)]
    clusters = {row: number // 5 if number < 600 else number for number, row in enumerate(rows)}
    shares = [
        len({row.id for row in rows[:600]} & {row.id for row in part}) / 600
        for seed in range(5)
        for part in [make_splits({"all": rows}, SHARES, LABELS, seed, "class", clusters)["test"]]
    ]
    assert 0.15 < sum(shares) / len(shares) < 0.25


def test_a_giant_cluster_is_trained_on() -> None:
    """Drawn by its hash alone it would be the test split for one seed in five."""
    rows = [Row(f"a:{n}", str(n), f"word{n}", None, LABELS[n % 2]) for n in range(400)]
    clusters = {row: 0 if number < 200 else number for number, row in enumerate(rows)}
    for seed in range(20):
        splits = make_splits({"all": rows}, SHARES, LABELS, seed, "class", clusters)
        assert {row.id for row in rows[:200]} <= {row.id for row in splits["train"]}
        assert [len(splits[name]) for name in NAMES] == [280, 40, 80]


def test_clusters_alone_cannot_fill_three_splits() -> None:
    rows = [Row(f"a:{n}", str(n), f"word{n}", None, LABELS[n % 2]) for n in range(40)]
    with pytest.raises(PipelineError, match=r"missing from .*; near duplicates stay in one split: raise"):
        make_splits({"all": rows}, SHARES, LABELS, 42, "class", clusters_of(rows, 20))
    with pytest.raises(PipelineError, match=r"too few rows: .*; near duplicates stay in one split: raise"):
        make_splits({"all": paired(40)}, SHARES, [], 42, "number", clusters_of(paired(40), 40))

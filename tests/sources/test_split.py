"""The split depends on the rows' content and the seed, and on nothing else."""

import random

import pytest

from stages.core.errors import PipelineError
from stages.core.schema import Split
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
            Row(f"{name}:{number + 1}", str(number), text, "good" if number % 12 in (1, 2, 6) else "bad")
        )
    return rows


def test_shuffled_rows_give_the_same_splits_in_the_same_order() -> None:
    rows = made(600)
    expected = make_splits({"all": rows}, SHARES, LABELS, 42)
    for seed in range(5):
        shuffled = random.Random(seed).sample(rows, len(rows))
        assert make_splits({"all": shuffled}, SHARES, LABELS, 42) == expected
    assert make_splits({"all": rows}, SHARES, LABELS, 43) != expected


def test_shares_hold_for_every_label_and_no_key_is_in_two_splits() -> None:
    rows = made(1200)
    splits = make_splits({"all": rows}, SHARES, LABELS, 1)
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
    before = {r.id for r in make_splits({"all": rows}, SHARES, LABELS, 42)["test"]}
    more = [*rows, Row("rows.csv:9999", "new", "a new text", "bad")]
    after = {r.id for r in make_splits({"all": more}, SHARES, LABELS, 42)["test"]}
    assert len(before ^ after) <= 4


def test_three_rows_a_label_are_enough() -> None:
    rows = [Row(f"a:{n}", str(n), f"text {n}", LABELS[n % 2]) for n in range(6)]
    splits = make_splits({"all": rows}, Split(validation=0.01, test=0.9), LABELS, 42)
    assert {name: sorted(r.label for r in splits[name]) for name in NAMES} == dict.fromkeys(NAMES, LABELS)


def test_too_few_rows_of_a_label() -> None:
    rows = [*(Row(f"a:{n}", str(n), f"text {n}", "bad") for n in range(9)), Row("a:10", "10", "x", "good")]
    with pytest.raises(
        PipelineError, match="too few rows of 'good' 1: each label needs 3 or more different texts"
    ):
        make_splits({"all": rows}, SHARES, LABELS, 42)


def test_twins_alone_cannot_fill_three_splits() -> None:
    rows = [Row(f"a:{n}", str(n), f"text {n}", "bad") for n in range(9)]
    rows += [Row(f"a:{n + 9}", str(n + 9), "same" + "!" * n, "good") for n in range(5)]
    with pytest.raises(PipelineError, match="the label 'good' is missing from"):
        make_splits({"all": rows}, SHARES, LABELS, 42)


def test_missing_splits_are_cut_from_train() -> None:
    train = made(300)
    test = [Row(f"test.csv:{n}", f"t{n}", f"other text {n}", LABELS[n % 2]) for n in range(40)]
    splits = make_splits({"train": train, "test": test}, SHARES, LABELS, 42)
    assert {r.id for r in splits["test"]} == {r.id for r in test}
    assert len(splits["validation"]) == pytest.approx(30, abs=2)
    assert len(splits["train"]) + len(splits["validation"]) == 300


def test_rows_in_two_given_splits_are_refused() -> None:
    train = [Row(f"train.csv:{n}", f"a{n}", f"text {n}", LABELS[n % 2]) for n in range(20)]
    test = [Row(f"test.csv:{n}", f"b{n}", f"  TEXT, {n}!", LABELS[n % 2]) for n in range(12, 28)]
    with pytest.raises(PipelineError) as error:
        make_splits({"train": train, "test": test}, SHARES, LABELS, 42)
    line = str(error.value)
    assert line.startswith(
        "8 of 16 test rows are train rows too, but for case and punctuation: b12 (test.csv:12 is train"
    )
    assert "and 3 more" in line and "name no test split" in line


def test_a_label_missing_from_a_given_split() -> None:
    train = [Row(f"train.csv:{n}", f"a{n}", f"text {n}", LABELS[n % 2]) for n in range(20)]
    test = [Row(f"test.csv:{n}", f"b{n}", f"new {n}", "bad") for n in range(5)]
    with pytest.raises(
        PipelineError, match="the label 'good' is missing from test: it has 9 rows in train, 1"
    ):
        make_splits({"train": train, "test": test}, SHARES, LABELS, 42)


def test_leak_keys() -> None:
    assert leak_key("  Ｈello,   WORLD!") == leak_key("hello world") == "hello world"
    assert leak_key("Straße") == leak_key("STRASSE")
    assert leak_key(":-)") == ":-)" and leak_key(":-(") != leak_key(":-)")

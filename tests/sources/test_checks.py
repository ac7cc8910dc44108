"""What checks find in rows of all kinds, what is told of it, and what stops the run."""

import json
import sys
from typing import Any

import pytest

from stages.core.data_section import Checks
from stages.core.errors import PipelineError
from stages.core.tasks import Kind
from stages.sources.checks import examine, kept_together, look_for_near
from stages.sources.findings import Finding, lines, settle, summary
from stages.sources.rows import Label, Row, Text

BASE = "une phrase assez longue pour que deux fins differentes ne changent presque rien a la similarite"
Splits = dict[str, list[Row]]


def rows(split: str, *texts: tuple[Text, Label]) -> list[Row]:
    return [
        Row(f"{split}.csv:{n}", f"{split}{n}", text, None, label) for n, (text, label) in enumerate(texts, 2)
    ]


def three(**given: list[Row]) -> Splits:
    """Splits with a row of its own in each that is not given."""
    return {
        name: given.get(name, rows(name, (f"only {name}", "x"))) for name in ("train", "validation", "test")
    }


def found(splits: Splits, kind: Kind = "class", **settings: Any) -> list[Finding]:
    checks = Checks(**settings)
    return examine(splits, look_for_near(splits, checks, kind), checks, kind, 1)


def told(findings: list[Finding], check: str) -> set[tuple[str, str, str | None]]:
    return {(f.kind, f.row.id, f.other.id if f.other else None) for f in findings if f.check == check}


def refusal(findings: list[Finding], **settings: Any) -> str:
    with pytest.raises(PipelineError) as error:
        settle(findings, Checks(**settings), "findings.jsonl")
    return str(error.value)


def test_leaks_between_all_splits() -> None:
    splits = three(
        train=rows("train", ("text 1", "a"), ("text 2", "a")),
        validation=rows("validation", ("Text 2!", "a"), ("text 3", "a")),
        test=rows("test", ("TEXT, 1", "a"), ("text  3", "a"), ("text 4", "a")),
    )
    findings = found(splits)
    assert told(findings, "leaks") == {
        ("test in train", "test2", "train2"),
        ("validation in train", "validation2", "train3"),
        ("test in validation", "test3", "validation3"),
    }
    assert refusal(findings) == (
        "3 rows of those kept are in another split too, but for case and punctuation (test in train 1, test"
        " in validation 1, validation in train 1): test2 (test.csv:2, and train.csv:2), validation2"
        " (validation.csv:2, and train.csv:3), test3 (test.csv:3, and validation.csv:3); remove them from one"
        " of the two, or name no such split, and it is cut from the training rows; or set data.checks.leaks"
        " to warn, and they are kept and listed"
    )
    said = settle(findings, Checks(leaks="warn"), "findings.jsonl")
    assert len(said) == 1 and said[0].endswith("validation in train 1): see findings.jsonl")


def test_many_leaks_are_not_all_named() -> None:
    leaked = [(f"text {n}", "a") for n in range(20)]
    message = refusal(found(three(train=rows("train", *leaked), test=rows("test", *leaked))))
    assert message.startswith("20 rows") and " and 15 more; " in message and "test6" in message
    assert "test7 " not in message


def test_pairs_leak_with_both_texts_in_either_order() -> None:
    train = [Row("a:1", "a", "text 1", "pair 6", 1.0)]
    for one, other, leaks in (("Pair 6!", "TEXT 1", 1), ("Text 1", "pair 6.", 1), ("text 1", "pair 7", 0)):
        findings = found(three(train=train, test=[Row("b:1", "b", one, other, 1.0)]), "number")
        assert len(told(findings, "leaks")) == leaks


def test_words_leak_like_the_text_they_make() -> None:
    train = rows("train", (("Word", "3"), ("O", "B-X")))
    test = rows("test", (("word", "3", "!"), ("O", "O", "O")))
    assert told(found(three(train=train, test=test), "tags"), "leaks") == {
        ("test in train", "test2", "train2")
    }


def test_near_leaks_are_those_that_are_no_leaks() -> None:
    splits = three(
        train=rows("train", (BASE, "a"), (BASE + " un", "a"), ("autre chose", "a")),
        test=rows("test", (BASE.upper() + "!", "a"), (BASE + " unx", "a"), ("tout autre chose encore", "a")),
    )
    findings = found(splits)
    assert told(findings, "leaks") == {("test in train", "test2", "train2")}
    near = {row: other for kind, row, other in told(findings, "near_leaks")}
    assert near == {"test2": "train3", "test3": "train3"}
    assert told(findings, "near_duplicates") >= {("near duplicate", "train2", "train3")}
    assert "set data.checks.near_leaks to warn" in refusal(findings)
    assert not told(found(splits, near_leaks="off"), "near_leaks")
    assert not told(found(splits, near=1), "near_leaks")


@pytest.mark.parametrize(
    ("kind", "one", "same", "other"),
    [
        ("class", "a", "a", "b"),
        ("classes", ("a", "b"), ("a", "b"), ("a",)),
        ("classes", (), (), ("a",)),
        ("number", 1.0, 1.5, 9.0),
    ],
)
def test_contradictions(kind: Kind, one: Label, same: Label, other: Label) -> None:
    far = rows("validation", *((f"text {n}", (one, other)[n % 2]) for n in range(10)))
    splits = three(train=rows("train", (BASE, one), (BASE + " un", same)), validation=far, test=far[:1])
    assert not told(found(splits, kind), "contradictions")
    splits["train"] += [Row("train.csv:9", "odd", BASE + " deux", None, other)]
    contradictions = told(found(splits, kind), "contradictions")
    assert {row for _, row, _ in contradictions} == {"train2", "train3", "odd"}
    assert not told(found(splits, kind, contradictions="off"), "contradictions")


def test_tags_contradict_each_other_on_the_same_words_only() -> None:
    words = (*BASE.split(), "Paris")
    tags = (*["O"] * len(BASE.split()), "B-LOC")
    longer, more = (*words, "!"), (*tags, "O")
    splits = three(train=rows("train", (words, tags), (longer, more)))
    assert not told(found(splits, "tags"), "contradictions")
    splits = three(train=rows("train", (words, tags), (longer, (*tags[:-1], "B-ORG", "O"))))
    assert len(told(found(splits, "tags"), "contradictions")) == 2


@pytest.mark.parametrize("kind", ["text", "none"])
def test_texts_may_have_several_answers(kind: Kind) -> None:
    splits = three(train=rows("train", (BASE, "a target"), (BASE + " un", "another")))
    assert not told(found(splits, kind), "contradictions")
    assert look_for_near(splits, Checks(near_leaks="off"), kind) is None


def test_damage_and_persons_in_every_text_of_a_row() -> None:
    train = [
        Row("a:2", "1", "Ã©tÃ© \ufffd", "ok", "x"),
        Row("a:3", "2", "fine", "a@example.org \x07", "x"),
        Row("a:4", "3", "source", None, "+33 6 12 34 56 78"),
    ]
    findings = found(three(train=train))
    assert told(findings, "damage") == {
        ("mojibake", "1", None),
        ("replacement", "1", None),
        ("control", "2", None),
    }
    assert told(findings, "personal") == {("email", "2", None), ("phone", "3", None)}
    assert not told(found(three(train=train), damage="off", personal="off"), "damage")
    message = refusal(findings, personal="block")
    assert message.startswith(
        "2 rows of those kept hold what looks like personal data (email 1, phone 1): 2 (a:3), 3"
    )
    everything = message + json.dumps(lines(findings)) + json.dumps(summary(findings, Checks()))
    assert "example.org" not in everything and "12 34" not in everything and "tÃ" not in everything


def test_the_records() -> None:
    train = [Row("a:2", "1", "Ã©tÃ© \ufffd", None, "x"), Row("a:3", "2", BASE, None, "x")]
    findings = found(three(train=train, test=[Row("b:2", "3", BASE + " un", None, "x")]), near_leaks="warn")
    counts = summary(findings, Checks(near_leaks="warn"))
    assert counts["damage"] == {
        "setting": "warn",
        "rows": 1,
        "kinds": {"mojibake": 1, "replacement": 1},
        "splits": {"train": 1},
    }
    assert counts["leaks"] == {"setting": "block", "rows": 0, "kinds": {}, "splits": {}}
    assert counts["label_errors"] == {"setting": "off"}
    written = lines(findings)
    assert written == sorted(written, key=lambda line: (line["check"], line["kind"], line["id"]))
    assert [line for line in written if line["check"] == "near_leaks"] == [
        {
            "check": "near_leaks",
            "kind": "test in train",
            "split": "test",
            "id": "3",
            "at": "b:2",
            "other": "2",
            "other_at": "a:3",
            "similarity": pytest.approx(0.98, abs=0.01),
        }
    ]


def test_near_duplicates_are_kept_together_unless_that_is_off() -> None:
    splits = {
        "all": rows("all", (BASE, "a"), (BASE + " un", "a"), ("autre", "a"), ("Autre!", "b"), ("x", "a"))
    }
    checks = Checks()
    clusters, said = kept_together(look_for_near(splits, checks, "class"), checks)
    groups = [clusters[row] for row in splits["all"]]
    assert groups[0] == groups[1] and groups[2] == groups[3] and len(set(groups)) == 3 and not said
    off = Checks(near_leaks="off")
    assert kept_together(look_for_near(splits, off, "class"), off) == ({}, [])


def test_a_giant_cluster_is_told() -> None:
    made = [(f"{BASE} numero {n}", "a") for n in range(30)] + [(f"text {n}", "b") for n in range(70)]
    checks = Checks()
    _, said = kept_together(look_for_near({"all": rows("all", *made)}, checks, "class"), checks)
    assert said[0].startswith(
        "30 of 100 rows are connected by near duplicates and stay in one split: if they are"
    )
    assert "raise data.checks.near (it is 0.9), or set data.checks.near_leaks to off" in said[0]


def test_label_errors_are_the_rows_that_were_mislabelled() -> None:
    made = [(f"un film superbe et charmant {n}", "good") for n in range(40)]
    made += [(f"un film affreux et lugubre {n}", "bad") for n in range(40)]
    made += [("un film superbe et charmant aussi", "bad"), ("rare", "once")]
    findings = found(three(train=rows("train", *made)), near_leaks="off", label_errors="warn")
    assert told(findings, "label_errors") == {("label", "train82", None)}
    assert findings == found(three(train=rows("train", *made)), near_leaks="off", label_errors="warn")


def test_label_errors_without_cleanlab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(PipelineError, match=r"data\.checks\.label_errors: needs cleanlab: run `pip install"):
        found(three(), label_errors="warn")

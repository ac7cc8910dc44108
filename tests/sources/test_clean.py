"""What happens to each row, and that every row that is left out is named."""

import random
from typing import Any

import pytest

from stages.core.data_section import Data
from stages.core.errors import PipelineError
from stages.core.tasks import Kind
from stages.sources import clean as cleaning
from stages.sources.clean import check_ids
from stages.sources.columns import check_columns
from stages.sources.normalise import normalise
from stages.sources.outputs import ordered_labels
from stages.sources.rows import Rejected, Row


def settings(**changes: Any) -> Data:
    return Data.model_validate({"source": {"type": "files", "path": "a.csv"}, **changes})


def records(*rows: tuple[Any, Any]) -> list[dict[str, Any]]:
    return [
        {"at": f"a.csv:{n}", "values": {"text": t, "label": lab, "id": f"i{n}"}}
        for n, (t, lab) in enumerate(rows, 2)
    ]


def clean(rows: list[dict[str, Any]], data: Data, kind: Kind = "class") -> tuple[list[Row], list[Rejected]]:
    """What is kept and what is rejected of one file."""
    cleaned = cleaning.clean({"all": rows}, data, kind)
    return cleaned.rows["all"], cleaned.rejected


def reasons(rejected: list[Any]) -> list[tuple[str, str]]:
    return sorted((row.at, row.reason) for row in rejected)


def test_normalisation() -> None:
    assert normalise(" e\u0301 &amp;\r\nb\rc\u00a0", unescape_html=True) == "é &\nb\nc"
    assert normalise("&amp;", unescape_html=False) == "&amp;"


def test_rows_without_text_or_label_are_named() -> None:
    kept, rejected = clean(
        records(("  ", "a"), (None, "a"), ("x", ""), ("y", None), ("z", " a ")), settings()
    )
    assert [(row.text, row.label) for row in kept] == [("z", "a")]
    assert reasons(rejected) == [
        ("a.csv:2", "no text"),
        ("a.csv:3", "no text"),
        ("a.csv:4", "no label"),
        ("a.csv:5", "no label"),
    ]


def test_label_rules() -> None:
    rules = {"low": "< 0", "high": ">= 2.5", "other": "!= 1"}
    rows = [("a", "-1.5"), ("b", 2.5), ("c", "1"), ("d", "good"), ("e", "nan"), ("f", 0), ("g", "")]
    kept, rejected = clean(records(*rows), settings(label_rules=rules))
    assert [row.label for row in kept] == ["low", "high", "other"]
    assert reasons(rejected) == [
        ("a.csv:4", "no label rule takes it"),
        ("a.csv:5", "label is not a number"),
        ("a.csv:6", "label is not a number"),
        ("a.csv:8", "no label"),
    ]


def test_duplicates_and_contradictions() -> None:
    rows = records(("same", "a"), ("same ", "a"), ("torn", "a"), ("torn", "b"), ("fine", "b"))
    kept, rejected = clean(rows, settings(id="id"))
    assert [(row.id, row.text) for row in kept] == [("i2", "same"), ("i6", "fine")]
    assert reasons(rejected) == [
        ("a.csv:3", "duplicate"),
        ("a.csv:4", "contradictory labels"),
        ("a.csv:5", "contradictory labels"),
    ]
    for seed in range(5):
        again, _ = clean(random.Random(seed).sample(rows, len(rows)), settings(id="id"))
        assert set(again) == set(kept)


def test_ids_come_from_the_column_or_from_the_text() -> None:
    kept, rejected = clean(records(("x", "a"), ("y", "a")), settings())
    assert [row.id for row in kept] == ["2d711642b726b044", "a1fce4363854ff88"]  # sha256("x"), sha256("y")
    rows = records(("x", "a"), ("y", "a"), ("z", "a"))
    rows[1]["values"]["id"] = "i2"
    rows[2]["values"]["id"] = None
    kept, rejected = clean(rows, settings(id="id"))
    assert reasons(rejected) == [("a.csv:4", "no id")]
    with pytest.raises(PipelineError, match=r"'i2' is the id of two rows, a\.csv:2 and a\.csv:3"):
        check_ids({"train": kept[:1], "test": kept[1:]})


@pytest.mark.parametrize("label", ["two words", 'quo"ted', "<b>bold</b>", "a|b", "café", "no", "1"])
def test_odd_label_names_survive(label: str) -> None:
    kept, _ = clean(records(("x", label)), settings())
    assert kept[0].label == label


@pytest.mark.parametrize("label", ["two\nlines", "a\tb", "bell\a", "a\u2028b"])
def test_labels_with_control_characters_are_refused(label: str) -> None:
    with pytest.raises(PipelineError, match=r"a\.csv:2: the label .* holds a line break or another control"):
        clean(records(("x", label)), settings())


def test_numbers_and_booleans_as_labels() -> None:
    kept, _ = clean(records(("a", 1), ("b", True), ("c", 0.5)), settings())
    assert [row.label for row in kept] == ["1", "true", "0.5"]


def test_missing_columns_are_named_with_those_there_are() -> None:
    with pytest.raises(PipelineError) as error:
        check_columns(["Text", "label"], settings(id="key"), "class")
    assert str(error.value).splitlines() == [
        "data.text: there is no column 'text'; there are 'Text', 'label'",
        "data.id: there is no column 'key'; there are 'Text', 'label'",
    ]


def classified(*labels: str) -> list[Row]:
    return [Row(f"a.csv:{n}", str(n), f"text {n}", None, label) for n, label in enumerate(labels, 2)]


def test_labels_are_sorted_unless_given() -> None:
    rows = classified("no", "maybe", "maybe")
    assert ordered_labels(rows, None, "class") == ["maybe", "no"]
    assert ordered_labels(rows, ["no", "maybe"], "class") == ["no", "maybe"]


def test_labels_that_params_do_not_name() -> None:
    with pytest.raises(
        PipelineError, match=r"does not name: 'maybe' \(2 rows, first at a\.csv:3\); add them"
    ):
        ordered_labels(classified("no", "maybe", "maybe"), ["no", "yes"], "class")


def test_one_class_only() -> None:
    with pytest.raises(PipelineError, match="every row has the label 'no': a classifier needs two or more"):
        ordered_labels(classified("no"), None, "class")
    with pytest.raises(PipelineError, match="every row has the label"):
        ordered_labels(classified("no"), ["no", "yes"], "class")


@pytest.mark.parametrize(
    ("kind", "rows", "data"),
    [
        ("class", ["pos", "NEG", "other"], {}),
        ("classes", [["pos", "NEG"], ["other"], []], {}),
        ("classes", ["pos|NEG", "other", None], {"label_separator": "|"}),
        ("classes", [1, 0, 1], {"label": ["pos", "NEG", "other"]}),
        ("tags", [["pos", "NEG"], ["other"]], {}),
    ],
)
def test_names_in_the_map_that_are_no_label_are_told(kind: Kind, rows: list[Any], data: Any) -> None:
    names = {"Pos": "good", "neg": "bad", "other": "else", "xyz": None}
    given = [
        {"at": f"a.jsonl:{n}", "values": {"text": [f"w{n}"] * 2 if kind == "tags" else f"t{n}", "label": row}}
        for n, row in enumerate(rows)
    ]
    for record in given if "label" in data else []:
        record["values"] |= {"pos": 1, "NEG": 0, "other": 0}  # type: ignore[operator]
    found = cleaning.clean({"all": given}, settings(label_map=names, **data), kind).found
    (line,) = [line for line in found if line.startswith("data.label_map")]
    assert line == "data.label_map: no row has the label 'Pos' (is it 'pos'?), 'neg' (is it 'NEG'?), 'xyz'"
    settled = cleaning.clean({"all": given}, settings(label_map={"other": "else"}, **data), kind)
    assert not any(line.startswith("data.label_map") for line in settled.found)


def test_rows_without_any_class_are_counted() -> None:
    given = [{"at": f"a:{n}", "values": {"text": f"t{n}", "label": ["x"] * (n % 3)}} for n in range(9)]
    assert cleaning.clean({"all": given}, settings(), "classes").found == ["3 of the rows kept have no label"]

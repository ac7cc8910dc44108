"""How the labels of each kind are read, and why rows of each are left out."""

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from stages.core.data_section import Data
from stages.core.errors import PipelineError
from stages.core.tasks import Kind
from stages.sources import clean as cleaning
from stages.sources.columns import check_columns
from stages.sources.kinds import KINDS
from stages.sources.outputs import ordered_labels
from stages.sources.rows import Label, Row


def settings(**changes: Any) -> Data:
    return Data.model_validate({"source": {"type": "files", "path": "a.jsonl"}, **changes})


def clean(kind: Kind, rows: list[dict[str, Any]], **data: Any) -> tuple[list[Row], dict[str, str]]:
    """The rows that are kept, and the reasons of the others by their place."""
    records = [{"at": f"a.jsonl:{number}", "values": values} for number, values in enumerate(rows, 1)]
    cleaned = cleaning.clean({"all": records}, settings(**data), kind)
    return cleaned.rows["all"], {row.at: row.reason for row in cleaned.rejected}


def labelled(kind: Kind, *labels: Any, **data: Any) -> tuple[list[Label], dict[str, str]]:
    rows = [{"text": f"text {number}", "label": label} for number, label in enumerate(labels)]
    kept, reasons = clean(kind, rows, **data)
    return [row.label for row in kept], reasons


def test_every_kind_has_its_row() -> None:
    assert set(KINDS) == set(get_args(Kind))


def test_label_map_renames_merges_and_leaves_out() -> None:
    names = {"1": "bad", "2": "bad", "5": "good", "3": None, "": "none given"}
    found, reasons = labelled("class", 1, "2 ", 5, 3, "", "other", label_map=names)
    assert found == ["bad", "bad", "good", "none given", "other"]
    assert reasons == {"a.jsonl:4": "label left out by data.label_map"}


def test_label_map_takes_every_unicode_form() -> None:
    assert labelled("class", "e\u0301t\u00e9", label_map={"\u00e9te\u0301 ": "summer"})[0] == ["summer"]


def test_labels_of_two_ways_are_refused() -> None:
    with pytest.raises(ValidationError, match="either `label_rules`, for numbers, or `label_map`"):
        settings(label_rules={"a": "> 0"}, label_map={"b": "c"})
    with pytest.raises(ValidationError, match="`label_separator` is for one column"):
        settings(label=["a", "b"], label_separator=",")
    with pytest.raises(ValidationError, match="two or more different columns"):
        settings(label=["a", "a"])


def test_classes_from_a_list() -> None:
    found, reasons = labelled("classes", ["b", "a", "b"], [], None, ["a", None], [1, True])
    assert found == [("a", "b"), (), ("1", "true")]
    assert reasons == {"a.jsonl:3": "no label", "a.jsonl:4": "no label"}


def test_classes_from_a_text_that_is_cut() -> None:
    found, reasons = labelled("classes", "b | a|", "", " ", None, "c", label_separator="|")
    assert found == [("a", "b"), (), (), (), ("c",)] and reasons == {}
    with pytest.raises(PipelineError, match=r"a\.jsonl:1: data\.label: 'label' is 'a,b': expected a list"):
        labelled("classes", "a,b")


def test_classes_from_columns() -> None:
    rows = [
        {"text": "u", "rude": 1, "obscene": "1"},
        {"text": "v", "rude": False, "obscene": 0.0},
        {"text": "w", "rude": "true", "obscene": "0"},
        {"text": "x", "rude": 2, "obscene": 0},
        {"text": "y", "rude": None, "obscene": 0},
        {"text": "z", "rude": 1},
    ]
    kept, reasons = clean("classes", rows, label=["rude", "obscene"], label_map={"rude": "impolite"})
    assert [row.label for row in kept] == [("impolite", "obscene"), (), ("impolite",)]
    assert reasons == {
        "a.jsonl:4": "label is neither 0 nor 1",
        "a.jsonl:5": "no label",
        "a.jsonl:6": "no label",
    }


def test_classes_that_the_map_merges_or_leaves_out() -> None:
    names = {"joy": "good", "love": "good", "noise": None}
    found, reasons = labelled("classes", ["joy", "love", "fear"], ["joy", "noise"], label_map=names)
    assert found == [("fear", "good")]
    assert reasons == {"a.jsonl:2": "label left out by data.label_map"}


def test_numbers_are_written_as_in_json_and_csv() -> None:
    odd = ["1_000", "\u0661", "1e", ".", "0x1", "1 000", "1e999", "infinity", "1_000.5"]
    found, reasons = labelled("number", "+1.", " .5e+2", "-1E3", *odd)
    assert found == [1.0, 50.0, -1000.0]
    assert reasons == {f"a.jsonl:{line}": "label is not a number" for line in range(4, 4 + len(odd))}
    assert labelled("class", "1_000", label_rules={"high": "> 0"})[0] == []


def test_numbers() -> None:
    found, reasons = labelled("number", 1, "-2.5", " 1e3 ", 0.5, "", None, "3,5", "nan", "inf", True, "good")
    assert found == [1.0, -2.5, 1000.0, 0.5]
    assert all(isinstance(number, float) for number in found)
    assert reasons == {
        **{f"a.jsonl:{line}": "no label" for line in (5, 6)},
        **{f"a.jsonl:{line}": "label is not a number" for line in range(7, 12)},
    }


def test_targets_are_normalised_like_texts() -> None:
    found, reasons = labelled("text", " e\u0301 &amp;\r\n", "", None, 7, unescape_html=True)
    assert found == ["é &", "7"]
    assert reasons == {"a.jsonl:2": "no label", "a.jsonl:3": "no label"}


def test_texts_alone() -> None:
    kept, reasons = clean("none", [{"text": "a"}, {"text": ""}, {"text": "a "}, {"text": "b", "label": "x"}])
    assert [(row.text, row.label) for row in kept] == [("a", None), ("b", None)]
    assert reasons == {"a.jsonl:2": "no text", "a.jsonl:3": "duplicate"}


def test_words_and_tags() -> None:
    rows: list[dict[str, Any]] = [
        {"text": ["Cafe\u0301 ", "&amp;"], "label": ["B-LOC", " O"]},
        {"text": ["a", "b"], "label": ["O"]},
        {"text": ["a", " \u200b"], "label": ["O", "O"]},
        {"text": ["a", None], "label": ["O", "O"]},
        {"text": ["a", "\ufe0f"], "label": ["O", "O"]},
        {"text": [], "label": []},
        {"text": None, "label": ["O"]},
        {"text": ["a"], "label": None},
    ]
    kept, reasons = clean("tags", rows, unescape_html=True)
    assert [(row.text, row.label) for row in kept] == [(("Café", "&"), ("B-LOC", "O"))]
    assert reasons == {
        "a.jsonl:2": "not one tag for each word",
        "a.jsonl:3": "empty word",
        "a.jsonl:4": "empty word",
        "a.jsonl:5": "empty word",
        "a.jsonl:6": "no text",
        "a.jsonl:7": "no text",
        "a.jsonl:8": "no label",
    }


def test_words_and_tags_are_lists() -> None:
    with pytest.raises(
        PipelineError, match=r"a\.jsonl:1: data\.text: 'text' is 'a b': expected a list of words"
    ):
        clean("tags", [{"text": "a b", "label": ["O", "O"]}])
    with pytest.raises(
        PipelineError, match=r"a\.jsonl:1: data\.label: 'label' is 'O O': expected a list, a tag"
    ):
        clean("tags", [{"text": ["a", "b"], "label": "O O"}])


@pytest.mark.parametrize("kind", ["class", "number", "text"])
@pytest.mark.parametrize("column", ["text", "label", "id", "pair"])
def test_lists_where_one_value_is_expected(kind: Kind, column: str) -> None:
    row = {"text": "a", "label": "1", "id": "i", "pair": "b", column: ["x"]}
    with pytest.raises(
        PipelineError, match=rf"a\.jsonl:1: data\.{column}: '{column}' is a list: expected one"
    ):
        clean(kind, [row], id="id", pair="pair")


def test_pairs_are_one_text_to_all_that_compares_them() -> None:
    rows = [
        {"text": "a", "b": "x", "label": "1"},
        {"text": "a", "b": "y", "label": "2"},
        {"text": "a", "b": " x", "label": "1"},
        {"text": "a", "b": "z", "label": "1"},
        {"text": "a", "b": "z", "label": "2"},
        {"text": "a", "b": " ", "label": "1"},
    ]
    kept, reasons = clean("class", rows, pair="b")
    assert [(row.text, row.pair, row.label) for row in kept] == [("a", "x", "1"), ("a", "y", "2")]
    assert len({row.id for row in kept}) == 2
    assert reasons == {
        "a.jsonl:3": "duplicate",
        "a.jsonl:4": "contradictory labels",
        "a.jsonl:5": "contradictory labels",
        "a.jsonl:6": "no second text",
    }


@pytest.mark.parametrize(("kind", "one", "other"), [("classes", ["a"], ["a", "b"]), ("number", 1, 2)])
def test_contradictions(kind: Kind, one: Any, other: Any) -> None:
    rows = [{"text": "same", "label": one}, {"text": "same", "label": other}, {"text": "fine", "label": one}]
    kept, reasons = clean(kind, rows)
    assert [row.text for row in kept] == ["fine"]
    assert reasons == dict.fromkeys(("a.jsonl:1", "a.jsonl:2"), "contradictory labels")


def test_a_text_may_have_several_targets() -> None:
    rows = [{"text": "a", "label": target} for target in ("x", "y", "x ")]
    kept, reasons = clean("text", rows)
    assert [row.label for row in kept] == ["x", "y"] and len({row.id for row in kept}) == 2
    assert reasons == {"a.jsonl:3": "duplicate"}


def test_sentences_with_the_same_words() -> None:
    rows = [
        {"text": ["a", "b"], "label": ["O", "I-X"]},
        {"text": ["a", "b"], "label": ["O", "B-X"]},  # equal, once both are IOB2
        {"text": ["a b"], "label": ["O"]},
        {"text": ["c"], "label": ["O"]},
        {"text": ["c"], "label": ["B-X"]},
    ]
    kept, reasons = clean("tags", rows)
    assert [row.text for row in kept] == [("a", "b"), ("a b",)] and len({row.id for row in kept}) == 2
    assert reasons == {
        "a.jsonl:2": "duplicate",
        "a.jsonl:4": "contradictory labels",
        "a.jsonl:5": "contradictory labels",
    }


def rows_of(*labels: Label) -> list[Row]:
    return [Row(f"a:{n}", str(n), f"text {n}", None, label) for n, label in enumerate(labels)]


def test_the_order_of_outputs() -> None:
    assert ordered_labels(rows_of(("b", "a"), (), ("O",)), None, "classes") == ["O", "a", "b"]
    assert ordered_labels(rows_of(("I-X", "B-X", "O")), None, "tags") == ["O", "B-X", "I-X"]
    assert ordered_labels(rows_of(("O", "b", "Z")), ["b", "O", "Z"], "tags") == ["b", "O", "Z"]
    assert ordered_labels(rows_of("O", "A"), None, "class") == ["A", "O"]
    for kind, labels in (("number", (1.0, 2.0)), ("text", ("x", "y")), ("none", (None,))):
        assert ordered_labels(rows_of(*labels), None, kind) == []
    with pytest.raises(PipelineError, match=r"does not name: 'c' \(2 rows, first at a:0\)"):
        ordered_labels(rows_of(("c", "c", "b"), ("c",)), ["a", "b"], "tags")


@pytest.mark.parametrize(
    ("kind", "labels", "message"),
    [
        ("classes", ((), ()), "no row has any label, from a:0 on"),
        ("classes", (("rude",), ()), "one label only, 'rude': set task.type to text-classification"),
        ("number", (2.0, 2.0), "every row has the number 2.0: there is nothing to learn"),
        ("tags", (("O", "O"), ("O",)), "every word has the tag 'O': a tagger needs two or more"),
        ("text", (), "no row is left: all were rejected"),
        ("none", (), "no row is left: all were rejected"),
    ],
)
def test_nothing_to_learn(kind: Kind, labels: tuple[Label, ...], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        ordered_labels(rows_of(*labels), None, kind)


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        (
            "classes",
            {"label_rules": {"a": "> 0"}},
            "data.label_rules: has no meaning here, the labels of this",
        ),
        ("number", {"label_map": {"a": "b"}}, "this task are a number a row: take it out"),
        ("class", {"label_separator": ","}, "data.label_separator: has no meaning here"),
        ("class", {"tag_scheme": "IO"}, "data.tag_scheme: has no meaning here"),
        ("tags", {"pair": "text"}, "data.pair: has no meaning here"),
        (
            "class",
            {"label": ["label", "text"]},
            "data.label: names several columns, but the labels of this task",
        ),
        (
            "class",
            {"label": None},
            "data.label: the labels of this task are one class a row: name their column",
        ),
        ("class", {"label": "labels"}, "data.label: there is no column 'labels'; there are 'text', 'label'"),
        ("classes", {"label": ["text", "x"]}, "data.label.1: there is no column 'x'"),
        ("number", {"pair": "hypothesis"}, "data.pair: there is no column 'hypothesis'"),
    ],
)
def test_settings_that_do_not_fit(kind: Kind, data: dict[str, Any], message: str) -> None:
    with pytest.raises(PipelineError) as error:
        check_columns(["text", "label"], settings(**data), kind)
    assert message in str(error.value)


def test_texts_alone_need_no_column_of_labels() -> None:
    check_columns(["text"], settings(), "none")
    check_columns(["text"], settings(label=None), "none")

"""Every format, read as it is or refused with the place."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.core.data_section import TableFormat
from stages.core.errors import PipelineError
from stages.sources.tables import read_table


def rows(path: Path, **options: Any) -> list[dict[str, Any]]:
    return list(read_table(path, path.name, TableFormat(**options), {"text", "label"}))


def read(tmp_path: Path, name: str, data: bytes | str, **options: Any) -> list[dict[str, Any]]:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return rows(path, **options)


def test_csv_rows_know_the_line_they_start_on(tmp_path: Path) -> None:
    data = 'text,label\n"two\nlines, and a ""quote""",good\r\n\nplain,bad\n'
    assert read(tmp_path, "a.csv", data) == [
        {"at": "a.csv:2", "values": {"text": 'two\nlines, and a "quote"', "label": "good"}},
        {"at": "a.csv:5", "values": {"text": "plain", "label": "bad"}},
    ]


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_one_column_is_enough_if_it_is_asked_for(tmp_path: Path, form: str) -> None:
    assert read(tmp_path, f"a.{form}", "text\nalone\n\nanother\n") == [
        {"at": f"a.{form}:2", "values": {"text": "alone"}},
        {"at": f"a.{form}:4", "values": {"text": "another"}},
    ]
    with pytest.raises(PipelineError, match="the header is one column, 'Text'"):
        read(tmp_path, f"a.{form}", "Text\nalone\n")


def test_tsv_has_no_quoting(tmp_path: Path) -> None:
    data = 'a "word"\tgood\n"unclosed\tbad'
    assert [
        r["values"]["text"] for r in read(tmp_path, "a.txt", data, format="tsv", header=["text", "label"])
    ] == [
        'a "word"',
        '"unclosed',
    ]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_byte_order_mark_and_line_ends_are_no_part_of_the_rows(tmp_path: Path, ends: str) -> None:
    data = "\ufefftext,label" + ends + "été,good" + ends
    assert read(tmp_path, "a.csv", data) == [{"at": "a.csv:2", "values": {"text": "été", "label": "good"}}]


def test_a_field_of_a_megabyte_survives(tmp_path: Path) -> None:
    text = "word " * 250_000
    for name, data in (("a.csv", f"text,label\n{text},good\n"), ("a.tsv", f"text\tlabel\n{text}\tgood\n")):
        assert read(tmp_path, name, data)[0]["values"]["text"] == text
    assert read(tmp_path, "a.jsonl", json.dumps({"text": text}))[0]["values"]["text"] == text


def test_ragged_rows_are_listed_then_counted(tmp_path: Path) -> None:
    with pytest.raises(PipelineError) as error:
        read(tmp_path, "a.csv", "text,label\nfine,good\nno label\na,b,c\n")
    assert str(error.value) == "a.csv:3: 1 column, expected 2\na.csv:4: 3 columns, expected 2"
    with pytest.raises(PipelineError) as error:
        read(tmp_path, "a.csv", "text,label\n" + "alone\n" * 13)
    lines = str(error.value).splitlines()
    assert len(lines) == 11 and lines[-1] == "... and 3 more rows like these"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", "a.csv: holds no rows: the file is empty"),
        ("a.csv", b"text,label\n", "a.csv: holds no rows"),
        ("a.csv", b"text,label\nfine,good\ncaf\xe9,bad\n", "a.csv:3: not UTF-8: save it as UTF-8"),
        ("a.csv", b"text,label\rfine,good\rcaf\xe9,bad\r", "a.csv:3: not UTF-8: save it as UTF-8"),
        ("a.csv", b"text,label\r\nfine,good\r\ncaf\xe9,bad\r\n", "a.csv:3: not UTF-8: save it as UTF-8"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "\xff"}\n', "a.jsonl:2: not UTF-8: save it as UTF-8"),
        (
            "a.csv",
            "text,label\na,b\n".encode("utf-16"),
            "a.csv:1: not UTF-8 (it looks like UTF-16): save it as UTF-8",
        ),
        ("a.csv", b"text,label\na\0b,good\n", "a.csv:2: holds a NUL byte: it is not a text file"),
        ("a.csv", b"text,text\na,b\n", "a.csv:1: two columns of the header are called 'text': rename one"),
        ("a.csv", b",text\n0,b\n", "a.csv:1: column 1 of the header has no name: give it one"),
        (
            "a.csv",
            b"text;label\na;b\n",
            "a.csv:1: the header is one column, 'text;label': csv needs commas"
            " (or data.source.separator: ';'), tsv needs tabs",
        ),
        (
            "a.csv",
            b'text,label\na,b\n"never closed,c\n',
            "a.csv:3: the row that starts here cannot be read: unexpected end of data",
        ),
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', "a.jsonl:2: not JSON: Expecting value at character"),
        ("a.jsonl", b'["a"]\n', "a.jsonl:1: not a JSON object"),
        (
            "a.jsonl",
            b'{"text": ["a", ["b"]]}\n',
            "a.jsonl:1: 'text', item 2: is list: expected text, a number, true, false or null",
        ),
        (
            "a.jsonl",
            b'{"text": {"en": "a"}}\n',
            "a.jsonl:1: 'text' is an object: name one of its fields, such as text.en",
        ),
        ("a.jsonl", b'{"x": NaN}\n', "a.jsonl:1: not JSON: NaN is no JSON number: use null"),
        ("a.jsonl", b'{"x": 1, "x": 2}\n', "a.jsonl:1: not JSON: 'x' is given twice"),
        ("a.jsonl", b'{"x": 1e999}\n', "a.jsonl:1: 'x': is infinite"),
        ("a.jsonl", b'{"text": "\\ud83d"}\n', "a.jsonl:1: 'text': holds half a surrogate pair"),
        ("a.jsonl", b"[" * 100_000, "a.jsonl:1: not JSON:"),
        ("a.parquet", b"PAR1 but not", "a.parquet: not a readable parquet file:"),
        ("a.xlsx", b"PK", "a.xlsx: no format known for this ending: set data.source.format"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    with pytest.raises(PipelineError) as error:
        read(tmp_path, name, data)
    assert str(error.value).startswith(message)
    assert len(str(error.value).splitlines()) == 1


def test_a_header_for_a_format_that_names_its_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"data\.source\.header: a\.jsonl is jsonl"):
        read(tmp_path, "a.jsonl", '{"text": "a"}', header=["text"])


def test_jsonl_keeps_plain_values_and_leaves_others_out(tmp_path: Path) -> None:
    first = '{"text": "a\\u2028b", "label": 1, "tags": ["x"], "ok": true, "note": null, "score": 0.5}'
    data = f'{first}\n\n{{"text": "c"}}\n'
    assert read(tmp_path, "a.jsonl", data) == [
        {
            "at": "a.jsonl:1",
            "values": {"text": "a\u2028b", "label": 1, "ok": True, "note": None, "score": 0.5},
        },
        {"at": "a.jsonl:3", "values": {"text": "c"}},
    ]


def test_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": pa.array(["a", None]),
            "label": pa.array(["x", "y"]).dictionary_encode(),
            "score": pa.array([float("nan"), 0.5]),
            "tags": pa.array([["t"], []]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    assert rows(tmp_path / "a.parquet") == [
        {"at": "a.parquet:1", "values": {"text": "a", "label": "x", "score": None}},
        {"at": "a.parquet:2", "values": {"text": None, "label": "y", "score": 0.5}},
    ]
    with pytest.raises(PipelineError, match=r"a\.parquet: column 'text' is of type list<.*list<"):
        pq.write_table(pa.table({"text": [[["a"]]]}), tmp_path / "a.parquet")
        rows(tmp_path / "a.parquet")
    with pytest.raises(
        PipelineError, match=r"column 'text' is of type struct<en.* named as in translation.en"
    ):
        pq.write_table(pa.table({"text": [{"en": "a"}]}), tmp_path / "a.parquet")
        rows(tmp_path / "a.parquet")


NEEDED = {"tokens", "translation.fr", "note"}
NESTED = [
    {"tokens": ["a", None], "other": [1], "translation": {"en": "x", "fr": "y", "n": {"deep": 1}}, "note": 1},
    {"tokens": [], "other": [], "translation": {"en": "z", "fr": None, "n": None}, "note": 2},
]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_lists_and_fields_of_objects_where_they_are_needed(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"a.{form}"
    if form == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in NESTED))
    else:
        pq.write_table(pa.Table.from_pylist(NESTED), path)
    found = [row["values"] for row in read_table(path, path.name, TableFormat(), NEEDED)]
    assert [{name: row.get(name) for name in sorted(NEEDED)} for row in found] == [
        {"note": 1, "tokens": ["a", None], "translation.fr": "y"},
        {"note": 2, "tokens": [], "translation.fr": None},
    ]
    # What could be meant instead is kept for the error that lists it; the rest is left out.
    assert [row["translation.en"] for row in found] == ["x", "z"]
    assert not {"other", "translation", "translation.n.deep"} & set(found[0])


def test_a_column_whose_own_name_has_dots_comes_before_a_path(tmp_path: Path) -> None:
    line = '{"a": {"b": "inside"}, "a.b": "own"}\n'
    (tmp_path / "a.jsonl").write_text(line)
    (row,) = read_table(tmp_path / "a.jsonl", "a.jsonl", TableFormat(), {"a.b"})
    assert row["values"] == {"a.b": "own"}


def test_large_and_fixed_lists_are_lists(tmp_path: Path) -> None:
    columns = {
        "tokens": pa.array([["a", "b"]], pa.large_list(pa.string())),
        "tags": pa.array([[1, 2]], pa.list_(pa.int8(), 2)),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    (row,) = read_table(tmp_path / "a.parquet", "a.parquet", TableFormat(), {"tokens", "tags"})
    assert row["values"] == {"tokens": ["a", "b"], "tags": [1, 2]}


def test_a_text_file_has_a_row_a_line(tmp_path: Path) -> None:
    data = '\ufeffOne line, "quoted".\r\n\r\n  \r\nand\tanother'
    assert read(tmp_path, "a.txt", data) == [
        {"at": "a.txt:1", "values": {"text": 'One line, "quoted".'}},
        {"at": "a.txt:4", "values": {"text": "and\tanother"}},
    ]
    with pytest.raises(PipelineError, match=r"data\.source\.header: a\.txt is text"):
        read(tmp_path, "a.txt", "a", header=["text"])
    with pytest.raises(PipelineError, match=r"a\.txt: holds no rows$"):
        read(tmp_path, "a.txt", "\n\n")


def test_semicolons_are_a_setting(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('text;label\n"a; b";good\n')
    rows = list(read_table(path, "rows.csv", TableFormat(separator=";"), ()))
    assert rows == [{"at": "rows.csv:2", "values": {"text": "a; b", "label": "good"}}]
    with pytest.raises(PipelineError, match=r"data\.source\.separator"):
        list(read_table(path, "rows.csv", TableFormat(), ()))

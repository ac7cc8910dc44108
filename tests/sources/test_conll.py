"""A word a line: sentences with the line of every word, and nothing dropped without a word."""

from pathlib import Path
from typing import Any

import pytest

from stages.core.data_section import Data, TableFormat
from stages.core.errors import PipelineError
from stages.sources.source import write_source
from stages.sources.tables import read_table


def read(
    tmp_path: Path, data: str | bytes, header: list[str] | None = None, name: str = "a.conll"
) -> list[dict[str, Any]]:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(read_table(path, name, TableFormat(header=header), ("form", "upos")))


TWO = [
    {"at": "a.conll:1", "values": {"text": ["Paris", "dort"], "label": ["B-LOC", "O"]}, "lines": [1, 2]},
    {"at": "a.conll:4", "values": {"text": ["Oui"], "label": ["O"]}, "lines": [4]},
]


@pytest.mark.parametrize("separator", ["\t", " ", "   "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_words_and_tags_in_two_columns(tmp_path: Path, separator: str, end: str) -> None:
    lines = [f"Paris{separator}B-LOC", f"dort{separator}O", " ", f"Oui{separator}O"]
    assert read(tmp_path, "\ufeff" + end.join(lines)) == TWO


def test_the_first_line_with_two_columns_says_what_separates_them(tmp_path: Path) -> None:
    tabs = "New York\tB-LOC\n10\u00a0000\tO\n"
    assert read(tmp_path, tabs)[0]["values"] == {"text": ["New York", "10\u00a0000"], "label": ["B-LOC", "O"]}
    blanks = "10\u00a0000 O\n"
    assert read(tmp_path, blanks)[0]["values"] == {"text": ["10\u00a0000"], "label": ["O"]}
    late = "lost\nNew York\tB-LOC\n"
    assert read(tmp_path, late)[0]["values"] == {"text": ["lost", "New York"], "label": ["", "B-LOC"]}


def test_documents_comments_and_blank_lines_end_or_precede_sentences(tmp_path: Path) -> None:
    data = "# a comment\n-DOCSTART- -X- O O\n\n\n# sent_id = 1\nParis B-LOC\ndort O\n-DOCSTART- O\nOui O\n\n"
    found = read(tmp_path, data)
    assert [(row["at"], row["values"]["text"]) for row in found] == [
        ("a.conll:6", ["Paris", "dort"]),
        ("a.conll:9", ["Oui"]),
    ]


@pytest.mark.parametrize("separator", ["\t", " "])
def test_a_number_sign_is_a_word_when_it_has_a_tag(tmp_path: Path, separator: str) -> None:
    data = f"#{separator}O\n1{separator}O\n\nwe{separator}O\n#{separator}O\n"
    assert [row["values"]["text"] for row in read(tmp_path, data)] == [["#", "1"], ["we", "#"]]


@pytest.mark.parametrize(
    ("name", "first"), [("a.conll", "id"), ("a.conll", "ID"), ("a.conllu", "ID"), ("a.conllu", "number")]
)
def test_conll_u_leaves_ranges_and_empty_nodes_out(tmp_path: Path, name: str, first: str) -> None:
    lines = [
        "#no tab here",
        "# text = du pain",
        "1-2\tdu\t_",
        "1\tde\tADP",
        "2\tle\tDET",
        "2.1\tx\tX",
        "3\tpain\tNOUN",
        "#\tx",
    ]
    (row,) = read(tmp_path, "\n".join(lines), [first, "form", "upos"], name)
    assert row == {
        "at": f"{name}:4",
        "values": {first: ["1", "2", "3"], "form": ["de", "le", "pain"], "upos": ["ADP", "DET", "NOUN"]},
        "lines": [4, 5, 7],
    }
    # In other files such words are words, and in a .conllu file without that column too.
    assert read(tmp_path, "1-2\tO\n")[0]["values"]["text"] == ["1-2"]
    plain = read(tmp_path, "1.5\tNUM\n#\tSYM\n", ["form", "upos"], "a.conllu")
    assert plain[0]["values"]["form"] == ["1.5", "#"]


def test_more_columns_need_a_header(tmp_path: Path) -> None:
    data = "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n"
    with pytest.raises(PipelineError, match=r"a\.conll:1: 4 columns: name them in data\.source\.header"):
        read(tmp_path, data)
    header = ["text", "pos", "chunk", "label"]
    assert read(tmp_path, data, header)[0]["values"]["label"] == ["B-ORG", "O"]


def test_ragged_lines_are_listed_then_counted(tmp_path: Path) -> None:
    header = ["text", "pos", "label"]
    with pytest.raises(PipelineError) as error:
        read(tmp_path, "a X O\n\nb O\nc X O O\n", header)
    assert str(error.value) == "a.conll:3: 2 columns, expected 3\na.conll:4: 4 columns, expected 3"
    with pytest.raises(PipelineError) as error:
        read(tmp_path, "a X O\n" + "alone\n" * 13, header)
    lines = str(error.value).splitlines()
    assert len(lines) == 11 and lines[-1] == "... and 3 more lines like these"


def test_a_word_without_a_tag_stays_for_prepare_to_judge(tmp_path: Path) -> None:
    assert read(tmp_path, "Paris\tB-LOC\nseul\n\t O\n")[0]["values"] == {
        "text": ["Paris", "seul", ""],
        "label": ["B-LOC", "", " O"],
    }


def test_spaces_in_a_file_with_tabs_are_told_from_a_word_without_a_tag(tmp_path: Path) -> None:
    data = "Paris\tB-LOC\ndort\tO\n\nParis B-LOC\ndort   O \nNew York\nO\n"
    with pytest.raises(PipelineError) as error:
        read(tmp_path, data)
    assert str(error.value).splitlines() == [
        f"a.conll:{line}: has spaces where the file has tabs" for line in (4, 5)
    ]
    found = read(tmp_path, "Paris\tB-LOC\nNew York\nB-LOC\n")[0]["values"]
    assert found == {"text": ["Paris", "New York", "B-LOC"], "label": ["B-LOC", "", ""]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a.conll: holds no rows: the file is empty"),
        (b"\n-DOCSTART- O\n\n", "a.conll: holds no rows"),
        (b"fine O\ncaf\xe9 O\n", "a.conll:2: not UTF-8: save it as UTF-8"),
        (b"fine O\na\0b O\n", "a.conll:2: holds a NUL byte: it is not a text file"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(PipelineError) as error:
        read(tmp_path, data)
    assert str(error.value) == message


def write(tmp_path: Path, data: dict[str, Any]) -> list[str]:
    """Where the rows of all files in data/source stood, in their order."""
    (tmp_path / "out").mkdir()
    write_source(Data.model_validate(data), tmp_path / "raw", tmp_path / "out")
    lines = (tmp_path / "out/all.jsonl").read_text().splitlines()
    return [line.partition('"at": "')[2].partition('"')[0] for line in lines]


def test_a_folder_stands_for_its_files_in_order(tmp_path: Path) -> None:
    names = ["b.conll", "a 2.conll", "sub/c.iob", "sub/.hidden.conll", ".git/d.conll"]
    for name in names:
        (tmp_path / "raw/corpus" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "raw/corpus" / name).write_text("word O\n")
    assert write(tmp_path, {"source": {"type": "files", "path": "corpus"}}) == [
        "corpus/a 2.conll:1",
        "corpus/b.conll:1",
        "corpus/sub/c.iob:1",
    ]


def test_what_a_folder_cannot_give(tmp_path: Path) -> None:
    (tmp_path / "raw/corpus").mkdir(parents=True)
    with pytest.raises(PipelineError, match=r"data\.source\.path: the folder data/raw/corpus holds no files"):
        write(tmp_path, {"source": {"type": "files", "path": "corpus"}})
    (tmp_path / "out").rmdir()
    (tmp_path / "raw/corpus/train.gold").write_text("word O\n")
    with pytest.raises(
        PipelineError, match=r"corpus/train\.gold: no format known .* set data\.source\.format"
    ):
        write(tmp_path, {"source": {"type": "files", "path": "corpus"}})
    (tmp_path / "out").rename(tmp_path / "old")
    asked = {"type": "files", "path": "corpus", "format": "conll"}
    assert write(tmp_path, {"source": asked}) == ["corpus/train.gold:1"]

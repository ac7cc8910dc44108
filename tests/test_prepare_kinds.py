"""The prepare stage on the labels of every kind: what it writes, and what the records say of it."""

import json
import random
import statistics
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.core.errors import PipelineError
from stages.core.files import folder_digests, sha256
from stages.core.layout import Layout
from stages.core.records import parse, read_lines
from stages.core.schema import Params
from stages.core.tasks import TASK_TYPES
from stages.prepare import prepare
from stages.sources.source import write_source
from stages.tasks.entity_tags import are_entities
from stages.tasks.rows import read_rows
from tests import corpora
from tests.tiny import write_params

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [row["text"] for row in corpora.rows("none", 60)]


def read_into(
    root: Path, task: dict[str, Any], lines: list[Any] | str | bytes, name: str = "rows.conll", **data: Any
) -> Params:
    """A project after fetch of rows that are JSON Lines, or of a file's contents as they are."""
    (root / "raw").mkdir()
    (root / "stages").symlink_to(ROOT / "stages")
    if isinstance(lines, list):
        name, lines = "rows.jsonl", "".join(json.dumps(line) + "\n" for line in lines)
    (root / "raw" / name).write_bytes(lines if isinstance(lines, bytes) else lines.encode())
    source = {"type": "files", "path": name}
    Layout(root).source.mkdir(parents=True)
    params = write_params(
        root, data={"source": source, **data}, task={"labels": None, "metric": None, **task}
    )
    write_source(params.data, root / "raw", Layout(root).source)
    return params


def refused(root: Path, params: Params) -> str:
    with pytest.raises(PipelineError) as error:
        prepare(params, Layout(root))
    assert sorted(p.name for p in (root / "data").iterdir()) == ["source"], "nothing half-written"
    return str(error.value)


def written(root: Path) -> tuple[list[dict[str, Any]], pa.Schema, dict[str, Any], dict[str, Any]]:
    """All rows, the schema of their files, the manifest and the report."""
    layout = Layout(root)
    tables = [pq.read_table(layout.split(name)) for name in ("train", "validation", "test")]
    manifest = json.loads(layout.prepared_manifest.read_text())
    report = parse(layout.data_report.read_bytes())
    for name, table in zip(("train", "validation", "test"), tables, strict=True):
        assert read_rows(layout.split(name)).ids == table.column("id").to_pylist()
        assert manifest["splits"][name]["rows"] == table.num_rows
        assert manifest["splits"][name]["sha256"] == sha256(layout.split(name))
    return [row for table in tables for row in table.to_pylist()], tables[0].schema, manifest, report


def stored(rows: list[dict[str, Any]], *names: str) -> list[Any]:
    return sorted([row[name] for name in names] for row in rows)


def test_several_classes_a_row(tmp_path: Path) -> None:
    found = corpora.rows("classes", 80)
    params = read_into(tmp_path, {"type": "multi-label-classification"}, found)
    prepare(params, Layout(tmp_path))
    rows, schema, manifest, report = written(tmp_path)
    assert stored(rows, "text", "label") == stored(found, "text", "label")
    assert str(schema.field("label").type).startswith("list<") and schema.names == ["id", "text", "label"]
    assert (manifest["kind"], manifest["labels"]) == ("classes", ["bad", "good", "person"])
    for split in manifest["splits"].values():
        assert set(split) == {"rows", "sha256", "labels"}
    counts = [split["labels"]["good"] for split in report["splits"].values()]
    assert sum(counts) == sum("good" in row["label"] for row in found)
    assert min(map(len, (row["label"] for row in rows))) == 0


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_one_table_of_several_classes_in_every_format(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = ["a|b", "a", "b", None]
    found = [{"text": text, "label": labels[n % 4]} for n, text in enumerate(TEXTS)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(found), sink)
    contents = {
        "csv": "text,label\n" + "".join(f'"{row["text"]}",{row["label"] or ""}\n' for row in found),
        "jsonl": "".join(json.dumps(row) + "\n" for row in found),
        "parquet": sink.getvalue().to_pybytes(),
    }
    task = {"type": "multi-label-classification"}
    params = read_into(tmp_path, task, contents[form], f"rows.{form}", label_separator="|")
    prepare(params, Layout(tmp_path))
    rows = written(tmp_path)[0]
    assert len(rows) == len(TEXTS) and sum(row["label"] == [] for row in rows) == len(TEXTS) // 4
    assert f"prepare: {len(TEXTS) // 4} of the rows kept have no label\n" in capsys.readouterr().out


def test_a_number_a_row(tmp_path: Path) -> None:
    found = [{"text": text, "label": n / 4} for n, text in enumerate(TEXTS)]
    params = read_into(tmp_path, {"type": "text-regression"}, [*found, {"text": "x", "label": "high"}])
    prepare(params, Layout(tmp_path))
    rows, schema, manifest, report = written(tmp_path)
    assert stored(rows, "text", "label") == stored(found, "text", "label")
    assert schema.field("label").type == pa.float64()
    assert (manifest["kind"], manifest["labels"]) == ("number", [])
    numbers = pq.read_table(Layout(tmp_path).split("train")).column("label").to_pylist()
    assert report["splits"]["train"]["number"] == {
        "min": round(min(numbers), 6),
        "max": round(max(numbers), 6),
        "mean": round(statistics.fmean(numbers), 6),
        "sd": round(statistics.pstdev(numbers), 6),
    }
    assert set(manifest["splits"]["test"]) == {"rows", "sha256", "number"}
    assert report["rows"]["rejected"] == {"label is not a number": 1}


def test_a_tag_a_word_from_a_conll_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"{word}-{n}" for n in range(40) for word in ("Anna", "Dupont", "dort", "Ravi")]
    tags = ["I-PER", "I-PER", "O", "I-PER"] * 40
    lines = [
        f"{word} {tag}\n" + "\n" * (n % 4 == 3) for n, (word, tag) in enumerate(zip(words, tags, strict=True))
    ]
    params = read_into(tmp_path, {"type": "token-classification"}, "".join(lines))
    prepare(params, Layout(tmp_path))
    rows, schema, manifest, report = written(tmp_path)
    assert [row["label"] for row in rows] == [["B-PER", "I-PER", "O", "B-PER"]] * 40
    assert sorted(word for row in rows for word in row["text"]) == sorted(words)
    assert all(str(schema.field(name).type).startswith("list<") for name in ("text", "label"))
    assert (manifest["kind"], manifest["tag_scheme"]) == ("tags", "entities")
    assert manifest["labels"] == ["O", "B-PER", "I-PER"]
    test = manifest["splits"]["test"]
    assert test["words"] == 4 * test["rows"] == 32
    assert test["labels"] == {"O": 8, "B-PER": 16, "I-PER": 8}
    assert report["tags"] == {
        "scheme": "IO",
        "converted": {"sentences": 40, "tags": 80},
        "odd": {"mapped": {}, "without_begin": 0},
    }
    assert report["normalisation"][-2:] == [
        "Tags are rewritten from IO to IOB2.",
        "Neighbouring entities of one type count as one: IO does not tell them apart.",
    ]
    assert manifest["normalisation"] == report["normalisation"]
    characters = [len(" ".join(row["text"])) for row in rows]
    assert max(split["characters"]["max"] for split in report["splits"].values()) == max(characters)
    said = capsys.readouterr().out
    assert "prepare: the tags are those of IO\nprepare: Tags are rewritten from IO to IOB2.\n" in said


def test_odd_tags_leave_nothing(tmp_path: Path) -> None:
    params = read_into(tmp_path, {"type": "token-classification"}, "Anna B-PER\ndort 0\n\nseul O\n")
    lines = refused(tmp_path, params).splitlines()
    assert lines[0] == "rows.conll:2: '0' (1 in all) is neither O nor B-, I- with a type"
    assert 'data.label_map: {"0": O} (null leaves' in lines[1] and len(lines) == 2


NOUNS = "".join(f"Anna-{n} NOUN\ndort VERB\n\n" for n in range(20))
PEOPLE = "".join(f"Anna-{n} B-PER\ndort O\n\n" for n in range(20))


@pytest.mark.parametrize(
    ("words", "task", "data", "message"),
    [
        (
            NOUNS,
            {},
            {},
            "task.metric: entity_f1 does not exist for these tags, which are plain (NOUN, VERB): set it to"
            " accuracy or f1_macro",
        ),
        (
            PEOPLE,
            {"metric": "f1_macro"},
            {},
            "task.metric: f1_macro does not exist for these tags, which mark entities (O, B-PER): set it to"
            " entity_f1, entity_precision, entity_recall or accuracy",
        ),
        (
            PEOPLE,
            {"metric": "accuracy"},
            {"tag_scheme": "plain"},
            "data.tag_scheme: plain, but the tags mark entities (O, B-PER): take it out",
        ),
    ],
)
def test_tags_that_do_not_suit_the_metric_or_the_scheme(
    tmp_path: Path, words: str, task: dict[str, Any], data: dict[str, Any], message: str
) -> None:
    params = read_into(tmp_path, {"type": "token-classification", **task}, words, **data)
    assert refused(tmp_path, params) == message


def test_entity_tags_among_others_are_plain_where_one_says_so(tmp_path: Path) -> None:
    words = PEOPLE + "".join(f"Oslo-{n} LOC\n\n" for n in range(20))
    task = {"type": "token-classification", "metric": "f1_macro"}
    prepare(read_into(tmp_path, task, words, tag_scheme="plain"), Layout(tmp_path))
    manifest = written(tmp_path)[2]
    assert (manifest["tag_scheme"], manifest["labels"]) == ("plain", ["O", "B-PER", "LOC"])
    assert not are_entities(manifest["labels"])


def test_rejected_sentences_are_named_by_the_line_of_the_word(tmp_path: Path) -> None:
    sentences = "".join(f"Anna-{n} B-PER\ndort O\n\n" for n in range(20))
    params = read_into(tmp_path, {"type": "token-classification"}, sentences + "mot O\n\u200b O\n")
    prepare(params, Layout(tmp_path))
    (row,) = read_lines(Layout(tmp_path).rejected)
    assert (row["at"], row["reason"], row["text"]) == ("rows.conll:62", "empty word", "mot \u200b")


def test_a_text_a_row_by_dotted_paths(tmp_path: Path) -> None:
    found = [{"translation": {"en": text, "fr": text.upper(), "de": "x"}} for text in TEXTS]
    params = read_into(tmp_path, {"type": "seq2seq"}, found, text="translation.en", label="translation.fr")
    prepare(params, Layout(tmp_path))
    rows, schema, manifest, _ = written(tmp_path)
    assert stored(rows, "text", "label") == sorted([text, text.upper()] for text in TEXTS)
    assert schema.field("label").type == pa.string()
    assert (manifest["kind"], manifest["labels"]) == ("text", [])
    assert set(manifest["splits"]["test"]) == {"rows", "sha256"}


def test_a_path_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    found = [{"translation": {"en": text, "fr": text}} for text in TEXTS]
    params = read_into(tmp_path, {"type": "seq2seq"}, found, text="translation.en", label="translation.de")
    assert refused(tmp_path, params) == (
        "data.label: there is no column 'translation.de'; there are 'translation.en', 'translation.fr'"
    )


@pytest.mark.parametrize("task", ["causal-lm", "masked-lm"])
def test_texts_alone(tmp_path: Path, task: str) -> None:
    params = read_into(tmp_path, {"type": task}, [{"text": text} for text in TEXTS])
    prepare(params, Layout(tmp_path))
    rows, schema, manifest, report = written(tmp_path)
    assert schema.names == ["id", "text"] and sorted(row["text"] for row in rows) == sorted(TEXTS)
    assert (manifest["kind"], manifest["labels"], report["labels"]) == ("none", [], [])


@pytest.mark.parametrize("task", ["causal-lm", "masked-lm"])
def test_texts_alone_in_a_csv_file_of_one_column(tmp_path: Path, task: str) -> None:
    params = read_into(tmp_path, {"type": task}, "text\n" + "\n".join(TEXTS), "rows.csv")
    prepare(params, Layout(tmp_path))
    assert sorted(row["text"] for row in written(tmp_path)[0]) == sorted(TEXTS)


def test_one_column_is_not_enough_where_texts_have_labels(tmp_path: Path) -> None:
    params = read_into(tmp_path, {}, "text\n" + "\n".join(TEXTS), "rows.csv")
    assert refused(tmp_path, params) == "data.label: there is no column 'label'; there are 'text'"


def test_pairs_of_texts(tmp_path: Path) -> None:
    found = [{"text": "le film", "b": f"{text} {n}", "label": n % 2} for n, text in enumerate(TEXTS)]
    params = read_into(tmp_path, {}, found, pair="b")
    prepare(params, Layout(tmp_path))
    rows, schema, manifest, report = written(tmp_path)
    assert schema.names == ["id", "text", "pair", "label"]
    assert stored(rows, "pair", "label") == sorted([row["b"], str(row["label"])] for row in found)
    assert report["pairs"] is True and manifest["kind"] == "class"


@pytest.mark.parametrize("task", TASK_TYPES)
def test_the_order_of_the_rows_changes_no_byte_of_any_kind(tmp_path: Path, task: str) -> None:
    found = corpora.rows(TASK_TYPES[task].label, 80)
    digests = []
    for seed in range(2):
        root = tmp_path / str(seed)
        root.mkdir()
        shuffled = random.Random(seed).sample(found, len(found))
        prepare(read_into(root, {"type": task}, shuffled), Layout(root))
        digests.append(folder_digests(root / "data/prepared"))
        del digests[-1]["findings.jsonl"]  # it names the lines that the rows stood on
    assert digests[0] == digests[1]

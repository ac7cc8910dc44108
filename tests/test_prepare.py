"""The prepare stage on real files: what it keeps and refuses, and bytes that depend on content only."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stages.core.errors import PipelineError
from stages.core.files import folder_digests, sha256
from stages.core.layout import Layout
from stages.core.records import parse, read_lines
from stages.core.schema import Params
from stages.prepare import prepare
from stages.sources.source import write_source
from tests.tiny import sentences, write_params

ROOT = Path(__file__).resolve().parents[1]


def project(
    root: Path, rows: list[tuple[str, str]], task: dict[str, Any] | None = None, **data: Any
) -> Params:
    """A project after fetch: `rows` as a csv file, read into data/source."""
    return fetched(root, {"rows.csv": rows}, {"type": "files", "path": "rows.csv"}, task, **data)


def fetched(
    root: Path, files: dict[str, list[tuple[str, str]]], source: dict[str, str], task: Any = None, **data: Any
) -> Params:
    root.mkdir(exist_ok=True)
    (root / "stages").symlink_to(ROOT / "stages")  # its report holds the digest of the stage's code
    raw = root / "raw"
    raw.mkdir()
    for name, rows in files.items():
        lines = [f'"{text}",{label}\n' for text, label in rows]
        (raw / name).write_text("text,label\n" + "".join(lines))
    layout = Layout(root)
    layout.source.mkdir(parents=True)
    params = write_params(root, data={"source": source, **data}, task=task or {})
    write_source(params.data, raw, layout.source)
    return params


def refused(root: Path, params: Params) -> str:
    with pytest.raises(PipelineError) as error:
        prepare(params, Layout(root))
    assert sorted(p.name for p in (root / "data").iterdir()) == ["source"], "nothing half-written"
    assert not (root / "reports").exists()
    return str(error.value)


def test_the_folder_and_its_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = sentences(100)
    odd = [rows[0], ("torn", "good"), ("torn", "bad"), ("", "good"), ("no label", "")]
    params = project(tmp_path, rows + odd)
    layout = Layout(tmp_path)
    prepare(params, layout)

    table = pq.read_table(layout.split("train"))
    assert table.schema.names == ["id", "text", "label"] and table.schema.metadata is None
    kept = [
        r for name in ("train", "validation", "test") for r in pq.read_table(layout.split(name)).to_pylist()
    ]
    assert sorted((r["text"], r["label"]) for r in kept) == sorted(rows)

    rejected = {"contradictory labels": 2, "duplicate": 1, "no label": 1, "no text": 1}
    assert [(r["at"], r["reason"]) for r in read_lines(layout.rejected)] == [
        ("rows.csv:102", "duplicate"),
        ("rows.csv:103", "contradictory labels"),
        ("rows.csv:104", "contradictory labels"),
        ("rows.csv:105", "no text"),
        ("rows.csv:106", "no label"),
    ]
    manifest = json.loads(layout.prepared_manifest.read_text())
    assert manifest["labels"] == ["bad", "good"]
    assert {name: facts["rows"] for name, facts in manifest["splits"].items()} == {
        "train": 70,
        "validation": 10,
        "test": 20,
    }
    assert manifest["splits"]["test"]["sha256"] == sha256(layout.split("test"))
    assert manifest["splits"]["test"]["labels"] == {"bad": 10, "good": 10}

    report = parse(layout.data_report.read_bytes())
    assert report["rows"] == {"read": 105, "kept": 100, "rejected": rejected}
    assert report["leaks"] == 0 and len(report["code"]) == 64
    assert report["source"] == {"type": "files", "path": "rows.csv", "separator": ","}
    lengths = sorted(len(r["text"]) for r in pq.read_table(layout.split("test")).to_pylist())
    assert report["splits"]["test"]["characters"] == {
        "min": lengths[0],
        "median": lengths[9],
        "p95": lengths[18],
        "max": lengths[19],
    }
    said = capsys.readouterr().out
    assert (
        "prepare: read 105 rows, kept 100\n" in said and "prepare: rejected 2: contradictory labels\n" in said
    )


def test_the_order_of_the_rows_changes_no_byte(tmp_path: Path) -> None:
    rows = [*sentences(300), *sentences(20)]
    digests = []
    for seed in range(3):
        root = tmp_path / str(seed)
        prepare(project(root, random.Random(seed).sample(rows, len(rows))), Layout(root))
        found = folder_digests(root / "data/prepared")
        del found["rejected.jsonl"], found["findings.jsonl"]  # they name the lines that the rows stood on
        digests.append(found)
    assert digests[0] == digests[1] == digests[2]


def test_a_million_characters_and_every_odd_label(tmp_path: Path) -> None:
    labels = ["two words", "<b>&", "it's", "naïve"]
    rows = [(f"row {n} " + "x" * (10**6 if n == 0 else 0), labels[n % 4]) for n in range(40)]
    prepare(project(tmp_path, rows, task={"labels": None}), Layout(tmp_path))
    report = parse((tmp_path / "reports/data.json").read_bytes())
    assert report["labels"] == sorted(labels)
    assert max(split["characters"]["max"] for split in report["splits"].values()) == 1_000_006


@pytest.mark.parametrize(
    ("rows", "data", "message"),
    [
        (
            sentences(20),
            {"text": "review"},
            "data.text: there is no column 'review'; there are 'text', 'label'",
        ),
        ([(text, "good") for text, _ in sentences(20)], {}, "every row has the label 'good'"),
        (
            [*sentences(20), ("odd", "meh")],
            {},
            "task.labels: the data has labels that it does not name: 'meh' (1 rows",
        ),
        ([*sentences(20)[::2], ("fine", "good")], {}, "too few rows of 'good' 1"),
        ([("", "good"), ("x", "")], {}, "no row is left: all were rejected"),
        (sentences(20), {"label_rules": {"good": "> 0"}}, "no row is left: all were rejected"),
        (sentences(20), {"id": "label"}, "data.id: 'bad' is the id of two rows, rows.csv:2 and rows.csv:4"),
    ],
)
def test_refused(tmp_path: Path, rows: list[tuple[str, str]], data: dict[str, Any], message: str) -> None:
    assert message in refused(tmp_path, project(tmp_path, rows, **data))


def test_a_test_file_that_leaks_into_training(tmp_path: Path) -> None:
    rows = sentences(60)
    files = {"train.csv": rows[:40], "test.csv": [*rows[40:], (rows[3][0].upper() + "!", rows[3][1])]}
    params = fetched(tmp_path, files, {"type": "files", "train": "train.csv", "test": "test.csv"})
    line = refused(tmp_path, params)
    assert line.startswith(
        "1 row of those kept are in another split too, but for case and punctuation (test in train 1): "
    )
    assert "(test.csv:22, and train.csv:5); remove them from one of the two" in line


LONG = "une phrase assez longue pour que deux fins differentes ne changent presque rien a la similarite"


def test_a_test_file_that_nearly_leaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = sentences(60)
    files = {"train.csv": [*rows[:40], (LONG, "good")], "test.csv": [*rows[40:], (LONG + " un", "bad")]}
    source = {"type": "files", "train": "train.csv", "test": "test.csv"}
    line = refused(tmp_path / "1", fetched(tmp_path / "1", files, source))
    assert "have a near duplicate in another split (test in train 1): " in line
    assert "(test.csv:22, and train.csv:42)" in line and "set data.checks.near_leaks to warn" in line
    capsys.readouterr()

    layout = Layout(tmp_path / "2")
    prepare(fetched(layout.root, files, source, checks={"near_leaks": "warn"}), layout)
    said = capsys.readouterr().out
    assert "(test in train 1): see data/prepared/findings.jsonl\n" in said
    checks = parse(layout.data_report.read_bytes())["checks"]
    assert checks["near_leaks"] == {
        "setting": "warn",
        "rows": 1,
        "kinds": {"test in train": 1},
        "splits": {"test": 1},
    }
    assert checks["contradictions"]["rows"] == 2 and checks["near"] == 0.9
    assert [line["check"] for line in read_lines(layout.findings)] == [
        "contradictions",
        "contradictions",
        "near_leaks",
    ]


def test_leaks_that_one_lets_pass(tmp_path: Path) -> None:
    rows = sentences(60)
    files = {"train.csv": rows[:40], "test.csv": [*rows[40:], rows[3], (rows[4][0].upper(), rows[4][1])]}
    source = {"type": "files", "train": "train.csv", "test": "test.csv"}
    layout = Layout(tmp_path)
    prepare(fetched(tmp_path, files, source, checks={"leaks": "warn"}), layout)
    report = parse(layout.data_report.read_bytes())
    assert report["leaks"] == report["checks"]["leaks"]["rows"] == 2
    assert pq.read_table(layout.split("test")).num_rows == 22


def test_leaks_cannot_be_left_out(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"data\.checks\.leaks"):
        project(tmp_path, sentences(20), checks={"leaks": "off"})


def test_nothing_of_a_person_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        *sentences(60),
        ("write to jean.dupont@exemple.fr please", "good"),
        ("call +33 6 12 34 56 78", "bad"),
    ]
    layout = Layout(tmp_path)
    prepare(project(tmp_path, rows), layout)
    said = capsys.readouterr().out
    assert "2 rows of those kept hold what looks like personal data (email 1, phone 1): see " in said
    report = parse(layout.data_report.read_bytes())["checks"]
    assert (report["personal"]["rows"], report["personal"]["kinds"]) == (2, {"email": 1, "phone": 1})
    assert report["languages"]["rows"] == sum(len(text) >= 40 for text, _ in rows)
    written = said + layout.findings.read_text() + layout.data_report.read_text()
    assert "dupont" not in written and "12 34" not in written
    blocked = refused(tmp_path / "b", project(tmp_path / "b", rows, checks={"personal": "block"}))
    assert "(rows.csv:62)" in blocked and "(rows.csv:63)" in blocked and "dupont" not in blocked


def test_files_of_ones_own_are_kept_as_they_are(tmp_path: Path) -> None:
    rows = sentences(120)
    files = {"train.csv": rows[:80], "validation.csv": rows[80:100], "test.csv": rows[100:]}
    source = {"type": "files", **{name[:-4]: name for name in files}}
    prepare(fetched(tmp_path, files, source), Layout(tmp_path))
    for name, given in files.items():
        found = pq.read_table(Layout(tmp_path).split(name[:-4])).to_pylist()
        assert sorted((r["text"], r["label"]) for r in found) == sorted(given)


def test_a_source_that_is_not_what_fetch_wrote(tmp_path: Path) -> None:
    params = project(tmp_path, sentences(20))
    with (tmp_path / "data/source/all.jsonl").open("a") as file:
        file.write('{"at": "x:1", "values": {}}\n')
    assert "is not the file that fetch wrote: run `dvc repro -f fetch`" in refused(tmp_path, params)


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = project(tmp_path, sentences(100))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        prepare(params, Layout(tmp_path))
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == ["source"]


def test_interrupted(tmp_path: Path) -> None:
    project(tmp_path, [(f"text {n}", ("bad", "good")[n % 2]) for n in range(60_000)])
    process = stage(tmp_path)
    assert process.stdout and process.stdout.readline().startswith("prepare: read 60000 rows")
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (
        130,
        "interrupted: nothing half-written; run the same command to go on\n",
    )
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == ["source"]
    assert not (tmp_path / "reports").exists()


def test_light(tmp_path: Path) -> None:
    project(tmp_path, sentences(100))
    code = (
        "import sys\nfrom stages.core.runtime import run\nfrom stages.prepare import prepare\n"
        "run(prepare)\nnames = {'torch', 'transformers', 'datasets', 'huggingface_hub'}\n"
        "print(sorted(names & set(sys.modules)))"
    )
    out, _ = stage(tmp_path, "-c", code).communicate(timeout=60)
    assert out.splitlines()[-1] == "[]"


def stage(root: Path, *arguments: str) -> "subprocess.Popen[str]":
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, *(arguments or ("-m", "stages.prepare"))],
        cwd=root,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )

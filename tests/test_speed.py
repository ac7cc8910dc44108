"""How fast a saved model answers: real models, real clocks, and no test of how fast this machine is."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stages.core.errors import PipelineError
from stages.core.files import folder_digests
from stages.core.layout import Layout
from stages.core.records import parse
from stages.core.schema import Params
from stages.speed import speed
from stages.tasks import timing
from stages.train import train
from tests import corpora, families, tiny

ROOT = Path(__file__).parents[1]
FAMILIES = {
    "text-classification": "bert",
    "multi-label-classification": "distilbert",
    "text-regression": "roberta",
    "token-classification": "camembert",
    "seq2seq": "t5",
    "causal-lm": "gpt2",
    "masked-lm": "bert",
}


def trained(root: Path, task: str, method: str = "full") -> tuple[Params, Layout]:
    """A repository with a model that was trained for a step or two."""
    layout = Layout(root)
    layout.base.mkdir(parents=True)
    families.write_family(FAMILIES[task], layout.base, corpora.texts())
    (root / "stages").symlink_to(ROOT / "stages")
    corpora.write_prepared(layout, task, train=32, held_out=24)
    section = {"type": task, "labels": None, "max_length": 32}
    if task == "seq2seq":
        section["max_target_length"] = 8
    params = tiny.write_params(root, task=section, method=method, train={"num_train_epochs": 1})
    train(params, layout)
    return params, layout


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer rows: enough for every branch."""
    monkeypatch.setattr(timing, "ROWS", 100)
    monkeypatch.setattr(timing, "SINGLE", 60)
    monkeypatch.setattr(timing, "LEAST", 50)


def measured(layout: Layout) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(layout.speed_report.read_text())
    return found


def test_the_command_tells_speed_memory_and_size_of_the_saved_model(tmp_path: Path) -> None:
    _, layout = trained(tmp_path, "text-classification")
    before = folder_digests(tmp_path / "reports")
    done = subprocess.run(
        [sys.executable, "-m", "stages.speed"], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found = measured(layout)
    assert found["model"]["sha256"] == parse(layout.train_report.read_bytes())["model"]["sha256"]
    assert found["throughput"].keys() == {"per_second", "batch_size", "rows"}
    assert (found["throughput"]["rows"], found["throughput"]["batch_size"]) == (1000, 32)
    assert found["throughput"]["per_second"] > 0
    assert found["latency"]["texts"] == 200
    assert 0 < found["latency"]["p50_ms"] <= found["latency"]["p95_ms"]
    assert found["rows"] == 24  # the test rows, which came again and again
    assert found["answers"] == "predictions"
    assert 50 < found["memory"]["process_mb"] < 20_000
    size = sum(file.stat().st_size for file in layout.trained.iterdir())
    assert found["disk"] == {"model_mb": pytest.approx(size / 1e6, rel=0.01), "base_mb": None}
    assert (found["threads"], found["precision"]) == (1, "float32")
    assert found["hardware"]["cores"] >= 1
    assert found["software"].keys() == {"python", "torch", "transformers"}
    # Nothing else was written, and nothing in it tells where it is.
    assert folder_digests(tmp_path / "reports").items() - before.items() == {
        ("measured/speed.json", folder_digests(layout.measured)["speed.json"])
    }
    assert str(tmp_path) not in layout.speed_report.read_text()
    assert "examples a second in batches of 32" in done.stdout and "MB on disk" in done.stdout


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("task", FAMILIES)
def test_every_task_can_be_timed(task: str, tmp_path: Path) -> None:
    params, layout = trained(tmp_path, task)
    speed(params, layout)
    found = measured(layout)
    assert (found["throughput"]["rows"], found["latency"]["texts"]) == (100, 60)
    assert 0 < found["latency"]["p50_ms"] <= found["latency"]["p95_ms"]
    assert found["answers"] == ("passes" if task in ("causal-lm", "masked-lm") else "predictions")


@pytest.mark.usefixtures("short")
def test_an_adapter_is_loaded_with_its_base_and_takes_its_room(tmp_path: Path) -> None:
    params, layout = trained(tmp_path, "text-classification", "lora")
    speed(params, layout)
    disk = measured(layout)["disk"]
    size = sum(file.stat().st_size for file in layout.base.iterdir())
    assert disk["base_mb"] == pytest.approx(size / 1e6, rel=0.01)
    assert 0 < disk["model_mb"] < disk["base_mb"]


@pytest.mark.usefixtures("short")
def test_what_takes_long_is_cut_short_but_for_what_a_percentile_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params, layout = trained(tmp_path, "text-classification")
    monkeypatch.setattr(timing, "LONGEST", 0.0)
    speed(params, layout)
    found = measured(layout)
    assert (found["throughput"]["rows"], found["latency"]["texts"]) == (32, 50)
    assert found["rows"] == 24


def test_a_model_that_is_not_the_recorded_one_is_refused(tmp_path: Path) -> None:
    params, layout = trained(tmp_path, "text-classification")
    with (layout.trained / "config.json").open("a") as file:
        file.write("\n")
    with pytest.raises(PipelineError, match=r"is not the model that .*train.json describes: run `dvc repro"):
        speed(params, layout)
    assert not layout.measured.exists()


def test_without_a_model_it_says_what_to_run(tmp_path: Path) -> None:
    tiny.write_params(tmp_path)
    (tmp_path / "stages").symlink_to(ROOT / "stages")
    done = subprocess.run(
        [sys.executable, "-m", "stages.speed"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and "run `dvc repro train` first" in done.stderr
    assert "Traceback" not in done.stderr


def test_progress_is_told_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    often, seldom = timing._seldom(said.append, every=0.0), timing._seldom(said.append, every=1000.0)
    for _ in range(3):
        often("a")
        seldom("b")
    assert said == ["a", "a", "a"]

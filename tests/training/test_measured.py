"""What a training took, measured beside it: true to its parts, and without a trace in the records."""

import json
import shutil
import socket
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from stages.core.errors import PipelineError
from stages.core.files import folder_digests
from stages.core.layout import Layout
from stages.core.records import parse
from stages.train import train
from stages.training import measuring, save
from tests import tiny

needs_codecarbon = pytest.mark.skipif(find_spec("codecarbon") is None, reason="codecarbon is an extra")
TRAIN = {"eval_strategy": "steps", "eval_steps": 12, "num_train_epochs": 2}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("prepared")
    layout = Layout(root)
    tiny.write_base(layout.base)
    tiny.write_prepared(layout)
    shutil.copytree("stages", root / "stages", ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture
def layout(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    shutil.copytree(prepared, tmp_path / "repo")
    monkeypatch.chdir(tmp_path / "repo")
    return Layout(Path("."))


@pytest.fixture
def without_codecarbon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "codecarbon", None)  # as Python says that there is none


def learn(layout: Layout, **runtime: Any) -> None:
    train(tiny.write_params(layout.root, train=TRAIN, runtime=runtime), layout)


def interrupted(layout: Layout, **runtime: Any) -> None:
    """A run that ends when all is learned and nothing is saved."""

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(save, "save", killed)
        learn(layout, **runtime)
    assert not layout.training_report.exists()


def reproducible(layout: Layout) -> tuple[dict[str, str], bytes, bytes]:
    return folder_digests(layout.trained), layout.train_report.read_bytes(), layout.history.read_bytes()


def measured(layout: Layout) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(layout.training_report.read_text())
    return found


@pytest.mark.usefixtures("without_codecarbon")
def test_measuring_changes_nothing_that_has_to_come_out_alike(layout: Layout) -> None:
    learn(layout)
    plain = reproducible(layout)
    assert not layout.measured.exists()
    learn(layout, measure=True)
    assert reproducible(layout) == plain
    assert [file.name for file in layout.measured.iterdir()] == ["training.json"]


@pytest.mark.usefixtures("without_codecarbon")
def test_time_and_memory_are_of_the_model_that_was_saved(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    learn(layout, measure=True)
    found = measured(layout)
    assert found["model"]["sha256"] == parse(layout.train_report.read_bytes())["model"]["sha256"]
    assert found["parts"] == 1
    assert 0 < found["seconds"] < 600
    assert found["memory"]["process_mb"] > 50  # torch alone takes more
    assert found["hardware"]["cores"] >= 1 and found["hardware"]["processor"] in found["hardware"]["name"]
    assert found["energy"] is None
    assert "energy too with `pip install -e '.[energy]'`" in capsys.readouterr().out
    assert str(Path.cwd()) not in layout.training_report.read_text()


@pytest.mark.usefixtures("without_codecarbon")
def test_a_run_that_goes_on_adds_to_what_the_checkpoint_says_was_spent(layout: Layout) -> None:
    learn(layout)
    plain = reproducible(layout)
    interrupted(layout, measure=True)
    (file,) = layout.checkpoints.glob("*/checkpoint-24/measured.json")
    before = json.loads(file.read_text())
    assert before["parts"] == 1
    assert str(file.name) in (file.parent / "SEAL.json").read_text()
    learn(layout, measure=True)
    found = measured(layout)
    assert reproducible(layout) == plain
    assert found["parts"] == 2
    assert found["seconds"] >= measuring.significant(before["seconds"])


@pytest.mark.usefixtures("without_codecarbon")
def test_no_total_is_told_when_a_part_was_not_measured(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupted(layout)
    learn(layout, measure=True)
    assert not layout.training_report.exists()
    assert "not measured: this run goes on from one that was not" in capsys.readouterr().out


@pytest.mark.usefixtures("without_codecarbon")
def test_a_part_on_other_hardware_does_not_count(layout: Layout) -> None:
    interrupted(layout, measure=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.sched_getaffinity", lambda _: range(96))
        learn(layout, measure=True)
    assert not layout.training_report.exists()


def part(seconds: float, memory: int, energy: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "parts": 1,
        "seconds": seconds,
        "memory": {"process_mb": memory, "gpu_mb": None},
        "hardware": {"name": "x"},
        "energy": energy,
    }


def test_parts_add_up_but_for_memory() -> None:
    france = {"kwh": 0.25, "co2_grams": 14.0, "country": "FRA", "location": "France", "codecarbon": "3"}
    both = measuring._added(part(10, 700, france), part(5, 500, france))
    assert (both["parts"], both["seconds"], both["memory"]["process_mb"]) == (2, 15, 700)
    assert both["energy"] == france | {"kwh": 0.5, "co2_grams": 28.0}
    for other in (None, france | {"country": "DEU"}):
        assert measuring._added(part(10, 700, other), part(5, 500, france))["energy"] is None


@needs_codecarbon
def test_energy_and_co2_are_estimated_offline_quietly_and_without_files(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Even where a person has set codecarbon up to write files and to send what it finds."""
    learn(layout)
    plain, threads = reproducible(layout), threading.active_count()
    files = {path for path in Path().rglob("*") if path.is_file()}
    with socket.create_server(("127.0.0.1", 0)) as endpoint:
        monkeypatch.setenv("CODECARBON_EMISSIONS_ENDPOINT", f"http://127.0.0.1:{endpoint.getsockname()[1]}")
        monkeypatch.setenv("CODECARBON_OUTPUT_METHODS", "csv")
        monkeypatch.setenv("CODECARBON_FORCE_CARBON_INTENSITY_G_CO2E_KWH", "1000000000")
        learn(layout, measure=True, country="FRA")
        endpoint.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has called
            endpoint.accept()
    taken = measured(layout)["energy"]
    assert reproducible(layout) == plain
    assert (taken["country"], taken["location"]) == ("FRA", "France")
    assert 0 < taken["kwh"] < 1
    assert 0 <= taken["co2_grams"] < 500
    assert threading.active_count() == threads
    assert {path for path in Path().rglob("*") if path.is_file()} - files == {layout.training_report}
    said = capfd.readouterr()
    assert "codecarbon" not in (said.out + said.err).lower()


@needs_codecarbon
def test_energy_adds_up_over_the_parts_of_a_run(layout: Layout) -> None:
    interrupted(layout, measure=True, country="FRA")
    (file,) = layout.checkpoints.glob("*/checkpoint-24/measured.json")
    before = json.loads(file.read_text())["energy"]
    learn(layout, measure=True, country="FRA")
    found = measured(layout)
    assert found["parts"] == 2
    assert found["energy"]["kwh"] >= measuring.significant(before["kwh"], 9) > 0


@needs_codecarbon
def test_without_a_country_there_is_energy_and_no_co2(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    learn(layout, measure=True)
    assert measured(layout)["energy"].keys() == {"kwh", "codecarbon"}
    assert "no CO2: runtime.country" in capsys.readouterr().out


@needs_codecarbon
def test_a_country_that_codecarbon_does_not_know_is_refused_before_training(layout: Layout) -> None:
    with pytest.raises(PipelineError, match=r"^params.yaml: runtime.country: codecarbon knows no XYZ: "):
        learn(layout, measure=True, country="XYZ")
    assert not list(layout.checkpoints.iterdir())


@pytest.mark.parametrize("country", ["fr", "FR", "france"])
def test_a_country_is_an_alpha_3_code(layout: Layout, country: str) -> None:
    with pytest.raises(PipelineError, match=rf"runtime.country: should match .* \(got '{country}'\)"):
        tiny.write_params(layout.root, runtime={"country": country})


@pytest.mark.parametrize(
    ("value", "shown"), [(123.456, 123.0), (0.0123456, 0.012), (98765.4, 98800.0), (0.0, 0.0)]
)
def test_three_digits_are_kept(value: float, shown: float) -> None:
    assert measuring.significant(value) == shown


def test_a_childs_peak_memory_is_not_its_parents(tmp_path: Path) -> None:
    """Linux hands the parent's peak on in `ru_maxrss`: a small model would look like what started it."""
    grown = bytearray(700_000_000)
    grown[::4096] = b"x" * len(grown[::4096])
    asked = "from stages.training.hardware import peak_memory; print(peak_memory()['process_mb'])"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert 50 < int(said) < 700
    del grown

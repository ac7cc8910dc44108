"""What was measured, on the card: shown while it is about its model, traced like all else."""

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from stages.card import card, check
from stages.core import records
from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.core.records import parse
from stages.release.card import render
from stages.release.checking import released
from stages.release.contents import named_records
from stages.release.languages import LANGUAGES
from stages.release.measured import MEASURED, SPEED, TRAINING, emissions, read_measured
from tests import card_records
from tests.card_records import Record
from tests.test_card import TEMPLATES
from tests.test_card_check import as_released, edit, written

_CPU: Record = {
    "name": "2 cores of Quick | Processor",
    "processor": "Quick | Processor",
    "cores": 2,
    "gpus": [],
}
_GPU: Record = {"name": "1 × Fast GPU", "processor": "Some Processor", "cores": 16, "gpus": ["1 × Fast GPU"]}
_SPEED: Record = {
    "throughput": {"per_second": 412.0, "batch_size": 32, "rows": 1000},
    "latency": {"p50_ms": 4.21, "p95_ms": 6.57, "texts": 200},
    "rows": 790,
    "answers": "predictions",
    "memory": {"process_mb": 1234, "gpu_mb": None},
    "disk": {"model_mb": 90.9, "base_mb": None},
    "hardware": _CPU,
    "threads": 2,
    "precision": "float32",
    "software": {"python": "3.11.7", "torch": "2.13.0", "transformers": "5.23.0"},
}
_TRAINING: Record = {
    "seconds": 83.4,
    "parts": 1,
    "memory": {"process_mb": 1530, "gpu_mb": None},
    "hardware": _CPU,
    "energy": {
        "kwh": 0.00123,
        "co2_grams": 0.0689,
        "country": "FRA",
        "location": "France",
        "codecarbon": "3.3.2",
    },
}


def measured(model: str, speed: Record | None = None, training: Record | None = None) -> dict[str, Record]:
    """Both records, of the model with this digest, with these changes."""
    about = {"model": {"sha256": model}, "code": "0" * 64}
    made = {SPEED: _SPEED | (speed or {}), TRAINING: _TRAINING | (training or {})}
    return copy.deepcopy({name: record | about for name, record in made.items()})


def rendered(extra: dict[str, Record], language: str = "en") -> str:
    params = card_records.params(language=language)
    return render(TEMPLATES, params.card, params.hub, card_records.full() | extra, card_records.PROSE)


def cell(text: str, row: str) -> str:
    """The second cell of the first row that begins with these words."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {row}"))
    return line.removesuffix(" |").rpartition(" | ")[2]


def test_a_card_shows_what_was_measured_and_of_what() -> None:
    text = rendered(measured("m"))
    training, answering = text.split("### What its training took")[1].split("### How fast it answers")
    assert cell(training, "Hardware") == "2 cores of Quick &#124; Processor"
    assert cell(training, "Time") == "83.4 seconds"
    assert cell(training, "Memory") == "1,530 MB"
    assert cell(training, "Energy") == "1.23 Wh"
    assert cell(training, "CO2 equivalent, with the electricity of France") == "0.0689 g"
    assert "estimates by CodeCarbon 3.3.2" in training
    assert cell(answering, "Hardware") == "2 cores of Quick &#124; Processor, 2 threads, float32"
    assert cell(answering, "Texts a second, in batches of 32") == "412"
    assert cell(answering, "One text alone, half") == "4.21 ms"
    assert cell(answering, "One text alone, 95%") == "6.57 ms"
    assert cell(answering, "On disk") == "90.9 MB"
    assert "790 of the test rows; 200 were asked one by one" in answering


TOOK: list[tuple[Record, str, str]] = [
    ({"seconds": 119.0}, "Time", "119 seconds"),
    ({"seconds": 3600.0, "parts": 2}, "Time", "60 minutes, in 2 parts that went on from one another"),
    ({"seconds": 98800.0}, "Time", "27.4 hours"),
    ({"hardware": _GPU, "memory": {"process_mb": 5, "gpu_mb": 20200}}, "Hardware", "1 × Fast GPU"),
    (
        {"hardware": _GPU, "memory": {"process_mb": 5, "gpu_mb": 20200}},
        "Memory",
        "5 MB, and 20,200 MB on the GPU",
    ),
    ({"energy": {"kwh": 12.3, "codecarbon": "3.3.2"}}, "Energy", "12.3 kWh"),
    ({"energy": _TRAINING["energy"] | {"co2_grams": 1450.0}}, "CO2", "1.45 kg"),
]


@pytest.mark.parametrize(("changes", "row", "shown"), TOOK)
def test_units_suit_what_a_training_took(changes: Record, row: str, shown: str) -> None:
    text = rendered(measured("m", training=changes)).split("### What its training took")[1]
    assert cell(text, row) == shown
    if "co2_grams" not in (changes.get("energy") or _TRAINING["energy"]):
        assert "CO2" not in text.split("###")[0]


def test_language_models_and_adapters_are_told_apart() -> None:
    text = rendered(measured("m", speed={"answers": "passes", "disk": {"model_mb": 1.2, "base_mb": 90.9}}))
    assert "nothing was generated" in text
    assert cell(text, "On disk") == "1.2 MB, beside 90.9 MB of the base"


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_shown_of_what_was_not_measured(language: str) -> None:
    plain, whole = rendered({}, language), measured("m")
    assert "CodeCarbon" not in plain and "co2_eq" not in plain
    both = rendered(whole, language)
    for text in (plain, both):
        assert "\n\n\n" not in text
    headings = [line for line in both.splitlines() if line.startswith("### ") and line not in plain]
    assert len(headings) == 2
    for name, heading in zip((TRAINING, SPEED), headings, strict=True):
        alone = rendered({name: whole[name]}, language)
        assert [line for line in headings if line in alone] == [heading]
        assert "\n\n\n" not in alone
        assert not [line for line in alone.splitlines() if line.startswith("#") and "None" in line]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_hub_reads_the_emissions_of_the_front_matter(language: str) -> None:
    said = ModelCard(rendered(measured("m"), language), ignore_metadata_errors=False).data.to_dict()
    assert said["co2_eq_emissions"] == {
        "emissions": 0.0689,
        "source": "CodeCarbon",
        "training_type": "fine-tuning",
        "geographical_location": "France",
        "hardware_used": "2 cores of Quick | Processor",
    }


@pytest.mark.parametrize("grams", [0.0001, 0.0689, 12.0, 98800.0])
def test_emissions_are_a_number_to_readers_of_yaml_1_1(grams: float) -> None:
    text = rendered(measured("m", training={"energy": _TRAINING["energy"] | {"co2_grams": grams}}))
    said = ModelCard(text, ignore_metadata_errors=False).data.to_dict()
    assert said["co2_eq_emissions"]["emissions"] == grams


def test_without_co2_there_are_no_emissions() -> None:
    for energy in (None, {"kwh": 1.0, "codecarbon": "3.3.2"}):
        assert emissions(measured("m", training={"energy": energy})[TRAINING]) is None
    assert emissions(None) is None


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A repository with a card, and with what was measured of its model."""
    layout = written(tmp_path / "here", card_records.lora())
    for name, record in measured(model_of(layout)).items():
        records.write(layout.report(name), record)
    return layout


def model_of(layout: Layout) -> str:
    digest: str = parse(layout.train_report.read_bytes())["model"]["sha256"]
    return digest


def test_each_number_is_traced_and_checked_in_a_download(layout: Layout, tmp_path: Path) -> None:
    card(card_records.params(), layout)
    check(card_records.params(), layout)
    assert named_records(layout.card_sources) >= {f"reports/{name}.json" for name in MEASURED}
    release = as_released(layout, tmp_path / "there")
    assert released(release)[0] == []
    edit(release / "README.md", "83.4 seconds", "8.34 seconds")
    edit(release / "README.md", "| 412 |", "| 512 |")
    problems = "\n".join(released(release)[0])
    assert "'8.34', but reports/measured/training.json#/seconds makes it '83.4'" in problems
    assert "'512', but reports/measured/speed.json#/throughput/per_second makes it '412'" in problems


def test_a_record_that_was_changed_since_is_found(layout: Layout, tmp_path: Path) -> None:
    card(card_records.params(), layout)
    edit(layout.speed_report, "6.57", "5.57")
    with pytest.raises(PipelineError, match=r"'6\.57', but reports/measured/speed\.json#/latency/p95_ms"):
        check(card_records.params(), layout)
    problems = released(as_released(layout, tmp_path / "there"))[0]
    assert any("speed.json: is not the record that card.json names" in problem for problem in problems)


def test_what_is_about_another_model_is_left_out_and_said(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(layout.measured)
    card(card_records.params(), layout)
    plain = layout.card.read_bytes(), layout.card_sources.read_bytes()
    for name, record in measured("0" * 64).items():
        records.write(layout.report(name), record)
    capsys.readouterr()
    card(card_records.params(), layout)
    assert (layout.card.read_bytes(), layout.card_sources.read_bytes()) == plain
    said = capsys.readouterr().out
    for name in ("speed", "training"):
        assert f"{name}.json is left out, since it is about another model" in said
    assert "`make speed` makes a new one" in said


BROKEN: dict[str, Any] = {
    "no JSON": "{",
    "no object": "[]",
    "another record": '{"model": {"sha256": "0"}}',
    "no model": '{"throughput": 1}',
    "a model that is no object": '{"model": 3}',
}


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_record_of_these_is_one_line(layout: Layout, case: str, name: str) -> None:
    layout.report(name).write_text(BROKEN[case])
    with pytest.raises(PipelineError, match=rf"^[^\n]*reports/{name}\.json is not what [^\n]*: delete it"):
        read_measured(layout, model_of(layout))


def test_without_the_folder_nothing_is_missed(layout: Layout) -> None:
    shutil.rmtree(layout.measured)
    assert read_measured(layout, model_of(layout)) == ({}, [])

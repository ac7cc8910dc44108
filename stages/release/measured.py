"""What was measured of the model that a card describes: how fast it answers, what its training took.

These records lie in reports/measured and come from no reproducible stage (see the README.md there). One
counts only while it is about the model of reports/train.json.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.core.records import Record


@dataclass(frozen=True)
class Measured:
    """How a record comes about, and what it has to hold to be one of these."""

    made_by: str
    holds: tuple[str, ...]


SPEED, TRAINING = "measured/speed", "measured/training"  # as reports/NAME.json
MEASURED = {
    SPEED: Measured(
        "`make speed`",
        ("throughput", "latency", "answers", "memory", "disk", "hardware", "threads", "precision"),
    ),
    TRAINING: Measured(
        "`dvc repro -f train` with runtime.measure", ("seconds", "parts", "memory", "hardware", "energy")
    ),
}


def read_measured(layout: Layout, model: str) -> tuple[dict[str, Record], list[str]]:
    """The records about the model with this SHA-256, by name, and a line for each that is about another.

    Raises PipelineError for a file that is no such record.
    """
    found, others = {}, []
    for name, kind in MEASURED.items():
        path = layout.report(name)
        if not path.exists():
            continue
        record = _read(layout, name, kind)
        if record["model"]["sha256"] == model:
            found[name] = record
        else:
            others.append(
                f"{path} is left out, since it is about another model; {kind.made_by} makes a new one"
            )
    return found, others


def _read(layout: Layout, name: str, kind: Measured) -> Record:
    path = layout.report(name)
    try:
        record = records.read(path, "card")
        whole = isinstance(record["model"]["sha256"], str) and record.keys() >= set(kind.holds)
    except (PipelineError, KeyError, TypeError):
        whole = False
    if not whole:
        raise PipelineError(f"{path} is not what {kind.made_by} writes: delete it, or make it anew")
    return record


def emissions(training: Record | None) -> Record | None:
    """`co2_eq_emissions` of the front matter (https://huggingface.co/docs/hub/model-cards-co2), in grams."""
    energy: Mapping[str, object] = (training or {}).get("energy") or {}
    if training is None or "co2_grams" not in energy:
        return None
    return {
        "emissions": energy["co2_grams"],
        "source": "CodeCarbon",
        "training_type": "fine-tuning",
        "geographical_location": energy["location"],
        "hardware_used": training["hardware"]["name"],
    }

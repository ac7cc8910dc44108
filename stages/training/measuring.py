"""What a training takes: seconds, memory and, where codecarbon is installed, energy and CO2.

None of it comes out alike twice, so it stands in no stage's record but in reports/measured/training.json. A
checkpoint carries what was spent until then, sealed with it, so that a run that goes on from it can add to
that. Where an earlier part was not measured in the same way, there is no total, and none is told.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from stages.core import records
from stages.core.records import Record
from stages.core.runtime import say
from stages.core.schema import Runtime
from stages.training import energy, hardware
from stages.training.checkpoints import newest_intact

_FILE = "measured.json"
# Grams go into YAML, where 5e-05 is no number: 0.1 mg is little enough.
_PLACES = {"kwh": 9, "co2_grams": 4}


class Meter(TrainerCallback):
    """Counts from its making on, beyond what was spent `before`; `total` is all of it, once it has ended."""

    def __init__(self, before: Record, tracked: energy.Tracked | None) -> None:
        self.before, self.tracked = before, tracked
        self.hardware = hardware.describe()
        self.started = time.monotonic()
        self.total: Record = {}

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Put what was spent so far into the checkpoint; it comes before the seal (loop.fit)."""
        checkpoint = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        records.write(checkpoint / _FILE, self._spent(energy.so_far(self.tracked) if self.tracked else None))

    def end(self) -> None:
        """Stop counting."""
        self.total = self._spent(energy.stop(self.tracked) if self.tracked else None)

    def _spent(self, taken: Record | None) -> Record:
        part: Record = {
            "parts": 1,
            "seconds": time.monotonic() - self.started,
            "memory": hardware.peak_memory(),
            "hardware": self.hardware,
            "energy": taken,
        }
        return _added(self.before, part) if self.before else part


def _added(before: Record, part: Record) -> Record:
    """Two parts of one training: times and energies add up, of memory it is the larger."""
    memory = {
        name: None if value is None else max(value, before["memory"][name] or 0)
        for name, value in part["memory"].items()
    }
    return part | {
        "parts": before["parts"] + part["parts"],
        "seconds": before["seconds"] + part["seconds"],
        "memory": memory,
        "energy": _energies(before["energy"], part["energy"]),
    }


def _energies(before: Record | None, taken: Record | None) -> Record | None:
    """The sum; None where one of them is not known, or is of another country."""
    if not before or not taken or before.get("country") != taken.get("country"):
        return None
    return taken | {name: before[name] + taken[name] for name in ("kwh", "co2_grams") if name in taken}


@contextlib.contextmanager
def metered(runtime: Runtime, folder: Path) -> Iterator[Meter | None]:
    """Measure what happens in the block, in which a training into `folder` begins or goes on.

    Yields the Trainer's callback that does it; None where it is not asked for, or where a checkpoint that the
    training goes on from does not tell what it took. Raises PipelineError for an unknown `runtime.country`.
    """
    before = _before(folder) if runtime.measure else None
    if before is None:
        yield None
        return
    meter = Meter(before, _tracked(runtime.country))
    try:
        yield meter
    finally:
        meter.end()


def _before(folder: Path) -> Record | None:
    """What the checkpoint to go on from says was spent: nothing without one, None when it does not say."""
    checkpoint = newest_intact(folder)
    if checkpoint is None:
        return {}
    file = checkpoint / _FILE
    before: Record = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if before.get("hardware") == hardware.describe():
        return before
    say("train", "not measured: this run goes on from one that was not, or that ran on other hardware")
    return None


def _tracked(country: str | None) -> energy.Tracked | None:
    if not energy.available():
        say("train", "time and memory are measured; energy too with `pip install -e '.[energy]'`")
        return None
    if not country:
        say("train", "energy is measured, but no CO2: runtime.country says where this machine stands")
    return energy.start(country)


def record(total: Record, model: str, code: str) -> Record:
    """What reports/measured/training.json says: three significant digits, which is generous.

    {model.sha256, code, parts, seconds, memory {process_mb, gpu_mb}, hardware {name, processor, cores, gpus},
    energy {kwh, codecarbon, and with a country co2_grams, country, location} or null}
    """
    taken = total["energy"]
    if taken:
        taken = taken | {
            name: significant(taken[name], places) for name, places in _PLACES.items() if name in taken
        }
    about = {"model": {"sha256": model}, "code": code}
    return total | about | {"seconds": significant(total["seconds"]), "energy": taken}


def significant(value: float, places: int = 3) -> float:
    """The value to three significant digits, and to so many decimal places."""
    return round(float(f"{value:.3g}"), places)

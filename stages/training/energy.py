"""The energy that this machine takes while something runs, and the CO2 of it, as codecarbon estimates them.

Offline, and without files of its own. What a person has set up for codecarbon elsewhere (the environment, a
file in their home folder) may describe the machine; it can neither send anything nor change the country.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

from stages.core.errors import PipelineError
from stages.core.records import Record

# Every way out that codecarbon has is closed by name: its own settings could open one.
_OFFLINE: dict[str, Any] = {
    "output_methods": [],
    "emissions_endpoint": None,
    "electricitymaps_api_token": "",
    "api_call_interval": -1,  # or it would hand out totals in the middle of training
    "allow_multiple_runs": True,  # its lock would take over Ctrl-C
    "cloud_provider": None,
    "cloud_region": None,
    "region": None,
    "country_2letter_iso_code": None,
    "force_carbon_intensity_g_co2e_kwh": None,
    "pue": 1.0,
    "wue": 0,
    "tracking_mode": "machine",
    "log_level": "critical",
}


@dataclass(frozen=True)
class Tracked:
    """A tracker of codecarbon's that runs, the `totals` that it has handed out, and where it is."""

    tracker: Any
    totals: list[Any]
    country: str | None
    location: str | None


def available() -> bool:
    """Whether codecarbon is installed."""
    return find_spec("codecarbon") is not None


def start(country: str | None) -> Tracked:
    """Begin to count, for the whole machine; `country` is an ISO 3166 alpha-3 code, and None means no CO2.

    Raises PipelineError for a country whose electricity codecarbon does not know: it would take the mean of
    the world, and not say so.
    """
    from codecarbon import OfflineEmissionsTracker
    from codecarbon.input import DataSource

    logging.getLogger("codecarbon").setLevel("CRITICAL")  # before `log_level` it says a line already
    known = DataSource().get_global_energy_mix_data()
    if country and country not in known:
        raise PipelineError(
            f"params.yaml: runtime.country: codecarbon knows no {country}: write the ISO 3166 alpha-3 code of"
            " a country, such as FRA"
        )
    totals: list[Any] = []
    handler = SimpleNamespace(out=lambda total, delta: totals.append(total), exit=lambda: None)
    tracker = OfflineEmissionsTracker(**_OFFLINE, country_iso_code=country or "", output_handlers=[handler])
    tracker.start()
    return Tracked(tracker, totals, country, known[country]["country_name"] if country else None)


def so_far(tracked: Tracked) -> Record | None:
    """kWh since the start and, with a country, grams of CO2; None when codecarbon could not tell."""
    return _found(tracked, tracked.tracker.flush)


def stop(tracked: Tracked) -> Record | None:
    """`so_far`, for the last time: codecarbon's threads end."""
    return _found(tracked, tracked.tracker.stop)


def _found(tracked: Tracked, ask: Callable[[], Any]) -> Record | None:
    tracked.totals.clear()
    ask()
    if not tracked.totals:
        return None
    total = tracked.totals[-1]
    found: Record = {"kwh": total.energy_consumed, "codecarbon": total.codecarbon_version}
    if tracked.country:
        found |= {"co2_grams": 1000 * total.emissions}  # codecarbon tells kilograms
        found |= {"country": tracked.country, "location": tracked.location}
    return found

"""Numbers and times as people read them (the templates' filters)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote


def size(count: int) -> str:
    """Bytes in decimal units, as the Hub shows them: 90.9 MB."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:  # which would be written as 1000
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"


def amount(count: int) -> str:
    """A number of parameters: 22.7M."""
    value = float(count)
    for unit in ("", "K", "M", "B"):
        if value < 999.5:  # which three digits would write as 1e+03
            return f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:.3g}T"


def ago(stamp: str) -> str:
    """How long ago an ISO time was."""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(stamp)).total_seconds()
    for unit, length in (
        ("year", 31_557_600),
        ("month", 2_629_800),
        ("day", 86_400),
        ("hour", 3600),
        ("minute", 60),
    ):
        count = int(seconds // length)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def clock(stamp: str) -> str:
    """An ISO time in UTC to the minute."""
    return datetime.fromisoformat(stamp).strftime("%Y-%m-%d %H:%M UTC")


def score(value: Any) -> str:
    """A metric's value: four digits for a fraction, whatever else as it stands."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def interval(ends: tuple[float, float]) -> str:
    """The ends of an interval, rounded alike: 0.917–0.953."""
    style = ".3f" if 0.01 <= max(map(abs, ends)) < 10 else ".4g"
    return "–".join(format(end, style) for end in ends)


def segment(text: str) -> str:
    """A revision as one segment of an address."""
    return quote(text, safe="")


FILTERS = {
    "size": size,
    "amount": amount,
    "ago": ago,
    "clock": clock,
    "score": score,
    "interval": interval,
    "segment": segment,
    "path": quote,
}

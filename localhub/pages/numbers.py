"""Evaluation results of two cards side by side: differences, and what their intervals allow to say."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

MAX_PAIRS = 500
MAX_LABEL = 200  # characters
_INTERVAL = ("confidence_interval", "confidence_level")


@dataclass(frozen=True)
class Score:
    """One metric of a card's model-index. `interval` is (low, high), `level` what it covers (0.95).

    `data` is what the card says of the rows behind it: split, revision, number, digest.
    """

    dataset: str
    metric: str
    value: Any
    interval: tuple[float, float] | None
    level: float | None
    data: str


@dataclass(frozen=True)
class Pair:
    """One metric in both cards; None where a card lacks it. `words`: what may be said of the difference."""

    dataset: str
    metric: str
    old: Score | None
    new: Score | None
    difference: str
    words: str
    apart: bool


def pairs(old: dict[str, Any], new: dict[str, Any]) -> list[Pair]:
    """Every metric of two cards' metadata, in the order of the newer one."""
    before, after = _scores(old), _scores(new)
    keys = list(dict.fromkeys([*after, *before]))[:MAX_PAIRS]
    return [_pair(before.get(key), after.get(key)) for key in keys]


def _scores(card: dict[str, Any]) -> dict[str, Score]:
    """{identity: score}. The same metric on the same data set and split is one and the same score."""
    found: dict[str, Score] = {}
    for model in _dicts(card.get("model-index")):
        for result in _dicts(model.get("results")):
            data = _dict(result.get("dataset"))
            task = _dict(result.get("task")).get("type")
            for metric in _dicts(result.get("metrics")):
                key = _identity(task, data, metric)
                while key in found:
                    key += "+"
                found[key] = _score(data, metric)
    return found


def _identity(task: Any, data: dict[str, Any], metric: dict[str, Any]) -> str:
    args = {key: value for key, value in _dict(metric.get("args")).items() if key not in _INTERVAL}
    of_data = [data.get(key) for key in ("type", "config", "split")]
    return json.dumps([task, *of_data, metric.get("type"), metric.get("name"), args], sort_keys=True)


def _score(data: dict[str, Any], metric: dict[str, Any]) -> Score:
    args = _dict(metric.get("args"))
    level: Any = args.get("confidence_level")
    label = ", ".join(str(data[key]) for key in ("name", "config", "split") if isinstance(data.get(key), str))
    return Score(
        label[:MAX_LABEL],
        str(metric.get("name") or metric.get("type") or "")[:MAX_LABEL],
        metric.get("value"),
        interval(metric),
        float(level) if is_number(level) else None,
        json.dumps({key: value for key, value in data.items() if key != "name"}, sort_keys=True),
    )


def interval(metric: dict[str, Any]) -> tuple[float, float] | None:
    """`args: {confidence_interval: [low, high], confidence_level: 0.95}`, as Parution's cards state it."""
    ends = _dict(metric.get("args")).get("confidence_interval")
    if isinstance(ends, list) and len(ends) == 2 and all(map(is_number, ends)) and ends[0] <= ends[1]:
        return float(ends[0]), float(ends[1])
    return None


def is_number(value: Any) -> bool:
    """Whether a value of a card is a finite number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 10**300


def _pair(old: Score | None, new: Score | None) -> Pair:
    shown = new or old
    assert shown is not None
    if old is None or new is None:
        words = "only in the newer" if old is None else "only in the older"
        return Pair(shown.dataset, shown.metric, old, new, "", words, False)
    words, apart = _words(old, new)
    return Pair(shown.dataset, shown.metric, old, new, _difference(old.value, new.value), words, apart)


def _words(old: Score, new: Score) -> tuple[str, bool]:
    """What the intervals allow to say, and whether they lie apart."""
    if not (is_number(old.value) and is_number(new.value)):
        return ("the same" if old.value == new.value else "differs"), False
    other = "other test rows; " if old.data != new.data else ""
    if old.value == new.value and old.interval == new.interval:
        return f"{other}the same", False
    if old.interval is None or new.interval is None:
        return f"{other}no interval to judge by", False
    if old.level != new.level:
        return f"{other}intervals of different levels", False
    apart = old.interval[1] < new.interval[0] or new.interval[1] < old.interval[0]
    return f"{other}intervals {'do not overlap' if apart else 'overlap'}", apart


def _difference(old: Any, new: Any) -> str:
    if not (is_number(old) and is_number(new)):
        return ""
    if new == old:
        return "0"
    sign = "+" if new > old else "−"
    return sign + shown(abs(new - old), max(abs(old), abs(new)))


def shown(value: Any, among: float | None = None) -> str:
    """A number to as many decimals as numbers of its size (`among`) get; anything else as it stands."""
    if not is_number(value):
        return str(value)[:MAX_LABEL]
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**15 else f"{value:.4g}"
    largest = abs(value) if among is None else among
    if value and (largest < 0.001 or largest >= 1e9):
        return f"{value:.4g}".replace("-", "−")
    decimals = 4 if largest < 10 else 2 if largest < 10_000 else 0
    return f"{value:,.{decimals}f}".replace("-", "−")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

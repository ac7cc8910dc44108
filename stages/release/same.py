"""Whether a model predicts what was evaluated: the comparison of two lists of predictions."""

import math
from collections.abc import Sequence

from stages.core.errors import PipelineError
from stages.core.records import Record

# Of a probability, and relative for other numbers; another processor's arithmetic stays well below.
TOLERANCE = 1e-4
OTHERS = 0.01  # share of rows whose tags or texts may differ: near ties, which another processor may break


def difference(found: Sequence[Record], expected: Sequence[Record], labels: Sequence[str]) -> float:
    """The largest difference of a number. Raises PipelineError when it is too large, or other things are
    said.

    A class has to be the one that was evaluated, unless the two were so near to each other then that the last
    digits decided. Tags and texts come without probabilities: of them a few may differ.
    """
    largest, others = 0.0, 0
    for now, then in zip(found, expected, strict=True):
        largest = max(largest, *_numbers(now, then), 0.0, key=lambda x: (math.isnan(x), x))
        others += not _says_the_same(now, then, labels)
    free = all("probabilities" in row or "loss" in row for row in expected) or not expected
    allowed = 0 if free else math.floor(OTHERS * len(expected))
    if others > allowed or not largest <= TOLERANCE:
        raise PipelineError(
            f"it predicts otherwise than what was evaluated: {others} of {len(found)} rows differ, numbers by"
            f" up to {largest:.2g} (at most {TOLERANCE:g} is allowed)"
        )
    return largest


def _numbers(now: Record, then: Record) -> list[float]:
    """Differences of probabilities, and relative ones of other numbers."""
    found = [abs(a - b) for a, b in _pairs(now.get("probabilities"), then.get("probabilities"))]
    for name in ("predicted", "loss"):
        if isinstance(then.get(name), int | float):
            found.append(abs(now[name] - then[name]) / max(1.0, abs(then[name])))
    return found


def _pairs(now: list[float] | None, then: list[float] | None) -> list[tuple[float, float]]:
    return list(zip(now or [], then or [], strict=True))


def _says_the_same(now: Record, then: Record, labels: Sequence[str]) -> bool:
    if "tokens" in then:
        return bool(now["tokens"] == then["tokens"])
    if isinstance(then["predicted"], int | float) or now["predicted"] == then["predicted"]:
        return True
    if "probabilities" not in then:
        return False
    if isinstance(then["predicted"], list):  # a threshold was as near
        return max(_numbers(now, then)) <= TOLERANCE
    before: list[float] = then["probabilities"]
    place = {label: number for number, label in enumerate(labels)}
    return abs(before[place[then["predicted"]]] - before[place[now["predicted"]]]) <= TOLERANCE

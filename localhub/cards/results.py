"""The `model-index` of a model card: the results of evaluations.

Specification: https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from localhub.cards.shapes import Metadata, items, optional, required

_DATASET = re.compile(r"(?:[\w-]+/)?[\w.-]+", re.ASCII)
_DATASET_AS_SHOWN = r"/^(?:[\w-]+\/)?[\w-.]+$/"


def check(index: Any) -> Iterator[str]:
    """What is wrong with a `model-index`."""
    if index is None:
        return
    if not isinstance(index, list):
        yield '"model-index" must be an array'
        return
    for place, model in items({"model-index": index}, "model-index"):
        yield from required(model, place, {"name": str, "results": list})
        for row, result in items(_object(model), "results", f"{place}."):
            yield from _result(result, row)


def _object(value: Any) -> Metadata:
    return value if isinstance(value, dict) else {}


def _result(result: Any, place: str) -> Iterator[str]:
    yield from required(result, place, {"task": dict, "metrics": list})
    result = _object(result)
    if isinstance(result.get("task"), dict):
        yield from required(result["task"], f"{place}.task", {"type": str})
        yield from optional(result["task"], str, "name", place=f"{place}.task.")
    yield from _dataset(result.get("dataset"), f"{place}.dataset")
    for row, metric in items(result, "metrics", f"{place}."):
        yield from required(metric, row, {"type": str})
        metric = _object(metric)
        if metric.get("value") is None:
            yield f'"{row}.value" is required'
        yield from optional(metric, str, "name", "config", "verifyToken", place=f"{row}.")
        yield from optional(metric, bool, "verified", place=f"{row}.")


def _dataset(dataset: Any, place: str) -> Iterator[str]:
    """A result need not name its data set; one that is named has a name for people and an id."""
    if dataset is None:
        return
    yield from required(dataset, place, {"name": str, "type": str})
    kind = _object(dataset).get("type")
    if isinstance(kind, str) and kind and not _DATASET.fullmatch(kind):
        shown = f'"{place}.type" with value "{kind[:100]}"'
        yield f"{shown} fails to match the required pattern: {_DATASET_AS_SHOWN}"
    yield from optional(_object(dataset), str, "config", "split", "revision", place=f"{place}.")

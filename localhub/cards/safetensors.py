"""Tensors, parameters and dtypes from a safetensors header, without reading the tensors themselves.

Format: 8 bytes little-endian length, then JSON {name: {dtype, shape, data_offsets}}, and an optional
"__metadata__" of strings. https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, BinaryIO

from localhub.cards.plain import whole

MAX_HEADER = 25_000_000  # bytes; the real Hub's limit
MAX_ELEMENTS = 1 << 63  # of a tensor, as the format counts them
MAX_DTYPE = 20  # characters
_METADATA = "__metadata__"


@dataclass(frozen=True)
class Tensor:
    """One tensor of a file: its name, dtype ("F32", "BF16") and shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """The number of its elements."""
        return math.prod(self.shape)


def parameters(file: BinaryIO) -> dict[str, int]:
    """{dtype: number of parameters} of an open safetensors file; empty when it is not one."""
    return by_dtype(tensors(file) or [])


def by_dtype(found: list[Tensor]) -> dict[str, int]:
    """{dtype: number of parameters}, in the order in which dtypes appear."""
    counts: dict[str, int] = {}
    for tensor in found:
        counts[tensor.dtype] = counts.get(tensor.dtype, 0) + tensor.count
    return counts


def header_size(file: BinaryIO) -> int:
    """Bytes of the header of an open safetensors file, as its beginning says; 0 when it is not one."""
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    return length if length <= MAX_HEADER else 0


def tensors(file: BinaryIO) -> list[Tensor] | None:
    """The tensors of an open safetensors file in the header's order; None when it is not one."""
    length = header_size(file)
    if not length:
        return None
    try:
        header = json.loads(file.read(length))
        return [_tensor(name, entry) for name, entry in header.items() if name != _METADATA]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _tensor(name: str, entry: dict[str, Any]) -> Tensor:
    shape = entry["shape"]
    if not all(isinstance(side, int) and 0 <= side < MAX_ELEMENTS for side in shape):
        raise ValueError(f"{name} has an impossible shape")
    tensor = Tensor(whole(name), whole(str(entry["dtype"])[:MAX_DTYPE]), tuple(int(side) for side in shape))
    if tensor.count >= MAX_ELEMENTS:
        raise ValueError(f"{name} has an impossible shape")
    return tensor

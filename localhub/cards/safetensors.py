"""Parameters and dtypes from a safetensors header, without reading the tensors.

Format: 8 bytes little-endian length, then JSON {name: {dtype, shape, data_offsets}}.
https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
import math
from typing import Any, BinaryIO

MAX_HEADER = 25_000_000  # bytes; the real Hub's limit


def parameters(file: BinaryIO) -> dict[str, int]:
    """{dtype: number of parameters} of an open safetensors file; empty when it is not one."""
    length = int.from_bytes(file.read(8), "little")
    if not 0 < length <= MAX_HEADER:
        return {}
    try:
        header = json.loads(file.read(length))
        return _count(header) if isinstance(header, dict) else {}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def _count(header: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, tensor in header.items():
        if name != "__metadata__":
            dtype = str(tensor["dtype"])
            found[dtype] = found.get(dtype, 0) + math.prod(int(side) for side in tensor["shape"])
    return found

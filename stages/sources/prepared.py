"""Write what prepare made: parquet files, the rejected rows, and what their records say of them."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from stages.core import records
from stages.core.files import write_bytes
from stages.sources.rows import Rejected, Row

_EXCERPT = 200  # characters of a rejected row's text: enough to find it


def write_rows(path: Path, rows: Sequence[Row], labels: Sequence[str]) -> dict[str, Any]:
    """Write `rows` as parquet (columns id, text, label) and describe them: `rows`, `sha256`, `labels`.

    Every option that shapes the bytes is fixed here, so equal rows give equal files.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("id", "text", "label")])
    table = pa.table([[getattr(row, name) for row in rows] for name in schema.names], schema=schema)
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        version="2.6",
        compression="zstd",
        compression_level=3,
        row_group_size=1 << 16,
        store_schema=False,
    )
    data = sink.getvalue().to_pybytes()
    write_bytes(path, data)
    counts = Counter(row.label for row in rows)
    return {
        "rows": len(rows),
        "sha256": hashlib.sha256(data).hexdigest(),
        "labels": {label: counts[label] for label in labels},
    }


def write_rejected(path: Path, rejected: Iterable[Rejected]) -> None:
    """One line a rejected row, in the order of the files that they stood in."""
    rows = sorted(rejected, key=_place)
    records.write_lines(
        path,
        (
            {"at": row.at, "reason": row.reason, "text": row.text[:_EXCERPT]}
            | ({"id": row.id} if row.id else {})
            for row in rows
        ),
    )


def characters(rows: Sequence[Row]) -> dict[str, int]:
    """Lengths of the texts in characters: median, 95th percentile (both by nearest rank) and maximum."""
    lengths = sorted(len(row.text) for row in rows)
    rank = {
        name: math.ceil(share * len(lengths)) - 1
        for name, share in (("median", 0.5), ("p95", 0.95), ("max", 1))
    }
    return {name: lengths[position] for name, position in rank.items()}


def _place(row: Rejected) -> tuple[str, int]:
    file, _, line = row.at.rpartition(":")
    return file, int(line)

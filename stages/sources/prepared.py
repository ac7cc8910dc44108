"""Write what prepare made: parquet files, the rejected rows, and what their records say of them."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from stages.core import records
from stages.core.files import write_bytes
from stages.core.records import Record
from stages.core.tasks import Kind
from stages.sources.kinds import KINDS
from stages.sources.rows import Rejected, Row, as_text

_EXCERPT = 200  # characters of a rejected row's text: enough to find it


def write_rows(path: Path, rows: Sequence[Row], labels: Sequence[str], kind: Kind) -> Record:
    """Write `rows` as parquet and describe them: `rows`, `sha256`, and what there is to say of their labels.

    The columns are id, text, where rows have them pair and label.
    """
    data = _parquet(_table(rows, kind))
    write_bytes(path, data)
    return {"rows": len(rows), "sha256": hashlib.sha256(data).hexdigest(), **_facts(rows, labels, kind)}


def write_slices(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> None:
    """The values of the `columns` that `data.slices` names, by id, in the order of `rows`; none, no rows."""
    import pyarrow as pa

    names = ["id", *columns]
    values = [(row.id, *row.slices) for row in rows] if columns else []
    schema = pa.schema([pa.field(name, pa.string(), nullable=False) for name in names])
    table = pa.table([[row[place] for row in values] for place in range(len(names))], schema=schema)
    write_bytes(path, _parquet(table))


def _parquet(table: Any) -> bytes:
    """Every option that shapes the bytes is fixed here, so equal rows give equal files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

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
    return bytes(sink.getvalue().to_pybytes())


def _table(rows: Sequence[Row], kind: Kind) -> Any:
    import pyarrow as pa

    strings = pa.list_(pa.field("element", pa.string(), nullable=False))
    types = {"string": pa.string(), "strings": strings, "double": pa.float64()}
    columns = {"id": "string", "text": "strings" if KINDS[kind].words else "string"}
    columns |= {"pair": "string"} if rows[0].pair is not None else {}
    columns |= {"label": KINDS[kind].column} if KINDS[kind].column else {}
    schema = pa.schema([pa.field(name, types[form], nullable=False) for name, form in columns.items()])
    return pa.table([[getattr(row, name) for row in rows] for name in columns], schema=schema)


def _facts(rows: Sequence[Row], labels: Sequence[str], kind: Kind) -> Record:
    """How often each label occurs, or what numbers there are; how many words, where each has a tag."""
    facts: Record = {}
    if labels:
        counts = Counter(name for row in rows for name in KINDS[kind].names(row))
        facts["labels"] = {label: counts[label] for label in labels}
    if numbers := [row.label for row in rows if isinstance(row.label, float)]:
        facts["number"] = _numbers(numbers)
    if KINDS[kind].words:
        facts["words"] = sum(len(row.text) for row in rows)
    return facts


def _numbers(numbers: Sequence[float]) -> dict[str, float]:
    """Six decimals of the least, the greatest, the mean, and the standard deviation of these very numbers."""
    mean = math.fsum(numbers) / len(numbers)
    sd = math.sqrt(math.fsum((number - mean) ** 2 for number in numbers) / len(numbers))
    found = {"min": min(numbers), "max": max(numbers), "mean": mean, "sd": sd}
    return {name: round(value, 6) for name, value in found.items()}


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


def lengths(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """How long the texts are, in `characters` and in words (`words_per_text`).

    Each has minimum, median, 95th percentile (both by nearest rank) and maximum. Words are what tags belong
    to, or else what white space parts; as characters, words count as joined by spaces.
    """
    return {
        "characters": _quantiles(len(as_text(row.text)) for row in rows),
        "words_per_text": _quantiles(
            len(row.text.split() if isinstance(row.text, str) else row.text) for row in rows
        ),
    }


def _quantiles(numbers: Iterable[int]) -> dict[str, int]:
    ordered = sorted(numbers)
    ranks = {"median": math.ceil(0.5 * len(ordered)) - 1, "p95": math.ceil(0.95 * len(ordered)) - 1}
    return {"min": ordered[0], **{name: ordered[rank] for name, rank in ranks.items()}, "max": ordered[-1]}


def _place(row: Rejected) -> tuple[str, int]:
    file, _, line = row.at.rpartition(":")
    return file, int(line)

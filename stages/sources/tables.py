"""Tables in files: csv, tsv, jsonl and parquet, as rows that remember where they stood."""

from collections.abc import Collection, Iterator
from pathlib import Path

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.schema import TableFormat
from stages.sources.delimited import read_csv, read_tsv
from stages.sources.objects import read_jsonl, read_parquet

_ENDINGS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".parquet": "parquet"}


def read_table(path: Path, name: str, table: TableFormat, needed: Collection[str]) -> Iterator[Record]:
    """Rows `{"at": "reviews.csv:12", "values": {column: str | int | float | bool | None}}`, in file order.

    `at` is `name` and the line that the row starts on (parquet: the row's number); `needed` are the columns
    that have to be plain values. Raises PipelineError for whatever cannot be read as that, and for no rows.
    """
    form = _format(name, table)
    if form == "csv":
        rows = read_csv(path, name, table.header, table.separator)
    elif form == "tsv":
        rows = read_tsv(path, name, table.header)
    elif table.header is not None:
        raise PipelineError(
            f"data.source.header: {name} is {form}, which names its columns itself: remove it"
        )
    else:
        rows = (read_jsonl if form == "jsonl" else read_parquet)(path, name, needed)
    empty = True
    for row in rows:
        empty = False
        yield row
    if empty:
        raise PipelineError(f"{name}: holds no rows{'' if path.stat().st_size else ': the file is empty'}")


def _format(name: str, table: TableFormat) -> str:
    if table.format is not None:
        return table.format
    ending = Path(name).suffix.lower()
    if ending not in _ENDINGS:
        raise PipelineError(
            f"{name}: no format known for this ending: set data.source.format (csv, tsv, jsonl or parquet)"
        )
    return _ENDINGS[ending]

"""Tables in files: csv, tsv, jsonl, parquet, conll and text, as rows that remember where they stood."""

from collections.abc import Collection, Iterator
from pathlib import Path

from stages.core.data_section import TableFormat
from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.sources.conll import read_conll
from stages.sources.delimited import read_csv, read_tsv
from stages.sources.objects import read_jsonl, read_parquet
from stages.sources.text_files import read_text

_ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".parquet": "parquet",
    ".conll": "conll",
    ".conllu": "conll",
    ".iob": "conll",
    ".bio": "conll",
    ".txt": "text",
}


def read_table(path: Path, name: str, table: TableFormat, needed: Collection[str]) -> Iterator[Record]:
    """Rows `{"at": "reviews.csv:12", "values": {column: a plain value or a list of them}}`, in file order.

    `at` is `name` and the line that the row starts on (parquet: the row's number); sentences have the `lines`
    of their words too. `needed` are the columns, or paths, that have to be there in such a form. Raises
    PipelineError for whatever cannot be read as that, and for no rows.
    """
    empty = True
    for row in _rows(path, name, table, needed):
        empty = False
        yield row
    if empty:
        raise PipelineError(f"{name}: holds no rows{'' if path.stat().st_size else ': the file is empty'}")


def _rows(path: Path, name: str, table: TableFormat, needed: Collection[str]) -> Iterator[Record]:
    form = _format(name, table)
    if form == "csv":
        return read_csv(path, name, table.header, needed, table.separator)
    if form == "tsv":
        return read_tsv(path, name, table.header, needed)
    if form == "conll":
        return read_conll(path, name, table.header, needed)
    if table.header is not None:
        raise PipelineError(
            f"data.source.header: {name} is {form}, which names its columns itself: remove it"
        )
    if form == "text":
        return read_text(path, name)
    return (read_jsonl if form == "jsonl" else read_parquet)(path, name, needed)


def _format(name: str, table: TableFormat) -> str:
    if table.format is not None:
        return table.format
    ending = Path(name).suffix.lower()
    if ending not in _ENDINGS:
        raise PipelineError(
            f"{name}: no format known for this ending: set data.source.format (csv, tsv, jsonl, parquet,"
            " conll or text)"
        )
    return _ENDINGS[ending]

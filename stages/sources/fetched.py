"""Read back what fetch wrote."""

from collections.abc import Iterator
from pathlib import Path

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.files import sha256
from stages.core.records import Record


def read_fetched(folder: Path) -> tuple[Record, dict[str, Iterator[Record]]]:
    """The manifest of data/source and the rows of its files, by split (or `all`).

    Raises PipelineError when a file is not the one that the manifest vouches for.
    """
    manifest = records.read(folder / "manifest.json", "fetch")
    for name, facts in manifest["files"].items():
        if not (folder / name).is_file() or sha256(folder / name) != facts["sha256"]:
            raise PipelineError(f"{folder / name} is not the file that fetch wrote: run `dvc repro -f fetch`")
    return manifest, {Path(name).stem: records.read_lines(folder / name) for name in manifest["files"]}

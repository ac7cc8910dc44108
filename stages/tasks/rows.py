"""The rows of a prepared split."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.core.errors import PipelineError


@dataclass(frozen=True)
class Rows:
    """Columns of equal length: the rows' ids, texts and label names."""

    ids: list[str]
    texts: list[str]
    labels: list[str]

    def numbers(self, names: Sequence[str]) -> list[int]:
        """Each row's label as its place in `names`."""
        place = {name: number for number, name in enumerate(names)}
        return [place[label] for label in self.labels]


def read_rows(path: Path) -> Rows:
    """Read one parquet file of data/prepared."""
    import pyarrow.parquet as pq

    if not path.exists():
        raise PipelineError(f"{path} is missing: run `dvc repro prepare` first")
    table = pq.read_table(path, columns=["id", "text", "label"])
    return Rows(*(table.column(name).to_pylist() for name in ("id", "text", "label")))

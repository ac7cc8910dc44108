"""The rows of a prepared split."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.core.errors import PipelineError


@dataclass(frozen=True)
class Rows:
    """Columns of equal length.

    `texts` are strings, or lists of words where labels are tags. `pairs` are second texts, or None where rows
    have none. `labels` are, by the kind of the task (stages/core/tasks.py): a class name, a list of class
    names, a number, a list of tags as long as the text's, a target text; None throughout where rows have no
    label.
    """

    ids: list[str]
    texts: list[Any]
    pairs: list[str] | None
    labels: list[Any]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, places: Sequence[int]) -> "Rows":
        """The rows at `places`, in the order of these."""

        def of(column: list[Any]) -> list[Any]:
            return [column[place] for place in places]

        pairs = of(self.pairs) if self.pairs is not None else None
        return Rows(of(self.ids), of(self.texts), pairs, of(self.labels))

    def and_then(self, other: "Rows") -> "Rows":
        """These rows and, after them, the other ones; both have pairs or none has."""
        pairs = None if self.pairs is None else [*self.pairs, *(other.pairs or [])]
        return Rows(
            [*self.ids, *other.ids], [*self.texts, *other.texts], pairs, [*self.labels, *other.labels]
        )

    def first(self, count: int) -> "Rows":
        """The first `count` rows."""
        return self.take(range(len(self))[:count])


def read_rows(path: Path) -> Rows:
    """Read one parquet file of data/prepared: columns id and text, where rows have them pair and label."""
    import pyarrow.parquet as pq

    if not path.exists():
        raise PipelineError(f"{path} is missing: run `dvc repro prepare` first")
    table = pq.read_table(path)
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    labels = columns.get("label", [None] * table.num_rows)
    return Rows(columns["id"], columns["text"], columns.get("pair"), labels)

"""What prepare finds and keeps beside the rows to train on: checks of every kind of label, and slices."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.core.errors import PipelineError
from stages.core.files import folder_digests
from stages.core.layout import Layout
from stages.core.records import read_lines
from stages.core.tasks import TASK_TYPES
from stages.prepare import prepare
from tests import corpora
from tests.test_prepare_kinds import TEXTS, read_into, refused, written
from tests.tiny import write_params


def test_columns_that_are_kept_for_slices(tmp_path: Path) -> None:
    found = [
        {
            "text": text,
            "label": n % 2,
            "about": {"source": None if n % 5 == 0 else f"s{n % 3}"},
            "year": 2000 + n,
        }
        for n, text in enumerate(TEXTS)
    ]
    params = read_into(tmp_path, {}, found, slices=["about.source", "year"])
    layout = Layout(tmp_path)
    prepare(params, layout)
    kept = folder_digests(layout.prepared)
    table, test = pq.read_table(layout.slices), pq.read_table(layout.split("test"))
    assert table.schema.names == ["id", "about.source", "year"]
    assert all(field.type == pa.string() and not field.nullable for field in table.schema)
    assert table.column("id").to_pylist() == test.column("id").to_pylist()
    given = {row["text"]: (row["about"]["source"] or "", str(row["year"])) for row in found}
    values = zip(*(table.column(name).to_pylist() for name in ("about.source", "year")), strict=True)
    assert list(values) == [given[text] for text in test.column("text").to_pylist()]
    assert "" in table.column("about.source").to_pylist()

    without = tmp_path / "without"
    without.mkdir()
    prepare(read_into(without, {}, found), Layout(without))
    assert folder_digests(without / "data/prepared") == kept, "slices change no prepared file"
    empty = pq.read_table(Layout(without).slices)
    assert (empty.schema.names, empty.num_rows) == (["id"], 0)


def test_a_slice_that_is_not_there(tmp_path: Path) -> None:
    params = read_into(
        tmp_path, {}, [{"text": t, "label": n % 2} for n, t in enumerate(TEXTS)], slices=["year"]
    )
    assert refused(tmp_path, params) == "data.slices.0: there is no column 'year'; there are 'text', 'label'"


@pytest.mark.parametrize("slices", [["id"], ["a", "a"], [""], ["length"], ["label"]])
def test_slices_that_cannot_be(tmp_path: Path, slices: list[str]) -> None:
    with pytest.raises(PipelineError, match=r"data\.slices: should name every column once, and none called"):
        write_params(tmp_path, data={"slices": slices})


LONG = "une phrase assez longue pour que deux fins differentes ne changent presque rien a la similarite"


@pytest.mark.parametrize("task", TASK_TYPES)
def test_near_duplicates_share_a_split_whatever_the_label_is(tmp_path: Path, task: str) -> None:
    kind = TASK_TYPES[task].label
    found = corpora.rows(kind, 80)
    ends = [f" {end}" for end in ("un", "deux", "trois", "vert", "bleu")]
    for row, end in zip(found, ends, strict=False):
        row["text"] = [*LONG.split(), end.strip()] if kind == "tags" else LONG + end
        if kind == "tags":
            row["label"] = ["O"] * len(row["text"])
    prepare(read_into(tmp_path, {"type": task}, found), Layout(tmp_path))
    report = written(tmp_path)[3]
    near = report["checks"]["near_duplicates"]
    assert near["rows"] >= 5 and report["checks"]["near_leaks"]["rows"] == 0
    listed = list(read_lines(Layout(tmp_path).findings))
    assert len({f["split"] for f in listed if f["at"] in {f"rows.jsonl:{n}" for n in range(1, 6)}}) == 1


def test_label_errors_are_for_classes(tmp_path: Path) -> None:
    found = [{"text": text, "label": n / 4} for n, text in enumerate(TEXTS)]
    params = read_into(tmp_path, {"type": "text-regression"}, found, checks={"label_errors": "warn"})
    assert refused(tmp_path, params).startswith(
        "data.checks.label_errors: has no meaning here, the labels of"
    )

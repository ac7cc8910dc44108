"""The records have to vouch for the very files that would go out."""

import shutil
from pathlib import Path

import pytest

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.core.schema import Hub
from stages.release.edition import gather, uncommitted
from stages.release.plan import _size
from tests.release import shelf

HUB = Hub(repo_id=shelf.REPO, version="0.1.0")


@pytest.fixture
def layout(made: Path, tmp_path: Path) -> Layout:
    shutil.copytree(made, tmp_path / "work")
    return Layout(tmp_path / "work")


def test_other_weights_than_the_ones_trained(layout: Layout) -> None:
    file = layout.trained / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    with pytest.raises(PipelineError, match=r"is not the model that .*train\.json describes"):
        gather(layout, HUB)


@pytest.mark.parametrize(
    ("report", "change", "message"),
    [
        (
            "eval",
            {"model": {"sha256": "0" * 64}},
            "scores another model than reports/train.json describes: run `dvc repro evaluate`",
        ),
        (
            "eval",
            {"test": {"sha256": "0" * 64}},
            "other test rows than reports/data.json: run `dvc repro evaluate`",
        ),
        (
            "train",
            {"data": {"train": "0" * 64}},
            "used another train split than reports/data.json describes: run `dvc repro train`",
        ),
    ],
)
def test_records_of_other_runs(layout: Layout, report: str, change: dict[str, object], message: str) -> None:
    path = layout.root / f"reports/{report}.json"
    records.write(path, records.read(path, "any") | change)
    with pytest.raises(PipelineError, match=message):
        gather(layout, HUB)


@pytest.mark.parametrize("change", [{"version": "0.2.0"}, {"repo_id": "tests/other"}])
def test_a_card_of_another_version(layout: Layout, change: dict[str, str]) -> None:
    with pytest.raises(PipelineError, match=r"does not name .*: run `dvc repro card`"):
        gather(layout, HUB.model_copy(update=change))


def test_the_base_is_not_overwritten(layout: Layout) -> None:
    shelf.card(layout, repo_id="Tests/Tiny-BERT")
    with pytest.raises(PipelineError, match="is the base model's own name"):
        gather(layout, HUB.model_copy(update={"repo_id": "Tests/Tiny-BERT"}))


def test_code_commit_is_none_for_uncommitted_code(layout: Layout) -> None:
    assert gather(layout, HUB).code_commit is None
    commit = shelf.commit_all(layout.root)
    assert gather(layout, HUB).code_commit == commit
    (layout.root / "dvc.yaml").write_text("stages: {}\n")
    assert gather(layout, HUB).code_commit is None


def test_what_a_run_writes_need_not_be_committed(layout: Layout) -> None:
    """The receipt is committed after the push that wrote it, together with the card and the records."""
    written = ("model_cards/release.json", "dvc.lock", "reports/new.json")
    for name in written[:2]:
        (layout.root / name).write_text("{}\n")
    commit = shelf.commit_all(layout.root)
    for name in written:
        (layout.root / name).write_text('{"other": 1}\n')
    records.write(layout.data_report, records.read(layout.data_report, "prepare") | {"note": 1})
    shelf.card(layout, more="another")
    assert shelf.git(layout.root, "status", "--porcelain")
    assert uncommitted(layout.root) == []
    assert gather(layout, HUB).code_commit == commit


def test_a_deleted_file_of_code_is_a_change(layout: Layout) -> None:
    (layout.root / "constraints.txt").write_text("torch\n")
    assert shelf.commit_all(layout.root)
    (layout.root / "constraints.txt").unlink()
    assert uncommitted(layout.root) == ["constraints.txt"]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (102_400, "102 kB"),
        (999_900, "1.0 MB"),
        (5e12, "5000 GB"),
    ],
)
def test_sizes(size: float, text: str) -> None:
    assert _size(size) == text

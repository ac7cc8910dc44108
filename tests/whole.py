"""A repository in which every stage ran, on a CSV and a tiny real model, and its release as it downloads."""

import csv
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from ruamel.yaml import YAML

from localhub import launch
from stages.baselines import baselines
from stages.card import card
from stages.core import records
from stages.core.layout import Layout
from stages.core.schema import Params
from stages.curve import curve
from stages.evaluate import evaluate
from stages.prepare import prepare
from stages.snippet import snippet
from stages.sources.source import write_source
from stages.train import train
from tests import test_push, tiny
from tests.release import shelf

ROOT = Path(__file__).parents[1]
STAGES = (prepare, baselines, train, evaluate, curve, snippet, card)


def run(
    root: Path, header: Sequence[str], rows: Iterable[Sequence[str]], file: str, **changes: Any
) -> tuple[Params, Layout]:
    """Every stage before push on `rows` of the CSV `file`; `changes` are those of tiny.write_params."""
    layout = Layout(root)
    (root / "stages").symlink_to(ROOT / "stages")  # records hold the digest of the stage's code
    shutil.copytree(ROOT / "model_cards/templates", layout.templates)
    layout.raw.mkdir(parents=True)
    with (layout.raw / file).open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([header, *rows])
    source = {"source": {"type": "files", "path": file}}
    params = tiny.write_params(root, **changes | {"data": changes.get("data", {}) | source})
    layout.source.mkdir(parents=True)
    write_source(params.data, layout.raw, layout.source)
    layout.base.mkdir(parents=True)
    tiny.write_base(layout.base)
    for stage in STAGES:
        stage(params, layout)
    return params, layout


@dataclass(frozen=True)
class Release:
    """A release as it was downloaded into `folder`, and the repository that it is of.

    `head` is the commit that was checked out, `message` that of the release on the Hub, `said` what push
    printed.
    """

    layout: Layout
    folder: Path
    head: str
    message: str
    said: str

    def record(self, name: str) -> records.Record:
        """A record of the release."""
        return records.read(self.folder / f"reports/{name}.json", name)

    def front(self) -> dict[str, Any]:
        """The front matter of its card."""
        _, front, _ = (self.folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
        found: dict[str, Any] = YAML(typ="safe", pure=True).load(front)
        return found

    def rows(self) -> tuple[list[str], list[str]]:
        """The texts and labels that it was tested on."""
        table = pq.read_table(self.layout.split("test"))
        return table.column("text").to_pylist(), table.column("label").to_pylist()


def release(layout: Layout, folder: Path) -> Release:
    """Commit all, push, and download into `folder` what the version's tag names."""
    from huggingface_hub import HfApi

    head = shelf.commit_all(layout.root)
    said = test_push.run(layout)
    with launch.running(layout.hub) as server:
        api = HfApi(endpoint=server.url, token=server.token)
        made = api.list_repo_commits(shelf.REPO, revision="refs/pr/1")[0]
        api.snapshot_download(shelf.REPO, revision="v0.1.0", local_dir=folder)
    shutil.rmtree(folder / ".cache")
    (folder / ".gitattributes").unlink(missing_ok=True)
    return Release(layout, folder, head, f"{made.title}\n{made.message}", said)

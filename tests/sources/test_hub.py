"""fetch and pin against a live Hub, through the real client, in processes of their own (HF_ENDPOINT)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from localhub import launch
from stages.core.layout import Layout
from stages.core.params import load
from stages.core.records import read_lines
from tests.tiny import write_params

# huggingface_hub 2.4 uploads by a way that its HTTP library deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

ROOT = Path(__file__).resolve().parents[2]
CARD = """---
configs:
- config_name: default
  data_files:
  - {split: train, path: train.csv}
  - {split: test, path: test.csv}
dataset_info:
  config_name: default
  features:
  - {name: text, dtype: string}
  - {name: label, dtype: {class_label: {names: {'0': bad, '1': good}}}}
---
"""
TAGGED_CARD = """---
license: cc-by-sa-4.0
configs:
- config_name: default
  data_files: [{split: train, path: train.jsonl}]
dataset_info:
  config_name: default
  features:
  - {name: tokens, list: string}
  - {name: ner_tags, list: {class_label: {names: {'0': O, '1': B-PER}}}}
  - {name: topics, sequence: {class_label: {names: {'0': art, '1': law}}}}
  - {name: translation, dtype: {translation: {languages: [en, fr]}}}
  - {name: answers, struct: [{name: kind, dtype: {class_label: {names: {'0': short}}}}]}
---
"""
TAGGED = [
    {
        "tokens": ["Anna", "dort"],
        "ner_tags": [1, 0],
        "topics": [1, 0],
        "translation": {"en": "Anna sleeps", "fr": "Anna dort"},
        "answers": {"kind": 0},
    },
    {
        "tokens": ["oui"],
        "ner_tags": [-1],
        "topics": [],
        "translation": {"en": "yes", "fr": "oui"},
        "answers": {"kind": -1},
    },
]
CONFIG = b'{"model_type": "bert"}'
WEIGHTS = b"not really weights"
MODELS: dict[str, dict[str, bytes]] = {
    "org/licensed": {
        "README.md": b"---\nlicense: cc-by-nc-4.0\n---\n",
        "config.json": CONFIG,
        "model.safetensors": WEIGHTS,
        "source.spm": b"pieces",
    },
    "org/model": {
        "config.json": CONFIG,
        "model.safetensors": WEIGHTS,
        "source.spm": b"pieces",
        "vocab.bin": b"x",
        "pytorch_model.bin": b"x",
        "a/config.json": b"",
    },
    "org/pickled": {"config.json": b"{}", "pytorch_model.bin": b"x"},
    "org/remote": {"config.json": b'{"auto_map": {}}', "model.safetensors": WEIGHTS, "modeling.py": b""},
}


@dataclass
class Hub:
    """A live Hub, the commits of its repositories, and an HF_HOME that the tests share."""

    url: str
    token: str
    commits: dict[str, str]
    home: Path

    def environment(self, **changes: str) -> dict[str, str]:
        ours = {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(self.home),
            "HF_TOKEN": self.token,
            "PYTHONPATH": str(ROOT),
        }
        return {**os.environ, **ours, **changes}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    from huggingface_hub import CommitOperationAdd, HfApi

    data = tmp_path_factory.mktemp("hub")
    splits = {
        f"{split}.csv": f"text,label\n{split} a,1\n{split} b,0\n".encode() for split in ("train", "test")
    }
    with launch.running(data / "data") as server:
        api = HfApi(endpoint=server.url, token=server.token)
        commits = {}
        tagged = "".join(json.dumps(row) + "\n" for row in TAGGED).encode()
        datasets = {
            "org/rows": {"README.md": CARD.encode(), **splits},
            "org/tagged": {
                "README.md": TAGGED_CARD.encode(),
                "train.jsonl": tagged,
                "eval.yaml": b"name: x\ntasks: [{id: tagging, split: train}]\n",
            },
            "org/bare": {"train.csv": splits["train.csv"]},
        }
        for name, files in {**MODELS, **datasets}.items():
            kind = "dataset" if name in datasets else "model"
            name = name.replace("org/", f"{server.user}/")
            api.create_repo(name, repo_type=kind, private="rows" in name)
            operations = [CommitOperationAdd(path, body) for path, body in files.items()]
            commits[name] = api.create_commit(name, operations, commit_message="files", repo_type=kind).oid
        yield Hub(server.url, server.token, commits, data / "home")


def project(root: Path, hub: Hub, base: dict[str, Any] | None = None, **data: Any) -> Path:
    """A project whose rows and base model are on the Hub, neither of them pinned."""
    (root / "data/raw").mkdir(parents=True)
    asked = {"type": "hub", "repo_id": "local/rows", "splits": {"train": "train", "test": "test"}}
    write_params(
        root,
        base={"repo_id": "local/model", "revision": None, **(base or {})},
        data={"source": asked, **data},
    )
    return root


def run(stage: str, root: Path, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", f"stages.{stage}"],
        cwd=root,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_fetch_pin_and_fetch_again(hub: Hub, tmp_path: Path) -> None:
    root = project(tmp_path, hub)
    layout = Layout(root)
    first = run("fetch", root, hub.environment())
    assert first.returncode == 0, first.stderr
    assert "not pinned: `make pin` writes the commit" in first.stdout
    assert [*read_lines(layout.source / "test.jsonl")] == [
        {"at": "local/rows/test:1", "values": {"text": "test a", "label": "good"}},
        {"at": "local/rows/test:2", "values": {"text": "test b", "label": "bad"}},
    ]
    manifest = json.loads((layout.source / "manifest.json").read_text())
    assert manifest["source"]["commit"] == hub.commits["local/rows"]
    assert "license" not in manifest["source"]
    assert {p.name: p.read_bytes() for p in layout.base.iterdir()} == {
        "config.json": CONFIG,
        "model.safetensors": WEIGHTS,
        "source.spm": b"pieces",
    }

    pinned = run("pin", root, hub.environment())
    assert pinned.returncode == 0, pinned.stderr
    params = load(layout.params)
    assert params.base.revision == hub.commits["local/model"]
    assert params.data.source.model_dump()["revision"] == hub.commits["local/rows"]
    before = layout.params.read_bytes()
    again = run("pin", root, hub.environment())
    assert "base: local/model is pinned already" in again.stdout and layout.params.read_bytes() == before

    # What is pinned and cached needs no Hub.
    offline = run("fetch", root, hub.environment(HF_HUB_OFFLINE="1", HF_ENDPOINT="http://127.0.0.1:9"))
    assert offline.returncode == 0, offline.stderr
    assert "not pinned" not in offline.stdout


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            {"text": "tokens", "label": "ner_tags"},
            [
                {"tokens": ["Anna", "dort"], "ner_tags": ["B-PER", "O"]},
                {"tokens": ["oui"], "ner_tags": [None]},
            ],
        ),
        (
            {"text": "translation.fr", "pair": "translation.en", "label": "topics"},
            [
                {"translation.fr": "Anna dort", "translation.en": "Anna sleeps", "topics": ["law", "art"]},
                {"translation.fr": "oui", "translation.en": "yes", "topics": []},
            ],
        ),
        (
            {"text": "translation.en", "label": "answers.kind"},
            [
                {"translation.en": "Anna sleeps", "translation.fr": "Anna dort", "answers.kind": "short"},
                {"translation.en": "yes", "translation.fr": "oui", "answers.kind": None},
            ],
        ),
    ],
)
def test_lists_of_classes_and_translations_of_the_hub(
    hub: Hub, tmp_path: Path, columns: dict[str, str], expected: list[dict[str, Any]]
) -> None:
    root = project(tmp_path, hub, source={"type": "hub", "repo_id": "local/tagged"}, **columns)
    done = run("fetch", root, hub.environment())
    assert done.returncode == 0, done.stderr
    assert [row["values"] for row in read_lines(Layout(root).source / "train.jsonl")] == expected


def test_licences_of_base_and_data_come_with_them_and_are_checked_before_anything_is_made(
    hub: Hub, tmp_path: Path
) -> None:
    source = {"type": "hub", "repo_id": "local/tagged", "revision": hub.commits["local/tagged"]}
    base = {"repo_id": "local/licensed", "revision": hub.commits["local/licensed"]}
    root = project(tmp_path, hub, base, source=source, text="tokens", label="ner_tags")
    for changes in ({}, {"HF_HUB_OFFLINE": "1"}):  # the second time from the cache
        done = run("fetch", root, hub.environment(**changes))
        assert done.returncode == 0, done.stderr
        manifest = json.loads((Layout(root).source / "manifest.json").read_text())
        assert manifest["source"]["license"] == "cc-by-sa-4.0"
        assert manifest["source"]["benchmark"] == [{"id": "tagging", "split": "train"}]
    refused = run("prepare", root, hub.environment())
    assert refused.stderr.startswith("error: params.yaml: card.license: the base's cc-by-nc-4.0 forbids comm")
    assert "; the data's cc-by-sa-4.0 keeps what is made from it under" in refused.stderr
    # Another base and other data are fetched in spite of what lies here.
    bare = {"type": "hub", "repo_id": "local/bare", "revision": hub.commits["local/bare"]}
    model = {"repo_id": "local/model", "revision": hub.commits["local/model"]}
    write_params(root, base=model, data={"source": bare})
    for changes in ({}, {"HF_HUB_OFFLINE": "1"}):
        done = run("fetch", root, hub.environment(**changes))
        assert done.returncode == 0, done.stderr
    manifest = json.loads((Layout(root).source / "manifest.json").read_text())
    assert not {"license", "benchmark"} & manifest["source"].keys()
    write_params(root, base=model, data={"source": bare}, card={"benchmark": "tagging"})
    refused = run("prepare", root, hub.environment())
    assert refused.stderr.startswith(
        "error: params.yaml: card.benchmark: local/bare has no task 'tagging'; it"
    )


def test_errors_are_one_line_each(hub: Hub, tmp_path: Path) -> None:
    code = """
import json, sys
from pathlib import Path
from stages.core.errors import PipelineError
from stages.core.data_section import HubSource
from stages.core.schema import Base
from stages.sources.base import write_base
from stages.sources.hub import read_dataset
for case in json.load(sys.stdin):
    try:
        if "type" in case:
            read_dataset(HubSource.model_validate(case), {"text", "label"})
        else:
            write_base(Base.model_validate(case), Path("."))
        print("ERROR no error")
    except PipelineError as error:
        print("ERROR", error)
"""
    rows = {"type": "hub", "repo_id": "local/rows"}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"repo_id": "local/none"}, "base.repo_id: no model local/none at http"),
        (
            {"repo_id": "local/model", "revision": "dev"},
            "base.revision: model local/model has no revision dev",
        ),
        (
            {"repo_id": "local/model", "revision": "1" * 40},
            f"base.revision: model local/model has no revision {'1' * 40}",
        ),
        (
            {"repo_id": "local/pickled"},
            "base.repo_id: local/pickled carries only pickled weights: pytorch_model.bin",
        ),
        ({"repo_id": "local/remote"}, "base.repo_id: local/remote needs remote code"),
        ({**rows, "repo_id": "local/none"}, "data.source.repo_id: no dataset local/none at http"),
        ({**rows, "repo_id": "csv"}, "data.source.repo_id: csv is a file format"),
        ({**rows, "repo_id": "here"}, "data.source.repo_id: the folder here here hides the data set"),
        ({**rows, "config": "other"}, "cannot read dataset local/rows: BuilderConfig 'other' not found"),
        (
            {**rows, "splits": {"train": "all"}},
            "data.source.splits: local/rows has no split 'all'; it has train, test",
        ),
    ]
    (tmp_path / "here").mkdir()
    out = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=hub.environment(),
        capture_output=True,
        text=True,
        input=json.dumps([case for case, _ in cases]),
        check=True,
    ).stdout
    errors = [line.removeprefix("ERROR ") for line in out.splitlines() if line.startswith("ERROR")]
    assert len(errors) == len(cases)
    for error, (_, expected) in zip(errors, cases, strict=True):
        assert error.startswith(expected)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"HF_TOKEN": "hf_wrong"}, "refuses the token for dataset local/rows (HTTP 401)"),
        ({"HF_TOKEN": ""}, "no dataset local/rows at http"),
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "cannot read dataset local/rows from http://127.0.0.1:9 ("),
    ],
)
def test_no_way_in_leaves_nothing(hub: Hub, tmp_path: Path, change: dict[str, str], expected: str) -> None:
    root = project(tmp_path, hub)
    done = run("fetch", root, hub.environment(HF_HOME=str(tmp_path.parent / "fresh"), **change))
    assert done.returncode == 1
    assert expected in done.stderr.splitlines()[-1] and done.stderr.splitlines()[-1].startswith("error: ")
    assert [p.name for p in root.rglob("*") if p.is_file()] == ["params.yaml"]

"""Data sets through `datasets`, in a process of their own: it reads HF_ENDPOINT at import."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import RepositoryNotFoundError

from tests.localhub.test_hub_commits import add

InChild = Callable[[str], str]
CARD = """---
license: cc0-1.0
configs:
- config_name: english
  data_files:
  - {split: train, path: "en/train-*.jsonl"}
  - {split: test, path: en/test.jsonl}
- config_name: french
  data_files: fr/*.jsonl
  default: true
---
# Rows
"""


@pytest.fixture
def dataset(api: HfApi) -> str:
    """A fresh public data set."""
    name = f"rehearsal/d{uuid4().hex[:10]}"
    api.create_repo(name, repo_type="dataset")
    return name


def put(api: HfApi, name: str, files: dict[str, bytes], title: str = "x") -> str:
    operations = [add(path, content) for path, content in files.items()]
    return str(api.create_commit(name, operations, commit_message=title, repo_type="dataset").oid)


def lines(*texts: str) -> bytes:
    return "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()


def parquet(**columns: list[Any]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet

    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()


def test_formats_configs_splits_and_revisions(api: HfApi, dataset: str, in_child: InChild) -> None:
    files = {
        "README.md": CARD.encode(),
        "en/train-0.jsonl": lines("a", "b"),
        "en/train-1.jsonl": lines("c"),
        "en/test.jsonl": lines("d"),
        "fr/x.jsonl": lines("oui"),
    }
    sha = put(api, dataset, files)
    api.create_tag(dataset, tag="v1", repo_type="dataset")
    put(api, dataset, {"fr/x.jsonl": lines("oui", "non")})
    plain = f"{dataset}-plain"
    api.create_repo(plain, repo_type="dataset", private=True)
    put(
        api, plain, {"data/train-00000.parquet": parquet(n=[1, 2]), "data/test-00000.parquet": parquet(n=[3])}
    )
    printed = in_child(f"""
import json
from datasets import get_dataset_config_names, get_dataset_split_names, load_dataset
name, plain = {dataset!r}, {plain!r}
def show(value): print('>', json.dumps(value))
show(get_dataset_config_names(name))
show(get_dataset_split_names(name, 'english'))
show({{split: rows['text'][:] for split, rows in load_dataset(name, 'english').items()}})
show(load_dataset(name, split='train')['text'][:])
show(load_dataset(name, split='train', revision='v1')['text'][:])
show(load_dataset(name, split='train', revision={sha!r}).num_rows)
show([row['text'] for row in load_dataset(name, 'english', split='train', streaming=True)])
show({{split: rows['n'][:] for split, rows in load_dataset(plain).items()}})
show([row['n'] for row in load_dataset(plain, split='test', streaming=True)])
show(load_dataset(name, data_files='fr/*.jsonl', split='train[:1]')['text'][:])
""")
    shown = [json.loads(line[2:]) for line in printed.splitlines() if line.startswith("> ")]
    assert shown[:2] == [["english", "french"], ["train", "test"]]
    assert shown[2] == {"train": ["a", "b", "c"], "test": ["d"]}
    assert shown[3:6] == [["oui", "non"], ["oui"], 1]
    assert shown[6:] == [["a", "b", "c"], {"train": [1, 2], "test": [3]}, [3], ["oui"]]


def test_push_to_hub(api: HfApi, anonymous: HfApi, dataset: str, in_child: InChild) -> None:
    printed = in_child(f"""
import json
from datasets import Dataset, DatasetDict, load_dataset
name, closed = {dataset!r}, {dataset + "-closed"!r}
def show(value): print('>', json.dumps(value))
Dataset.from_dict({{'x': [1, 2, 3]}}).push_to_hub(name)
Dataset.from_dict({{'x': [4]}}).push_to_hub(name, split='test', commit_message='A test split')
Dataset.from_dict({{'x': [5, 6]}}).push_to_hub(name)
show({{split: rows['x'][:] for split, rows in load_dataset(name).items()}})
Dataset.from_dict({{'y': ['z']}}).push_to_hub(name, 'other', revision='side')
show(load_dataset(name, 'other', revision='side', split='train')['y'][:])
both = DatasetDict({{'train': Dataset.from_dict({{'a': [1.5]}}), 'test': Dataset.from_dict({{'a': [2.5]}})}})
both.push_to_hub(closed, private=True)
both.push_to_hub(closed, private=True, max_shard_size='1KB')
show({{split: rows['a'][:] for split, rows in load_dataset(closed).items()}})
show([row['a'] for row in load_dataset(closed, split='test', streaming=True)])
rows = Dataset.from_dict({{'x': [7]}}).push_to_hub(name, create_pr=True)
show(rows.pr_num)
""")
    shown = [json.loads(line[2:]) for line in printed.splitlines() if line.startswith("> ")]
    assert shown == [{"train": [5, 6], "test": [4]}, ["z"], {"train": [1.5], "test": [2.5]}, [2.5], 1]
    titles = [commit.title for commit in api.list_repo_commits(dataset, repo_type="dataset")]
    assert titles == ["Upload dataset", "A test split", "Upload dataset", "initial commit"]
    info = api.dataset_info(dataset)
    splits = info.card_data["dataset_info"]["splits"]
    assert {split["name"]: split["num_examples"] for split in splits} == {"train": 2, "test": 1}
    assert api.dataset_info(f"{dataset}-closed").private
    with pytest.raises(RepositoryNotFoundError):
        anonymous.dataset_info(f"{dataset}-closed")


def test_files_of_a_data_set_through_fsspec_and_pandas(api: HfApi, dataset: str, in_child: InChild) -> None:
    put(api, dataset, {"a.csv": b"n\n1\n2\n", "sub/b.parquet": parquet(n=[3, 4])})
    printed = in_child(f"""
import fsspec, pandas
from huggingface_hub import HfFileSystem
base = 'hf://datasets/' + {dataset!r}
print(pandas.read_csv(base + '/a.csv').n.tolist(), pandas.read_parquet(base + '/sub/b.parquet').n.tolist())
files = HfFileSystem()
print([path.rsplit('/', 1)[1] for path in files.glob('datasets/' + {dataset!r} + '/**/*.parquet')])
with files.open('datasets/' + {dataset!r} + '/c.txt', 'wb') as file:
    file.write(b'written')
with fsspec.open(base + '/c.txt', block_size=4) as file:
    file.seek(3)
    print(file.read(2))
pandas.DataFrame({{'n': [9]}}).to_csv(base + '/d.csv', index=False)
print(files.cat(base + '/d.csv'))
files.rm(base + '/sub', recursive=True)
print(sorted(path.rsplit('/', 1)[1] for path in files.ls(base, detail=False)))
""")
    assert printed.splitlines()[-5:] == [
        "[1, 2] [3, 4]",
        "['b.parquet']",
        "b'tt'",
        "b'n\\n9\\n'",
        "['.gitattributes', 'a.csv', 'c.txt', 'd.csv']",
    ]

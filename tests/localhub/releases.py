"""A model with two releases, and what tests of pages need to make and read one."""

from __future__ import annotations

import html as entities
import json
import re
import struct

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from localhub.launch import Server

Files = dict[str, bytes | str | None]
CARD = """---
license: {licence}
tags: [{tags}]
model-index:
- name: m
  results:
  - task: {{type: text-classification}}
    dataset: {{name: Tweets, type: org/tweets, split: test, args: {{test_rows: {rows}}}}}
    metrics:
    - type: f1
      name: Macro F1
      value: {f1}
      args: {{confidence_interval: {f1_ends}, confidence_level: 0.95}}
    - type: accuracy
      name: Accuracy
      value: 0.9
      args: {{confidence_interval: [0.88, 0.92], confidence_level: 0.95}}
    - {{type: loss, name: {loss}, value: 1.25}}
---
# Tweets

It was trained on {count} rows.
"""
OLD = {
    "licence": "mit",
    "tags": "a",
    "rows": 800,
    "f1": 0.8,
    "f1_ends": "[0.78, 0.82]",
    "loss": "Loss",
    "count": "100",
}


def tensors(dtype: str, *names: str) -> bytes:
    wide = {"F32": 4, "F16": 2}[dtype] * 600
    header = {
        name: {"dtype": dtype, "shape": [30, 20], "data_offsets": [at * wide, (at + 1) * wide]}
        for at, name in enumerate(names)
    }
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(wide * len(names))


def commit(api: HfApi, name: str, files: Files, message: str = "x", **options: object) -> str:
    """Commit the files (None deletes one) and give the SHA."""
    operations: list[CommitOperationAdd | CommitOperationDelete] = []
    for path, content in files.items():
        if content is None:
            operations.append(CommitOperationDelete(path))
        else:
            data = content if isinstance(content, bytes) else content.encode()
            operations.append(CommitOperationAdd(path, data))
    return str(api.create_commit(name, operations, commit_message=message, **options).oid)  # type: ignore[arg-type]


def rows(page: str) -> list[list[str]]:
    """The cells of every table row as text."""
    found = []
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL):
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        found.append([entities.unescape(re.sub(r"<[^>]*>", " ", cell)).strip() for cell in cells])
    return [[re.sub(r"\s+", " ", cell) for cell in row] for row in found]


def publish(hub: Server, name: str) -> str:
    """Publish v1.0 and v2.0 of a model, and give its id."""
    api = HfApi(endpoint=hub.url, token=hub.token)
    api.create_repo(name)
    record = [{"environment": {"torch": "2.1.0", "device": "cpu"}, "seed": 1}]
    commit(
        api,
        name,
        {
            "README.md": CARD.format(**OLD),
            "config.json": '{"hidden_size": 20, "transformers_version": "5.1.0"}',
            "params.yaml": "train:\n  learning_rate: 1.0e-4  # classic\n  epochs: 3\nlabels: [no, yes]\n",
            "model.safetensors": tensors("F32", "embed", "head"),
            "reports/train.json": json.dumps(record),
            "vocab.txt": "".join(f"word{number}\n" for number in range(50)),
            "gone.bin": b"\0\1" * 50,
        },
    )
    api.create_tag(name, tag="v1.0")
    new = OLD | {"licence": "apache-2.0", "tags": "a, b", "f1": 0.9, "f1_ends": "[0.88, 0.92]"}
    record[0] |= {"environment": {"torch": "2.2.0", "device": "cpu"}}
    commit(
        api,
        name,
        {
            "README.md": CARD.format(**new | {"loss": "Cross entropy", "count": "200"}),
            "config.json": '{"hidden_size": 20, "transformers_version": "5.2.0", "extra": null}',
            "params.yaml": "train:\n  learning_rate: 5.0e-5\n  epochs: 3\nlabels: [no, yes]\n",
            "model.safetensors": tensors("F16", "embed", "head", "bias"),
            "reports/train.json": json.dumps(record),
            "vocab.txt": None,
            "assets/vocab.txt": "".join(f"word{number}\n" for number in range(50)),
            "gone.bin": None,
        },
        "Release 2",
    )
    api.create_tag(name, tag="v2.0")
    return name

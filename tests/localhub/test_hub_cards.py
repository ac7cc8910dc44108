"""validate-yaml: what stops a commit, what is remarked on."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from localhub.launch import Server
from tests.localhub.conftest import ROOT

GOOD = """---
license: apache-2.0
language: [en, pt, code]
library_name: transformers
pipeline_tag: text-classification
base_model: org/base
base_model_relation: adapter
datasets: [squad, org/data]
metrics: [f1]
tags: [a, "no"]
model-index:
- name: m
  results:
  - task: {type: text-classification}
    dataset: {name: D, type: org/data, revision: abc}
    metrics: [{type: f1, value: 0.5}, {type: accuracy, value: 0}]
---
# Card
"""


def validate(hub: Server, content: str, kind: str = "model") -> tuple[int, list[str], list[str]]:
    answer = httpx.post(f"{hub.url}/api/validate-yaml", json={"content": content, "repoType": kind})
    body = answer.json()
    return answer.status_code, *([item["message"] for item in body[key]] for key in ("errors", "warnings"))


def test_good_card(hub: Server) -> None:
    assert validate(hub, GOOD) == (200, [], [])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("apache-2.0", "apache2", '"license" must be one of [apache-2.0, mit'),
        ("apache-2.0", "[mit, nope]", '"license[1]" must be one of'),
        ("en, pt", "english, pt", '"language[0]" with value "english" is not valid'),
        ("en, pt", "no, 3", '"language[1]" must be a string'),
        ("org/base", "./models/base", '"base_model" with value "./models/base" is not valid'),
        ("org/base", "/tmp/x/base", '"base_model"'),
        ("adapter", "child", '"base_model_relation" must be one of'),
        ("squad, org", "data/raw/x.csv, org", '"datasets[0]" with value "data/raw/x.csv"'),
        ("[f1]", "[f1, 3]", '"metrics[1]" must be a string'),
        ("tags: [a,", "tags: a #", '"tags" must be an array'),
        ("metrics: [f1]", "widget: x", '"widget" must be an array'),
        ("metrics: [f1]", "new_version: a b", '"new_version" with value "a b" is not valid. Use a model id'),
        ("revision: abc", "config: 3", '"model-index[0].results[0].dataset.config" must be a string'),
        ("name: m", 'name: ""', '"model-index[0].name" is not allowed to be empty'),
        ("en, pt", "en, pt-BR", '"language[1]" must only contain lowercase characters'),
        ("en, pt", "en, xx", '"language[1]" with value "xx" is not valid'),
        ("name: m", "label: m", '"model-index[0].name" is required'),
        ("value: 0.5", "score: 1", '"model-index[0].results[0].metrics[0].value" is required'),
        ("type: org/data,", "", '"model-index[0].results[0].dataset.type" is required'),
        ("type: org/data,", "type: my own data,", '"model-index[0].results[0].dataset.type" with value'),
        (
            "task: {type: text-classification}",
            "task: {}",
            '"model-index[0].results[0].task.type" is required',
        ),
        ("- name: m\n  results:", "  name: m\n  results:", '"model-index" must be an array'),
        ("metrics: [f1]", "metrics: [f1", "Invalid YAML in README.md: "),
        ("metrics: [f1]", "license: mit", "Invalid YAML in README.md: found duplicate key"),
    ],
)
def test_errors(hub: Server, old: str, new: str, message: str) -> None:
    assert old in GOOD
    status, errors, _ = validate(hub, GOOD.replace(old, new))
    assert status == 400 and any(error.startswith(message) for error in errors), errors


def test_warnings(hub: Server) -> None:
    status, errors, warnings = validate(hub, "# no metadata\n")
    assert (status, errors) == (200, []) and warnings[0].startswith("empty or missing yaml metadata")
    status, errors, warnings = validate(hub, GOOD.replace("pipeline_tag: text", "pipeline_tag: txet"))
    assert (status, errors) == (200, []) and 'pipeline tag "txet-classification"' in warnings[0]


DATASET = """---
license: [cc-by-4.0, mit]
language: [en, fr]
pretty_name: Rows
tags: [a]
task_categories: [text-classification]
task_ids: [sentiment-classification]
size_categories: n<1K
annotations_creators: [crowdsourced]
multilinguality: [multilingual]
source_datasets: [original, squad]
configs:
- config_name: default
  default: true
  data_files:
  - {split: train, path: [data/a.csv, "data/b-*.csv"]}
  - {split: test, path: test.csv}
- config_name: other
  data_files: other.csv
dataset_info:
  config_name: default
  features: [{name: text, dtype: string}, {name: label, dtype: {class_label: {names: {"0": a}}}}]
  splits: [{name: train, num_bytes: 10, num_examples: 2}]
  download_size: 10
  dataset_size: 10
viewer: false
---
"""


def test_good_data_set_card(hub: Server) -> None:
    assert validate(hub, DATASET, "dataset") == (200, [], [])
    several = DATASET.replace("dataset_info:\n  config_name", "dataset_info:\n- config_name")
    assert validate(hub, several, "dataset") == (200, [], [])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cc-by-4.0, mit", "cc-by-4.0, cc0", '"license[1]" must be one of'),
        ("[en, fr]", "[en, FR]", '"language[1]" must only contain lowercase characters'),
        ("pretty_name: Rows", "pretty_name: [Rows]", '"pretty_name" must be a string'),
        ("[text-classification]", "[1]", '"task_categories[0]" must be a string'),
        ("n<1K", "1000", '"size_categories" must be a string'),
        ("- config_name: default\n  default", "- default", '"configs[0]" must be of type object'),
        ("default: true", "default: yes please", '"configs[0].default" must be a boolean'),
        ("data_files: other.csv", "data_files: 3", '"configs[1].data_files" must be an array'),
        ("split: test", "split: 1", '"configs[0].data_files[1].split" must be a string'),
        ("path: test.csv", "path: [1]", '"configs[0].data_files[1].path[0]" must be a string'),
        ("num_bytes: 10", "num_bytes: ten", '"dataset_info.splits[0].num_bytes" must be a number'),
        ("dataset_size: 10", "dataset_size: true", '"dataset_info.dataset_size" must be a number'),
    ],
)
def test_data_set_errors(hub: Server, old: str, new: str, message: str) -> None:
    assert old in DATASET
    card = DATASET.replace(old, new)
    if message.startswith('"configs[0]" must'):
        card = DATASET.replace(
            DATASET[DATASET.index("- config_name") : DATASET.index("- config_name: o")], "- x\n"
        )
    status, errors, _ = validate(hub, card, "dataset")
    assert status == 400 and any(error.startswith(message) for error in errors), errors


def test_data_set_warnings(hub: Server) -> None:
    card = DATASET.replace("n<1K", "small").replace("[sentiment-classification]", "[mine]")
    status, errors, warnings = validate(hub, card.replace("[text-classification]", "[ner]"), "dataset")
    assert (status, errors) == (200, [])
    assert [line.split(" is not in the official list: ")[0] for line in warnings] == [
        'The task_categories "ner"',
        'The task_ids "mine"',
        'The size_categories "small"',
    ]
    assert "datasets-cards" in validate(hub, "# none", "dataset")[2][0]


SPACE = """---
title: T
emoji: X
colorFrom: red
sdk: gradio
sdk_version: 5.0
app_port: 7860
pinned: false
---
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title", "title", None),
        (
            "red",
            '"#ff0000"',
            '"colorFrom" must be one of [red, yellow, green, blue, indigo, purple, pink, gray]',
        ),
        ("gradio", "flask", '"sdk" must be one of ['),
        ("pinned: false", "pinned: 1", '"pinned" must be a boolean'),
        ("7860", "http", '"app_port" must be a number'),
        ("title: T", "short_description: " + "s" * 60, None),
        (
            "title: T",
            "short_description: " + "s" * 61,
            '"short_description" length must be less than or equal to 60 characters long',
        ),
    ],
)
def test_space_cards(hub: Server, old: str, new: str, message: str | None) -> None:
    status, errors, _ = validate(hub, SPACE.replace(old, new), "space")
    assert (status, errors) == (200, []) if message is None else errors[0].startswith(message), errors


def test_a_commit_of_an_invalid_card_is_refused(api: HfApi, repo_id: str) -> None:
    """The client asks before it commits; whoever does not ask is told then."""
    bad = GOOD.replace("org/base", "/tmp/x/base").encode()
    add = [CommitOperationAdd("README.md", bad), CommitOperationAdd("w.txt", b"w")]
    with pytest.raises(ValueError, match=r"Invalid metadata in README\.md"):
        api.create_commit(repo_id, add, commit_message="x")
    lines = [
        {"key": "header", "value": {"summary": "x"}},
        {"key": "file", "value": {"path": "w.txt", "content": "w"}},
        {"key": "file", "value": {"path": "README.md", "content": bad.decode()}},
    ]
    for rest in ("", "?create_pr=1"):
        answer = httpx.post(
            f"{api.endpoint}/api/models/{repo_id}/commit/main{rest}",
            content="\n".join(json.dumps(line) for line in lines),
            headers={"Authorization": f"Bearer {api.token}"},
        )
        assert answer.status_code == 400 and '"base_model" with value "/tmp/x/base"' in answer.json()["error"]
    assert api.list_repo_files(repo_id) == [".gitattributes"]
    assert not list(api.get_repo_discussions(repo_id))
    elsewhere = [CommitOperationAdd("docs/README.md", bad)]
    api.create_commit(repo_id, elsewhere, commit_message="only the card of the repository is one")


GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.md"))


@pytest.mark.parametrize("card", GOLDEN, ids=lambda path: path.stem)
def test_the_cards_of_our_own_releases_pass(hub: Server, card: Path) -> None:
    status, errors, warnings = validate(hub, card.read_text())
    assert (status, errors, warnings) == (200, [], [])


def test_plain_text_answer(hub: Server) -> None:
    """What `RepoCard.validate` asks for and shows."""
    answer = httpx.post(
        f"{hub.url}/api/validate-yaml",
        json={"content": GOOD.replace("apache-2.0", "x"), "repoType": "model"},
        headers={"Accept": "text/plain"},
    )
    assert answer.status_code == 400 and answer.text.startswith('- Error: "license" must be one of')


def test_hostile_yaml_is_refused_quickly(hub: Server) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [*{old},*{old},*{old},*{old},*{old},*{old},*{old},*{old}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for block in (
        bomb,
        "a: &a [*a]\n",
        "x: " + "[" * 5000 + "\n",
        "x: !!python/object/apply:os.system [id]\n",
        "- 1\n",
    ):
        status, errors, _ = validate(hub, f"---\n{block}---\n")
        assert status == 400 and errors

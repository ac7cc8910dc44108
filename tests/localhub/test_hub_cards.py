"""validate-yaml: what stops a commit, what is remarked on."""

from __future__ import annotations

import httpx
import pytest

from localhub.launch import Server

GOOD = """---
license: apache-2.0
language: [en, pt-BR, code]
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
        ("en, pt-BR", "english, pt-BR", '"language[0]" with value "english" is not valid'),
        ("en, pt-BR", "no, 3", '"language[1]" must be a string'),
        ("org/base", "./models/base", '"base_model" with value "./models/base" is not valid'),
        ("org/base", "/tmp/x/base", '"base_model"'),
        ("adapter", "child", '"base_model_relation" must be one of'),
        ("squad, org", "data/raw/x.csv, org", '"datasets[0]" with value "data/raw/x.csv"'),
        ("[f1]", "f1", '"metrics" must be an array'),
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
        ("metrics: [f1]", "metrics: [f1", "Invalid YAML in the metadata (line"),
        ("metrics: [f1]", "license: mit", "Invalid YAML in the metadata"),
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


def test_data_set_cards_have_their_own_rules(hub: Server) -> None:
    card = "---\nlicense: mit\ntask_categories: [text-classification]\npretty_name: X\n---\n"
    assert validate(hub, card, "dataset") == (200, [], [])
    assert validate(hub, card.replace("mit", "x"), "dataset")[0] == 400


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

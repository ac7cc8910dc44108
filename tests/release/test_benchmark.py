"""Beside the model goes a result on a benchmark, and the text of a licence of one's own; nothing else new."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import EvalResultEntry, parse_eval_result_entries
from ruamel.yaml import YAML

from stages.core.benchmarks import chosen, tasks_of
from stages.core.errors import PipelineError
from stages.release import receipt
from stages.release.benchmark import rendered, with_result
from stages.release.contents import collect
from stages.release.edition import Edition
from tests import card_records
from tests.release import shelf
from tests.release.conftest import Desk
from tests.tiny import write_params

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

SOURCE: dict[str, Any] = {
    "type": "hub",
    "repo_id": "org/questions",
    "commit": "ab" * 20,
    "splits": {"train": "train", "test": "test"},
    "benchmark": [{"id": "easy", "config": "default", "split": "test"}, {"id": "hard", "split": "held_out"}],
}


def test_the_tasks_of_an_eval_yaml() -> None:
    rows = "- {id: easy, config: default, split: test, field_spec: {input: q}}\n- id: b/c\n"
    assert tasks_of(f"name: Q\nevaluation_framework: inspect-ai\ntasks:\n{rows}") == [
        {"id": "easy", "config": "default", "split": "test"},
        {"id": "b/c"},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tasks: 3",
        "tasks: [3, {}, {id: 3}, {id: 'a b'}, {id: \"\\e[31m\"}, {id: [x]}]",
        "- a",
        "tasks: [",
        "tasks: *x",
        "[" * 5000,
        "tasks:\n" + "- {id: x}\n" * 10_000,
    ],
)
def test_what_is_no_eval_yaml_names_no_tasks(text: str) -> None:
    assert tasks_of(text) == []


def test_a_task_of_the_benchmark_on_its_own_rows() -> None:
    assert chosen("easy", SOURCE) == SOURCE["benchmark"][0]
    assert chosen("hard", SOURCE | {"splits": {"train": "train", "test": "held_out"}})["id"] == "hard"


@pytest.mark.parametrize(
    ("task", "changes", "expected"),
    [
        ("hrad", {}, r"card\.benchmark: org/questions has no task 'hrad'; its eval\.yaml has easy, hard$"),
        (
            "easy",
            {"benchmark": []},
            r"org/questions has no task 'easy'; it has no eval\.yaml with tasks: take",
        ),
        (
            "hard",
            {},
            r"data\.source\.splits\.test: is test, and the benchmark hard is scored on held_out: set",
        ),
        (
            "easy",
            {"splits": {"train": "train"}},
            r"data\.source\.splits\.test: is None, and the benchmark easy",
        ),
        (
            "easy",
            {"config": "small"},
            r"data\.source\.config: is small, and the benchmark easy is scored on def",
        ),
    ],
)
def test_other_rows_than_the_benchmarks_are_refused(
    task: str, changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(PipelineError, match=expected):
        chosen(task, SOURCE | changes)


def test_only_a_data_set_on_the_hub_is_a_benchmark(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"card: benchmark: is for a data set on the Hub"):
        write_params(tmp_path, card={"benchmark": "easy"})


def test_the_entry_is_what_the_hubs_client_reads() -> None:
    evaluation = card_records.full()["eval"]
    text = rendered("easy", SOURCE, evaluation, "https://huggingface.co/me/mine")
    found = evaluation["metrics"]["f1_macro"]
    (entry,) = parse_eval_result_entries(YAML(typ="safe").load(text))
    assert entry == EvalResultEntry(
        dataset_id="org/questions",
        task_id="easy",
        value=found["value"],
        dataset_revision="ab" * 20,
        source_url="https://huggingface.co/me/mine",
        source_name="Model card and records",
        notes=f"f1_macro, 95 % interval {found['low']:.4g} to {found['high']:.4g}, n = 790;"
        " fine-tuned on this data set",
    )
    assert "date" not in text and "verifyToken" not in text
    assert "source" not in rendered("easy", SOURCE, evaluation, None)
    odd = SOURCE | {"commit": "1" * 40}
    assert (
        YAML(typ="safe").load(rendered("easy", odd, evaluation, None))[0]["dataset"]["revision"] == "1" * 40
    )


def scored(desk: Desk) -> Edition:
    """The desk's edition, on a benchmark."""
    edition = desk.edition()
    score = {"metric": "accuracy", "metrics": {"accuracy": {"value": 0.5, "low": 0.2, "high": 0.8, "n": 8}}}
    evaluation = edition.evaluation | score | {"bootstrap": {"confidence": 0.95}}
    return replace(edition, data=edition.data | {"source": SOURCE}, evaluation=evaluation)


def test_a_release_on_a_benchmark_carries_its_result_and_only_then(desk: Desk) -> None:
    path = ".eval_results/questions.yaml"
    plain = scored(desk)
    assert with_result(plain, None, desk.hub, desk.layout) is plain
    edition = with_result(plain, "easy", desk.hub, desk.layout)
    commit = desk.deliver(edition=edition)
    assert desk.files() == set(plain.content) | {path}
    assert f'url: "{desk.hub.endpoint}/{desk.hub.repo_id}"' in desk.text(path)
    held = shelf.receipt(desk.layout)
    assert receipt.says(held, desk.target.name, edition) and not receipt.says(held, desk.target.name, plain)
    again = with_result(plain, "easy", desk.hub, desk.layout)
    assert again.content == edition.content and desk.deliver(edition=again) == commit
    # What others put there stays; ours goes when it is no longer stated.
    desk.put(".eval_results/others.yaml", "- dataset: {id: a/b, task_id: c}\n  value: 1\n")
    desk.deliver(edition=plain)
    assert desk.files() == set(plain.content) | {".eval_results/others.yaml"}


def test_a_licences_text_is_published_when_the_card_links_to_it(desk: Desk) -> None:
    layout = desk.layout
    text = layout.card.read_text()
    layout.card.with_name("LICENSE").write_text("All may use it.\n")
    assert "LICENSE" not in collect(layout, "full")
    own = "license: other\nlicense_name: mine\nlicense_link: LICENSE\n"
    layout.card.write_text(text.replace("license: mit\n", own))
    shelf.sign(layout)
    desk.deliver()
    assert desk.text("LICENSE") == "All may use it.\n"
    layout.card.write_text(text + "\nlicense_link: LICENSE\n")
    assert "LICENSE" not in collect(layout, "full")
    layout.card.write_text(text.replace("license: mit\n", own.replace("LICENSE", "LICENSE.md")))
    with pytest.raises(PipelineError, match=r"LICENSE\.md is missing"):
        collect(layout, "full")

"""Predictions as they are published, and every score from them again."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.files import sha256
from stages.core.records import Record
from stages.evidence import scoring
from stages.evidence.published import Predictions, published, read, salted, write
from stages.evidence.recompute import differences, recompute
from tests.evidence.test_scoring import BOOTSTRAP, CASES, predictions


def release(folder: Path, case: str) -> tuple[Path, Path]:
    """The two files that a release holds of an evaluation."""
    task, _, _, _, labels, metric, _ = CASES[case]
    said, file, report = predictions(case), folder / "predictions.jsonl", folder / "eval.json"
    write(file, said)
    found = scoring.judge(said, scoring.Setting(task, labels, metric, BOOTSTRAP))
    drawn = {"resamples": 200, "confidence": 0.95, "seed": 1, "method": "in words"}
    about = {"task": task, "labels": labels, "metric": metric, "bootstrap": drawn}
    about["test"] = {"rows": len(said.ids)}
    records.write(report, {**found, **about, "predictions": {"sha256": sha256(file)}})
    return file, report


@pytest.mark.parametrize("case", CASES)
def test_every_score_comes_again_from_what_is_published(case: str, tmp_path: Path) -> None:
    file, report = release(tmp_path, case)
    assert read(file) == predictions(case)
    found, metric, numbers = recompute(file, report)
    assert metric == CASES[case][5]
    assert numbers > 20
    recorded = records.read(report, "evaluate")
    assert {key: recorded[key] for key in found} == found


@pytest.mark.parametrize(
    "pointer", ["/metrics/f1_macro/low", "/baselines/worse one/comparison/difference", "/confusion/0/1"]
)
def test_a_number_that_the_predictions_do_not_give_is_named(pointer: str, tmp_path: Path) -> None:
    file, report = release(tmp_path, "class")
    record = records.read(report, "evaluate")
    node: Any = record
    *path, last = pointer.split("/")[1:]
    for part in path:
        node = node[int(part)] if isinstance(node, list) else node[part]
    node[int(last) if isinstance(node, list) else last] += 0.001
    records.write(report, record)
    with pytest.raises(PipelineError, match=f"{pointer} is .*, and the predictions give"):
        recompute(file, report)


def test_a_prediction_that_was_changed_is_found_before_any_score(tmp_path: Path) -> None:
    file, report = release(tmp_path, "class")
    file.write_text(file.read_text().replace('"predicted": "a"', '"predicted": "b"', 1))
    with pytest.raises(PipelineError, match=r"is not the file that .* was worked out from"):
        recompute(file, report)


def test_another_machines_last_digit_is_no_difference() -> None:
    assert not list(differences({"a": [0.123456, None]}, {"a": [0.123457, None]}, ""))
    assert list(differences({"a": 0.12345}, {"a": 0.12346}, "")) == [
        "/a is 0.12346, and the predictions give 0.12345"
    ]
    assert list(differences({"a/b": 1}, {}, "")) == ["/a~1b is None, and the predictions give 1"]
    assert list(differences(True, 1, "/x")) == []  # JSON has both, and == says so: what counts is the value


def test_no_text_is_published_of_text_to_text(tmp_path: Path) -> None:
    file, _ = release(tmp_path, "text")
    assert "cat" not in file.read_text() and "dog" not in file.read_text()


def test_probabilities_are_rounded_before_they_are_scored_and_only_the_models_are_published() -> None:
    said: list[Record] = [{"predicted": "a", "probabilities": [2 / 3, 1 / 3]}]
    assert published("class", said, ["a"], whole=True) == [
        {"predicted": "a", "probabilities": [0.666667, 0.333333]}
    ]
    assert published("class", said, ["a"]) == [{"predicted": "a"}]
    assert published("number", [{"predicted": 0.1234564}], [0.1]) == [{"predicted": 0.123456}]


def test_salted_ids_are_those_of_these_rows_alone() -> None:
    one, other = salted(["1", "2"], b"rows"), salted(["1", "2"], b"other rows")
    assert len({*one, *other}) == 4
    assert one == salted(["1", "2"], b"rows")
    assert all(len(id_) == 16 and int(id_, 16) >= 0 for id_ in one)


def test_all_columns_come_back(tmp_path: Path) -> None:
    said = Predictions(
        ids=["x", "y"],
        references=["a", "b"],
        model=[{"predicted": "a"}, {"predicted": "b"}],
        baselines={"linear": [{"predicted": "b"}, {"predicted": "b"}]},
        slices={"length": ["1-5", "6-9"], "source": ["", "naïve\u2028line"]},
        stressed={"typos": [{"predicted": "a"}, {"predicted": "a"}]},
        previous=[{"predicted": "b"}, {"predicted": "a"}],
    )
    write(tmp_path / "file.jsonl", said)
    assert read(tmp_path / "file.jsonl") == said


@pytest.mark.parametrize("text", ["", "{}\n", "[]\n", '{"id": "x"}\n', "not json\n"])
def test_a_file_of_something_else_is_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(PipelineError, match="not published predictions"):
        read(tmp_path / "file")
    with pytest.raises(PipelineError, match="is missing"):
        read(tmp_path / "nothing")


def test_what_changes_and_the_release_before_are_compared_too() -> None:
    said = predictions("class")
    more = Predictions(
        said.ids, said.references, said.model,
        stressed={"typos": said.baselines["worse one"]}, previous=said.baselines["worse one"],
    )  # fmt: skip
    found = scoring.judge(more, scoring.Setting("text-classification", ["a", "b"], "f1_macro", BOOTSTRAP))
    assert found["stressed"]["typos"]["comparison"]["verdict"] == "better"
    assert found["previous"]["comparison"] == found["stressed"]["typos"]["comparison"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("previous", {"metrics": {}}),
        ("stressed", {"typos": {"metrics": {"accuracy": {"value": 0.99}}}}),
        ("per_region", {"north": 0.9}),
    ],
)
def test_what_no_prediction_is_behind_is_not_confirmed(key: str, value: Any, tmp_path: Path) -> None:
    file, report = release(tmp_path, "class")
    records.write(report, records.read(report, "evaluate") | {key: value})
    with pytest.raises(PipelineError, match=f"/{key} is .*, and the predictions give None"):
        recompute(file, report)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda record: record["test"].update(rows=10**6), "/test/rows is not the 40 rows"),
        (lambda record: record.pop("predictions"), "does not say how to score again"),
        (lambda record: record.update(task="mind reading"), "does not say how to score again"),
        (lambda record: record["bootstrap"].clear(), "does not say how to score again"),
    ],
)
def test_a_record_that_does_not_suffice_is_one_line(change: Any, words: str, tmp_path: Path) -> None:
    file, report = release(tmp_path, "class")
    record = records.read(report, "evaluate")
    change(record)
    records.write(report, record)
    with pytest.raises(PipelineError, match=words) as caught:
        recompute(file, report)
    assert "\n" not in str(caught.value)
    with pytest.raises(PipelineError, match="is missing"):
        recompute(tmp_path / "none.jsonl", report)
    with pytest.raises(PipelineError, match="is missing"):
        recompute(file, tmp_path / "none.json")


def test_slices_come_again_whatever_the_order_of_their_columns(tmp_path: Path) -> None:
    said = predictions("class")
    columns = {"length": ["1-9", "10-20"] * 20, "category": ["x", "y", "z", "x"] * 10}
    said = replace(said, slices=columns)
    file, report = tmp_path / "predictions.jsonl", tmp_path / "eval.json"
    write(file, said)
    setting = scoring.Setting("text-classification", ["a", "b"], "f1_macro", BOOTSTRAP)
    about = {"task": "text-classification", "labels": ["a", "b"], "metric": "f1_macro"}
    about |= {"bootstrap": {"resamples": 200, "confidence": 0.95, "seed": 1}, "test": {"rows": 40}}
    records.write(report, scoring.judge(said, setting) | about | {"predictions": {"sha256": sha256(file)}})
    found, _, _ = recompute(file, report)
    assert [part["column"] for part in found["slices"]] == ["label"] * 2 + ["category"] * 3 + ["length"] * 2

"""The card's snippet: written for each task, run as a stranger would, compared with what it once printed."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from stages.core import records
from stages.core.errors import PipelineError
from stages.core.layout import Layout
from stages.core.schema import Card, Hub
from stages.release.rehearsal import Repository, rehearse
from stages.release.snippet import code, compare, examples, widget
from stages.release.wording import TASKS
from tests import families
from tests.release import shelf

TEMPLATES = Path(__file__).parents[2] / "model_cards/templates"
HUB = Hub(repo_id="tests/tiny", version="0.1.0")


def card(**given: Any) -> Card:
    return Card.model_validate({"title": "t", "language": "en", "data": {"name": "d"}, **given})


def described(task: str, **more: Any) -> dict[str, Any]:
    """What train.json says of a full model, as far as the snippet asks."""
    labels = {"labels": ["bad", "good"]} if "class" in task else {}
    own = {"type": task, "max_length": 24, "prefix": "", "max_target_length": 8, "num_beams": 1, **labels}
    more = {"tokenizer": {"fast": True}, **more}
    return {"task": own, "lora": None, "model": {"files": {}}, "base": {}, **more}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_snippet_that_is_python_and_names_the_release(task: str) -> None:
    given = described(task)
    asked = examples(card(), {}, given)
    written = code(TEMPLATES, HUB, given, asked)
    compile(written, task, "exec")
    assert '"tests/tiny"' in written and '"v0.1.0"' in written
    assert "\n\n\n" not in written and all(line == line.rstrip() for line in written.splitlines())


def test_examples_cannot_be_anything_but_texts(tmp_path: Path) -> None:
    hostile = ['"]\nimport os\n[""', "```\n# out", "{{ 7 * 7 }}", "\u202eevil\u2028", "\\", "a\x00b"]
    given = described("text-classification")
    written = code(TEMPLATES, HUB, given, examples(card(examples=hostile), {}, given))
    assert "`" not in written and written.isascii()
    names: dict[str, Any] = {}
    exec(written[written.index("texts = ") : written.index("answers")], names)
    assert names["texts"] == hostile


def test_examples_have_the_form_of_the_data() -> None:
    pair, one = card(examples=[["a", "b"]]), card(examples=["a"])
    given = described("text-classification")
    assert examples(pair, {"pairs": True}, given) == [["a", "b"]]
    with pytest.raises(PipelineError, match=r"card\.examples\.0: should be two texts"):
        examples(one, {"pairs": True}, given)
    with pytest.raises(PipelineError, match=r"card\.examples\.0: should be one text"):
        examples(pair, {}, given)
    with pytest.raises(PipelineError, match=r"card\.examples\.0: should hold \{mask\}"):
        examples(one, {}, described("masked-lm"))


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_snippet_runs_on_the_saved_folder_before_there_is_any_hub(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_ofaperson")
    (tmp_path / "work").mkdir()
    layout: Layout = shelf.make(tmp_path / "work", method)
    train = records.read(layout.train_report, "train")
    train |= {"lora": {"r": 2} if method == "lora" else None, "tokenizer": {"fast": True}}
    written = code(TEMPLATES, HUB, train, ["a superb film", "an awful book"])
    ours = [Repository("tests/tiny", "v0.1.0", layout.trained)]
    base = [Repository("tests/tiny-bert", "0" * 40, layout.base)] if method == "lora" else []
    found = rehearse(written, ours + base, threads=1)
    assert len(found["printed"].splitlines()) == len(found["answers"]) == 2
    assert all(answer["label"] in ("bad", "good") for answer in found["answers"])
    shown = widget(["a superb film", "an awful book"], found["answers"])
    assert [one["text"] for one in shown] == ["a superb film", "an awful book"]
    assert shown[0]["output"] == [
        {"label": found["answers"][0]["label"], "score": round(found["answers"][0]["score"], 4)}
    ]
    if method == "full":
        with pytest.raises(PipelineError, match="the snippet of the card does not run: "):
            rehearse(written.replace("v0.1.0", "v0.2.0"), ours, threads=1)


def test_what_is_generated_is_the_widgets_output(tmp_path: Path) -> None:
    families.write_family("gpt2", tmp_path / "model", families.texts())
    written = code(TEMPLATES, HUB, described("causal-lm"), ["The old teacher"])
    found = rehearse(written, [Repository("tests/tiny", "v0.1.0", tmp_path / "model")], threads=1)
    assert found["printed"] == found["answers"][0] + "\n"
    assert widget(["The old teacher"], found["answers"])[0]["output"]["text"].startswith("The old teacher")


def test_widgets_hold_what_the_hub_has_a_place_for() -> None:
    labels = [{"label": "a", "score": 0.123456}, {"label": "b", "score": 1}]
    assert widget(["x", "y"], [labels, labels[0]]) == [
        {"text": "x", "output": [{"label": "a", "score": 0.1235}, {"label": "b", "score": 1.0}]},
        {"text": "y", "output": [{"label": "a", "score": 0.1235}]},
    ]
    assert widget(["x"], [[]]) == [{"text": "x"}]  # no label holds
    assert widget(["x"], None) == [{"text": "x"}]
    assert widget([["a", "b"]], [labels]) == []
    assert json.loads(json.dumps(widget(["x"], ["text"]))) == [{"text": "x", "output": {"text": "text"}}]


def test_only_the_last_digits_of_printed_numbers_may_differ() -> None:
    then = "{'label': 'positive', 'score': 0.99866}\nv2 of 3\n"
    compare(then, then)
    compare(then.replace("0.99866", "0.9986599"), then)
    with pytest.raises(PipelineError, match=r"prints 0\.9976 where the card says 0\.99866"):
        compare(then.replace("0.99866", "0.9976"), then)
    for other in (then.replace("positive", "negative"), then + "more", then.replace("of 3", "of 4")):
        with pytest.raises(PipelineError, match=r"prints .*, and the card says"):
            compare(other, then)


def test_a_python_that_was_found_by_a_relative_path_is_found_from_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`PATH=.venv/bin:$PATH dvc repro`: the snippet runs in another folder."""
    monkeypatch.setattr(sys, "executable", os.path.relpath(sys.executable))
    assert rehearse("print(1 + 1)", [], 1)["printed"] == "2\n"

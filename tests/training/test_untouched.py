"""The base as a rung of the ladder: where it can do the task, and what it says then."""

import json
from pathlib import Path

import pytest
import torch
import transformers

from stages.core.task_section import Task as Settings
from stages.tasks.rows import Rows
from stages.tasks.table import TASKS
from stages.training.untouched import untouched
from tests import families

TEXTS = families.texts(12)
ROWS = Rows([str(i) for i in range(12)], TEXTS, None, ["good", "bad"] * 6)


def write(folder: Path, family: str, head: str | None = None, **config: object) -> Path:
    families.write_family(family, folder, families.texts(), head=head)
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | config))
    return folder


def settings(task: str, **given: object) -> Settings:
    return Settings.model_validate({"type": task, "max_length": 24, **given})


@pytest.mark.parametrize(
    ("family", "task"),
    [("bert", "masked-lm"), ("gpt2", "causal-lm"), ("t5", "seq2seq"), ("marian", "seq2seq")],
)
def test_a_base_that_was_trained_for_the_task_does_it(family: str, task: str, tmp_path: Path) -> None:
    base = write(tmp_path / "base", family)
    rows = Rows(ROWS.ids, TEXTS, None, TEXTS if task == "seq2seq" else [None] * 12)
    found = untouched(TASKS[task], settings(task), base, rows)
    assert found is not None and len(found.predicted) == 12
    assert found.facts["parameters"] > 1000
    assert found == untouched(TASKS[task], settings(task), base, rows)


@pytest.mark.parametrize(("family", "head"), [("bert", "masked-lm"), ("bert", "text-regression")])
def test_a_base_without_such_outputs_does_not(family: str, head: str, tmp_path: Path) -> None:
    base = write(tmp_path / "base", family, head)
    given = settings("text-classification", labels=["bad", "good"])
    assert untouched(TASKS["text-classification"], given, base, ROWS) is None


def test_a_base_whose_head_would_be_drawn_at_random_does_not(tmp_path: Path) -> None:
    base = write(tmp_path / "base", "bert", "text-classification")
    rows = Rows(ROWS.ids, TEXTS, None, [None] * 12)
    assert untouched(TASKS["masked-lm"], settings("masked-lm"), base, rows) is None


def test_outputs_are_told_by_name_whatever_their_order(tmp_path: Path) -> None:
    names = {"id2label": {"0": "good", "1": "bad"}, "label2id": {"good": 0, "bad": 1}}
    base = write(tmp_path / "base", "bert", "text-classification", **names)
    given = settings("text-classification", labels=["bad", "good"])
    found = untouched(TASKS["text-classification"], given, base, ROWS)
    assert found is not None
    model = transformers.AutoModelForSequenceClassification.from_pretrained(base).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    with torch.inference_mode():
        logits = model(**tokenizer(TEXTS[0], return_tensors="pt")).logits[0]
    good, bad = logits.softmax(-1).tolist()
    assert found.predicted[0]["probabilities"] == pytest.approx([bad, good], abs=1e-5)
    assert found.predicted[0]["predicted"] == ("good" if good > bad else "bad")
    stranger = settings("text-classification", labels=["bad", "worse"])
    assert untouched(TASKS["text-classification"], stranger, base, ROWS) is None

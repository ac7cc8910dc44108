"""The card's snippets on texts longer than the model was trained to read: they do what the card says."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from stages.core.task_section import Task
from stages.release.templates import environment
from stages.release.wording import TASKS as WORDS
from stages.tasks import inference
from stages.tasks.table import TASKS
from tests import corpora, families

TEMPLATES = Path(__file__).parents[2] / "model_cards/templates"
BEYOND = "{% block beyond %}are cut there{% endblock %}"
LONG = "le film est superbe " * 20


def parts(
    folder: Path, own: Task, fast: bool = True, entities: bool = True, before: str = ""
) -> tuple[str, str]:
    """What the snippet does with a model once it is loaded, asked about a long text; and what the card says
    of long texts."""
    shutil.copytree(TEMPLATES / "en", folder / "en")
    shutil.copytree(TEMPLATES / "use", folder / "use")
    (folder / "card.en.md").write_text(BEYOND)
    (folder / "use/load.jinja").write_text(f"texts = [{before + LONG!r}]\n{{% block ask %}}{{% endblock %}}")
    train = {"task": own.described(), "tokenizer": {"fast": fast}}
    evaluation = {"labels": own.labels} | ({"per_entity": {"PER": {}}} if entities else {})
    within = environment(folder)
    said = within.get_template(f"en/{own.type}.md").render(train=train, evaluation=evaluation, data={})
    snippet = within.get_template(f"use/{own.type}.jinja").render(train=train, entities=entities)
    return snippet, said.strip()


def model(folder: Path, family: str, own: Task) -> Any:
    families.write_family(family, folder, corpora.texts(), head=own.type)
    return inference.load(folder, folder, TASKS[own.type], own)


def asked(model: Any, tokenizer: Any, own: Task, snippet: str, capsys: pytest.CaptureFixture[str]) -> str:
    from transformers import pipeline

    run = pipeline(WORDS[own.type].pipeline, model=model, tokenizer=tokenizer)
    exec(snippet, {"run": run})
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("family", "stride", "entities", "says"),
    [
        ("bert", 0, True, "are cut there"),
        ("bert", 8, True, "are read in windows of that length, which share 8 tokens"),
        ("bert", 8, False, "are to be given in windows"),
        ("flaubert", 8, True, "are to be given in windows"),
    ],
)
def test_tags_of_a_long_text_end_where_the_card_says(
    family: str, stride: int, entities: bool, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = ["B-PER", "O"]
    own = Task(type="token-classification", max_length=24, stride=stride, labels=labels)
    fine_tuned, tokenizer = model(tmp_path / "model", family, own)
    fine_tuned.config.id2label = dict(enumerate(labels))
    with torch.no_grad():
        fine_tuned.classifier.bias.copy_(torch.tensor([99.0, 0.0]))  # every word is a person
    snippet, said = parts(tmp_path / "card", own, tokenizer.is_fast, entities)
    assert said.startswith(says)
    found = asked(fine_tuned, tokenizer, own, snippet, capsys).split().count("film")
    assert found == 20 if said.startswith("are read in windows") else 3 <= found <= 6


def test_a_gap_is_filled_in_a_long_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = Task(type="masked-lm", max_length=24)
    fine_tuned, tokenizer = model(tmp_path / "model", "camembert", own)
    snippet, said = parts(tmp_path / "card", own, before="{mask} ")
    answer = asked(fine_tuned, tokenizer, own, snippet, capsys).splitlines()
    assert len(answer) == 4 and answer[0].startswith(
        "<mask> le film"
    )  # the text and three ways to fill its gap
    assert said == "are to be given in pieces of that length (the snippet reads the first one)"

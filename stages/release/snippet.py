"""The card's snippet: its code, and what it prints when it is run."""

import re
from pathlib import Path
from typing import Any

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.schema import Card, Hub
from stages.release.languages import LANGUAGES
from stages.release.templates import environment
from stages.release.wording import TASKS
from stages.release.words import Example
from stages.tasks.entity_tags import are_entities

TOLERANCE = 1e-4  # of a printed number, relative above 1; another processor's arithmetic stays well below
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def examples(card: Card, data: Record, train: Record) -> list[Example]:
    """What the model is asked: `card.examples`, or a text that says that it is one.

    Raises PipelineError for examples of another form than the data has.
    """
    task, pairs = train["task"]["type"], bool(data.get("pairs"))
    for number, example in enumerate(card.examples):
        if isinstance(example, list) != pairs:
            form = "two texts in brackets, [first, second]" if pairs else "one text"
            raise PipelineError(f"card.examples.{number}: should be {form}, as the data are")
        if TASKS[task].pipeline == "fill-mask" and "{mask}" not in example:
            raise PipelineError(f"card.examples.{number}: should hold {{mask}}, the place to fill in")
    return list(card.examples) or LANGUAGES[_spoken(card)].words.examples["pairs" if pairs else task]


def _spoken(card: Card) -> str:
    """The language to ask in: the card's, unless the model speaks another one that there are words in."""
    known = (card.language, *LANGUAGES)
    return next((language for language in known if language in card.languages), card.language)


def code(templates: Path, hub: Hub, train: Record, asked: list[Example]) -> str:
    """The Python that a reader copies: it loads this release and asks it the examples."""
    task = train["task"]["type"]
    facts = {
        "hub": hub.model_dump(),
        "train": train,
        "task": TASKS[task],
        "entities": are_entities(train["task"].get("labels") or []),
        "examples": asked,
    }
    return str(environment(templates).get_template(f"use/{task}.jinja").render(facts)).strip() + "\n"


def widget(asked: list[Example], answers: Any) -> list[Record]:
    """The examples with the model's answers, as the Hub's page shows them; none for pairs of texts.

    An answer that is a label with its score, several of them, or a text has a place there
    (https://huggingface.co/docs/hub/models-widgets-examples#example-outputs); others are left out.
    """
    texts = [example for example in asked if isinstance(example, str)]
    shown = answers if isinstance(answers, list) and len(answers) == len(texts) else [None] * len(texts)
    found: list[Record] = []
    for text, answer in zip(texts, shown, strict=True):
        if isinstance(answer, str):
            found.append({"text": text, "output": {"text": answer}})
        elif scores := _scores(answer):
            found.append({"text": text, "output": scores})
        else:
            found.append({"text": text})
    return found


def _scores(answer: Any) -> list[Record]:
    several = answer if isinstance(answer, list) else [answer]
    if not all(isinstance(one, dict) and {"label", "score"} <= one.keys() for one in several):
        return []
    return [{"label": str(one["label"]), "score": round(float(one["score"]), 4)} for one in several]


def compare(now: str, then: str) -> None:
    """Raise PipelineError unless the snippet prints what it printed before, numbers within TOLERANCE."""
    if _NUMBER.sub("#", now) != _NUMBER.sub("#", then):
        raise PipelineError(f"the snippet of the card prints {_short(now)}, and the card says {_short(then)}")
    for new, old in zip(_NUMBER.findall(now), _NUMBER.findall(then), strict=True):
        if abs(float(new) - float(old)) > TOLERANCE * max(1.0, abs(float(old))):
            raise PipelineError(f"the snippet of the card prints {new} where the card says {old}")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 200 else f"{line[:200]}…")

"""The card of each task, in each language: golden files, and nothing lost in translation.

After a wanted change of the card, `python -m tests.test_card_tasks` writes tests/golden/card_TASK_*.md anew:
read the diff.
"""

import copy
import functools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from stages.core.errors import PipelineError
from stages.core.tasks import TASK_TYPES
from stages.evidence.mistakes import mistakes
from stages.evidence.scoring import DETAILS
from stages.release.card import RECORDS, render
from stages.release.checking import released
from stages.release.languages import LANGUAGES
from stages.release.measured import MEASURED
from stages.release.sidecar import describe, dumped, sources
from stages.release.templates import environment, evaluate
from stages.release.traced import MarkdownText, trace
from tests import card_records
from tests.card_records import Record
from tests.card_tasks import METHODS, SPEED, TASKS, TEMPLATES, TRAINING, params, records

GOLDEN = Path(__file__).parent / "golden"
DIGESTS = {f"reports/{name}.json": "0" * 64 for name in (*RECORDS, *MEASURED)}
LINK = re.compile(r"\]\(([^)]*)\)")
OTHERS = sorted(LANGUAGES.keys() - {"en"})
# Every task in English and, of LoRA, some; in French those whose words differ most.
CARDS = [
    *((task, "full", "en") for task in TASKS),
    ("masked-lm", "lora", "en"),
    ("token-classification", "lora", "en"),
    ("text-classification", "full", "fr"),
    ("text-regression", "lora", "fr"),
    ("token-classification", "full", "fr"),
    ("seq2seq", "full", "fr"),
    ("causal-lm", "lora", "fr"),
]


def _compare_worse(found: Record) -> None:
    for baseline, verdict in zip(found["eval"]["baselines"].values(), ("worse", "inconclusive"), strict=True):
        baseline["comparison"]["verdict"] = verdict
    found["eval"]["previous"]["comparison"]["verdict"] = "same"


def _many_labels(found: Record) -> None:
    names = [f"class {number}" for number in range(25)]
    found["data"]["labels"] = found["eval"]["labels"] = names
    for split in found["data"]["splits"].values():
        split["labels"] = dict.fromkeys(names, 4)
    found["eval"]["per_class"] = dict.fromkeys(names, found["eval"]["per_class"]["sport"])


def _plain_tags(found: Record) -> None:
    scored = found["eval"].pop("per_entity")["LOC"]
    found["eval"]["labels"] = found["data"]["labels"] = ["NOUN", "VERB"]
    found["eval"]["per_class"] = {"NOUN": scored, "VERB": scored}
    for split in found["data"]["splits"].values():
        split["labels"] = {"NOUN": 9, "VERB": 7}
    for scores in (found["eval"], *found["eval"]["baselines"].values()):
        del scores["metrics"]["entity_precision"]


def _badly_trained(found: Record) -> None:
    found["eval"]["diagnosis"] |= {"verdict": "over_fitted", "over_confident": True}
    found["eval"]["diagnosis"]["advice"] = ["early_stopping", "more_data", "more_dropout"]
    found["train"]["hyperparameters"] |= {"dropout": 0.2, "early_stopping_patience": 2}
    found["train"]["parameters"]["trainable"] = 1000
    found["curve"]["law"] = {"informative": False}
    found["eval"]["release"] |= {"compared": False, "because": "rows"}
    found["eval"]["calibration"]["ece"]["expected"]["high"] = 0.5
    found["eval"]["calibration"]["scaled"]["at_bound"] = True


def _little_known(found: Record) -> None:
    found["data"]["source"] = {"type": "files"}
    found["train"]["base"] |= {"package": None}
    found["eval"] |= {"baselines": {}, "slices": [], "mistakes": []}
    found["data"] |= {"normalisation": [], "leaks": 1}
    del found["data"]["checks"]
    found["data"]["rows"]["rejected"] = {}
    del found["train"]["operations"]


def _unpinned(found: Record) -> None:
    del found["data"]["source"]["revision"]
    found["train"]["lora"] |= {"target_modules": ["query", "value"], "use_rslora": True}
    found["train"]["tokenizer"]["fast"] = False
    del found["eval"]["release"]


def _contested(found: Record) -> None:
    found["train"]["base"]["license"] = "cc-by-nc-4.0"
    found["data"]["source"] = {"type": "files"}


def _measured(found: Record) -> None:
    found["measured/speed"], found["measured/training"] = copy.deepcopy((SPEED, TRAINING))


VARIATIONS: dict[str, tuple[str, str, Callable[[Record], None]]] = {
    "nothing": ("text-classification", "full", lambda found: None),
    "worse": ("multi-label-classification", "lora", _compare_worse),
    "many labels": ("text-classification", "lora", _many_labels),
    "plain tags": ("token-classification", "full", _plain_tags),
    "badly trained": ("text-classification", "lora", _badly_trained),
    "little known": ("text-regression", "full", _little_known),
    "unpinned": ("token-classification", "lora", _unpinned),
    "contested": ("causal-lm", "full", _contested),
    "measured": ("seq2seq", "lora", _measured),
    "another licence": ("seq2seq", "full", lambda found: None),
}
# What such cards say that no record does.
SAID: dict[str, Record] = {
    "contested": {"license": "mit", "license_reason": "Whoever made the base allowed it."},
    "another licence": {
        "license": "other",
        "license_name": "House licence",
        "license_link": "https://example.org/licence",
        "repository": None,
    },
}
for _task, _method in product(TASKS, METHODS):
    VARIATIONS[f"{_task}, {_method}"] = (_task, _method, lambda found: None)


def rendered(task: str, method: str, language: str) -> MarkdownText:
    return varied(f"{task}, {method}", language)


@functools.cache
def varied(variation: str, language: str) -> MarkdownText:
    task, method, change = VARIATIONS[variation]
    asked = params(task, language=language, **SAID.get(variation, {}))
    found = records(task, method, asked)
    change(found)
    return render(TEMPLATES, asked.card, asked.hub, found, card_records.PROSE)


@pytest.mark.parametrize(("task", "method", "language"), CARDS)
def test_the_card_of_a_task_is_the_golden_one(task: str, method: str, language: str) -> None:
    golden = GOLDEN / f"card_{task}_{method}.{language}.md"
    assert rendered(task, method, language) == golden.read_text(encoding="utf-8")


def test_every_task_has_a_golden_card_in_english() -> None:
    assert {task for task, _, language in CARDS if language == "en"} == set(TASK_TYPES)
    assert {language for *_, language in CARDS} == set(LANGUAGES)


@pytest.mark.parametrize("task", TASKS)
def test_the_records_are_such_as_stages_write(task: str) -> None:
    """Scores, details and mistakes have the keys that stages/evidence gives them."""
    made, kind = TASKS[task], TASK_TYPES[task]
    assert set(made.scores) <= set(kind.metrics)
    said, true = PREDICTED[kind.label]
    assert set(DETAILS[kind.label](said, true, made.labels)) <= {*made.details, "confusion"}
    (worst, *_) = mistakes(kind.label, ["0f" * 8, "1f" * 8], said, true, made.labels)
    assert worst.keys() == made.mistakes[0].keys()


PREDICTED: dict[str, tuple[list[Record], list[Any]]] = {
    "class": ([{"predicted": "sport", "probabilities": [0.1, 0.8, 0.1]}] * 2, ["sport", "culture"]),
    "classes": ([{"predicted": ["joy"], "probabilities": [0.1, 0.8, 0.1, 0.2]}] * 2, [["joy"], ["anger"]]),
    "number": ([{"predicted": 1.0}, {"predicted": 2.0}], [1.0, 3.0]),
    "tags": ([{"predicted": ["O", "B-PER"]}] * 2, [["O", "B-PER"], ["B-LOC", "O"]]),
    "text": ([{"predicted": "a b"}, {"predicted": "c"}], ["a b", "d"]),
    "none": ([{"loss": 5.0, "tokens": 2, "hits": 0}] * 2, [None, None]),
}


def values(text: MarkdownText, language: str) -> Counter[str]:
    """The values in a text, as records' keys and the formats that made them, by how often they are there."""
    described = _described(text, language)
    return Counter(json.dumps([*_formats(value), *sources(value)], sort_keys=True) for value in described)


def _formats(expression: Any) -> Iterator[str]:
    """The formats that made a value, but for those that write words: which, is for a language to say."""
    if isinstance(expression, dict):
        own = expression.get("format", "said")
        yield from () if own in ("said", "text", "label") else (own,)
        yield from _formats(expression.get("of", []))
    elif isinstance(expression, list):
        for part in expression:
            yield from _formats(part)


def _described(text: MarkdownText, language: str) -> list[Record]:
    found: list[Record] = json.loads(dumped(describe(text, DIGESTS, "f" * 64, language, {})))["values"]
    return found


def assert_translated(other: MarkdownText, language: str, english: MarkdownText) -> None:
    """The same values, each as often, under as many headings, in as many tables, figures, folds and lists."""
    assert values(other, language) == values(english, "en")
    for mark in (r"^#+ ", r"^\|.*\|$", r"^!\[", r"^</?details>$", r"^```\w*$", r"^- ", r"^\*\*", r"^$"):
        found, wanted = (re.findall(mark, text, re.MULTILINE) for text in (other, english))
        assert len(found) == len(wanted), mark
    assert LINK.findall(other) == LINK.findall(english)
    assert "\n\n\n" not in other.strip() and not re.search(" $", other, re.MULTILINE)


@pytest.mark.parametrize(("variation", "language"), list(product(VARIATIONS, OTHERS)))
def test_nothing_is_lost_in_translation(variation: str, language: str) -> None:
    assert_translated(varied(variation, language), language, varied(variation, "en"))


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("answers", ["answers", "passes"])
def test_measurements_are_translated_too(answers: str, language: str) -> None:
    def said(tongue: str) -> MarkdownText:
        template = environment(TEMPLATES, tongue).get_template(f"{tongue}/measured.md")
        speed = trace(SPEED | {"answers": answers}, "reports/measured/speed.json")
        text = template.render(speed=speed, training=trace(TRAINING, "reports/measured/training.json"))
        assert isinstance(text, MarkdownText)
        return text

    assert_translated(said(language), language, said("en"))


@pytest.mark.parametrize(("task", "method", "language"), list(product(TASKS, METHODS, OTHERS)))
def test_every_value_is_made_again_in_its_language(task: str, method: str, language: str) -> None:
    asked = params(task, language=language)
    known = {f"reports/{name}.json": record for name, record in records(task, method, asked).items()}
    known["params.yaml"] = {"card": asked.card.model_dump(), "hub": asked.hub.model_dump()}
    within = environment(language=language)
    for value in _described(rendered(task, method, language), language):
        assert str(evaluate(within, value, known)) == value["text"]


@pytest.mark.parametrize(("task", "method"), list(product(TASKS, METHODS)))
def test_a_french_card_is_typeset_as_french(task: str, method: str) -> None:
    """Outside of code: no point in a decimal number, no breaking space before high punctuation, no comma
    between thousands; and nothing of records left in English."""
    body = str(rendered(task, method, "fr")).split("---\n", 2)[2]
    text = re.sub(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", "", body, flags=re.S)
    for own in card_records.PROSE.values():
        text = text.replace(own, "")
    others = r"^# .*$|v0\.1\.0|\b(vaderSentiment )?3\.3\.2|\b0\.1\.0|version\S*\d|<!--.*-->"
    versions = rf"{others}|^\| (python|torch|transformers) .*$"
    text = re.sub(versions, "", text, flags=re.M)
    assert not re.findall(r"\d\.\d|\d,\d{3},\d|.* [:;!?»](?: .*|$)|« |\w'\w", text, re.M)
    assert not re.findall(r"\b(the|of|rows|with|and|each|training|always)\b", text)


def test_the_front_matter_is_the_same_in_every_language() -> None:
    """Other tools read it, and the names of scores are part of what they compare."""
    for task, method in product(TASKS, METHODS):
        fronts = {str(rendered(task, method, name)).split("---\n", 2)[1] for name in LANGUAGES}
        assert len(fronts) == 1


def test_an_unknown_language_of_a_sidecar_is_no_sidecar(tmp_path: Path) -> None:
    text = rendered("causal-lm", "full", "fr")
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    (tmp_path / "card.json").write_text(dumped(describe(text, DIGESTS, "f" * 64, "xx", {})), encoding="utf-8")
    with pytest.raises(PipelineError, match="is not the sidecar of a card"):
        released(tmp_path)


if __name__ == "__main__":
    for task, method, language in CARDS:
        file = GOLDEN / f"card_{task}_{method}.{language}.md"
        file.write_text(rendered(task, method, language), encoding="utf-8")

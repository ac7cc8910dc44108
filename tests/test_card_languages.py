"""The languages of cards: each has words for the same keys, and its own way to write figures."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from stages.card import card, check
from stages.core.schema import Card
from stages.release import formats
from stages.release.card import render
from stages.release.checking import released
from stages.release.formats import said
from stages.release.languages import LANGUAGES
from stages.release.markdown import Markdown
from stages.release.sidecar import describe
from stages.release.snippet import examples
from stages.release.templates import environment, evaluate
from stages.release.traced import MarkdownText, trace
from stages.release.words import Words
from stages.release.words_en import ENGLISH
from stages.release.words_fr import FRENCH
from tests import card_records
from tests.card_records import Record
from tests.test_card import TEMPLATES
from tests.test_card_check import as_released, edit, written
from tests.test_card_sources import hostile
from tests.test_card_text import _Page

ROOT = Path(__file__).parents[1]
THIN = "\u202f"  # NARROW NO-BREAK SPACE
OTHERS = sorted(LANGUAGES.keys() - {"en"})


def test_the_languages_are_those_that_params_take() -> None:
    assert set(get_args(Card.model_fields["language"].annotation)) == set(LANGUAGES)


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_same_words(language: str) -> None:
    words = LANGUAGES[language].words
    for field in fields(Words):
        if field.name != "phrases":
            there, wanted = getattr(words, field.name), getattr(ENGLISH, field.name)
            assert there.keys() == wanted.keys(), field.name
    for name, (sentence, unit) in ENGLISH.rules.items():
        assert (words.rules[name][0].count("{}"), words.rules[name][1]) == (sentence.count("{}"), unit)
    for key, texts in ENGLISH.examples.items():
        assert [type(text) for text in words.examples[key]] == [type(text) for text in texts]
        assert ("{mask}" in str(words.examples[key])) == ("{mask}" in str(texts))
    for name, advice in ENGLISH.advice.items():
        assert re.findall("`.*?`", words.advice[name]) == re.findall("`.*?`", advice)


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_same_formats(language: str) -> None:
    names = {format.__name__ for format in LANGUAGES[language].formats}
    assert names >= {format.__name__ for format in formats.FORMATS}


FIGURES: list[tuple[str, tuple[Any, ...], str]] = [
    ("count", (22713986,), f"22{THIN}713{THIN}986"),
    ("count", (790,), "790"),
    ("score", (0.942,), "0,942"),
    ("score", (-1.5,), "−1,500"),
    ("score", (-0.0001,), "−0,0001"),
    ("score", (-0.0,), "0,000"),
    ("signed", (0.00042,), "+0,00042"),
    ("signed", (0.0,), "0,000"),
    ("signed", (0.1816,), "+0,182"),
    ("signed", (-0.0041,), "−0,004"),
    ("percent", (0.95,), f"95{THIN}%"),
    ("percent", (0.0123,), f"1,2{THIN}%"),
    ("percent", (0.0001,), f"moins de 0,1{THIN}%"),
    ("percent", (0.9999,), f"plus de 99,9{THIN}%"),
    ("p_value", (0.0004,), "p &lt; 0,001"),
    ("p_value", (0.0316,), "p = 0,032"),
    ("probability", (1e-60,), "&lt;\u00a00,001"),
    ("probability", (0.895,), "0,895"),
    ("number", (-1.55,), "−1,55"),
    ("number", (4.0,), "4"),
    ("short", (22713986,), f"22,7{THIN}M"),
    ("short", (32102,), f"32,1{THIN}k"),
    ("short", (7e9,), f"7{THIN}Md"),
    ("short", (30,), "30"),
    ("power", (1.25e13,), "1,2·10¹³"),
    ("times", (1,), "une fois"),
    ("times", (2,), "deux fois"),
    ("times", (3,), "3 fois"),
    (
        "law",
        ({"a": 4.2, "b": 0.534, "c": 0.01, "best": 1.0}, "macro-F1"),
        "1 − macro-F1 = 4,2·n^−0,534 + 0,01",
    ),
    ("value", (1e-4,), "`0.0001`"),  # as params.yaml writes it
    ("sentence", ("macro-F1",), "Macro-F1"),
    ("sentence", ("écart type",), "Écart type"),
    ("sentence", ("chrF",), "chrF"),
    ("sentence", ("ROUGE-1",), "ROUGE-1"),
    ("listed", (["a", "b", "c"],), "a, b et c"),
    ("listed", (["a", "b"], "ou"), "a ou b"),
    ("de", ("exactitude",), "d’exactitude"),
    ("de", ("perplexité",), "de perplexité"),
]


@pytest.mark.parametrize(("name", "arguments", "written"), FIGURES)
def test_figures_are_written_as_french_writes_them(
    name: str, arguments: tuple[Any, ...], written: str
) -> None:
    filters = {one.__name__: one for one in LANGUAGES["fr"].formats}
    made = filters[name](*arguments)
    assert str(made) == written
    assert isinstance(made, Markdown) or THIN not in made  # escaping would make an ordinary space of it


def test_what_is_written_in_french_is_made_again_from_its_record_in_french() -> None:
    record = {"score": 0.9421, "share": 0.0123, "rows": 4200, "p": 1e-9, "done": "Line ends are LF."}
    template = (
        "{{ r.score | score }} {{ r.share | percent | sentence }} {{ r.rows | count }} {{ r.p | p_value }}"
    )
    template += " {{ r.done | said }} {{ [r.rows | count, r.score | number] | listed }}"
    made = environment(language="fr").from_string(template).render(r=trace(record, "r.json"))
    assert isinstance(made, MarkdownText)
    assert made == (
        f"0,942 1,2{THIN}% 4{THIN}200 p &lt; 0,001 Les fins de ligne sont des LF. 4{THIN}200 et 0,9421"
    )
    assert len(made.spans) == 7
    for value in describe(made, {"r.json": "0"}, "1", "fr", {})["values"]:
        again = evaluate(environment(language="fr"), value, {"r.json": record})
        assert str(again) == value["text"]


def test_texts_that_nobody_translated_stay_and_values_of_phrases_are_escaped() -> None:
    assert said(FRENCH.phrases, "An author's own sentence.") == "An author's own sentence."
    assert not isinstance(said(FRENCH.phrases, "<b>"), Markdown)  # so that it is escaped where it is written
    made = said(FRENCH.phrases, "the first <b> words of the source text")
    assert made == "les &lt;b&gt; premiers mots du texte source"
    text = "Line ends are LF."
    assert said(ENGLISH.phrases, text) is text


@pytest.mark.parametrize(
    ("card", "languages", "asked"),
    [
        ("fr", [], "fr"),
        ("fr", ["fr"], "fr"),
        ("fr", ["en"], "en"),
        ("en", ["fr"], "fr"),
        ("en", ["de", "fr"], "fr"),
        ("fr", ["en", "fr"], "fr"),
        ("fr", ["de"], "fr"),
    ],
)
def test_the_snippet_asks_in_a_language_that_the_model_speaks(
    card: str, languages: list[str], asked: str
) -> None:
    train = {"task": {"type": "text-classification"}}
    section = card_records.params(language=card, languages=languages).card
    assert examples(section, {}, train) == LANGUAGES[asked].words.examples["text-classification"]


def test_hostile_records_are_as_harmless_in_french() -> None:
    section, records = card_records.params(language="fr"), hostile()
    text = render(TEMPLATES, section.card, section.hub, records, card_records.PROSE)
    known = {f"reports/{name}.json": record for name, record in records.items()}
    known["params.yaml"] = {"card": section.card.model_dump(), "hub": section.hub.model_dump()}
    digests = dict.fromkeys(known, "0")
    within = environment(language="fr")
    for value in describe(text, digests, "1", "fr", {})["values"]:
        again = evaluate(within, json.loads(json.dumps(value)), known)
        assert str(again) == value["text"]
    pages = [_Page(str(made).split("---\n", 2)[2]) for made in (text, _in_english(records))]
    assert [tag for tag, _ in pages[0].tags] == [tag for tag, _ in pages[1].tags]


def _in_english(records: dict[str, Record]) -> MarkdownText:
    section = card_records.params()
    return render(TEMPLATES, section.card, section.hub, records, card_records.PROSE)


def test_a_release_with_a_french_card_is_checked_in_french(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = written(tmp_path / "here", card_records.lora())
    asked = card_records.params(language="fr")
    card(asked, layout)
    check(asked, layout)
    assert "values agree with their records" in capsys.readouterr().out
    folder = as_released(layout, tmp_path / "there")
    assert json.loads((folder / "card.json").read_text())["card"]["language"] == "fr"
    assert released(folder)[0] == []
    edit(folder / "README.md", "est de **0,942**", "est de **0,952**")
    (problem,) = released(folder)[0]
    assert "says '0,952', but reports/eval.json#/metrics/f1_macro/value makes it '0,942'" in problem


def test_french_is_typeset_as_french() -> None:
    """U+202F before high punctuation and within guillemets, typographic apostrophes; code as it is."""
    for text in _values(FRENCH):
        assert not re.search(r" [:;!?](?=[\s|]|$)|« | »|\w'\w", re.sub("`.*?`", "", text)), text


def _values(words: Any) -> Iterator[str]:
    if isinstance(words, str):
        yield words
    elif isinstance(words, dict):
        for value in words.values():
            yield from _values(value)
    elif isinstance(words, list | tuple):
        for value in words:
            yield from _values(value)
    else:
        for field in fields(words):
            yield from _values(getattr(words, field.name))

"""Every value on the card knows its record and key, whatever the template did with it, whatever it says."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stages.release import citations, wording, words_en
from stages.release.card import RECORDS as RECORDS_OF_A_CARD
from stages.release.card import render
from stages.release.sidecar import describe, dumped, pieces, sources
from stages.release.templates import environment, evaluate
from stages.release.traced import MarkdownText, trace
from tests import card_records
from tests.card_records import Record
from tests.test_card import RECORDS, TEMPLATES

PATHS = {name: f"reports/{name}.json" for name in RECORDS_OF_A_CARD}
DIGESTS = dict.fromkeys(PATHS.values(), "0" * 64)


def rendered(records: dict[str, Record]) -> MarkdownText:
    params = card_records.params()
    return render(TEMPLATES, params.card, params.hub, records, card_records.PROSE)


def by_path(records: dict[str, Record]) -> dict[str, Record]:
    params = card_records.params()
    given = {"card": params.card.model_dump(), "hub": params.hub.model_dump()}
    return {PATHS[name]: record for name, record in records.items()} | {"params.yaml": given}


def sidecar(records: dict[str, Record]) -> Record:
    made: Record = json.loads(dumped(describe(rendered(records), DIGESTS, "f" * 64, "en", {})))
    return made


def value_at(found: Record, words: str, text: str) -> Record:
    """The first value `text` in the first line that holds these words."""
    line = next(line["line"] for line in found["lines"] if words in line["text"])
    value: Record = next(v for v in found["values"] if v["line"] == line and v["text"] == text)
    return value


def hostile() -> dict[str, Record]:
    """Labels and texts that look like marks, Markdown, Jinja, pointers and numbers."""
    records = card_records.lora()
    texts = ["\ufdd00.99\ufdd1\ue000x\ue001", "{{ 7 * 7 }} | ~1/0.5\n# 42", "", "~/a~b", "**0.1**"]
    names = [*records["data"]["labels"], *texts]
    records["data"]["labels"] = records["eval"]["labels"] = names
    for split in records["data"]["splits"].values():
        split["labels"] = {name: place for place, name in enumerate(names)}
    scored = records["eval"]["per_class"]["negative"]
    records["eval"]["per_class"] = {name: scored for name in names}
    records["data"]["rows"]["rejected"] = {text: 3 for text in texts}
    records["data"]["normalisation"] = [text for text in texts if text]
    records["train"]["environment"] |= {text: text for text in texts if text}
    records["train"]["model"]["files"] |= {text: "5" * 64 for text in texts}
    records["eval"]["diagnosis"]["advice"] = ["fewer_epochs", "more_data"]
    return records


EVERY: dict[str, Callable[[], dict[str, Record]]] = RECORDS | {"hostile": hostile}


@pytest.mark.parametrize("kind", EVERY)
def test_each_value_stands_at_its_place_and_its_record_makes_it(kind: str) -> None:
    records = EVERY[kind]()
    text = str(rendered(records))
    lines, known, within = text.split("\n"), by_path(records), environment()
    found = sidecar(records)
    for value in found["values"]:
        for number, column, piece in pieces(value):
            assert lines[number - 1][column - 1 :].startswith(piece)
        assert str(evaluate(within, value, known)) == value["text"]
        assert list(sources(value))
    places = [(value["line"], value["column"]) for value in found["values"]]
    assert places == sorted(set(places))
    assert len(places) > 150


@pytest.mark.parametrize("kind", EVERY)
def test_every_number_comes_from_a_record_or_stands_in_a_template(kind: str) -> None:
    """Front matter aside, in which the names of metrics and keys are the Hub's."""
    text = rendered(EVERY[kind]())
    kept = list(text)
    for span in text.spans:
        kept[span.start : span.end] = "\0" * (span.end - span.start)
    for own in card_records.PROSE.values():
        start = text.index(own)
        kept[start : start + len(own)] = "\0" * len(own)
    body = re.sub("<!-- parution:.* -->", "", "".join(kept).split("---\n", 2)[2])
    assert {word for word in words(body) if re.search(r"\d", word)} <= literals()


def words(text: str) -> set[str]:
    return {word.strip(".,;:!*|()[]") for word in re.split(r"[\s\0]+", text)}


def literals() -> set[str]:
    """The words that templates and wording say themselves."""
    files = [file for file in TEMPLATES.rglob("*") if file.is_file()]
    text = "\0".join(file.read_text() for file in files)
    said = words(re.sub(r"\{[{%#].*?[}%#]\}", "\0", text, flags=re.S))
    for module in (wording, words_en, citations):
        said |= words(Path(module.__file__).read_text().replace('"', " "))
    return said


def test_a_value_names_its_record_its_key_and_its_format() -> None:
    found = sidecar(card_records.lora())
    score = {"record": "reports/eval.json", "key": "/metrics/f1_macro/value"}
    value = value_at(found, "held-out test rows", "0.942")
    assert value == {"line": value["line"], "column": 45, "text": "0.942", "format": "score", "of": [score]}
    front = value_at(found, "      value: 0.942", "0.942")
    assert (front["format"], front["of"]) == ("scalar", [score])
    share = value_at(found, "LoRA: of", "1%")
    parameters = [{"record": "reports/train.json", "key": f"/parameters/{k}"} for k in ("trainable", "total")]
    assert (share["format"], share["of"]) == ("percent", [{"format": "/", "of": parameters}])
    name = value_at(found, "`learning_rate`", "`learning_rate`")
    assert name["of"] == [{"record": "reports/train.json", "name": "/chosen/learning_rate"}]
    law = value_at(found, "A power law", "`1 − macro F1 = 4.2·n^−0.534`")
    assert [source["key"] for source in sources(law)] == ["/law"]
    base = value_at(found, "base_model:", "demo/base")
    assert base["of"] == [{"record": "reports/train.json", "key": "/base/repo_id"}]


def test_records_are_those_that_values_came_from() -> None:
    full, lora = sidecar(card_records.full()), sidecar(card_records.lora())
    assert set(lora["records"]) == set(PATHS.values())
    assert set(full["records"]) == set(PATHS.values()) - {"reports/curve.json"}
    assert dumped(full) == dumped(sidecar(card_records.full()))


RECORD: Record = {
    "a": 3,
    "b": 2.5,
    "c/d~e": "f_g",
    "list": [1, 2, 4],
    "names": ["x", "\ufdd0y", "\ue000{{ z }}"],
    "table": {"k": 7, "l": {"deep": -1}},
    "yes": True,
}
TEMPLATES_OF_OTHERS = {
    "{{ r.a }}": ["/a"],
    "{{ r.a / r.b }}": ["/a", "/b"],
    "{{ -r.a * 2 + (r.b - 1) // 2 }}": ["/a", "/b"],
    "{{ (r.a % 2) | number }}": ["/a"],
    "{{ r['c/d~e'] ~ '-' ~ r.a }}": ["/c~1d~0e", "/a"],
    "{{ ('v' ~ r.a) | literal }}": ["/a"],
    "{{ '%.2f' | format(r.b) }}": ["/b"],
    "{{ r.b | round(method='floor') }}": ["/b"],
    "{{ r.list | sum }} ": ["/list"],
    "{{ r.list | max }}": ["/list/2"],
    "{{ r.list | average | score }}": ["/list"],
    "{{ r.list[1:] | join('+') }}": ["/list/1", "/list/2"],
    "{{ r.list[-1] }}": ["/list/2"],
    "{{ r.names | map('label') | list | listed('or') }}": ["/names/0", "/names/1", "/names/2"],
    "{{ r.names.index(r.names[2]) }}": ["/names", "/names/2"],
    "{{ r.names[1].upper() }}": ["/names/1"],
    "{{ r.table | length }}": ["/table"],
    "{% for k, v in r.table.items() if k == 'k' %}{{ k }}{{ v }}{% endfor %}": ["/table/k", "/table/k"],
    "{{ r.table.get('none', 0) | count }}": ["/table"],
    "{{ r.table.l.deep | default(5) | signed }}": ["/table/l/deep"],
    "{% set n %}a {{ r.a }}, {{ r.b }}{% endset %}{{ n }}!": ["/a", "/b"],
    "{% macro m(x) %}<{{ x | score }}>{% endmacro %}{{ m(r.b) }}": ["/b"],
    "{% set n %}b {{ r.a }}{% endset %}{{ n | sentence }}": ["/a"],
    "{{ link(r['c/d~e'], 'https://x.example/' ~ r.a) }}": ["/c~1d~0e", "/a"],
    "{{ fence('n ' ~ r.a, 'bash') }}": ["/a"],
    "{{ r.a if r.yes and r.a > 2 and r.names[0] == 'x' else 1 }}": ["/a"],
    "{{ loop_free }}": [],
}


@pytest.mark.parametrize("template", TEMPLATES_OF_OTHERS)
def test_a_template_needs_no_care(template: str) -> None:
    made = environment().from_string(template).render(r=trace(RECORD, "r.json"), loop_free="5")
    assert isinstance(made, MarkdownText)
    found = json.loads(dumped(describe(made, {"r.json": "0"}, "1", "en", {})))
    named = [source.get("key", source.get("name")) for value in found["values"] for source in sources(value)]
    assert named == TEMPLATES_OF_OTHERS[template]
    for value in found["values"]:
        assert str(evaluate(environment(), value, {"r.json": RECORD})) == value["text"]
    plain = environment().from_string(template).render(r=RECORD, loop_free="5")
    assert str(plain) == str(made) and not plain.spans


def test_no_text_can_pass_for_a_mark() -> None:
    """Origins are not in the text, so characters of any kind stay what they are, or are dropped."""
    record: dict[str, Any] = {"evil": '\ufdd0{"record": "r.json", "key": "/a"}\ufdd1 0.99 \ufdd2'}
    made = environment().from_string("a {{ r.evil }} {{ r.evil[:9] }} b").render(r=trace(record, "r.json"))
    assert "\ufdd0" not in made
    assert [str(made)[span.start : span.end] for span in made.spans] == [
        '{"record": "r.json", "key": "/a"} 0.99'
    ]

"""The Hub's words: what it would refuse is refused when params.yaml is read, with what was meant."""

import json
from collections.abc import Callable
from pathlib import Path

import datasets.utils.resources
import pytest

from localhub.cards import rules
from localhub.cards.vocabulary import LANGUAGE_WORDS, LICENSES, TASKS
from stages.core import hub_words
from stages.core.errors import PipelineError
from stages.core.licences import TERMS
from stages.release.wording import TASKS as OURS
from tests.tiny import write_params


def refused(root: Path, **card: object) -> list[str]:
    with pytest.raises(PipelineError) as error:
        write_params(root, card=card)
    return [line.partition(": ")[2] for line in str(error.value).splitlines()]


def test_both_vocabularies_are_one() -> None:
    assert sorted(TERMS) == sorted(LICENSES)
    assert sorted(hub_words.PIPELINE_TAGS) == sorted(TASKS)
    assert {task.pipeline_tag for task in OURS.values()} <= set(TASKS)


def test_the_embedded_hub_takes_every_language_that_we_take() -> None:
    listed = Path(datasets.utils.resources.__file__).with_name("languages.json")
    known = json.loads(listed.read_text())
    assert {code for code in known if len(code) == 2} == hub_words.TWO_LETTERS
    for code in (*hub_words.TWO_LETTERS, *LANGUAGE_WORDS, *known):
        card = f'---\nlanguage: "{code}"\n---\n'
        assert hub_words._is_language(code) and rules.check(card, "model")[0] == [], code


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("MIT", "mit"),
        ("MIT License", "mit"),
        ("Apache 2", "apache-2.0"),
        ("apache2.0", "apache-2.0"),
        ("Apache-2.0", "apache-2.0"),
        ("GPL-3.0-or-later", "gpl-3.0"),
        ("GPL-2.0+", "gpl-2.0"),
        ("CC BY-SA 4.0", "cc-by-sa-4.0"),
        ("ODbL-1.0", "odbl"),
        ("llama-3.1", "llama3.1"),
    ],
)
def test_a_licence_by_another_spelling(tmp_path: Path, given: str, meant: str) -> None:
    (line,) = refused(tmp_path, license=given)
    assert line.startswith("card.license: is not a licence id of https://huggingface.co/docs/hub/")
    assert f"did you mean {meant}? (got {given!r})" in line


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("english", "en"),
        ("Français", "fr"),
        ("jp", "ja"),
        ("cz", "cs"),
        ("EN", "en"),
        ("fr-CA", "fr"),
        ("pt_BR", "pt"),
        ("zh-Hans-TW", "zh"),
    ],
)
def test_a_language_by_its_name_or_its_country(tmp_path: Path, given: str, meant: str) -> None:
    (line,) = refused(tmp_path, languages=["en", given])
    assert line.startswith("card.languages.1: should be an ISO 639 code such as fr")
    assert f"did you mean {meant}?" in line


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ({"license": "my own"}, "card.license: is not a licence id of https://hugg"),
        ({"languages": ["klingon!"]}, "card.languages.0: should be an ISO 639 code such as fr, `code` or"),
        ({"languages": ["xx"]}, "card.languages.0: should be an ISO 639 code"),
        ({"pipeline_tag": "ner"}, "card.pipeline_tag: is not one of the Hub's tasks (https://hugg"),
        ({"pipeline_tag": "sumarisation"}, "card.pipeline_tag: is not one of the Hub's tasks (https://hugg"),
        ({"title": " "}, "card.title: should not be empty: write it, or take the key out"),
        ({"tags": ["a", ""]}, "card.tags.1: should not be empty"),
        ({"data": {"name": ""}}, "card.data.name: should not be empty"),
        ({"data": {"name": "x", "url": "example.org"}}, "card.data.url: should be a URL that anyone may see"),
        ({"data": {"name": "x", "url": "https://me:pw@x.org"}}, "card.data.url: should be a URL that anyone"),
        ({"data": {"name": "x", "license": "CC0"}}, "card.data.license: is not a licence id of"),
        ({"license": "other"}, "card: `license: other` needs license_name, and license_link to its text"),
        ({"license": "other", "license_name": "x"}, "card: `license: other` needs license_name, and"),
        (
            {"license": "other", "license_name": "x", "license_link": "LICENCE.txt"},
            "card.license_link: should be LICENSE or LICENSE.md, a file in model_cards, or a URL",
        ),
        ({"license_name": "x"}, "card: license_name and license_link are for `license: other`: take them"),
        ({"license": None, "license_reason": "x"}, "card: license_reason is for a `license` that is stated"),
    ],
)
def test_refused(tmp_path: Path, card: dict[str, object], expected: str) -> None:
    (line,) = refused(tmp_path, **card)
    assert line.startswith(expected) and len(line) < 250


@pytest.mark.parametrize(
    ("card", "meant"),
    [
        ({"pipeline_tag": "ner"}, "token-classification"),
        ({"pipeline_tag": "sumarisation"}, "summarization"),
        ({"pipeline_tag": "Text Classification"}, "text-classification"),
    ],
)
def test_a_task_by_another_name(tmp_path: Path, card: dict[str, object], meant: str) -> None:
    assert f"did you mean {meant}?" in refused(tmp_path, **card)[0]


@pytest.mark.parametrize(
    "card",
    [
        {"license": "other", "license_name": "mine", "license_link": "https://example.org/licence"},
        {"license": "other", "license_name": "mine", "license_link": "LICENSE.md"},
        {"license": "unknown", "languages": ["fr", "gsw", "code", "multilingual", "no"]},
        {"pipeline_tag": "summarization", "data": {"name": "x", "url": "https://x.org/a?b=c#d"}},
    ],
)
def test_taken(tmp_path: Path, card: dict[str, object]) -> None:
    write_params(tmp_path, card=card)


def test_every_id_is_its_own_spelling() -> None:
    words: dict[Callable[[str], str], tuple[str, ...]] = {
        hub_words._licence: LICENSES,
        hub_words._pipeline_tag: TASKS,
    }
    for checked, known in words.items():
        assert [checked(word) for word in known] == list(known)

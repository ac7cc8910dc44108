"""A licence follows from those of base and data, or is stated; a conflict stops, with its reason."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stages.card import card
from stages.core import licensing, preflight, records
from stages.core.errors import PipelineError
from stages.core.hub_card import licences_of
from stages.core.layout import Layout
from stages.core.licences import TERMS, accepted
from stages.core.schema import Base
from stages.core.terms import check, may_carry, model_licence, of_model, settled
from stages.release.card import render
from tests import card_records
from tests.tiny import write_params

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("base", "data", "expected"),
    [
        ("apache-2.0", "mit", "apache-2.0"),
        ("mit", "cc-by-4.0", "mit"),
        ("apache-2.0", "cc-by-sa-4.0", "cc-by-sa-4.0"),
        ("apache-2.0", "cc-by-nc-4.0", "cc-by-nc-4.0"),
        ("gpl-3.0", "mit", "gpl-3.0"),
        ("gpl-3.0", "cc-by-sa-4.0", "gpl-3.0"),  # which cc-by-sa-4.0 accepts, and not the other way round
        ("cc-by-sa-4.0", "gpl-3.0", "gpl-3.0"),
        ("cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-sa-4.0"),
        ("cc-by-nc-4.0", "cc-by-nc-4.0", "cc-by-nc-4.0"),
        ("llama3.1", "cc-by-4.0", "llama3.1"),
        ("mit", "cdla-sharing-1.0", "mit"),  # whose conditions end at the data
        ("mit", "c-uda", "mit"),
        ("apache-2.0", None, None),
        (None, "mit", None),
        ("apache-2.0", "unknown", None),
        ("other", "mit", None),
        ("gemma", "cc-by-nc-4.0", None),  # only terms of one's own could keep both
        ("eupl-1.2", "cc-by-sa-4.0", None),  # gpl-3.0 would do for both, and is the author's to choose
    ],
)
def test_what_follows(base: str | None, data: str | None, expected: str | None) -> None:
    found = model_licence(None, base, data, None)
    check(found)
    assert (found.id, found.derived, found.conflicts) == (expected, expected is not None, ())
    assert (found.base, found.data) == (base, data)
    if expected is not None:
        assert expected in may_carry(base, data)


@pytest.mark.parametrize(
    ("asked", "base", "data", "reason"),
    [
        (
            "apache-2.0",
            "cc-by-nc-4.0",
            "mit",
            "base's cc-by-nc-4.0 forbids commerce with what is made from it",
        ),
        ("mit", "gpl-3.0", None, "the base's gpl-3.0 keeps what is made from it under gpl-3.0, not mit"),
        (
            "apache-2.0",
            "mit",
            "cc-by-sa-4.0",
            "the data's cc-by-sa-4.0 keeps what is made from it under cc-by-sa-4.0 or gpl-3.0, not apache",
        ),
        (
            "cc-by-sa-4.0",
            "gpl-3.0",
            "mit",
            "the base's gpl-3.0 keeps what is made from it under gpl-3.0, not",
        ),
        (
            "mit",
            "llama3",
            "mit",
            "the base's llama3 has conditions on use that have to be passed on, which mit",
        ),
        (
            "mit",
            "apple-amlr",
            "mit",
            "the base's apple-amlr keeps what is made from it for research, which mit",
        ),
        (
            "cc-by-nc-4.0",
            "deepfloyd-if-license",
            "mit",
            "keeps what is made from it for research, which cc-by",
        ),
        (
            "cc-by-nd-4.0",
            "cc-by-nd-4.0",
            "mit",
            "base's cc-by-nd-4.0 forbids to publish what is made from it",
        ),
        ("other", "gpl-3.0", "mit", "the base's gpl-3.0 keeps what is made from it under gpl-3.0, not other"),
        (
            "unknown",
            "cc-by-nc-4.0",
            "mit",
            "forbids commerce with what is made from it, which unknown allows",
        ),
        (
            None,
            "mit",
            "cc-by-nd-4.0",
            "the data's cc-by-nd-4.0 forbids to publish what is made from it; no lice",
        ),
        (None, None, "cc-by-nc-nd-4.0", "the data's cc-by-nc-nd-4.0 forbids to publish"),
        (
            None,
            "gpl-2.0",
            "cc-by-sa-4.0",
            "the base's gpl-2.0 keeps what is made from it under gpl-2.0, not cc",
        ),
        (None, "cc-by-nc-4.0", "cc-by-sa-4.0", "the base's cc-by-nc-4.0 forbids commerce with what is made"),
    ],
)
def test_a_conflict_stops_with_its_reason(
    asked: str | None, base: str | None, data: str | None, reason: str
) -> None:
    found = model_licence(asked, base, data, None)
    with pytest.raises(PipelineError) as error:
        check(found)
    line = str(error.value)
    assert line.startswith("params.yaml: card.license: the ") and reason in line and "\n" not in line
    assert "why it holds nevertheless in card.license_reason, which the card quotes" in line
    assert len(set(found.conflicts)) == len(found.conflicts)


def test_what_is_asked_for_may_be_stricter() -> None:
    for asked in ("mit", "gpl-3.0", "cc-by-nc-4.0", "llama3", "other", "unknown"):
        found = model_licence(asked, "mit", "cc-by-4.0", None)
        check(found)
        assert (found.id, found.derived) == (asked, False)
    check(model_licence("other", "llama3", "cc-by-nc-4.0", None))


def test_the_advice_names_the_works_own_licences_first() -> None:
    with pytest.raises(
        PipelineError, match=r"a model may carry cc-by-nc-4\.0, cc-by-nc-2\.0, .* and 5 more;"
    ):
        check(model_licence("mit", "cc-by-nc-4.0", None, None))
    with pytest.raises(PipelineError, match=r"a model may carry gemma, other; or state why"):
        check(model_licence("mit", "gemma", "mit", None))
    with pytest.raises(PipelineError, match=r"no licence of the Hub fits: .*; or state one, and why"):
        check(model_licence(None, "gpl-2.0", "cc-by-sa-4.0", None))


def test_an_authors_reason_is_kept_beside_the_conflict_and_nowhere_else() -> None:
    found = model_licence("mit", "mit", "cc-by-nc-4.0", "The authors allowed it.")
    check(found)
    (conflict,) = found.conflicts
    assert (found.id, found.reason) == ("mit", "The authors allowed it.")
    assert (conflict.work, conflict.licence, conflict.condition) == ("data", "cc-by-nc-4.0", "non_commercial")
    assert model_licence("mit", "mit", "mit", "Needless.").reason is None


def test_what_is_not_known_is_named() -> None:
    assert model_licence("mit", None, None, None).unknown == ("base", "data")
    assert model_licence(None, "other", "mit", None).unknown == ("base",)
    assert model_licence(None, "mit", "cc", None).unknown == ("data",)
    assert model_licence(None, "mit", "mit", None).unknown == ()


def test_the_table_of_terms_is_whole() -> None:
    for licence, conditions in TERMS.items():
        stays = bool(conditions & {"share_alike", "copyleft"})
        assert not accepted(licence) or stays
        assert set(accepted(licence)) <= TERMS.keys() - {licence}
        for other in accepted(licence):  # what a licence takes instead frees nothing that it binds
            assert conditions - {"share_alike", "copyleft"} <= TERMS[other]
            assert TERMS[other] & {"share_alike", "copyleft"}
    named = {"nc": "non_commercial", "sa": "share_alike", "nd": "no_derivatives"}
    for licence in TERMS:
        if licence.startswith("cc-by"):
            assert TERMS[licence] == {named[p] for p in licence.split("-") if p in named}


@pytest.mark.parametrize(
    ("given", "stated", "expected"),
    [
        (None, [], None),
        (None, "mit", "mit"),
        (None, ["mit"], "mit"),
        (None, ["mit", "gpl-3.0"], None),
        ("mit", [], "mit"),
        ("mit", "mit", "mit"),
        ("gpl-3.0", ["mit", "gpl-3.0"], "gpl-3.0"),
        ("mit", "other", "mit"),
        ("cc-by-4.0", ["cc"], "cc-by-4.0"),
    ],
)
def test_a_works_licence(given: str | None, stated: str | list[str], expected: str | None) -> None:
    assert settled("base.license", given, stated, "its card") == expected


def test_two_licences_of_one_work_are_refused() -> None:
    with pytest.raises(
        PipelineError, match=r"^params\.yaml: base\.license: mit, but its card says gpl-3\.0 and"
    ):
        settled("base.license", "mit", ["gpl-3.0", "cc", "apache-2.0"], "its card")
    with pytest.raises(
        PipelineError, match=r"base\.license: other, but its card says gpl-3\.0: take the key"
    ):
        settled("base.license", "other", "gpl-3.0", "its card")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\nlicense: mit\n---\n# x", ["mit"]),
        ("\ufeff---\r\nlanguage: en\r\nlicense: 'MIT'\r\n---\r\n", ["mit"]),
        ("\n--- \ntags: [a]\nlicense:\n- cc-by-4.0\n- mit\nname: x\n---\n", ["cc-by-4.0", "mit"]),
        ("---\nlicense: [mit, mit]\n---\n", ["mit"]),
        ("---\nlicense:\n  - mit # so\n---\n", ["mit"]),
        ("---\nlicense: mit\nmodel-index: [not: closed\n---\n", ["mit"]),
        ("---\nlicense: some words\n---\n", []),
        ("---\nlicense: {a: b}\n---\n", []),
        ("---\nlicense: *x\n---\n", []),
        ("---\nlicense:\n---\n", []),
        ("---\nlicense_name: mit\ntext: |\n  license: mit\n---\n", []),
        ("license: mit\n", []),
        ("# x\n---\nlicense: mit\n---\n", []),
        ("", []),
    ],
)
def test_the_licence_on_a_card(text: str, expected: list[str]) -> None:
    assert licences_of(text) == expected


def test_a_huge_card_is_no_work() -> None:
    rows = "".join(f"  - task: {{type: x, value: {n}}}\n" for n in range(40_000))
    assert licences_of(f"---\nmodel-index:\n{rows}license: mit\n---\n") in (["mit"], [])
    assert licences_of("---\n" + "license:" + "\n-" * 500_000) == []


def base_card(layout: Layout, licence: str) -> None:
    layout.base.mkdir(parents=True, exist_ok=True)
    (layout.base / "README.md").write_text(f"---\nlicense: {licence}\n---\n")


def test_the_bases_licence_is_its_cards_or_that_of_params(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    base = Base.model_validate({"repo_id": "a/b"})
    own = Base.model_validate({"repo_id": "a/b", "license": "mit"})
    assert (licensing.base_licence(base, layout.base), licensing.base_licence(own, layout.base)) == (
        None,
        "mit",
    )
    base_card(layout, "gemma")
    assert licensing.base_licence(base, layout.base) == "gemma"
    with pytest.raises(PipelineError, match=r"base\.license: mit, but the base's own card \(.*\) says gemma"):
        licensing.base_licence(own, layout.base)


def stage(root: Path, name: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", f"stages.{name}"],
        cwd=root,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    return done.stderr.splitlines()[-1]


def test_training_does_not_start_with_a_licence_that_cannot_be(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    hub: dict[str, Any] = {"type": "hub", "repo_id": "org/rows"}
    write_params(tmp_path, data={"source": hub})
    base_card(layout, "cc-by-nc-4.0")
    for name in ("prepare", "train"):
        assert stage(tmp_path, name).startswith("error: params.yaml: card.license: the base's cc-by-nc-4.0")
    base_card(layout, "mit")
    layout.source.mkdir(parents=True)
    records.write(layout.source / "manifest.json", {"source": hub | {"license": "cc-by-sa-4.0"}})
    assert stage(tmp_path, "prepare").startswith("error: params.yaml: card.license: the data's cc-by-sa-4.0")
    # A source that params.yaml no longer names says nothing of what comes: fetch will bring the other.
    write_params(tmp_path, data={"source": hub | {"repo_id": "org/others"}})
    assert "card.license" not in stage(tmp_path, "prepare")


def test_a_licence_file_has_to_be_there(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    own = {"license": "other", "license_name": "mine", "license_link": "LICENSE.md"}
    params = write_params(tmp_path, card=own)
    with pytest.raises(
        PipelineError, match=r"card\.license_link: .*model_cards/LICENSE\.md is missing: put the"
    ):
        preflight.check(params.card, params.base, params.data.source, layout)
    layout.card.parent.mkdir()
    layout.card.with_name("LICENSE.md").write_text("All may use it.\n")
    preflight.check(params.card, params.base, params.data.source, layout)


def front(known: dict[str, Any], **changes: Any) -> list[str]:
    params = card_records.params(**changes)
    text = render(ROOT / "model_cards/templates", params.card, params.hub, known, {})
    return [line for line in str(text).split("---\n")[1].splitlines() if line.startswith("license")]


def test_the_front_matter_states_what_follows() -> None:
    known = card_records.full()
    own = {"license_name": "Mine, all mine", "license_link": "LICENSE"}
    known["train"]["base"]["license"] = None
    assert front(known) == ["license: apache-2.0"]
    assert front(known, license=None) == []
    known["train"]["base"]["license"] = "mit"
    assert front(known, license=None) == ["license: mit"]
    assert front(known, license="other", **own) == [
        "license: other",
        'license_name: "Mine, all mine"',
        "license_link: LICENSE",
    ]


def test_the_card_of_a_conflict_is_not_written(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    known = card_records.lora()
    known["data"]["source"]["license"] = ["cc-by-nc-4.0"]
    for name, record in known.items():
        records.write(layout.report(name), record)
    with pytest.raises(
        PipelineError, match=r"card\.data\.license: mit, but the data set's own card says cc-by-nc"
    ):
        card(card_records.params(), layout)
    own = card_records.PARAMS["card"]["data"] | {"license": None}
    with pytest.raises(PipelineError, match=r"card\.license: the data's cc-by-nc-4\.0 forbids commerce"):
        card(card_records.params(data=own), layout)
    assert not layout.card.exists()
    found = of_model(
        card_records.params(data=own, license_reason="Agreed.").card.model_dump(),
        known["train"]["base"],
        known["data"]["source"],
    )
    assert (found.id, found.data, found.reason) == ("apache-2.0", "cc-by-nc-4.0", "Agreed.")

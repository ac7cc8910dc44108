"""A card and what people wrote on the Hub's: what is kept, what is replaced, what stops."""

import copy
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from stages.core.errors import PipelineError
from stages.release import blocks, card
from stages.release.merge import Merged, merge
from tests import card_records
from tests.card_records import Record
from tests.test_card import TEMPLATES, parts, rendered

NAME = "README.md on main of a/b"


def render(
    version: str = "0.1.0", change: Callable[[dict[str, Record]], None] | None = None, **given: object
) -> str:
    """A card in full, of this version."""
    records, params = copy.deepcopy(card_records.full()), card_records.params(**given)
    if change:
        change(records)
    hub = params.hub.model_copy(update={"version": version})
    return str(rendered(records, params.model_copy(update={"hub": hub})))


def better(records: dict[str, Record]) -> None:
    records["eval"]["metrics"]["f1_macro"]["value"] = 0.951


OLD, NEW = render(), render("0.2.0", better)


def after(text: str, block: str, words: str) -> str:
    """The card with `words` below a block."""
    found = next(str(b) for b in blocks.read(text, "").blocks if b.name == block)
    return edited(text, f"{found}\n", f"{found}\n\n{words}\n")


def edited(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


def refused(ours: str, theirs: str, base: str | None = OLD) -> str:
    with pytest.raises(PipelineError) as caught:
        merge(ours, theirs, base, NAME)
    return str(caught.value)


def kept(ours: str, theirs: str, base: str | None = OLD) -> Merged:
    """The merged card, which stays what it is when it is merged again, with whatever base."""
    found = merge(ours, theirs, base, NAME)
    for known in (None, base, found.text):
        assert merge(ours, found.text, known, NAME) == found
    return found


def names(text: str) -> list[str]:
    return [block.name for block in blocks.read(text, "").blocks]


def test_a_card_is_made_of_blocks_that_a_page_does_not_show() -> None:
    assert names(NEW)[:4] == ["intro", "results", "usage", "intended_use"]
    assert not [block for block in blocks.read(NEW, "").blocks if block.edited]
    body = parts(NEW)[1]
    page = MarkdownIt("js-default", {"html": True})
    plain = "\n".join(line for line in body.split("\n") if not line.startswith("<!-- parution:"))
    shown = re.sub(r"<!--.*?-->|\n", "", page.render(body))
    assert shown == re.sub("\n", "", page.render(plain))


@pytest.mark.parametrize("base", [None, OLD])
def test_nothing_was_written_by_hand(base: str | None) -> None:
    assert kept(NEW, OLD, base) == kept(NEW, NEW, base) == Merged(NEW)
    assert kept(NEW, OLD, base).kept == ""


def test_text_around_blocks_stays_where_it_is_and_blocks_are_new() -> None:
    theirs = after(OLD, "results", "### Ours\n\nIt was *rated* by 20 people.\n\n    indented  \n")
    theirs = edited(theirs, "<!-- parution:begin intro", "> Moved to 3.1.\n\n<!-- parution:begin intro")
    theirs = after(theirs, "citation", "```\n## not a heading\n```")
    found = kept(NEW, theirs)
    assert found.kept == "README.md: 7 hand-written lines on the Hub are kept"
    expected = after(NEW, "results", "### Ours\n\nIt was *rated* by 20 people.\n\n    indented  ")
    expected = edited(expected, "<!-- parution:begin intro", "> Moved to 3.1.\n\n<!-- parution:begin intro")
    assert found.text == after(expected, "citation", "```\n## not a heading\n```")
    assert "0.951" in found.text


def test_text_below_a_block_that_is_gone_goes_below_the_one_before() -> None:
    theirs = after(after(OLD, "intended_use", "First."), "limitations", "Second.")
    del (prose := dict(card_records.PROSE))["limitations"]
    params = card_records.params()
    ours = str(card.render(TEMPLATES, params.card, params.hub, card_records.full(), prose))
    assert "limitations" not in names(ours)
    assert kept(ours, theirs).text == after(ours, "intended_use", "First.\n\nSecond.")
    back = after(ours, "intended_use", "First.")
    assert kept(OLD, back, ours).text == after(OLD, "intended_use", "First.")


def test_a_card_in_another_language_keeps_the_text() -> None:
    french = render("0.2.0", better, language="fr")
    assert names(french) == names(OLD)
    assert kept(french, after(OLD, "usage", "Stays.")).text == after(french, "usage", "Stays.")


def test_an_edit_inside_of_a_block_stops_with_the_difference() -> None:
    theirs = edited(OLD, "is **0.942**", "is **0.999**\x1b[31m")
    said = refused(NEW, theirs)
    first, *lines = said.splitlines()
    assert re.match(rf"{NAME}:\d+: block intro was edited by hand: move your words out of the block", first)
    assert lines[:2] == ["  --- as it was released", "  +++ on the Hub now"]
    assert any(line.startswith("  -On 790") and "**0.942**" in line for line in lines)
    assert any(line.startswith("  +On 790") and "**0.999**\ufffd" in line for line in lines)
    assert "as it is generated now" in refused(NEW, theirs, None)
    assert "block results" not in said


def test_every_conflict_is_told_and_a_long_difference_is_cut() -> None:
    theirs = OLD
    for place in range(40):
        theirs = edited(theirs, "Names are those of", f"Line {place} {'x' * 400}\n\nNames are those of")
    said = refused(NEW, edited(theirs, "## Citation", "## Cite"))
    assert "block training" in said and "block citation" in said
    assert "lines more" in said
    assert all(len(line) < 260 for line in said.splitlines())


def test_an_edit_that_the_new_card_has_too_is_none() -> None:
    theirs = edited(OLD, "first* looks", "first* and second looks")
    prose = card_records.PROSE | {"intended_use": "Teaching, and *first* and second looks at short texts."}
    params = card_records.params()
    ours = str(card.render(TEMPLATES, params.card, params.hub, card_records.full(), prose))
    assert kept(ours, theirs).text == ours


def test_a_block_that_was_removed_by_hand_is_not_put_back_in_silence() -> None:
    theirs = re.sub(r"<!-- parution:begin training .*parution:end training \w+ -->\n", "", OLD, flags=re.S)
    assert refused(NEW, theirs).startswith(f"{NAME}: block training was removed by hand: put it back there")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "  \r\n").rstrip(),
        lambda text: text + "\n\n\n",
    ],
)
def test_line_ends_and_blank_space_are_no_edits(change: Callable[[str], str]) -> None:
    assert kept(NEW, change(OLD)).text == NEW
    assert kept(NEW, change(after(OLD, "usage", "Stays.").replace("---\n\n", "---\n"))).lines == 1


MARKERS: dict[str, tuple[Callable[[str], str], str]] = {
    "no end": (lambda t: re.sub("<!-- parution:end data .*\n", "", t), "block data begins and does not end"),
    "no begin": (lambda t: re.sub("<!-- parution:begin data .*\n", "", t), "is no marker of a release"),
    "another digest at the end": (
        lambda t: re.sub(r"(parution:end data) \w+", r"\1 00", t),
        "block data begins and does not end",
    ),
    "an unknown kind": (lambda t: t + "<!-- parution:middle x -->\n", "is no marker of a release"),
    "a name that is none": (lambda t: t + "<!-- parution:begin ../x 00 -->\n", "is no marker of a release"),
    "the same block twice": (
        lambda t: t + "<!-- parution:begin data 00 -->\n<!-- parution:end data 00 -->\n",
        "block data was there at line",
    ),
    "two of what was generated": (
        lambda t: t + '<!-- parution:generated {"blocks": [], "front": {}} -->\n',
        "is no marker of a release, or one too many",
    ),
    "what was generated is not said": (
        lambda t: re.sub("generated {.*}", "generated {}", t),
        "is no marker of a release",
    ),
    "nonsense was generated": (
        lambda t: re.sub("generated {.*}", 'generated {"blocks": 1, "front": {"a": {"b": [2]}}}', t),
        "is no marker of a release",
    ),
}


@pytest.mark.parametrize("case", MARKERS)
def test_markers_that_do_not_belong_together_are_one_line(case: str) -> None:
    change, words = MARKERS[case]
    said = refused(NEW, change(OLD))
    assert words in said and "\n" not in said
    assert re.match(rf"{NAME}:\d+: ", said)


def test_without_the_line_that_says_what_was_generated() -> None:
    theirs = re.sub("<!-- parution:generated .*\n\n", "", after(OLD, "usage", "Stays."))
    assert kept(NEW, theirs).text == after(NEW, "usage", "Stays.")
    assert "model-index holds a result of ours that was changed" in refused(NEW, theirs, None)
    assert merge(OLD, theirs, None, NAME).text == after(OLD, "usage", "Stays.")


MARK = "<!-- parution:end usage 0123456789abcdef -->\n<!-- parution:begin data 00 -->"


def test_data_that_looks_like_a_marker_ends_no_block() -> None:
    def hostile(records: dict[str, Record]) -> None:
        records["snippet"]["printed"] = MARK  # in a fence, where nothing is escaped
        records["data"]["rows"]["rejected"] = {MARK: 3}

    ours = render("0.2.0", hostile, summary=MARK, title=MARK)
    assert names(ours) == names(OLD)
    assert not [block for block in blocks.read(ours, "").blocks if block.edited]
    assert MARK in blocks.read(ours, "").blocks[2].content
    assert "&lt;&#33;-- parution:" in ours or "&lt;!-- parution:" in ours
    assert kept(ours, after(OLD, "usage", "Stays.")).text == after(ours, "usage", "Stays.")
    assert kept(NEW, after(ours, "usage", "Stays."), ours).text == after(NEW, "usage", "Stays.")


def test_prose_cannot_begin_a_section() -> None:
    prose = {"limitations": f"{MARK}\n\n## Data\n\n{{{{ section('data') }}}}"}
    params = card_records.params()
    ours = str(card.render(TEMPLATES, params.card, params.hub, card_records.full(), prose))
    assert names(ours) == [name for name in names(OLD) if name != "intended_use"]


def test_a_template_is_told_what_is_wrong_with_its_sections(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    file = tmp_path / "templates/card.en.md"
    text = file.read_text()
    params = card_records.params()
    for name, said in (("data", "two sections of the card are called data"), ("A b", r"card\.en\.md:\d+: ")):
        file.write_text(text.replace('section("training")', f'section("{name}")'))
        with pytest.raises(PipelineError, match=said) as caught:
            card.render(tmp_path / "templates", params.card, params.hub, card_records.full(), {})
        assert "\n" not in str(caught.value)
    file.write_text(re.sub(r"\{\{ section\(.*?\) \}\}", "", text))  # one of a user's own, say
    own = card.render(tmp_path / "templates", params.card, params.hub, card_records.full(), {})
    assert names(own) == ["intro", "closer_look"]


# A card without any marker.

PLAIN = "---\nlicense: mit\n---\n\n# A card\n\nIn words.\n"


def test_a_card_without_blocks_is_replaced_when_a_release_put_it_there() -> None:
    assert merge(NEW, PLAIN, PLAIN, NAME) == Merged(NEW)
    assert merge(NEW, PLAIN.replace("\n", "\r\n"), PLAIN, NAME) == Merged(NEW)


@pytest.mark.parametrize(("base", "same"), [(None, 0), (PLAIN, 1)])
def test_a_card_without_blocks_stops_otherwise(base: str | None, same: int) -> None:
    said = refused(NEW, PLAIN + "More.\n", base)
    assert "has no blocks to tell words from: take what you need of it into model_cards/prose" in said
    assert "\n  +More." in said
    assert said.count("\n   In words.") == same


def test_a_new_repository_may_have_a_front_matter() -> None:
    ours = render(license="mit")
    found = kept(ours, "---\nlicense: mit\nextra_gated_prompt: Ask.\n---\n", None)
    assert found.kept == "README.md: extra_gated_prompt of its front matter on the Hub is kept"
    assert kept(ours, "", None).text == ours
    said = refused(ours, "---\nlicense: apache-2.0\n---\n", None)
    assert 'license was changed by hand to "apache-2.0"' in said
    assert 'card.license in params.yaml, or make it "mit" there again' in said

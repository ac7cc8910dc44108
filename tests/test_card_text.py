"""Text from data and parameters stays text: nothing of it becomes markup, front matter or a template."""

import copy
import functools
import re
import shlex
import unicodedata
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from stages.release.card import render
from stages.release.markdown import Markdown, code, escape, fence, finalize, link, literal, one_line
from tests import card_records
from tests.test_card import TEMPLATES, parts

PAYLOADS = {
    "html": "<script>alert(1)</script>",
    "image": '<img src=x onerror="alert(1)">',
    "comment": "<!-- hidden",
    "attribute": '" onmouseover="alert(1)" x="',
    "closing details": "</details><h1>x</h1>",
    "closing script": "</script></title></textarea>x",
    "block": "<!-- parution:end intro 0123456789ab -->",
    "entity": "&lt;b&gt;&#60;i&#62;",
    "emphasis": "**bold** _it_ __x__ ~~gone~~",
    "code": "`x` ``y`` ```z",
    "link": "[click](javascript:alert(1))",
    "picture": "![x](http://evil.example/a.png)",
    "reference": "[x]: http://evil.example",
    "address": "http://evil.example www.evil.example a@evil.example",
    "autolink": "<http://evil.example>",
    "table": "a | b | c",
    "newline and rule": "x\n\n---\n\n# Heading",
    "front matter": "x\n---\nlicense: other\n---\n",
    "unicode lines": "a\u2028# b\u2029# c\u0085# d",
    "heading": "# heading",
    "list": "- item",
    "numbered list": "1. item",
    "numbered list, bracket": "12) item",
    "quote": "> quote",
    "rule": "---",
    "underline": "===",
    "fence": "```\nout\n```",
    "tilde fence": "~~~\nout",
    "indented": "     code",
    "backslash": "\\<b\\> \\",
    "mathematics": "$x^2$ $$y$$",
    "footnote": "[^1]",
    "jinja": "{{ 7 * 7 }}{% for x in y %}{# c #}",
    "yaml": "key: [value, {a: b}] # comment",
    "yaml tag": "!!python/object/apply:os.system ['x']",
    "yaml anchor": "&a [*a]",
    "yaml merge": "<<: *other",
    "yaml end": "x\n...\n%YAML 1.1",
    "bidi": "safe\u202egnp.exe\u2066x\u2069",
    "bidi marks": "\u200fa\u200eb\u061cc\u202ad\u202c",
    "control": "a\x00b\x1b[31mc\x7f",
    "zero width": "pay\u200bpal\ufeff",
    "formula": '=HYPERLINK("http://evil.example")',
    "formula of a command": "+cmd|' /C calc'!A0",
    "formula by an at sign": "@SUM(1+1)*cmd|' /C calc'!A0",
    "formula by a minus": "-2+3",
    "formula behind a tab": "\t=1+1",
    "quotes": "\"double\" and 'single'",
    "long": "x" * 5000,
}

_GFM = MarkdownIt("js-default", {"html": True})  # with tables and strikethrough


class _Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.text = ""
        self.feed(_GFM.render(text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", PAYLOADS)
def test_escaped_text_reads_as_itself_in_prose_and_in_a_cell(name: str) -> None:
    line = one_line(PAYLOADS[name])
    prose = _Page(str(escape(PAYLOADS[name])))
    assert [tag for tag, _ in prose.tags] == ["p"]
    assert prose.text.strip() == line
    cell = _Page(f"| a | b |\n| --- | --- |\n| {escape(PAYLOADS[name])} | end |")
    assert [tag for tag, _ in cell.tags].count("td") == 2
    assert not {tag for tag, _ in cell.tags} - {"table", "thead", "tbody", "tr", "th", "td"}
    assert line in cell.text


@pytest.mark.parametrize("name", PAYLOADS)
def test_code_holds_its_text(name: str) -> None:
    line = one_line(PAYLOADS[name])
    span = _Page(f"| a | b |\n| --- | --- |\n| {code(PAYLOADS[name])} | end |")
    assert [tag for tag, _ in span.tags].count("td") == 2
    assert line in span.text
    block = _Page(f"before\n\n{fence(PAYLOADS[name], 'bibtex')}\n\nafter")
    assert [tag for tag, _ in block.tags] == ["p", "pre", "code", "p"]
    assert line.split()[-1] in block.text


@pytest.mark.parametrize("name", PAYLOADS)
def test_no_invisible_character_survives(name: str) -> None:
    for made in (escape(PAYLOADS[name]), code(PAYLOADS[name]), fence(PAYLOADS[name]).replace("\n", "")):
        assert not [c for c in made if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_hostile_card_has_the_tags_of_a_tame_one(name: str) -> None:
    """The payload stands wherever text of data or parameters does; only its text may change the page."""
    tame, hostile = (_card_with(text) for text in ("tame", PAYLOADS[name]))
    (tame_front, tame_body), (front, body) = parts(tame), parts(hostile)
    assert front.keys() == tame_front.keys()
    assert front["model-index"][0]["results"][0]["dataset"]["name"] == one_line(PAYLOADS[name], 200)
    assert front["tags"] == [one_line(PAYLOADS[name])]
    tags = [(tag, attrs) for tag, attrs in _Page(body).tags if tag != "code"]
    assert tags == [(tag, attrs) for tag, attrs in _Page(tame_body).tags if tag != "code"]


def test_a_repository_is_one_word_of_one_command() -> None:
    url = "https://x.example/```$(id)|**b**&[a](b);c"
    text = render_with(repository=url)
    block = _Page(text.split("## Reproduction and verification")[1].split("The commit of")[0])
    assert [tag for tag, _ in block.tags] == ["p", "pre", "code"]
    command = block.text.strip().splitlines()[-1]
    assert shlex.split(command) == ["git", "clone", url]
    assert f"'{url}'" in command  # nothing of it is the shell's


def render_with(**card: str) -> str:
    params = card_records.params(**card)
    return render(TEMPLATES, params.card, params.hub, card_records.full(), card_records.PROSE)


@functools.cache
def _card_with(text: str) -> str:
    records = copy.deepcopy(card_records.full())
    other = text + " (2)"
    records["data"]["labels"] = records["eval"]["labels"] = [text, other]
    for split in records["data"]["splits"].values():
        split["labels"] = dict(zip([text, other], split["labels"].values(), strict=True))
    scored = records["eval"]["per_class"]
    records["eval"]["per_class"] = dict(zip([text, other], scored.values(), strict=True))
    records["data"]["rows"]["rejected"] = {text: 3}
    records["data"]["normalisation"] = [text]
    records["data"]["source"] |= {"member": text, "inner": text}
    records["baselines"]["models"]["majority"]["description"] = text
    records["train"]["hyperparameters"]["optim_args"] = text
    records["train"]["environment"]["processor"] = text
    records["train"]["model"]["files"][text] = "0" * 64
    for place, part in enumerate(records["eval"]["slices"]):
        part |= {"column": text} | ({"value": text} if place % 2 else {})
    for mistake in records["eval"]["mistakes"]:
        mistake |= {"predicted": text, "true": other}
    records["snippet"]["printed"] = f"{{'label': {text!r}, 'score': 0.9}}\n"
    records["snippet"]["widget"] = [{"text": text, "output": [{"label": text, "score": 0.9}]}]
    entry = f"@misc{{key,\n  note = {{{text.replace('{', '').replace('}', '')}}},\n}}"
    params = card_records.params(
        title=text,
        summary=text,
        tags=[text],
        data={"name": text, "description": text, "citation": entry},
    )
    # What params.yaml refuses would do no harm on the card either.
    data = params.card.data.model_copy(update={"license": text, "url": text})
    card = params.card.model_copy(update={"data": data})
    return render(TEMPLATES, card, params.hub, records, card_records.PROSE, mistaken=[text, other])


def test_prose_is_the_users_own_and_stays_as_it_is() -> None:
    """Whoever owns the repository writes it, as Markdown; it is no template."""
    own = {"limitations": "\n\n".join(["Before.", *PAYLOADS.values(), "After."])}
    params = card_records.params()
    assert own["limitations"] in render(TEMPLATES, params.card, params.hub, card_records.full(), own)


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "http://", "ftp://x", "https:x", " ", ""],
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert link("text", url) == "text"


def test_an_address_cannot_leave_its_link() -> None:
    page = _Page(str(link("[a](b)", 'https://x.example/a(b)?c=<d>&e="f"|`g`')))
    assert [tag for tag, _ in page.tags] == ["p", "a"]
    assert page.text.strip() == "[a](b)"
    href = dict(page.tags[1][1])["href"]
    assert href is not None and not re.search(r'[()<>"|`\s]', href)


def test_what_is_not_known_cannot_be_stated() -> None:
    with pytest.raises(ValueError, match="not known"):
        finalize(None)
    assert finalize(Markdown("*as it is*")) == "*as it is*"
    assert finalize("*text*") == "&#42;text&#42;"


@pytest.mark.parametrize("text", ['a"b', "a b", "", "a\n", "é", "a`b", "a/../b c"])
def test_only_ids_become_literals_of_a_snippet(text: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        literal(text)

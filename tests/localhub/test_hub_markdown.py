"""Markdown as GitHub and the Hub read it: formulas stay as they are, and what GitHub adds is there."""

from __future__ import annotations

import html
import re
import time

import pytest

from localhub.pages.markdown import render

FORMULAS = [
    "$a_i * b_i * c$",
    r"\(x_1 * y_1 * z\)",
    r"\\(p_1 * q_1 * r\\)",
    "$$E = m*c^2*x_i*y_i$$",
    r"\\[a_1 * b_1 * c\\]",
    r"$\mathbb{E}[x_i](y)$",
    "$[a](b)$",
    "$a < b$",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_stays_as_it_is_written(formula: str) -> None:
    assert f"in {html.escape(formula)} and <em>it</em>" in render(f"in {formula} and *it*", "/a/b", "main")
    cell = render(f"| x |\n|--|\n| {formula} |\n", "/a/b", "main")
    assert f"<td>{html.escape(formula)}</td>" in cell


def test_a_block_of_mathematics_is_no_heading_list_or_rule() -> None:
    block = "$$\na_i = b * c * d\n===\n- x\n# y\n\n\\begin{x} a &= b \\\\ c \\end{x}\n$$"
    shown = render(f"text\n{block}\n\n- item\n  $$x*y*z$$\n", "/a/b", "main")
    assert f'<p class="formula">{html.escape(block)}</p>' in shown
    assert "<h" not in shown and shown.count("<li>") == 1 and '<p class="formula">$$x*y*z$$</p>' in shown


@pytest.mark.parametrize(
    "money",
    [
        ("from $5 *to* $6", "<em>to</em>"),
        ("$5, or `$HOME/*` *x*", "<code>$HOME/*</code> <em>x</em>"),
        (r"\$5 *a* 3\$", "<em>a</em>"),
        ("a $ *b* $", "<em>b</em>"),
        ("$$\n\n*b*", "<em>b</em>"),
    ],
)
def test_a_dollar_may_be_money(money: tuple[str, str]) -> None:
    assert money[1] in render(money[0], "/a/b", "main")


def test_escapes_of_other_writers_are_read_inside_a_formula() -> None:
    assert "$a_i&lt;b$" in render("$a&#95;i&lt;b$", "/a/b", "main")


@pytest.mark.parametrize("bad", ["$$ a\n", "$a\\$", "\\(a", "\\\\(", "$ ", "$$", "$`"])
def test_formulas_that_never_end_cost_no_more_than_their_length(bad: str) -> None:
    start = time.process_time()
    render(bad * 20_000, "/a/b", "main")
    assert time.process_time() - start < 3


def test_extensions_of_github() -> None:
    text = (
        "> [!NOTE]\n> A **note**\n\n> [!CAUTION]\n> B\n\n> plain\n\n- [ ] to do\n- [x] done\n\nx[^1] https://e.org/a\n\n"
        '[^1]: F\n\n<div class="markdown-alert own top">x</div>\n\n~~old~~'
    )
    shown = render(text, "/a/b", "main")
    assert (
        '<div class="markdown-alert markdown-alert-note">\n<p class="markdown-alert-title">Note</p>' in shown
    )
    assert "markdown-alert-caution" in shown and "<blockquote>\n<p>plain" in shown
    assert "☐ to do</li>" in shown and "☑ done</li>" in shown and "<input" not in shown
    assert '<a href="#fn1" id="fnref1"' in shown and '<li id="fn1"' in shown and 'href="#fnref1"' in shown
    assert (
        'href="https://e.org/a"' in shown
        and '<div class="markdown-alert">' in shown
        and "<s>old</s>" in shown
    )
    assert '<div class="scroll"><table>' in render("|a|\n|-|\n|b|\n", "/a/b", "main")


def test_equal_headings_take_no_more_than_their_share() -> None:
    started = time.monotonic()
    shown = render("# a\n" * 16_000, "/a/b", "main")
    assert time.monotonic() - started < 3, "counting up from 1 for each takes 14 s"
    assert '<h1 id="a">' in shown and '<h1 id="a-15999">' in shown


def test_headings_have_names_of_their_own() -> None:
    shown = render("# A `b` & *c*!\n# a-1\n# a\n# a\n# a\n##### a\n# ...\n", "/a/b", "main")
    assert re.findall(r"<h\d[^>]*>", shown) == [
        '<h1 id="a-b--c">',
        '<h1 id="a-1">',
        '<h1 id="a">',
        '<h1 id="a-2">',
        '<h1 id="a-3">',
        "<h5>",
        "<h1>",
    ]


def test_a_picture_that_is_left_out_is_its_alternative_text() -> None:
    text = '![A <b> & "c"](https://x.org/a.png), <img alt="raw > x" src="//x.org/a.png">, <img>, ![in](b.png)'
    shown = render(text, "/a/b", "main")
    kept = '<img src="/a/b/resolve/main/b.png" alt="in">'
    assert shown.count("<img") == 1 and kept in shown
    assert html.unescape(shown.replace(kept, "")) == '<p>A <b> & "c", raw > x, , </p>\n'
    odd = render('<a title="<img x=">t</a> `<img alt="x">`', "/a/b", "main")
    assert "<img" not in odd and "&lt;img alt=" in odd

"""The author's own sections: kept as they are, and never at the cost of what follows them."""

from pathlib import Path

import pytest

from stages.core.errors import PipelineError
from stages.release.prose import read_prose


def test_sections_are_kept_word_for_word(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("about this folder")
    (tmp_path / ".hidden").write_text("an editor's")
    (tmp_path / "limitations.md").write_text("\ufeff- one\n\n```html\n<pre>\n```\n<p>x</p>\n", "utf-8")
    (tmp_path / "ethics.md").write_text("  \n")
    assert read_prose(tmp_path) == {"limitations": "- one\n\n```html\n<pre>\n```\n<p>x</p>"}
    assert read_prose(tmp_path / "none") == {}


@pytest.mark.parametrize("name", ["Ethics.MD", "intended_use.txt", "notes.md", "ethics"])
def test_a_file_that_would_be_missing_from_the_card_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("words")
    with pytest.raises(PipelineError, match=f"{name} is no section of the card"):
        read_prose(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\n\n```python\nx = 1", "contact.md:3: the code block that begins here has no end"),
        ("~~~\n```\n", "contact.md:1: the code block"),
        ("````\n```\n", "contact.md:1: the code block"),
        ("<pre>\nx", "contact.md: <pre> has no end"),
        ("a <SCRIPT>x", "contact.md: <script> has no end"),
    ],
)
def test_what_would_swallow_the_rest_of_the_card_is_refused(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "contact.md").write_text(text)
    with pytest.raises(PipelineError, match=words):
        read_prose(tmp_path)


def test_what_is_not_utf_8_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "contact.md").write_bytes(b"\xff")
    with pytest.raises(PipelineError, match="not UTF-8"):
        read_prose(tmp_path)

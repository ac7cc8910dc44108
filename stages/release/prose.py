"""The user's own words for the card, from files beside the templates."""

import re
from pathlib import Path

from stages.core.errors import PipelineError
from stages.release.wording import SECTIONS

_README = "README.md"
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
# Elements within which Markdown is not read, to their end tags (CommonMark 4.6).
_RAW = re.compile(r"<(/?)(pre|script|style|textarea)\b", re.IGNORECASE)


def read_prose(folder: Path) -> dict[str, str]:
    """The text of each section that the folder has, without white space around it.

    Raises PipelineError for a file that is no section (its text would be missing from the card without a
    word), for one that is not UTF-8, and for one that would swallow what follows it on the card.
    """
    found = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else []:
        if file.name == _README or file.name.startswith("."):
            continue
        if file.stem not in SECTIONS or file.suffix != ".md" or not file.is_file():
            names = ", ".join(f"{name}.md" for name in SECTIONS)
            raise PipelineError(f"{file} is no section of the card: make it one of {names}, or remove it")
        found[file.stem] = _text(file)
    return {name: text for name, text in found.items() if text}


def _text(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError:
        raise PipelineError(f"{file} is not UTF-8: save it as that") from None
    outside, open_since = _without_code(text)
    if open_since:
        raise PipelineError(f"{file}:{open_since}: the code block that begins here has no end: close it")
    tags = [found[0].lower() for found in _RAW.finditer(outside)]
    for tag in ("pre", "script", "style", "textarea"):
        if tags.count(f"<{tag}") > tags.count(f"</{tag}"):
            raise PipelineError(
                f"{file}: <{tag}> has no end, and would swallow the rest of the card: close it"
            )
    return text


def _without_code(text: str) -> tuple[str, int]:
    """The lines outside of fenced code blocks (CommonMark 4.5); where one begins that does not end, or 0."""
    mark, begun, outside = "", 0, []
    for number, line in enumerate(text.split("\n"), start=1):
        found = _FENCE.match(line)
        if not mark and not found:
            outside.append(line)
        elif found and not mark:
            mark, begun = found[1], number
        elif found and found[1][0] == mark[0] and len(found[1]) >= len(mark) and not found[2].strip():
            mark = ""
    return "\n".join(outside), begun if mark else 0

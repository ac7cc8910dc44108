"""Write a revision into params.yaml and change nothing else in it.

ruamel's own round trip would re-indent lists, so one line of the text is edited, and the result is read back.
"""

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.core.errors import PipelineError
from stages.core.files import write_bytes


def write_revision(path: Path, section: tuple[str, ...], revision: str) -> None:
    """Set `revision` in the mapping that `section` leads to; comments, order and line ends stay.

    Raises PipelineError, with the line to write by hand, where the text is laid out in a way that this cannot
    edit. The file is replaced whole or not at all.
    """
    text = path.read_bytes().decode()
    edited = _edited(text, section, revision)
    if _read(edited) != _with_revision(_read(text), section, revision):
        key = ".".join((*section, "revision"))
        raise PipelineError(
            f"{path.name}: cannot edit {key} in place: write `revision: {revision}` there yourself"
        )
    write_bytes(path, edited.encode())


def _edited(text: str, section: tuple[str, ...], revision: str) -> str:
    node: Any = YAML(typ="rt").load(text.removeprefix("\ufeff"))
    for key in section:
        node = node[key]
    lines = text.split("\n")
    places = node.lc.data
    if "revision" in node:
        number, column = places["revision"][:2]
        before, entry = lines[number][:column], lines[number][column:]
        entry = re.sub(r"^(revision\s*:)(?:[ \t]*[^\s,{}#]+)?", rf"\1 {revision}", entry)
        lines[number] = before + re.sub(r"[ \t]{2,}#", "  #", entry, count=1)
    else:
        number, column = places["repo_id"][:2]
        end = "\r" if lines[number].endswith("\r") else ""
        lines.insert(number + 1, f"{' ' * column}revision: {revision}{end}")
    return "\n".join(lines)


def _read(text: str) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(text.removeprefix("\ufeff"))
    except YAMLError:
        return None


def _with_revision(document: Any, section: tuple[str, ...], revision: str) -> Any:
    node = document
    for key in section:
        node = node[key]
    node["revision"] = revision
    return document

"""Sentences of tagged words, a word a line, as CoNLL shared tasks have them.

Columns are separated by tabs or, where the first lines have none, by runs of spaces; a blank line ends a
sentence. A first column called `id`, or the first of a .conllu file unless it is one that is asked for, holds
the numbers of CoNLL-U (https://universaldependencies.org/format.html).
"""

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.sources.text_files import text_lines

_SHOWN = 10  # ragged lines named one by one; the rest is counted
_DEFAULT = ["text", "label"]  # the names of a word and its tag, unless a header gives others
_DOCUMENT = "-DOCSTART-"
# In the first column of CoNLL-U: a comment; "1-2" spans several words; "1.1" is an empty node.
_NOT_A_WORD = re.compile(r"#.*|\d+[-.]\d+")

Line = tuple[int, list[str]]  # its number, its columns


def read_conll(path: Path, name: str, header: list[str] | None, needed: Collection[str]) -> Iterator[Record]:
    """A row a sentence: `{"at": "wiki.conll:4", "values": {column: [...]}, "lines": [4, 5, ...]}`.

    `at` is the line of its first word. In files of two columns the second may be missing and is "" then. All
    lines with another number of columns than `header`, or with spaces for tabs, raise one PipelineError,
    after the last row.
    """
    columns = header or _DEFAULT
    ragged: list[str] = []
    spaced: dict[int, str] = {}  # lines without a tab, with what follows their last space
    tags: set[str] = set()
    for sentence in _sentences(path, name, columns, needed):
        if header is None and len(sentence[0][1]) > len(columns):
            raise PipelineError(
                f"{name}:{sentence[0][0]}: {len(sentence[0][1])} columns: name them in data.source.header"
                " (and which is the word and which the tag in data.text and data.label)"
            )
        found = [
            (number, fields + [""] * (len(columns) == 2 and len(fields) == 1)) for number, fields in sentence
        ]
        ragged += [
            f"{name}:{n}: {_columns(len(f))}, expected {len(columns)}"
            for n, f in found
            if len(f) != len(columns)
        ]
        alone = {n: f[0].strip() for n, f in sentence if len(f) == 1}
        spaced |= {n: field.rpartition(" ")[2] for n, field in alone.items() if " " in field}
        tags.update(f[1].strip() for _, f in sentence if len(f) == len(columns) == 2)
        if not ragged:
            values = dict(zip(columns, map(list, zip(*(f for _, f in found), strict=True)), strict=True))
            yield {"at": f"{name}:{found[0][0]}", "values": values, "lines": [number for number, _ in found]}
    # "New York" is a word without a tag, "Paris B-LOC" has one.
    ragged += [f"{name}:{n}: has spaces where the file has tabs" for n, tag in spaced.items() if tag in tags]
    if ragged:
        more = [f"... and {len(ragged) - _SHOWN} more lines like these"] if len(ragged) > _SHOWN else []
        raise PipelineError("\n".join(ragged[:_SHOWN] + more))


def _sentences(path: Path, name: str, columns: list[str], needed: Collection[str]) -> Iterator[list[Line]]:
    universal = name.lower().endswith(".conllu") and columns[0] not in needed
    numbered = universal or columns[0].casefold() == "id"
    tabs = _has_tabs(text_lines(path, name), "#" if numbered else "# ")
    words: list[Line] = []
    for number, line in enumerate(text_lines(path, name), 1):
        fields = _fields(line, tabs)
        if _ends_sentence(line):
            if words:
                yield words
            words = []
        elif numbered and _NOT_A_WORD.fullmatch(fields[0]):
            continue
        elif not _is_comment(line, fields, columns, tabs, not words):
            words.append((number, fields))
    if words:
        yield words


def _has_tabs(lines: Iterable[str], comment: str) -> bool:
    """Whether the first line of more than one column has a tab."""
    for line in lines:
        if not (_ends_sentence(line) or line.startswith(comment)) and re.search(r"\S[ \t]+\S", line):
            return "\t" in line
    return False


def _fields(line: str, tabs: bool) -> list[str]:
    """The columns of a line. A no-break space is part of a word, so `str.split` is not for this."""
    if tabs:
        return line.rstrip("\r\n").split("\t")
    return re.split(r"[ \t]+", line.rstrip("\r\n").strip(" \t"))


def _ends_sentence(line: str) -> bool:
    return not line.strip() or line.startswith(_DOCUMENT)


def _is_comment(line: str, fields: list[str], columns: list[str], tabs: bool, first: bool) -> bool:
    """Whether a line is a comment. The word `#`, with its tag behind a space, looks like one too."""
    return line.startswith("# ") and (len(fields) == 1 if tabs else first and len(fields) != len(columns))


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"

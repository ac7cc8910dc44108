"""The blocks of a card: what a release writes anew, told from what people write around it.

    <!-- parution:generated {"blocks": ["intro", "results"], "front": {"license": ["5c1f..."]}} -->
    <!-- parution:begin results 0f3a5b... -->
    ## Results
    ...
    <!-- parution:end results 0f3a5b... -->

A page shows none of these comments. A block is named by its section's id, which is the same in every
language; its digest is of what was generated, so that an edit can be told from the card alone. So can one of
the front matter (see fields.py). A line of a block that looks like a marker ends nothing: it would have to
hold the digest of the block that it stands in.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stages.core.errors import PipelineError
from stages.release.traced import Call, MarkdownText, Span, Text, join, spanned, stripped

INTRO = "intro"  # what stands before the first section
Digests = Mapping[str, Sequence[str]]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MARKER = "<!-- parution:"
_BEGIN = re.compile(rf"{_MARKER}begin ([a-z][a-z0-9_]*) ([0-9a-f]+) -->")
_GENERATED = re.compile(rf"{_MARKER}generated (\{{.*\}}) -->")
_FRONT = re.compile(r"\A---[ \t]*\n((?:.*\n)*?)---[ \t]*(?:\n|\Z)")


@dataclass(frozen=True)
class Block:
    """What stands between two markers, in lines `line` and `end`; `digest` is what they say."""

    name: str
    digest: str
    content: str
    line: int
    end: int

    @property
    def edited(self) -> bool:
        """Whether it is not what was generated."""
        return digest(self.content) != self.digest

    def __str__(self) -> str:
        return f"{_begin(self.name, self.digest)}\n{self.content}\n{_end(self.name, self.digest)}"


@dataclass(frozen=True)
class Made:
    """What a release says it generated: the names of its blocks, and the digests of its front matter."""

    blocks: Sequence[str]
    front: Digests

    def __str__(self) -> str:
        said = json.dumps({"blocks": list(self.blocks), "front": self.front}, sort_keys=True)
        return f"{_MARKER}generated {said} -->"


@dataclass(frozen=True)
class Card:
    """A card in its parts: its front matter, and the body, which begins in line `start`.

    `between` holds what people wrote: the text before each block, and that after the last one.
    """

    front: str
    start: int
    blocks: tuple[Block, ...]
    between: tuple[str, ...]
    made: Made | None


def section(name: str) -> MarkdownText:
    """In a template, before its heading: here the section of this name begins.

    It is a mark beside the text, like those of values, so that no text can pass for it. Raises ValueError.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"section {name!r}: a name is made of a-z, 0-9 and _")
    return spanned("", [Span(0, 0, Call("section", (str(name),)))])


def marked(body: Text, front: Digests) -> MarkdownText:
    """The body of a card with its blocks between markers, given the digests of its front matter.

    Raises PipelineError when two sections have one name.
    """
    cuts = [(span.start, name) for span in body.spans if (name := _section(span))]
    starts = [(0, INTRO), *cuts]
    ends = [*(at for at, _ in cuts), len(body)]
    found = [(name, stripped(_cut(body, at, end))) for (at, name), end in zip(starts, ends, strict=True)]
    pieces = [(name, text) for name, text in found if text]
    names = [name for name, _ in pieces]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PipelineError(f"two sections of the card are called {twice[0]}: see model_cards/templates")
    parts: list[str] = [str(Made(names, front))]
    for name, text in pieces:
        known = digest(text)
        parts += ["\n\n", _begin(name, known), "\n", text, "\n\n", _end(name, known)]
    return join(parts)


def _section(span: Span) -> str | None:
    """The name of the section that begins here, if one does."""
    begins = isinstance(span.origin, Call) and span.origin.format == "section" and span.start == span.end
    return str(span.origin.of[0]) if begins and isinstance(span.origin, Call) else None


def _cut(text: Text, start: int, end: int) -> MarkdownText:
    """A part of a text with its values."""
    held = (span for span in text.spans if start <= span.start < span.end <= end)
    return spanned(text[start:end], (Span(s.start - start, s.end - start, s.origin) for s in held))


def _begin(name: str, known: str) -> str:
    return f"{_MARKER}begin {name} {known} -->"


def _end(name: str, known: str) -> str:
    return f"{_MARKER}end {name} {known} -->"


def digest(text: str) -> str:
    """Of a block, whatever editors do to line ends and to blank space at the end of lines."""
    return hashlib.sha256(plain(text).encode()).hexdigest()[:16]


def plain(text: str) -> str:
    """`text` without blank space at the end of its lines and without blank lines around it."""
    lines = plain_lines(text).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def read(text: str, name: str) -> Card:
    """The parts of a card, a file called `name`; its lines may end with \\r\\n.

    Raises PipelineError for markers that do not belong together.
    """
    text = plain_lines(text)
    front = _FRONT.match(text)
    start = front.end() if front else 0
    first = text.count("\n", 0, start) + 1
    lines = text[start:].split("\n")
    blocks, between, made, at = [], [""], None, 0
    while at < len(lines):
        line, place = lines[at].rstrip(), f"{name}:{first + at}"
        if begun := _BEGIN.fullmatch(line):
            end = _closed(lines, at, begun, place)
            content = "\n".join(lines[at + 1 : end])
            blocks.append(Block(begun[1], begun[2], content, first + at, first + end))
            between.append("")
            at = end
        elif line.startswith(_MARKER):
            made = _generated(line, made, place)
        else:
            between[-1] += f"{lines[at]}\n"
        at += 1
    _once(blocks, name)
    return Card(front[1] if front else "", first, tuple(blocks), tuple(_trimmed(t) for t in between), made)


def plain_lines(text: str) -> str:
    """`text` with the line ends that we write, and without a byte order mark."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _closed(lines: list[str], at: int, begun: re.Match[str], place: str) -> int:
    """Where the block that begins `at` a line ends."""
    wanted = _end(begun[1], begun[2])
    end = next((i for i in range(at + 1, len(lines)) if lines[i].rstrip() == wanted), None)
    if end is None:
        raise PipelineError(f"{place}: block {begun[1]} begins and does not end: put back its `{wanted}`")
    return end


def _generated(line: str, known: Made | None, place: str) -> Made:
    """What the line says, which has to be the only one of its kind."""
    found = _GENERATED.fullmatch(line)
    if found and known is None:
        try:
            said = json.loads(found[1])
            names, front = said["blocks"], said["front"]
            digests = [digest for below in front.values() for digest in below]
            if all(isinstance(word, str) for word in (*names, *digests)):
                return Made(names, front)
        except (ValueError, LookupError, TypeError, AttributeError):
            pass
    raise PipelineError(
        f"{place}: is no marker of a release, or one too many: put back what the release held, or remove it"
    )


def _once(blocks: Sequence[Block], name: str) -> None:
    known: dict[str, Block] = {}
    for block in blocks:
        if block.name in known:
            first = known[block.name].line
            raise PipelineError(
                f"{name}:{block.line}: block {block.name} was there at line {first}: remove one"
            )
        known[block.name] = block


def _trimmed(text: str) -> str:
    """`text` without the blank lines around it."""
    lines = text.split("\n")
    held = [i for i, line in enumerate(lines) if line.strip()]
    return "\n".join(lines[held[0] : held[-1] + 1]) if held else ""


def generation(text: str) -> object:
    """What two cards have in common that were generated alike, whatever was written around their blocks."""
    try:
        card = read(text, "")
    except PipelineError:
        return text
    if not card.blocks or card.made is None:
        return text
    return str(card.made), tuple((block.name, block.digest) for block in card.blocks)


def free(text: str) -> tuple[set[int], int]:
    """The numbers of the lines that people wrote around the blocks, and that of the first line of the body.

    Nothing is free in a card without blocks. Raises PipelineError as `read` does.
    """
    card = read(text, "README.md")
    if not card.blocks:
        return set(), 1
    held = {number for block in card.blocks for number in range(block.line, block.end + 1)}
    lines = enumerate(plain_lines(text).split("\n"), start=1)
    theirs = {n for n, line in lines if n >= card.start and line.strip() and not line.startswith(_MARKER)}
    return theirs - held, card.start


def edited(text: str) -> Iterator[str]:
    """The blocks of a card that are not as they were generated, a line each."""
    for block in read(text, "README.md").blocks:
        if block.edited:
            yield f"README.md:{block.line}: block {block.name} is not as it was generated"

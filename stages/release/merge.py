"""A card and what people wrote on the Hub's: blocks and keys are replaced, everything else is kept.

Text around the blocks stays as it is written, below the block that it follows; where that block is gone,
below the one before. What was edited inside of a block cannot be told from a wrong number, and is never
dropped without a word: it stops the release, with the difference.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stages.core.errors import PipelineError
from stages.release import blocks, fields
from stages.release.blocks import Card, Made

_SHOWN, _WIDTH = 24, 160  # of a difference that is shown
_ADVICE = (
    "move your words out of the block (they are kept there), or into model_cards/prose, params.yaml or the"
    " templates; or take the change back on the Hub"
)


@dataclass(frozen=True)
class Merged:
    """The card to publish; of what people wrote, how many lines it keeps and which keys."""

    text: str
    lines: int = 0
    keys: tuple[str, ...] = ()

    @property
    def kept(self) -> str:
        """What is kept, for a reader; empty when it is nothing."""
        count = f"{self.lines} hand-written line{'s' if self.lines != 1 else ''}" if self.lines else ""
        keys = f"{', '.join(self.keys)} of its front matter" if self.keys else ""
        one = self.lines + len(self.keys) == 1
        said = " and ".join(filter(None, [count, keys]))
        return f"README.md: {said} on the Hub {'is' if one else 'are'} kept" if said else ""


def merge(ours: str, theirs: str, base: str | None, name: str) -> Merged:
    """`ours`, the card as it was generated, with what people wrote in `theirs`, the one on the Hub.

    `base` is the card of the release before, if one is known; `name` is what `theirs` is called in messages.
    Raises PipelineError, a line or a difference for each conflict.
    """
    new, old = blocks.read(ours, "the card"), blocks.read(theirs, name)
    if new.blocks and (old.blocks or (base is None and not any(old.between))):
        return _merged(new, old, base, name)
    if blocks.plain_lines(theirs) in (ours, base and blocks.plain_lines(base)):
        return Merged(ours)
    said = "was not written by this pipeline" if base is None else "is not what was released"
    problem = (
        f"{name} {said}, and has no blocks to tell words from: take what you need of it into"
        " model_cards/prose, then remove it on the Hub"
    )
    raise PipelineError("\n".join([problem, *_difference(base or "", theirs, "as it was released")]))


def _merged(new: Card, old: Card, base: str | None, name: str) -> Merged:
    """`merge` of a card with blocks into one with blocks or without a body."""
    before = _base(base)
    made = old.made or (before.made if before else None)
    generated, found = fields.read(new.front, "the card"), fields.read(old.front, name)
    front = fields.merge(generated, found, made.front if made else None, name)
    conflicts = [*front.conflicts, *_edits(new, old, before, name), *_deletions(new, old, made, name)]
    if conflicts:
        raise PipelineError("\n".join(conflicts))
    parts = [part for part in (str(new.made), *_body(new, old)) if part]
    text = f"---\n{front.text}---\n\n" + "\n\n".join(parts) + "\n"
    lines = sum(bool(line.strip()) for kept in old.between for line in kept.split("\n"))
    return Merged(text, lines, tuple(front.kept))


def _base(base: str | None) -> Card | None:
    try:
        return None if base is None else blocks.read(base, "")
    except PipelineError:
        return None


def _edits(new: Card, old: Card, base: Card | None, name: str) -> Iterator[str]:
    """The blocks that were edited by hand, other than into what is generated now."""
    generated = {block.name: block for block in new.blocks}
    known = {(b.name, b.digest): b for b in (base.blocks if base else ()) if not b.edited}
    for block in old.blocks:
        now = generated.get(block.name)
        if not block.edited or (now and blocks.plain(now.content) == blocks.plain(block.content)):
            continue
        yield f"{name}:{block.line}: block {block.name} was edited by hand: {_ADVICE}"
        was = known.get((block.name, block.digest))
        yield from _difference(
            was.content if was else now.content if now else "",
            block.content,
            "as it was released" if was else "as it is generated now",
        )


def _deletions(new: Card, old: Card, made: Made | None, name: str) -> Iterator[str]:
    if made is None or not old.blocks:
        return
    held = {block.name for block in old.blocks}
    for block in new.blocks:
        if block.name in made.blocks and block.name not in held:
            yield (
                f"{name}: block {block.name} was removed by hand: put it back there, or take its section out"
                " of model_cards/templates"
            )


def _body(new: Card, old: Card) -> Iterator[str]:
    """The blocks of `new`, each with the text that follows it in `old`, or follows one that is gone."""
    names = {block.name for block in new.blocks}
    found: dict[str, list[str]] = {"": [old.between[0]]}
    anchor = ""
    for block, text in zip(old.blocks, old.between[1:], strict=True):
        anchor = block.name if block.name in names else anchor
        found.setdefault(anchor, []).append(text)
    yield from found[""]
    for block in new.blocks:
        yield str(block)
        yield from found.get(block.name, [])


def _difference(then: str, now: str, called: str) -> Iterator[str]:
    """A unified difference, as short as it can be shown."""
    lines = list(difflib.unified_diff(_lines(then), _lines(now), called, "on the Hub now", lineterm="", n=1))
    yield from (f"  {_visible(line)}" for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"  ... and {len(lines) - _SHOWN} lines more"


def _lines(text: str) -> Sequence[str]:
    return blocks.plain(text).splitlines()


def _visible(line: str) -> str:
    """A line without what a terminal would act on, cut."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return shown if len(shown) <= _WIDTH else f"{shown[: _WIDTH - 1]}…"

"""Test texts changed in ways that should not change their meaning: does the model still decide alike?

Invariance tests after Ribeiro et al., "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList", ACL
2020.
"""

import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from stages.core.tasks import Kind
from stages.tasks.rows import Rows

_TYPOS = 0.1  # of the words that are long enough have one
_LONG = 4  # letters; who mistypes a shorter word may have typed another
_WORD = re.compile(r"[^\W\d_]+")

Parts = Sequence[str]  # a text: one string, or its words
Change = Callable[[Parts, random.Random], list[str]]


def _lower(parts: Parts, rng: random.Random) -> list[str]:
    return [part.lower() for part in parts]


def _upper(parts: Parts, rng: random.Random) -> list[str]:
    return [part.upper() for part in parts]


def _bare(parts: Parts, rng: random.Random) -> list[str]:
    """Without punctuation marks; a part of nothing else stays as it is."""
    kept = ("".join(" " if unicodedata.category(c).startswith("P") else c for c in part) for part in parts)
    return [" ".join(bare.split()) or part for bare, part in zip(kept, parts, strict=True)]


def _typos(parts: Parts, rng: random.Random) -> list[str]:
    """A typing error in one of ten words that are long enough, and in one at least where there is one."""
    long = [
        (number, word.start())
        for number, part in enumerate(parts)
        for word in _WORD.finditer(part)
        if len(word[0]) >= _LONG
    ]
    chosen = {place for place in long if rng.random() < _TYPOS} or set(long and [rng.choice(long)])

    def mistyped(number: int) -> Callable[[re.Match[str]], str]:
        return lambda word: _mistyped(word[0], rng) if (number, word.start()) in chosen else word[0]

    return [_WORD.sub(mistyped(number), part) for number, part in enumerate(parts)]


def _mistyped(word: str, rng: random.Random) -> str:
    """The word with an inner letter left out, doubled, or swapped with the next one."""
    place = rng.randrange(1, len(word) - 2)
    before, letter, following, after = word[:place], word[place], word[place + 1], word[place + 2 :]
    errors = [following, letter + letter + following, following + letter]
    return before + rng.choice(errors[: 2 if letter == following else 3]) + after


CHANGES: dict[str, Change] = {
    "lower_case": _lower,
    "upper_case": _upper,
    "no_punctuation": _bare,
    "typos": _typos,
}


def stressed(rows: Rows, kind: Kind, seed: int) -> dict[str, Rows]:
    """The rows once for each change that this kind of label allows; labels stay what they are.

    Words that have tags keep their number, so their punctuation stays. Language models are scored on the very
    tokens that a change would change: none is made.
    """
    if kind == "none":
        return {}
    changes = {name: c for name, c in CHANGES.items() if kind != "tags" or name != "no_punctuation"}
    return {name: _changed(rows, change, random.Random(seed)) for name, change in changes.items()}


def _changed(rows: Rows, change: Change, rng: random.Random) -> Rows:
    def of(text: Any) -> Any:
        return change([text], rng)[0] if isinstance(text, str) else change(text, rng)

    pairs = rows.pairs and [of(text) for text in rows.pairs]
    return replace(rows, texts=[of(text) for text in rows.texts], pairs=pairs)

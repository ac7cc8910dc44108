"""Tag schemes: which one a corpus is in, the entities that its tags mark, and IOB2.

IO marks every word of an entity I-. IOB2 begins each entity with B-, IOB1 only one that follows another of
its type (Tjong Kim Sang and Veenstra, Representing text chunks, EACL 1999). BIOES, also called IOBES, ends
entities of several words with E- and marks those of one word S-; in BILOU these are L- and U- (Ratinov and
Roth, Design challenges and misconceptions in named entity recognition, CoNLL 2009).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from stages.tasks.entity_tags import OUTSIDE, TYPE

PLAIN = "plain"  # tags that mark no entities, such as parts of speech
PREFIXES = {"IO": "I", "IOB1": "BI", "IOB2": "BI", "BIOES": "BIES", "BILOU": "BILU"}
_TAG = re.compile(rf"([BIESLU])-({TYPE})")
_STARTS, _ENDS = "BSU", "ESLU"

Span = tuple[str, int, int]  # type, first word, the one after the last


def parts(tag: str) -> tuple[str, str]:
    """Prefix and type of an entity's tag; two empty texts for any other."""
    found = _TAG.fullmatch(tag)
    return (found[1], found[2]) if found else ("", "")


def recognise(sentences: Iterable[Sequence[str]]) -> str:
    """The scheme of a corpus: a key of PREFIXES, or PLAIN when no tag has a prefix.

    A few tags out of place do not decide: what most entities do, does.
    """
    seen = _evidence(sentences)
    if not seen["entities"]:
        return PLAIN
    if 2 * sum(seen[prefix] for prefix in _ENDS) >= seen["entities"]:
        return "BILOU" if seen["L"] + seen["U"] > seen["E"] + seen["S"] else "BIOES"
    if not seen["B"]:
        return "IO"
    return "IOB1" if seen["entities begun with I"] > seen["B after another type"] else "IOB2"


def _evidence(sentences: Iterable[Sequence[str]]) -> Counter[str]:
    """How often each prefix occurs, and how entities begin."""
    seen: Counter[str] = Counter()
    for tags in sentences:
        split = [("", ""), *map(parts, tags)]
        seen.update(prefix for prefix, _ in split if prefix)
        seen["B after another type"] += sum(
            prefix == "B" and kind != before for (_, before), (prefix, kind) in pairwise(split)
        )
        begun = [split[start + 1][0] for _, start, _ in spans(tags)]
        seen["entities"] += len(begun)
        seen["entities begun with I"] += sum(prefix not in _STARTS for prefix in begun)
    return seen


def spans(tags: Sequence[str]) -> Iterator[Span]:
    """The entities that tags of any scheme mark.

    An entity begins with B, S or U, and with any other tag that finds none of its type to go on with; it ends
    with E, L, S or U, or before a word that does not belong to it.
    """
    kind, start = "", 0
    for place, tag in enumerate(tags):
        prefix, named = parts(tag)
        if kind and (named != kind or prefix in _STARTS):
            yield kind, start, place
            kind = ""
        if named and not kind:
            kind, start = named, place
        if kind and prefix in _ENDS:
            yield kind, start, place + 1
            kind = ""
    if kind:
        yield kind, start, len(tags)


def to_iob2(tags: Sequence[str]) -> tuple[str, ...]:
    """The same entities in IOB2."""
    converted = [OUTSIDE] * len(tags)
    for kind, start, end in spans(tags):
        converted[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
    return tuple(converted)


def without_begin(tags: Sequence[str]) -> int:
    """How many entities begin with a tag that goes on with one."""
    return sum(parts(tags[start])[0] not in _STARTS for _, start, _ in spans(tags))

"""Schemes are told apart, and conversions mark the very entities that another library finds."""

import random
from collections.abc import Callable

import iobes
import pytest

from stages.sources.tags import (
    parts,
    recognise,
    spans,
    to_iob2,
    without_begin,
)
from stages.tasks import tag_metrics
from stages.tasks.entity_tags import ENTITY_SCORES, PLAIN_SCORES, are_entities

CONVERTERS: dict[str, Callable[[list[str]], list[str]]] = {
    "IOB1": iobes.bio_to_iob,
    "BIOES": iobes.bio_to_iobes,
    "BILOU": iobes.bio_to_bilou,
}


def sentence(rng: random.Random) -> list[str]:
    """Well-formed IOB2 with many entities side by side."""
    tags: list[str] = []
    while len(tags) < rng.randint(1, 12):
        kind = rng.choice(["PER", "LOC", "GEO-LOC"])
        tags += rng.choice([["O"], ["O", "O"], [f"B-{kind}"], [f"B-{kind}", f"I-{kind}"]])
        if tags[-1].startswith("I-") and rng.random() < 0.3:
            tags.append(tags[-1])
    return tags


def corpus(seed: int, count: int = 300) -> list[list[str]]:
    rng = random.Random(seed)
    return [sentence(rng) for _ in range(count)]


@pytest.mark.parametrize("scheme", CONVERTERS)
@pytest.mark.parametrize("seed", range(3))
def test_every_scheme_comes_back_to_iob2(scheme: str, seed: int) -> None:
    written = [CONVERTERS[scheme](list(tags)) for tags in corpus(seed)]
    assert written != corpus(seed)
    assert recognise(written) == scheme
    assert [list(to_iob2(tags)) for tags in written] == corpus(seed)


@pytest.mark.parametrize("seed", range(3))
def test_iob2_stays_as_it_is(seed: int) -> None:
    assert recognise(corpus(seed)) == "IOB2"
    assert [list(to_iob2(tags)) for tags in corpus(seed)] == corpus(seed)
    assert sum(map(without_begin, corpus(seed))) == 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(3))
def test_entities_are_those_of_the_other_library(seed: int) -> None:
    for tags in corpus(seed):
        theirs = iobes.parse_spans(tags, iobes.SpanEncoding.BIO)
        assert list(spans(tags)) == [(span.type, span.start, span.end) for span in theirs]


def test_io_loses_the_border_between_neighbours() -> None:
    tags = ["I-PER", "I-PER", "O", "I-LOC", "I-PER"]
    assert recognise([tags]) == "IO"
    assert to_iob2(tags) == ("B-PER", "I-PER", "O", "B-LOC", "B-PER")


@pytest.mark.parametrize(
    ("tags", "iob2", "count"),
    [
        (["O", "I-PER", "I-PER"], ["O", "B-PER", "I-PER"], 1),
        (["B-PER", "I-LOC", "I-LOC"], ["B-PER", "B-LOC", "I-LOC"], 1),
        (["B-PER", "O", "E-PER"], ["B-PER", "O", "B-PER"], 1),
        (["S-PER", "I-PER", "E-PER", "I-PER"], ["B-PER", "B-PER", "I-PER", "B-PER"], 2),
        (["B-GEO-LOC", "I-GEO-LOC", "I-LOC"], ["B-GEO-LOC", "I-GEO-LOC", "B-LOC"], 1),
    ],
)
def test_an_entity_without_a_beginning_begins_anew(tags: list[str], iob2: list[str], count: int) -> None:
    assert list(to_iob2(tags)) == iob2
    assert without_begin(tags) == count


def test_most_entities_decide_the_scheme() -> None:
    iob1, iob2 = ["I-PER", "O", "I-LOC", "B-LOC"], ["B-PER", "I-PER", "O", "B-LOC"]
    assert recognise([*[iob1] * 20, iob2]) == "IOB1"
    assert recognise([*[iob2] * 20, iob1, ["O", "E-PER", "S-LOC"]]) == "IOB2"
    assert recognise([["I-PER", "O"]] * 20 + [["S-PER"]]) == "IO"


def test_tags_without_prefixes_are_plain() -> None:
    assert recognise([["NOUN", "VERB", "O"], ["-LRB-", "P+D", "I", "B"]]) == "plain"
    assert recognise([]) == "plain"
    assert parts("B-") == parts("-X") == parts("b-PER") == parts("B_PER") == ("", "")


@pytest.mark.parametrize(
    ("labels", "entities"),
    [
        (["O", "B-PER", "I-PER"], True),
        (["I-GEO-LOC", "O"], True),
        (["O", "B-PER", "LOC"], False),
        (["O", "B-PER", "E-PER"], False),
        (["O", "B-"], False),
        (["O", "B-PER", "B-PER-"], False),
        (["NOUN", "O"], False),
    ],
)
def test_the_scores_that_tags_have_are_those_that_training_will_find(
    labels: list[str], entities: bool
) -> None:
    assert are_entities(labels) is entities
    found = tag_metrics.score_tags([{"predicted": labels}], [labels], labels)
    assert set(found) == set(ENTITY_SCORES if entities else PLAIN_SCORES)

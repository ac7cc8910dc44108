"""Odd tags are all listed with their places, and the suggestion that ends the list is one that works."""

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from stages.core.data_section import Data
from stages.core.errors import PipelineError
from stages.sources.clean import clean
from stages.sources.rows import Cleaned

FINE = ["B-PER", "I-PER", "O", "B-MISC", "I-MISC", "O", "B-LOC"]


def settings(**changes: Any) -> Data:
    return Data.model_validate({"source": {"type": "files", "path": "a.conll"}, **changes})


def tagged(*sentences: list[str], **changes: Any) -> Cleaned:
    """Sentences of the words w0, w1, ... on the lines of one file."""
    line, records = 1, []
    for number, tags in enumerate(sentences):
        lines = list(range(line, line + len(tags)))
        words = [f"w{number}-{position}" for position in range(len(tags))]
        values = {"text": words, "label": tags}
        records.append({"at": f"a.conll:{line}", "values": values, "lines": lines})
        line += len(tags) + 1
    return clean({"train": records[::2], "test": records[1::2]}, settings(**changes), "tags")


def refused(*sentences: list[str], **changes: Any) -> list[str]:
    with pytest.raises(PipelineError) as error:
        tagged(*sentences, **changes)
    return str(error.value).splitlines()


def suggested(line: str) -> dict[str, str]:
    found = re.search(r"data\.label_map: (\{.*?\}) \(null", line)
    assert found
    mapping: dict[str, str] = YAML(typ="safe").load(found[1])
    return mapping


ODD = ["I-I-MISC", "VMISC", "0", "", "b-PER", "I-PRG", "B-per", "E-LOC"]


def test_every_odd_tag_is_listed_with_its_count_and_its_first_place() -> None:
    lines = refused(FINE, FINE * 5, ["O", "VMISC", "VMISC"], FINE, ODD)
    assert lines[0].startswith("a.conll:46: 'VMISC' (3 in all) is neither O nor B-, I- with a type")
    assert [line.split(" (")[0] for line in lines[1:-1]] == [
        "a.conll:60: a word without a tag",
        "a.conll:59: '0'",
        "a.conll:63: 'B-per'",
        "a.conll:64: 'E-LOC'",
        "a.conll:57: 'I-I-MISC'",
        "a.conll:62: 'I-PRG'",
        "a.conll:61: 'b-PER'",
    ]
    assert lines[-1].startswith("8 tags are not what the others are (IOB2): say what they stand for")


def test_the_suggestion_can_be_pasted_and_settles_them() -> None:
    lines = refused(FINE, ODD, FINE * 5)
    names = suggested(lines[-1])
    assert names == {
        "": "O",
        "0": "O",
        "B-per": "B-PER",
        "E-LOC": "I-LOC",
        "I-I-MISC": "I-MISC",
        "I-PRG": "I-PER",
        "VMISC": "I-MISC",
        "b-PER": "B-PER",
    }
    cleaned = tagged(FINE, ODD, FINE * 5, label_map=names)
    assert cleaned.rows["test"][0].label == ("B-MISC", "I-MISC", "O", "O", "B-PER", "I-PER", "B-PER", "B-LOC")
    assert cleaned.facts["tags"]["odd"] == {"mapped": dict.fromkeys(names, 1), "without_begin": 2}


def test_a_tag_that_stands_for_itself_is_accepted_if_it_is_well_formed() -> None:
    assert suggested(refused(FINE, ["I-XYZW"])[-1]) == {"I-XYZW": "I-XYZW"}
    cleaned = tagged(FINE, ["I-XYZW"], label_map={"I-XYZW": "I-XYZW"})
    assert cleaned.rows["test"][0].label == ("B-XYZW",)
    assert "'XYZ'" in refused(FINE, ["XYZ"], label_map={"XYZ": "XYZ"})[0]


def test_a_bare_type_is_never_suggested_to_be_no_entity() -> None:
    assert suggested(refused(FINE, ["LOC"] * 9)[-1]) == {"LOC": "I-LOC"}
    names = suggested(refused(["B-PER", "O"], ["LOC"] * 9, ["_"])[-1])
    assert names == {"LOC": None, "_": "O"}
    cleaned = tagged(["B-PER", "O"], ["LOC"] * 9, ["_"], label_map=names)
    assert [row.at for row in cleaned.rejected] == ["a.conll:4"]


def test_types_that_seqeval_would_cut_are_odd() -> None:
    names = suggested(refused(FINE * 3, ["B-PER-", "I--PER"])[-1])
    assert names == {"B-PER-": "B-PER", "I--PER": "I-PER"}


def test_names_that_the_map_gives_are_judged_too() -> None:
    lines = refused(FINE, ["0"], label_map={"0": "MISC", "unused": None})
    assert lines[0].startswith("a.conll:9: 'MISC'")
    assert suggested(lines[-1]) == {"0": "I-MISC", "unused": None, "MISC": "I-MISC"}


def test_null_leaves_the_sentence_out_and_names_the_word() -> None:
    cleaned = tagged(FINE, ["O", "VMISC"], label_map={"VMISC": None})
    assert [(r.at, r.reason, r.text) for r in cleaned.rejected] == [
        ("a.conll:10", "label left out by data.label_map", "w1-0 w1-1")
    ]


def test_the_list_ends_at_twenty() -> None:
    lines = refused(FINE, [f"X{n}" for n in range(23)])
    assert len(lines) == 22 and lines[20] == "and 3 more such tags"
    assert lines[21].startswith("23 tags are not what the others are")


def test_types_that_never_begin_are_usual_in_iob1_and_io() -> None:
    assert tagged(["I-PER", "O", "I-LOC", "B-LOC", "O", "I-PER"]).facts["tags"]["scheme"] == "IOB1"
    assert tagged(["I-PER", "O", "I-LOC"]).facts["tags"]["scheme"] == "IO"


def test_plain_tags_are_left_as_they_are_but_none_may_be_missing() -> None:
    cleaned = tagged(["NOUN", "O", "0", "noun"])
    assert cleaned.rows["train"][0].label == ("NOUN", "O", "0", "noun")
    assert (cleaned.manifest, cleaned.done) == ({"tag_scheme": "plain"}, [])
    assert refused(["NOUN", ""])[0] == "a.conll:2: a word without a tag (1 in all) has to have one"


def test_a_scheme_can_be_forced() -> None:
    assert tagged(["I-PER", "LOC"], tag_scheme="plain").rows["train"][0].label == ("I-PER", "LOC")
    assert "'B-PER'" in refused(["I-PER", "B-PER"], tag_scheme="IO")[0]
    cleaned = tagged(["B-PER", "L-PER", "U-LOC"], tag_scheme="BIOES")
    assert cleaned.facts["tags"]["scheme"] == "BILOU"
    assert cleaned.rows["train"][0].label == ("B-PER", "I-PER", "B-LOC")


def test_what_was_converted_is_counted_and_said() -> None:
    cleaned = tagged(["I-PER", "I-PER", "O"], ["O"], ["I-LOC", "O", "I-LOC"])
    assert cleaned.facts["tags"] == {
        "scheme": "IO",
        "converted": {"sentences": 2, "tags": 3},
        "odd": {"mapped": {}, "without_begin": 0},
    }
    assert cleaned.done == [
        "Tags are rewritten from IO to IOB2.",
        "Neighbouring entities of one type count as one: IO does not tell them apart.",
    ]
    assert cleaned.manifest == {"tag_scheme": "entities"}
    cleaned = tagged(FINE, FINE, ["O", "I-PER"])
    assert cleaned.done == ["Entities that began with another tag than B- begin with B- (1)."]


def test_control_characters_in_tags_are_refused() -> None:
    with pytest.raises(PipelineError, match=r"a\.conll:2: the label 'B-\\x07' holds a line break or another"):
        tagged(["O", "B-\a"])

"""Rows to features: labels on the right tokens, for tokenizers of every kind."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig

from stages.core.errors import PipelineError
from stages.core.task_section import Task
from stages.tasks.encode import (
    IGNORED,
    check_ends,
    check_segments,
    chunk_features,
    class_features,
    classes_features,
    maskable_features,
    target_features,
    truncated_share,
    windows,
    word_features,
)
from stages.tasks.rows import Rows
from stages.tasks.tokenizers import load_tokenizer, save_tokenizer, usable
from tests import corpora, families

WORDS = ["le", "film", "Émile", "Dupont", "l'été", "à", "Paris"]
TAGS = ["O", "O", "B-PER", "I-PER", "O", "O", "B-LOC"]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bases")
    for family in families.HEADS:
        (folder / family).mkdir()
        families.write_family(family, folder / family, corpora.texts())
    return folder


def task(name: str = "token-classification", **own: Any) -> Task:
    return Task(type=name, labels=corpora.LABELS.get(Task(type=name).kind.label), max_length=32, **own)


def tokens(tokenizer: Any, ids: list[int]) -> str:
    """The characters of tokens, without what tokenizers write for spaces and ends of words."""
    text = "".join(tokenizer.convert_ids_to_tokens(ids))
    for mark in ("Ġ", "▁", "##", "</w>"):
        text = text.replace(mark, "")
    return text


@pytest.mark.parametrize("family", [f for f, t in families.HEADS.items() if "token-classification" in t])
def test_the_first_token_of_each_word_carries_its_tag(bases: Path, family: str) -> None:
    own = task()
    tokenizer = load_tokenizer(bases / family, own)
    (feature,) = word_features(tokenizer, Rows(["1"], [WORDS], None, [TAGS]), own)
    places = [i for i, word in enumerate(feature["words"]) if word is not None]
    assert [feature["words"][i] for i in places] == list(range(len(WORDS)))
    assert [own.labels[feature["labels"][i]] for i in places] == TAGS  # type: ignore[index]
    others = [label for i, label in enumerate(feature["labels"]) if i not in places]
    assert set(others) <= {IGNORED}
    # What lies between one first token and the next is that word: nothing is shifted.
    assert tokens(tokenizer, feature["input_ids"][places[1] : places[2]]) == "film"
    assert feature["of"] == len(WORDS)


@pytest.mark.parametrize("family", ["roberta", "gpt2"])
def test_words_of_byte_level_tokenizers_keep_the_space_before_them(bases: Path, family: str) -> None:
    """Without add_prefix_space a word given alone is cut into other tokens than the same word in a text."""
    own = task()
    tokenizer = load_tokenizer(bases / family, own)
    (feature,) = word_features(tokenizer, Rows(["1"], [["une", "histoire"]], None, [["O", "O"]]), own)
    text = tokenizer("une histoire")["input_ids"]
    assert feature["input_ids"] == text


def test_what_is_saved_loads_with_the_space_and_the_padding_that_training_used(
    bases: Path, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    save_tokenizer(bases / "gpt2", tmp_path, task())
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    ours = load_tokenizer(bases / "gpt2", task())
    assert theirs.pad_token == theirs.eos_token
    words = {"is_split_into_words": True}
    assert theirs(WORDS, **words)["input_ids"] == ours(WORDS, **words)["input_ids"]


def test_a_tokenizer_that_needs_nothing_is_its_bases_byte_for_byte(bases: Path, tmp_path: Path) -> None:
    save_tokenizer(bases / "camembert", tmp_path, task())
    for file in tmp_path.iterdir():
        assert file.read_bytes() == (bases / "camembert" / file.name).read_bytes()
    assert (tmp_path / "tokenizer.json").exists()


@pytest.mark.parametrize("family", ["bert", "flaubert"])
def test_a_word_that_gives_no_token_keeps_its_tag(bases: Path, family: str) -> None:
    own = task()
    tokenizer = load_tokenizer(bases / family, own)
    rows = Rows(["1"], [["le", "\u200b", "Paris"]], None, [["O", "B-LOC", "O"]])
    (feature,) = word_features(tokenizer, rows, own)
    assert [word for word in feature["words"] if word is not None] == [0, 1, 2]
    second = feature["words"].index(1)
    assert feature["input_ids"][second] == tokenizer.unk_token_id
    assert own.labels[feature["labels"][second]] == "B-LOC"  # type: ignore[index]


def test_all_tokens_of_a_word_may_be_labelled(bases: Path) -> None:
    """A name of several tokens: B- on the first, I- on the others."""
    own = task(label_all_tokens=True)
    tokenizer = load_tokenizer(bases / "bert", own)
    rows = Rows(["1"], [["Dupontissime"]], None, [["B-PER"]])
    (feature,) = word_features(tokenizer, rows, own)
    inner = [own.labels[label] for label in feature["labels"] if label != IGNORED]  # type: ignore[index]
    assert inner[0] == "B-PER" and len(inner) > 1 and set(inner[1:]) == {"I-PER"}


def test_windows_cover_every_token_and_overlap_by_the_stride() -> None:
    assert windows(10, 4, 0) == [(0, 4)]
    assert windows(3, 4, 2) == [(0, 3)]
    found = windows(11, 5, 2)
    assert found == [(0, 5), (3, 8), (6, 11)]
    assert sorted({i for start, end in windows(12, 5, 2) for i in range(start, end)}) == list(range(12))


@pytest.mark.parametrize("family", ["bert", "flaubert"])
def test_with_a_stride_no_word_of_a_long_sentence_is_lost(bases: Path, family: str) -> None:
    words, tags = WORDS * 12, TAGS * 12
    rows = Rows(["1"], [words], None, [tags])
    cut, overlapping = task(), task(stride=8)
    tokenizer = load_tokenizer(bases / family, cut)
    seen = {w for f in word_features(tokenizer, rows, cut) for w in f["words"] if w is not None}
    assert len(seen) < len(words)
    assert truncated_share(tokenizer, rows, cut) == 1.0
    features = word_features(tokenizer, rows, overlapping)
    assert {w for f in features for w in f["words"] if w is not None} == set(range(len(words)))
    assert all(len(feature["input_ids"]) <= 32 for feature in features)
    assert {feature["row"] for feature in features} == {0}

    assert truncated_share(tokenizer, rows, overlapping) == 0.0


def test_a_text_is_cut_in_its_source_or_in_its_target(bases: Path) -> None:
    own = Task(type="seq2seq", max_length=8, max_target_length=8)
    tokenizer = load_tokenizer(bases / "t5", own)
    short, long = "le film", "le film " * 9
    rows = Rows(list("abcd"), [short, short, long, long], None, [short, long, short, long])
    assert truncated_share(tokenizer, rows, own) == 0.75
    for row, feature in enumerate(target_features(tokenizer, rows, own)):
        whole = tokenizer(text_target=rows.labels[row])["input_ids"]
        assert (feature["labels"] != whole) == (row in (1, 3))


@pytest.mark.parametrize(("family", "name"), [("gpt2", "causal-lm"), ("bert", "masked-lm")])
def test_texts_that_are_read_in_pieces_are_not_cut(bases: Path, family: str, name: str) -> None:
    own = Task(type=name, max_length=8)
    tokenizer = load_tokenizer(bases / family, own)
    assert truncated_share(tokenizer, Rows(["1"], ["le film " * 9], None, [None]), own) == 0.0


@pytest.mark.parametrize("family", ["bert", "roberta", "flaubert"])
def test_windows_have_to_go_on_in_what_the_base_takes(bases: Path, family: str) -> None:
    """Of 64 tokens two are special, and as many as 58 may be shared."""
    own = task().model_copy(update={"max_length": 500, "stride": 58})
    tokenizer = load_tokenizer(bases / family, own)
    able = usable(own, tokenizer, bases / family)
    (row,) = word_features(tokenizer, Rows(["1"], [WORDS * 40], None, [TAGS * 40]), able)[-1:]
    assert row["words"][-2] is not None or row["words"][-3] is not None
    with pytest.raises(PipelineError, match=r"params.yaml: task.stride: should be 58 at most.* 64 tokens"):
        usable(own.model_copy(update={"stride": 59}), tokenizer, bases / family)


def test_labels_that_hold_independently_are_floats(bases: Path) -> None:
    own = task("multi-label-classification")
    tokenizer = load_tokenizer(bases / "bert", own)
    rows = Rows(["1", "2"], ["le film", "une"], None, [["good", "person"], []])
    found = [feature["labels"] for feature in classes_features(tokenizer, rows, own)]
    assert found == [[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    assert all(isinstance(value, float) for row in found for value in row)


def test_second_texts_are_told_apart_and_a_tokenizer_that_cannot_is_refused(
    bases: Path, tmp_path: Path
) -> None:
    """A BERT folder that names TokenizersBackend gives no token_type_ids, without a word."""
    import json
    import shutil

    own = task("text-classification")
    rows = Rows(["1"], ["le film"], ["une histoire"], ["good"])
    tokenizer = load_tokenizer(bases / "bert", own)
    (feature,) = class_features(tokenizer, rows, own)
    assert set(feature["token_type_ids"]) == {0, 1}
    check_segments(tokenizer, AutoConfig.from_pretrained(bases / "bert"))
    shutil.copytree(bases / "bert", tmp_path / "bert")
    path = tmp_path / "bert/tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tokenizer_class": "TokenizersBackend"}))
    nameless = load_tokenizer(tmp_path / "bert", own)
    with pytest.raises(PipelineError, match=r"token_type_ids.*tokenizer_class"):
        check_segments(nameless, AutoConfig.from_pretrained(bases / "bert"))


@pytest.mark.parametrize("family", [f for f, t in families.HEADS.items() if "text-classification" in t])
def test_pairs_are_for_families_that_put_something_between_them(bases: Path, family: str) -> None:
    own = task("text-classification")
    tokenizer = load_tokenizer(bases / family, own)
    rows = Rows(["1"], ["le film"], ["est superbe"], ["good"])
    if family in families.PAIRS:
        (feature,) = class_features(tokenizer, rows, own)
        bare = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("le film", "est superbe")]
        assert len(feature["input_ids"]) > len(tokenizer("le film")["input_ids"]) + len(bare[1])
    else:
        with pytest.raises(PipelineError, match=r"data.pair: .*GPT2Tokenizer.* nothing between two texts"):
            class_features(tokenizer, rows, own)


@pytest.mark.parametrize(("family", "refused"), [("bart", True), ("t5", True), ("roberta", False)])
@pytest.mark.parametrize("pairs", [None, ["une histoire", "une histoire"]])
def test_a_text_that_holds_the_sign_for_its_end_is_refused_where_a_head_looks_for_it(
    bases: Path, family: str, refused: bool, pairs: list[str] | None
) -> None:
    """BART's and T5's heads would stop at it: all rows of a batch have to have as many ends."""
    own = task("text-classification")
    tokenizer = load_tokenizer(bases / family, own)
    config = AutoConfig.from_pretrained(bases / family)
    rows = Rows(["1", "web-2"], ["le film", "<s>le</s> film"], pairs, ["good", "good"])
    check_ends(tokenizer, config, [rows.first(1)], own)
    expected = pytest.raises(PipelineError, match=r"row web-2: .*</s>.* take it out")
    with expected if refused else contextlib.nullcontext():
        check_ends(tokenizer, config, [rows.first(1), rows], own)


def test_a_text_that_is_continued_may_hold_the_sign_for_its_end(bases: Path) -> None:
    own = Task(type="causal-lm", max_length=32)
    tokenizer = load_tokenizer(bases / "gpt2", own)
    rows = Rows(["1"], [f"le film{tokenizer.eos_token}une histoire"], None, [None])
    (feature,) = chunk_features(tokenizer, rows, own)
    assert feature["labels"].count(tokenizer.eos_token_id) == 2


def test_each_token_but_the_first_is_predicted_once_and_the_end_is_learned(bases: Path) -> None:
    """GPT-2 pads with its end-of-text token; a collator that ignores padding would never teach the end."""
    own = Task(type="causal-lm", max_length=8)
    tokenizer = load_tokenizer(bases / "gpt2", own)
    text = "le film est superbe et une histoire est à Paris " * 3
    features = chunk_features(tokenizer, Rows(["1"], [text], None, [None]), own)
    whole = [*tokenizer(text)["input_ids"], tokenizer.eos_token_id]
    predicted = [label for feature in features for label in feature["labels"][1:]]
    assert predicted == whole[1:]
    assert all(2 <= len(feature["input_ids"]) <= 8 for feature in features)


@pytest.mark.parametrize("family", ["bert", "roberta", "flaubert", "camembert"])
def test_special_tokens_are_never_masked_and_unknown_words_may_be(bases: Path, family: str) -> None:
    own = Task(type="masked-lm", max_length=16)
    tokenizer = load_tokenizer(bases / family, own)
    text = "le film 漢字 Paris " * 8
    features = maskable_features(tokenizer, Rows(["1"], [text], None, [None]), own)
    free = [feature["input_ids"][i] for feature in features for i in feature["maskable"]]
    assert free == tokenizer(text, add_special_tokens=False)["input_ids"]
    assert len(features) > 1


def test_lengths_stay_within_the_positions_that_the_family_uses(bases: Path) -> None:
    """RoBERTa counts positions after its padding token's id: of 70 the last two are out of reach."""
    for family, longest in (("bert", 64), ("roberta", 64), ("gpt2", 64), ("marian", 64)):
        name = "seq2seq" if family == "marian" else "text-classification"
        own = Task(type=name, max_length=500)
        tokenizer = load_tokenizer(bases / family, own)
        assert usable(own, tokenizer, bases / family).max_length == longest
        tokenizer.model_max_length = 10**9
        found = usable(own, tokenizer, bases / family)
        assert found.max_length == (70 - tokenizer.pad_token_id - 1 if family == "roberta" else 70)
        assert found.max_target_length == min(128, found.max_length)

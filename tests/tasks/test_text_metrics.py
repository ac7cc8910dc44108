"""Scores of texts: what sacrebleu and rouge_score give, and where they would mislead."""

import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer

from stages.core.errors import PipelineError
from stages.core.tasks import TASK_TYPES
from stages.evidence.text_counts import text_counts, text_values
from stages.tasks.text_metrics import score_text, signatures, tokens

SAID = ["the cat sat on a mat today", "a dog barks at nothing in the night", ""]
TRUE = ["the cat sat on the mat today", "dogs bark at the moon in the night", "no answer"]


def score(said: list[str], true: list[str]) -> dict[str, float]:
    return score_text([{"predicted": text} for text in said], true, [])


def test_texts_score_as_the_libraries_score_them() -> None:
    found = score(SAID, TRUE)
    assert set(found) == set(TASK_TYPES["seq2seq"].metrics)
    assert found["chrf"] == sacrebleu.corpus_chrf(SAID, [TRUE]).score
    assert found["bleu"] == sacrebleu.corpus_bleu(SAID, [TRUE]).score > 0
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"])  # its own tokenizer will do for plain English
    for name in ("rouge1", "rouge2", "rougeL"):
        rows = [scorer.score(true, said)[name].fmeasure for said, true in zip(SAID, TRUE, strict=True)]
        assert found[name] == pytest.approx(100 * sum(rows) / 3)


def test_a_perfect_text_scores_a_hundred() -> None:
    assert score(TRUE[:2], TRUE[:2]) == {name: pytest.approx(100) for name in TASK_TYPES["seq2seq"].metrics}


def test_rouge_sees_letters_that_are_not_ascii() -> None:
    scorer = RougeScorer(["rouge1"])
    assert scorer.score("été", "êtê")["rouge1"].fmeasure == 1.0  # with rouge_score's own tokenizer
    assert score(["êtê"], ["été"])["rouge1"] == 0.0
    assert score(["ночь темна"], ["ночь светла"])["rouge1"] == pytest.approx(50)


def test_rouge_takes_letters_that_look_the_same_for_the_same() -> None:
    assert tokens("L'Été, n° 2") == ["l", "été", "n", "2"] == tokens("l'E\u0301TE\u0301 n° 2")


@pytest.mark.parametrize(
    ("said", "true"),
    [("की", "का"), ("ที่", "ที"), ("கி", "கு"), ("كِتَاب", "كُتَّاب"), ("می‌خواهم", "می‌روم")],
)
def test_marks_and_joiners_are_parts_of_words(said: str, true: str) -> None:
    """Vowel signs and points are no `\\w`: words of Hindi, Thai, Tamil and Arabic would fall apart."""
    assert tokens(said) == [said] and tokens(true) == [true]
    assert score([said], [true])["rouge1"] == 0.0
    assert score([said], [said])["rouge1"] == 100.0
    sums = text_counts([{"predicted": said}], [true], []).sum(axis=0)
    assert text_values(sums, [])["rouge1"] == 0.0  # those of the interval are the same words


def test_a_word_begins_with_a_letter_or_a_digit() -> None:
    assert tokens("हिन्दी की किताब, 2 ❤\ufe0f 👩\u200d🔬") == ["हिन्दी", "की", "किताब", "2"]
    assert tokens("İstanbul") == ["i\u0307stanbul"]


def test_no_reference_may_be_missing_where_sacrebleu_takes_fewer() -> None:
    assert sacrebleu.corpus_chrf(TRUE, [TRUE[:2]]).score > 50  # the third text is left out without a word
    with pytest.raises(PipelineError, match="3 texts were predicted for 2 rows"):
        score(SAID, TRUE[:2])


def test_no_text_at_all_scores_nought() -> None:
    assert set(score(["", ""], TRUE[:2]).values()) == {0.0}
    assert set(score([""], [""]).values()) == {0.0}


def test_many_sentences_that_end_in_a_spaced_stop_bring_no_advice(caplog: pytest.LogCaptureFixture) -> None:
    score(["une phrase qui finit ainsi ."] * 120, ["une phrase qui finit ainsi ."] * 120)
    assert not caplog.records


def test_the_record_can_say_how_each_score_was_made() -> None:
    found = signatures()
    assert set(found) == {"chrf", "bleu", "rouge"}
    assert "nrefs:1" in found["chrf"] and "nc:6|nw:0" in found["chrf"]
    assert "tok:13a|smooth:exp" in found["bleu"]
    assert f"version:{sacrebleu.__version__}" in found["bleu"]
    assert r"tok:NFC-\w[\w\p{M}\u200c\u200d]*|stem:no" in found["rouge"]

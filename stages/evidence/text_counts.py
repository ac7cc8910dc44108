"""Sums from which the scores of generated texts follow, as sacrebleu works them out.

chrF and BLEU are scores of a corpus: counts of n-grams are added up over its rows and divided once. The
counts of each row are sacrebleu's own, and the formulas its defaults, for many corpora at a time.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.core.records import Record
from stages.evidence.label_counts import ratio
from stages.evidence.statistics import Floats
from stages.tasks.text_metrics import ROUGES, bleu, chrf, rouge, same_length

_CHRF = 3 * 6  # n-grams predicted, true and shared, of 1 to 6 characters
_BLEU = 2 + 2 * 4  # length, true length; n-grams shared and n-grams predicted, of 1 to 4 words
_RECALL = 2.0**2  # the square of how much more recall weighs in chrF


def text_counts(predicted: Sequence[Record], references: Sequence[str], labels: Sequence[str]) -> Any:
    """For each row the counts of chrF and of BLEU, its three ROUGE F, and 1: [rows, 32].

    Predictions that were published hold these, as `counts`, in place of the texts.
    """
    if predicted and "counts" in predicted[0]:
        return np.array([record["counts"] for record in predicted], dtype=np.float64)
    said, true = [record["predicted"] for record in predicted], list(references)
    same_length(said, true)
    # The steps by which sacrebleu itself resamples: it has no other name for a row's counts.
    parts = [np.array(metric._extract_corpus_statistics(said, [true])) for metric in (chrf(), bleu())]
    return np.hstack([*parts, rouge(said, true), np.ones((len(true), 1))]).astype(np.float64)


def text_values(sums: Floats, labels: Sequence[str]) -> dict[str, Floats]:
    """chrF, BLEU and ROUGE of sums of `text_counts`."""
    rows = sums[..., -1]
    rouges = sums[..., _CHRF + _BLEU : -1]
    return {
        "chrf": chrf_of(sums[..., :_CHRF]),
        "bleu": bleu_of(sums[..., _CHRF : _CHRF + _BLEU]),
        **{name: rouges[..., number] / rows for number, name in enumerate(ROUGES)},
    }


def chrf_of(sums: Floats) -> Floats:
    """chrF2, 0 to 100: the F of mean precision and mean recall over the lengths that both sides have."""
    given, wanted, shared = (sums[..., first::3] for first in range(3))
    lengths = ((given > 0) & (wanted > 0)).sum(axis=-1)
    precision = ratio(np.where(wanted > 0, ratio(shared, given), 0.0).sum(axis=-1), lengths)
    recall = ratio(np.where(given > 0, ratio(shared, wanted), 0.0).sum(axis=-1), lengths)
    return 100 * ratio((1 + _RECALL) * precision * recall, _RECALL * precision + recall)


def bleu_of(sums: Floats) -> Floats:
    """BLEU-4, 0 to 100, with sacrebleu's exponential smoothing.

    The first order without a shared n-gram counts as half a one, the second as a quarter, and so on. 0 when
    nothing is shared, and when no text is long enough for four words in a row.
    """
    length, wanted = sums[..., 0], sums[..., 1]
    shared, given = sums[..., 2:6], sums[..., 6:10]
    halvings = (shared == 0).cumsum(axis=-1)
    precision = ratio(np.where(shared > 0, shared, 0.5**halvings), given)
    scored = (precision > 0).all(axis=-1) & shared.any(axis=-1)
    mean = np.log(np.where(precision > 0, precision, 1.0)).mean(axis=-1)
    brevity = np.exp(np.minimum(0.0, 1 - wanted / np.maximum(length, 1)))
    return np.where(scored, 100 * brevity * np.exp(mean), 0.0)

"""Counts of tags in each row of words, and the scores that follow from their sums."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.core.records import Record
from stages.evidence.label_counts import label_table, places, ratio, thirds
from stages.evidence.statistics import Floats
from stages.tasks.entity_tags import are_entities
from stages.tasks.tag_metrics import entities, words


def tag_counts(
    predicted: Sequence[Record], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> Any:
    """What each row of words counts for.

    Of entity tags: entities right, true and predicted, words right, words: [rows, 5]. Of plain ones: words
    right, true and predicted by tag: [rows, 3 tags].
    """
    said = [record["predicted"] for record in predicted]
    words(said, references)  # equal lengths
    if not are_entities(labels):
        return _plain(said, references, labels)
    counts = np.empty((len(references), 5))
    for row, (these, those) in enumerate(zip(said, references, strict=True)):
        found, wanted = entities(these), entities(those)
        right = sum(tag == other for tag, other in zip(these, those, strict=True))
        counts[row] = len(found & wanted), len(wanted), len(found), right, len(those)
    return counts


def _plain(said: Sequence[Sequence[str]], references: Sequence[Sequence[str]], labels: Sequence[str]) -> Any:
    these, those = places(said, labels), places(references, labels)
    hits = [
        [tag for tag, other in zip(one, two, strict=True) if tag == other]
        for one, two in zip(these, those, strict=True)
    ]
    return label_table(hits, those, these, len(labels))


def tag_values(sums: Floats, labels: Sequence[str]) -> dict[str, Floats]:
    """Entity scores, or macro F1 of plain tags, and accuracy of sums of `tag_counts`; 0/0 is 0."""
    if not are_entities(labels):
        tp, true, said = thirds(sums, len(labels))
        return {
            "accuracy": ratio(tp.sum(axis=-1), true.sum(axis=-1)),
            "f1_macro": ratio(2 * tp, true + said).mean(axis=-1),
        }
    found, wanted, given, right, total = np.moveaxis(sums, -1, 0)
    return {
        "entity_f1": ratio(2 * found, wanted + given),
        "entity_precision": ratio(found, given),
        "entity_recall": ratio(found, wanted),
        "accuracy": ratio(right, total),
    }

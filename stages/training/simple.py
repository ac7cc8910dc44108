"""The lowest rungs of the ladder, which count at most, and the table of all rungs that are not networks.

Every function but `unigram` is a Baseline (stages/training/fitted.py): it is fitted to the training rows, and
predicts the test rows.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from stages.tasks.rows import Rows
from stages.tasks.thresholds import decided
from stages.training import linear
from stages.training.fitted import Baseline, Fitted, classes, membership


def majority_class(train: Rows, test: Rows, labels: Sequence[str], seed: int) -> Fitted:
    """The most frequent class of the training rows, for every test row; ties go to the first label."""
    counts = Counter(train.labels)
    shares = np.array([counts[label] / len(train) for label in labels])
    facts = {"description": "always the most frequent class of the training rows", "parameters": 1}
    return Fitted(classes(np.tile(shares, (len(test), 1)), labels), facts)


def majority_classes(train: Rows, test: Rows, labels: Sequence[str], seed: int) -> Fitted:
    """Each label that at least half of the training rows have."""
    shares = membership(train, labels).mean(axis=0)
    facts = {
        "description": "always the labels that at least half of the training rows have",
        "parameters": len(labels),
    }
    said = decided([shares.tolist()] * len(test), labels, [0.5] * len(labels))
    return Fitted(said, facts)


def mean(train: Rows, test: Rows, labels: Sequence[str], seed: int) -> Fitted:
    """The mean of the training rows' numbers, for every test row."""
    value = float(np.mean(train.labels))
    facts = {"description": "always the mean of the training rows", "parameters": 1}
    return Fitted([{"predicted": value} for _ in range(len(test))], facts)


def majority_tags(train: Rows, test: Rows, labels: Sequence[str], seed: int) -> Fitted:
    """The most frequent tag of the training rows, for every word."""
    best = _most_frequent((tag for tags in train.labels for tag in tags), labels)
    facts = {"description": "always the most frequent tag of the training rows", "parameters": 1}
    return Fitted([{"predicted": [best] * len(words)} for words in test.texts], facts)


def most_frequent_tag(train: Rows, test: Rows, labels: Sequence[str], seed: int) -> Fitted:
    """Each word's most frequent tag in the training rows; for unknown words the most frequent of all.

    Charniak et al., "Equations for Part-of-Speech Tagging", AAAI 1993.
    """
    seen: dict[str, Counter[str]] = {}
    for words, tags in zip(train.texts, train.labels, strict=True):
        for word, tag in zip(words, tags, strict=True):
            seen.setdefault(word, Counter())[tag] += 1
    known = {word: _most_frequent(counts.elements(), labels) for word, counts in seen.items()}
    other = _most_frequent((tag for tags in train.labels for tag in tags), labels)
    facts = {
        "description": "each word's most frequent tag in the training rows",
        "parameters": len(known) + 1,
    }
    return Fitted([{"predicted": [known.get(word, other) for word in words]} for words in test.texts], facts)


def copy(train: Rows, test: Rows, labels: Sequence[str], seed: int) -> Fitted:
    """The source text itself."""
    facts = {"description": "the source text itself", "parameters": 0}
    return Fitted([{"predicted": text} for text in test.texts], facts)


def lead(train: Rows, test: Rows, labels: Sequence[str], seed: int) -> Fitted:
    """The first words of the source text, as many as targets of the training rows have on average."""
    count = round(float(np.mean([len(target.split()) for target in train.labels])))
    facts = {"description": f"the first {count} words of the source text", "parameters": 1}
    return Fitted([{"predicted": " ".join(text.split()[:count])} for text in test.texts], facts)


def unigram(train_ids: Sequence[Sequence[int]], vocab_size: int) -> NDArray[np.float64]:
    """Log-probabilities (nats) of tokens by how often they occur, each counted once more than it does.

    Adding one is Laplace's rule of succession: a token that was never seen is not impossible.
    """
    counts = np.ones(vocab_size)
    for ids in train_ids:
        counts += np.bincount(ids, minlength=vocab_size)
    return np.asarray(np.log(counts) - np.log(counts.sum()))


def _most_frequent(tags: Iterable[str], labels: Sequence[str]) -> str:
    """Ties go to the first of `labels`."""
    counts = Counter(tags)
    return max(labels, key=lambda label: counts[label])


SIMPLE: dict[str, dict[str, Baseline]] = {
    "class": {"majority": majority_class, "linear": linear.linear_class},
    "classes": {"majority": majority_classes, "linear": linear.linear_classes},
    "number": {"mean": mean, "linear": linear.linear_number},
    "tags": {"majority": majority_tags, "most_frequent_tag": most_frequent_tag, "linear": linear.linear_tags},
    "text": {"copy": copy, "lead": lead},
    "none": {},
}

"""Prepared rows for every kind of label, which a tiny model can learn, as prepare would leave them."""

import random
from collections.abc import Callable
from typing import Any

from stages.core import records
from stages.core.files import sha256
from stages.core.layout import Layout
from stages.core.tasks import TASK_TYPES
from stages.sources.prepared import write_slices

_GOOD = ("superbe", "charmant", "lovely", "brilliant")
_BAD = ("affreux", "lugubre", "dreary", "clumsy")
_OTHER = (
    "le",
    "film",
    "est",
    "très",
    "une",
    "histoire",
    "the",
    "story",
    "was",
    "quite",
    "à",
    "l'été",
    "rather",
)
_PEOPLE = ("Anna", "Émile", "Ravi")
_PLACES = ("Paris", "Lyon", "Oslo")
_WORDS = {"le": "the", "film": "movie", "est": "is", "superbe": "lovely", "affreux": "dreary", "une": "a"}

Row = dict[str, Any]


def _filler(rng: random.Random) -> list[str]:
    return rng.choices(_OTHER, k=rng.randint(2, 6))


def _class(rng: random.Random) -> Row:
    words, good = _filler(rng), rng.random() < 0.5
    words.insert(rng.randrange(len(words)), rng.choice(_GOOD if good else _BAD))
    return {"text": " ".join(words), "label": "good" if good else "bad"}


def _classes(rng: random.Random) -> Row:
    words, said = _filler(rng), []
    for name, signs in (("bad", _BAD), ("good", _GOOD), ("person", _PEOPLE)):
        if rng.random() < 0.4:
            words.insert(rng.randrange(len(words)), rng.choice(signs))
            said.append(name)
    return {"text": " ".join(words), "label": said}


def _number(rng: random.Random) -> Row:
    words, ups, downs = _filler(rng), rng.randint(0, 2), rng.randint(0, 2)
    for sign in [rng.choice(_GOOD) for _ in range(ups)] + [rng.choice(_BAD) for _ in range(downs)]:
        words.insert(rng.randrange(len(words)), sign)
    return {"text": " ".join(words), "label": float(ups - downs)}


def _tags(rng: random.Random) -> Row:
    words = [(word, "O") for word in _filler(rng)]
    person = [(rng.choice(_PEOPLE), "B-PER"), *([("Dupont", "I-PER")] if rng.random() < 0.5 else [])]
    words[1:1] = person
    words.append((rng.choice(_PLACES), "B-LOC"))
    return {"text": [word for word, _ in words], "label": [tag for _, tag in words]}


def _text(rng: random.Random) -> Row:
    words = rng.choices(list(_WORDS), k=rng.randint(3, 6))
    return {"text": " ".join(words), "label": " ".join(_WORDS[word] for word in words)}


def _none(rng: random.Random) -> Row:
    # Grammatical enough for the next word to be guessed: words come in fixed pairs.
    pairs = [("le", "film"), ("une", "histoire"), ("the", "story"), ("was", "quite"), ("à", "l'été")]
    return {"text": " ".join(word for pair in rng.choices(pairs, k=rng.randint(2, 5)) for word in pair)}


_MAKERS: dict[str, Callable[[random.Random], Row]] = {
    "class": _class,
    "classes": _classes,
    "number": _number,
    "tags": _tags,
    "text": _text,
    "none": _none,
}
LABELS: dict[str, list[str]] = {
    "class": ["bad", "good"],
    "classes": ["bad", "good", "person"],
    "tags": ["O", "B-LOC", "B-PER", "I-PER"],
}


def rows(kind: str, count: int, seed: int = 0) -> list[Row]:
    """`count` rows of a kind of label, no two of the same text."""
    rng = random.Random(seed)
    found: dict[str, Row] = {}
    while len(found) < count:
        row = _MAKERS[kind](rng)
        found.setdefault(str(row["text"]), row)
    return list(found.values())


def texts() -> list[str]:
    """What tokenizers of tiny models are trained on: every word that rows may hold."""
    every = [*_GOOD, *_BAD, *_OTHER, *_PEOPLE, *_PLACES, "Dupont", *_WORDS, *_WORDS.values()]
    return [" ".join(every), *every] * 4


def write_prepared(
    layout: Layout, task: str, train: int = 160, held_out: int = 40, pairs: bool = False
) -> list[str]:
    """data/prepared for a task of stages/core/tasks.py; the labels in their order."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind = TASK_TYPES[task].label
    found = rows(kind, train + 2 * held_out)
    cuts = {"train": (0, train), "validation": (train, train + held_out), "test": (train + held_out, None)}
    layout.prepared.mkdir(parents=True)
    splits = {}
    for name, (start, end) in cuts.items():
        part = [{"id": f"{name}-{i}", **row} for i, row in enumerate(found[start:end])]
        if pairs:  # the sign is in the second text
            part = [{**row, "text": "le film", "pair": row["text"]} for row in part]
        pq.write_table(pa.Table.from_pylist(part), layout.split(name))
        splits[name] = {"rows": len(part), "sha256": sha256(layout.split(name))}
    write_slices(layout.slices, [], [])
    labels = LABELS.get(kind, [])
    facts = {"kind": kind, "labels": labels, "normalisation": [], "splits": splits}
    records.write(layout.prepared_manifest, facts)
    return labels

"""A tiny real base model, and prepared rows that it can learn from, for tests of whole stages."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from stages.core import records
from stages.core.files import sha256
from stages.core.layout import Layout
from stages.core.params import load
from stages.core.schema import Params
from stages.sources.prepared import write_slices

_GOOD = ["superb", "lovely", "brilliant", "charming"]
_BAD = ["awful", "dreary", "dismal", "clumsy"]
_OTHER = [
    "the",
    "a",
    "film",
    "book",
    "song",
    "play",
    "was",
    "is",
    "quite",
    "very",
    "rather",
    "this",
    "that",
    "story",
    "end",
]

PARAMS: dict[str, Any] = {
    "seed": 7,
    "task": {"type": "text-classification", "labels": ["bad", "good"], "max_length": 32},
    "data": {"source": {"type": "files", "path": "rows.csv"}},
    "base": {"repo_id": "tests/tiny-bert", "revision": "0" * 40},
    "method": "full",
    "lora": {"r": 8, "lora_alpha": 16, "target_modules": "all-linear"},
    "train": {
        "learning_rate": 2e-3,
        "per_device_train_batch_size": 16,
        "num_train_epochs": 3,
        "logging_steps": 3,
    },
    "compute": {"threads": 1, "precision": "fp32"},
    "evaluate": {"resamples": 200},
    "baselines": {},
    "curve": {},
    "card": {
        "title": "Tiny",
        "language": "en",
        "license": "mit",
        "languages": ["en"],
        "data": {"name": "made rows"},
    },
    "hub": {"repo_id": "tests/tiny", "version": "0.1.0"},
    "runtime": {"progress": False},
}


def sentences(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """`count` different (text, label) pairs; one word decides the label."""
    rng = random.Random(seed)
    rows: dict[str, str] = {}
    while len(rows) < count:
        label = "good" if len(rows) % 2 else "bad"
        words = rng.choices(_OTHER, k=rng.randint(1, 6))
        words.insert(rng.randrange(len(words)), rng.choice(_GOOD if label == "good" else _BAD))
        rows.setdefault(" ".join(words), label)
    return list(rows.items())


def write_params(root: Path, **changes: Any) -> Params:
    """A params.yaml in `root` from PARAMS, with whole sections or parts of them replaced by `changes`."""
    document = {
        name: {**value, **changes.get(name, {})} if isinstance(value, dict) else changes.get(name, value)
        for name, value in PARAMS.items()
    }
    with (root / "params.yaml").open("w") as file:
        YAML(typ="safe").dump(document, file)
    return load(root / "params.yaml")


def write_base(folder: Path, vocabulary: Iterable[str] = (*_GOOD, *_BAD, *_OTHER)) -> None:
    """A two-layer BERT of width 32 with random weights; its tokenizer knows the words of `vocabulary`."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    # Written out: training a tokenizer breaks ties by hash order, so that each process would get another.
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(vocabulary))]
    tokenizer = BertTokenizer(vocab={word: number for number, word in enumerate(words)})
    tokenizer.model_max_length = 64
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.2,
        pad_token_id=tokenizer.pad_token_id,
    )
    BertModel(config).save_pretrained(folder)


def write_prepared(layout: Layout, train: int = 192, held_out: int = 64) -> None:
    """data/prepared as the prepare stage leaves it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = sentences(train + 2 * held_out)
    layout.prepared.mkdir(parents=True)
    cuts = {"train": (0, train), "validation": (train, train + held_out), "test": (train + held_out, None)}
    splits = {}
    for name, (start, end) in cuts.items():
        part = rows[start:end]
        columns = {
            "id": [f"{name}-{i}" for i in range(len(part))],
            "text": [text for text, _ in part],
            "label": [label for _, label in part],
        }
        pq.write_table(pa.table(columns), layout.split(name))
        splits[name] = {"rows": len(part), "sha256": sha256(layout.split(name))}
    write_slices(layout.slices, [], [])
    manifest = {"labels": ["bad", "good"], "normalisation": [], "splits": splits}
    records.write(layout.prepared_manifest, manifest)

"""The files that a model consists of, by name: what is fetched, copied and published is this one table.

Exact names rather than patterns, so that nothing is carried to a release that may not leave: `vocab.*` would
also mean `vocab.bin`. The few patterns are those of `fnmatch`, which the Hub's client takes too.
"""

import fnmatch
from collections.abc import Iterable

CONFIG = ("config.json", "generation_config.json")

# Only the names that `from_pretrained` reads: many repositories hold the same weights again for others.
WEIGHTS = (
    "model.safetensors",
    f"model-{'[0-9]' * 5}-of-{'[0-9]' * 5}.safetensors",
    "model.safetensors.index.json",
)
ADAPTER = ("adapter_config.json", "adapter_model.safetensors", "labels.json")

# Files that hold a vocabulary: without any of them transformers builds a tokenizer that knows no word.
VOCABULARY = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",  # with merges.txt, or with a SentencePiece model
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "spiece.model",
    "spm.model",
    "tokenizer.model",
    "source.spm",
)
TOKENIZER = (
    *VOCABULARY,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "merges.txt",
    "bpe.codes",  # PhoBERT
    "dict.txt",  # BARTpho
    "target.spm",  # Marian
    "target_vocab.json",
    "entity_vocab.json",  # LUKE
    "word_shape.json",  # RoCBert
    "word_pronunciation.json",
)

# Endings of what is a pickle, may hold one, or is weights that only another library reads.
PICKLED = (".bin", ".ckpt", ".h5", ".joblib", ".msgpack", ".npy", ".npz", ".pickle", ".pkl", ".pt", ".pth")


def listed(name: str, patterns: Iterable[str]) -> bool:
    """Whether `patterns` name this file, which stands at the top of a model's folder."""
    return "/" not in name and any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

"""What the Hub concludes from a repository's files where its card says nothing: library, task, tags.

How a library is recognised: https://huggingface.co/docs/hub/models-libraries. What the classes of
transformers are for: https://huggingface.co/docs/transformers/main_classes/pipelines. Tags for files are what
the pages of public models show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from localhub.cards.frontmatter import strings
from localhub.cards.vocabulary import HEADS

# The file by which a library is known, the more telling ones first.
_LIBRARIES = {
    "adapter_config.json": "peft",
    "config_setfit.json": "setfit",
    "config_sentence_transformers.json": "sentence-transformers",
    "modules.json": "sentence-transformers",
    "model_index.json": "diffusers",
    "open_clip_config.json": "open_clip",
    "hyperparams.yaml": "speechbrain",
}
_FORMATS = (
    ("pytorch", re.compile(r"(.*/)?pytorch_model[^/]*\.bin")),
    ("tf", re.compile(r"(.*/)?tf_model[^/]*\.h5")),
    ("jax", re.compile(r"(.*/)?flax_model[^/]*\.msgpack")),
    ("onnx", re.compile(r".*\.onnx")),
    ("safetensors", re.compile(r".*\.safetensors")),
    ("gguf", re.compile(r".*\.gguf")),
    ("joblib", re.compile(r".*\.joblib")),
    ("coreml", re.compile(r".*\.ml(model|package/.*)")),
    ("tensorboard", re.compile(r"(.*/)?events\.out\.tfevents\.[^/]*")),
)
_ARXIV = re.compile(r"arxiv\.org/(?:abs|pdf|html)/([0-9]{4}\.[0-9]{4,5})", re.IGNORECASE)
_OF_DATA_SETS = (
    *("task_categories", "task_ids", "annotations_creators", "language_creators", "language"),
    *("multilinguality", "source_datasets", "license", "size_categories"),
)
MAX_ARXIV = 50


def library(card: dict[str, Any], config: dict[str, Any] | None, names: set[str]) -> str | None:
    """The library that loads a model: as stated, by a telling file, or transformers for its config.json."""
    stated = strings(card.get("library_name"))
    if stated:
        return stated[0]
    told = next((library for name, library in _LIBRARIES.items() if name in names), None)
    if told or not config:
        return told
    return "transformers" if strings(config.get("model_type")) or config.get("architectures") else None


def task(card: dict[str, Any], config: dict[str, Any] | None, library: str | None) -> str | None:
    """The pipeline of a model: as stated, as its library implies, or by the head its config.json names."""
    stated = strings(card.get("pipeline_tag"))
    if stated:
        return stated[0]
    if library == "sentence-transformers":
        return "sentence-similarity"
    if library == "setfit":
        return "text-classification"
    classes = strings((config or {}).get("architectures"))
    headed = next((task for name in classes for head, task in HEADS.items() if name.endswith(head)), None)
    return headed or ("feature-extraction" if any(name.endswith("Model") for name in classes) else None)


def formats(names: Iterable[str]) -> list[str]:
    """A tag for each format of weights or logs among the files."""
    names = list(names)
    return [tag for tag, pattern in _FORMATS if any(pattern.fullmatch(name) for name in names)]


def papers(text: str) -> list[str]:
    """`arxiv:NUMBER` for each paper that a card's text links to."""
    return [f"arxiv:{number}" for number in dict.fromkeys(_ARXIV.findall(text))][:MAX_ARXIV]


def tags_of_data_set(card: dict[str, Any]) -> list[str]:
    """`language:fr`, `task_categories:fill-mask` and the like, then the card's own tags."""
    prefixed = [f"{key}:{value}" for key in _OF_DATA_SETS for value in strings(card.get(key))]
    return [*prefixed, *strings(card.get("tags"))]

"""Use this repository: Python that loads it, by what it is, pinned to its newest release."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import PurePosixPath

from localhub.cards.facts import Facts
from localhub.cards.frontmatter import strings
from localhub.pages import adapters
from localhub.storage.repos import Repo

# The tasks of `transformers.pipeline` (transformers 5, pipelines/__init__.py, SUPPORTED_TASKS).
_PIPELINE_NAMES = """\
any-to-any audio-classification automatic-speech-recognition depth-estimation document-question-answering
feature-extraction fill-mask image-classification image-feature-extraction image-segmentation
image-text-to-text mask-generation object-detection table-question-answering text-classification
text-generation text-to-audio text-to-speech token-classification video-classification
zero-shot-classification zero-shot-image-classification zero-shot-object-detection
"""
PIPELINES = frozenset(_PIPELINE_NAMES.split())
# The end of an architecture's name, and the class that loads any such model; the first that fits.
_CLASSES = {
    "ForConditionalGeneration": "AutoModelForSeq2SeqLM",
    "ForQuestionAnswering": "AutoModelForQuestionAnswering",
    "ForMultipleChoice": "AutoModelForMultipleChoice",
    "ForSequenceClassification": "AutoModelForSequenceClassification",
    "ForTokenClassification": "AutoModelForTokenClassification",
    "ForMaskedLM": "AutoModelForMaskedLM",
    "ForCausalLM": "AutoModelForCausalLM",
    "LMHeadModel": "AutoModelForCausalLM",
}
# What `datasets` finds by itself in a repository without a script.
_ROWS = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".arrow", ".txt"})
_PACKED = frozenset({".gz", ".bz2", ".xz", ".zst"})

WIDTH = 42  # characters

Maker = Callable[[Repo, Facts, str], str | None]


def snippet(repo: Repo, facts: Facts, revision: str) -> str:
    """The first maker that knows such a repository writes it; `snapshot_download` loads any."""
    for maker in _MAKERS.get(repo.kind, ()):
        code = maker(repo, facts, revision)
        if code is not None:
            return code
    kind = "" if repo.kind == "model" else f", repo_type={_literal(repo.kind)}"
    what = f"{_literal(repo.id)}{kind}{_pin(revision)}"
    return f"from huggingface_hub import snapshot_download\n\n{_line('path', 'snapshot_download', what)}"


def _rows(repo: Repo, facts: Facts, revision: str) -> str | None:
    if not any(_is_rows(file.path) for file in facts.files):
        return None
    configs = facts.card.get("configs")
    names = (
        [item.get("config_name") for item in configs if isinstance(item, dict)]
        if isinstance(configs, list)
        else []
    )
    first = f", {_literal(names[0])}" if len(names) > 1 and isinstance(names[0], str) else ""
    what = f"{_literal(repo.id)}{first}{_pin(revision)}"
    return f"from datasets import load_dataset\n\n{_line('rows', 'load_dataset', what)}"


def _is_rows(path: str) -> bool:
    ends = PurePosixPath(path.lower()).suffixes
    return bool(ends) and (ends[-1] in _ROWS or (len(ends) > 1 and ends[-1] in _PACKED and ends[-2] in _ROWS))


def _adapter(repo: Repo, facts: Facts, revision: str) -> str | None:
    if facts.library != "peft" or not _has(facts, "adapter_config.json"):
        return None
    return adapters.snippet(repo, facts, revision)


def _setfit(repo: Repo, facts: Facts, revision: str) -> str | None:
    if facts.library != "setfit":
        return None
    return _made("setfit", "SetFitModel", "SetFitModel.from_pretrained", repo, revision)


def _sentences(repo: Repo, facts: Facts, revision: str) -> str | None:
    """https://sbert.net: the tags are those that its own cards carry."""
    tags = strings(facts.card.get("tags"))
    if facts.library != "sentence-transformers" and not (
        facts.library is None and _has(facts, "modules.json")
    ):
        return None
    name = {"cross-encoder": "CrossEncoder", "sparse-encoder": "SparseEncoder"}
    found = next((name[tag] for tag in tags if tag in name), "SentenceTransformer")
    return _made("sentence_transformers", found, found, repo, revision)


def _transformers(repo: Repo, facts: Facts, revision: str) -> str | None:
    if facts.library not in (None, "transformers") or facts.config is None:
        return None
    if facts.task in PIPELINES:
        pin = f"    revision={_literal(revision)},\n" if _pin(revision) else ""
        return (
            f"from transformers import pipeline\n\npipe = pipeline(\n    {_literal(facts.task)},\n"
            f"    model={_literal(repo.id)},\n{pin})"
        )
    architectures = strings(facts.config.get("architectures"))
    found = next(
        (made for end, made in _CLASSES.items() for a in architectures if a.endswith(end)), "AutoModel"
    )
    return _with_tokenizer(found, repo, revision) if architectures else None


def _with_tokenizer(name: str, repo: Repo, revision: str) -> str:
    pin = _pin(revision)
    return (
        f"from transformers import {name}, AutoTokenizer\n\nrepo = {_literal(repo.id)}\n"
        f"tokenizer = AutoTokenizer.from_pretrained(repo{pin})\n"
        f"model = {name}.from_pretrained(repo{pin})"
    )


def _made(module: str, name: str, maker: str, repo: Repo, revision: str) -> str:
    what = f"{_literal(repo.id)}{_pin(revision)}"
    return f"from {module} import {name}\n\n{_line('model', maker, what)}"


def _line(name: str, maker: str, what: str) -> str:
    """One call, in three lines when one would be wider than the panel beside a card."""
    whole = f"{name} = {maker}({what})"
    return whole if len(whole) <= WIDTH else f"{name} = {maker}(\n    {what}\n)"


def _has(facts: Facts, path: str) -> bool:
    return any(file.path == path for file in facts.files)


def _pin(revision: str) -> str:
    return f", revision={_literal(revision)}" if revision != "main" else ""


def _literal(text: str) -> str:
    """A Python string: names of tags, tasks and configurations are whatever their authors wrote."""
    return json.dumps(text, ensure_ascii=False)


_MAKERS: dict[str, tuple[Maker, ...]] = {
    "model": (_adapter, _setfit, _sentences, _transformers),
    "dataset": (_rows,),
}

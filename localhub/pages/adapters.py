"""The snippet for a PEFT adapter: its own files say neither how many labels it has nor their names."""

from __future__ import annotations

import json
from typing import Any

from localhub.cards.facts import Facts, json_at
from localhub.cards.frontmatter import strings
from localhub.storage import trees
from localhub.storage.repos import Repo

# The class that loads an adapter of this task by itself (peft.auto): its head does not depend on labels.
_WHOLE = {
    "feature-extraction": "AutoPeftModelForFeatureExtraction",
    "question-answering": "AutoPeftModelForQuestionAnswering",
    "text-generation": "AutoPeftModelForCausalLM",
    "translation": "AutoPeftModelForSeq2SeqLM",
    "summarization": "AutoPeftModelForSeq2SeqLM",
}
# The class of the base model of a task whose head has one output a label.
_LABELLED = {
    "text-classification": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
}

# The class of the base model by the task that the adapter itself names (peft.TaskType).
_TRAINED_FOR = {
    "SEQ_CLS": "AutoModelForSequenceClassification",
    "TOKEN_CLS": "AutoModelForTokenClassification",
    "QUESTION_ANS": "AutoModelForQuestionAnswering",
    "CAUSAL_LM": "AutoModelForCausalLM",
    "SEQ_2_SEQ_LM": "AutoModelForSeq2SeqLM",
}


def snippet(repo: Repo, facts: Facts, revision: str) -> str:
    """Python that loads the adapter, with the right head or with a remark on what that takes."""
    pin = f", revision={_literal(revision)}" if revision != "main" else ""
    adapter = f"{_literal(repo.id)}{pin}"
    bases = strings(facts.card.get("base_model"))
    if facts.task in _WHOLE:
        name = _WHOLE[facts.task]
        return f"from peft import {name}\n\nmodel = {name}.from_pretrained(\n    {adapter}\n)"
    labels = any(file.path == "labels.json" for file in facts.files)
    if facts.task in _LABELLED and labels and len(bases) == 1:
        return _with_labels(_LABELLED[facts.task], repo, bases[0], pin)
    config = _config(repo, revision)
    base = bases[0] if len(bases) == 1 else str(config.get("base_model_name_or_path") or "the base model")
    head = _TRAINED_FOR.get(str(config.get("task_type"))) or _LABELLED.get(facts.task or "", "AutoModel")
    return _on_base(head, base, adapter)


def _config(repo: Repo, revision: str) -> dict[str, Any]:
    git = repo.git()
    return json_at(git, trees.resolve(git, revision), "adapter_config.json") or {}


def _on_base(head: str, base: str, adapter: str) -> str:
    counted = head in _LABELLED.values()
    remark = "# num_labels: as many as the adapter was trained with\n" if counted else ""
    labels = "    num_labels=2,\n" if counted else ""
    return (
        f"from peft import PeftModel\nfrom transformers import {head}\n\n"
        f"{remark}base = {head}.from_pretrained(\n    {_literal(base)},\n{labels})\n"
        f"model = PeftModel.from_pretrained(\n    base, {adapter}\n)"
    )


def _with_labels(head: str, repo: Repo, base: str, pin: str) -> str:
    return f"""\
import json

from huggingface_hub import hf_hub_download
from peft import PeftModel
from transformers import {head}

adapter = {_literal(repo.id)}
path = hf_hub_download(adapter, "labels.json"{pin})
with open(path, encoding="utf-8") as file:
    labels = json.load(file)

base = {head}.from_pretrained(
    {_literal(base)},
    id2label={{int(n): name for n, name in labels["id2label"].items()}},
    label2id=labels["label2id"],
)
model = PeftModel.from_pretrained(base, adapter{pin})"""


def _literal(text: str) -> str:
    """A Python string: names of base models are whatever a card says."""
    return json.dumps(text)

"""The model to train, as it is built: dropouts, and what an adapter has to carry."""

from pathlib import Path

import pytest
import torch

from stages.core.errors import PipelineError
from stages.core.schema import Lora
from stages.core.task_section import Task
from stages.tasks.table import TASKS
from stages.tasks.tokenizers import load_tokenizer
from stages.training import build
from tests import corpora, families, tiny


@pytest.mark.parametrize(
    ("family", "task"),
    [
        *((family, "text-classification") for family in ("bert", "gpt2", "t5", "flaubert", "distilbert")),
        ("gpt2", "token-classification"),  # its head's dropout has no name in its configuration
    ],
)
def test_dropout_is_set_whatever_a_family_calls_it(family: str, task: str, tmp_path: Path) -> None:
    families.write_family(family, tmp_path, corpora.texts())
    own = Task(type=task, labels=["a", "b"])
    tokenizer = load_tokenizer(tmp_path, own)
    found = {}
    for share in (0.0, 0.37):
        model = build.build(TASKS[own.type], tmp_path, tokenizer, ["a", "b"], 1, None, dropout=share)
        layers = [m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)]
        assert set(layers) <= {share}  # FlauBERT has none: it calls the function
        model.train()
        batch = tokenizer(["le film"] * 8, return_tensors="pt")
        outputs = [model(**batch).logits for _ in range(2)]
        found[share] = bool(torch.equal(*outputs))
    assert found == {0.0: True, 0.37: False}  # with none, two passes of training are alike


def test_layers_that_a_base_lacks_are_kept_with_its_adapter(tmp_path: Path) -> None:
    """BERT's pooler is no head, but many bases lack it: drawn at random, it would be lost on reload."""
    families.write_family("bert", tmp_path, corpora.texts())  # as checkpoints of masked language models are
    own = Task(labels=["a", "b"])
    tokenizer = load_tokenizer(tmp_path, own)
    model = build.build(TASKS[own.type], tmp_path, tokenizer, ["a", "b"], 1, Lora())
    kept = set(model.peft_config["default"].modules_to_save)
    assert {"classifier", "pooler.dense"} <= kept
    trained = [name for name, weights in model.named_parameters() if weights.requires_grad]
    assert any("pooler" in name for name in trained)


def test_lora_without_a_language_models_head_to_stand_on_is_refused(tmp_path: Path) -> None:
    tiny.write_base(tmp_path)  # a BertModel: no head at all
    own = Task(type="masked-lm")
    tokenizer = load_tokenizer(tmp_path, own)
    with pytest.raises(PipelineError, match=r"no weights for .*method: full"):
        build.build(TASKS["masked-lm"], tmp_path, tokenizer, [], 1, Lora())

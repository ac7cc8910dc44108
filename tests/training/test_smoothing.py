"""Label smoothing is the loss that it is said to be, whatever the model makes of its labels."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from transformers import TrainingArguments

from stages.core.schema import Params
from stages.core.task_section import Task as Settings
from stages.core.tasks import TASK_TYPES
from stages.tasks import inference
from stages.tasks.rows import Rows
from stages.tasks.table import TASKS
from stages.tasks.tokenizers import load_tokenizer
from stages.training import build, scratch
from stages.training.order import OrderedTrainer
from tests import corpora, families, tiny


@pytest.mark.parametrize(
    ("family", "task", "rung"),
    [
        ("bert", "text-classification", None),
        ("bert", "token-classification", None),
        ("t5", "seq2seq", None),
        ("bart", "seq2seq", None),
        ("marian", "seq2seq", None),
        ("gpt2", "causal-lm", None),
        ("gpt2", "causal-lm", "lstm"),
    ],
)
def test_the_loss_is_that_of_torch(family: str, task: str, rung: str | None, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    families.write_family(family, base, corpora.texts())
    kind = TASK_TYPES[task].label
    row, names, found = TASKS[task], corpora.LABELS.get(kind, []), corpora.rows(kind, 4)
    own = Settings(type=task, labels=names or None, max_length=32)
    tokenizer = load_tokenizer(base, own)
    texts, labels = [r["text"] for r in found], [r.get("label") for r in found]
    rows = Rows([str(i) for i in range(4)], texts, None, labels)
    model: Any = (
        scratch.rung(rung, row, base, names, 1, dropout=0.0)
        if rung
        else build.build(row, base, tokenizer, names, 1, None, dropout=0.0)
    )
    features = row.encode(tokenizer, rows, own)
    keys = ("input_ids", "attention_mask", "token_type_ids", "labels")
    batch = dict(inference.collator(row, tokenizer)([{k: f[k] for k in keys if k in f} for f in features]))
    args = TrainingArguments(str(tmp_path), label_smoothing_factor=0.2, report_to="none", use_cpu=True)
    trainer = OrderedTrainer(model=model, args=args, next_token=row.next_token)
    smoothed = trainer.compute_loss(model, dict(batch))

    logits, targets = model(**batch).logits, batch["labels"]
    if row.next_token:
        logits, targets = logits[:, :-1], targets[:, 1:]
    wanted = functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), label_smoothing=0.2
    )
    torch.testing.assert_close(smoothed, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("task", ["multi-label-classification", "text-regression"])
def test_it_is_refused_where_outputs_are_no_shares_of_one(task: str, tmp_path: Path) -> None:
    def write(**changes: Any) -> Params:
        return tiny.write_params(tmp_path, task={"type": task, "labels": None}, **changes)

    write()
    with pytest.raises(Exception, match=r"params\.yaml:\d+: train\.label_smoothing_factor: is for outputs"):
        write(train={"label_smoothing_factor": 0.1})
    with pytest.raises(Exception, match=r"params\.yaml:\d+: baselines: .*label_smoothing_factor: is for"):
        write(baselines={"train": {"label_smoothing_factor": 0.1}})

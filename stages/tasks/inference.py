"""Load a saved model folder, full or LoRA, and predict with it: one way for evaluation and release."""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peft import PeftModel
from transformers import AutoModelForSequenceClassification

from stages.tasks.encode import encode, load_tokenizer

# PEFT asks transformers by a name that transformers 5 deprecates; nothing here can mend that.
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)

# Never code from a repository, never pickled weights.
SAFE = {"trust_remote_code": False, "use_safetensors": True}
_BATCH = 32


def load(folder: Path, base: Path) -> tuple[Any, Any, list[str]]:
    """The model in evaluation mode and fp32, its tokenizer, and its label names in output order.

    `base` is read only when `folder` holds a LoRA adapter.
    """
    tokenizer = load_tokenizer(folder)
    if (folder / "adapter_config.json").exists():
        labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
        id2label = {int(number): name for number, name in labels["id2label"].items()}
        model = AutoModelForSequenceClassification.from_pretrained(
            base,
            id2label=id2label,
            label2id=labels["label2id"],
            problem_type=labels["problem_type"],
            dtype=torch.float32,
            **SAFE,
        )
        model = PeftModel.from_pretrained(model, folder, use_safetensors=True)
    else:
        model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, **SAFE)
        id2label = model.config.id2label
    return model.eval(), tokenizer, [id2label[number] for number in range(len(id2label))]


def probabilities(model: Any, tokenizer: Any, texts: Sequence[str], max_length: int) -> NDArray[np.float64]:
    """Softmax of the model's outputs, shape [texts, classes], in the order of `texts`.

    Batches are made of texts of like length, longest first, so that little is padded; the same texts always
    make the same batches.
    """
    encoded = encode(tokenizer, texts, max_length)
    order = sorted(range(len(texts)), key=lambda i: (-len(encoded["input_ids"][i]), i))
    rows: list[NDArray[np.float64] | None] = [None] * len(texts)
    device = next(model.parameters()).device
    with torch.inference_mode():
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            inputs = tokenizer.pad(
                {name: [values[i] for i in batch] for name, values in encoded.items()}, return_tensors="pt"
            )
            logits = model(**inputs.to(device)).logits.double()
            for i, row in zip(batch, torch.softmax(logits, dim=-1).cpu().numpy(), strict=True):
                rows[i] = row
    return np.stack([row for row in rows if row is not None])

"""Features to predictions, one object a row: one way for validation, evaluation and release.

What an object holds depends on the kind of label: `predicted` (a class, classes, a number, tags, a text),
with `probabilities` of classes; a language model's has `loss` (summed over `tokens` predicted, in nats) and,
with masks, `hits`. Scores and intervals can be had again from these objects alone.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from stages.core.records import Record
from stages.core.task_section import Task
from stages.tasks.encode import IGNORED, Feature
from stages.tasks.entity_tags import OUTSIDE
from stages.tasks.masking import passes
from stages.tasks.thresholds import decided

_INPUTS = ("input_ids", "attention_mask", "token_type_ids", "labels")
Predicted = tuple[list[Record], float]


def forwarded(
    model: Any, collator: Any, features: list[Feature], size: int
) -> Iterator[tuple[list[int], dict[str, torch.Tensor], Any]]:
    """The places of a batch's features, the batch, and the model's outputs for it; without gradients.

    Batches are made of features of like length, longest first, so that little is padded; the same features
    always make the same batches.
    """
    order = sorted(range(len(features)), key=lambda i: (-len(features[i]["input_ids"]), i))
    device = next(model.parameters()).device
    with torch.inference_mode():
        for start in range(0, len(order), size):
            places = order[start : start + size]
            batch = collator([{k: features[i][k] for k in _INPUTS if k in features[i]} for i in places])
            batch = {name: tensor.to(device) for name, tensor in batch.items()}
            yield places, batch, model(**batch)


def predict_class(
    model: Any, tokenizer: Any, collator: Any, features: list[Feature], task: Task, size: int
) -> Predicted:
    """The most probable class of each row, and the softmax of its outputs."""
    labels = task.labels or []
    found, loss = _outputs(model, collator, features, size)
    shares = torch.softmax(torch.from_numpy(found), dim=-1).numpy()
    return [{"predicted": labels[int(row.argmax())], "probabilities": row.tolist()} for row in shares], loss


def predict_classes(
    model: Any, tokenizer: Any, collator: Any, features: list[Feature], task: Task, size: int
) -> Predicted:
    """The classes of each row whose sigmoid reaches their threshold: 0.5, or what the model's config says."""
    labels = task.labels or []
    found, loss = _outputs(model, collator, features, size)
    shares = torch.sigmoid(torch.from_numpy(found)).numpy()
    least = getattr(model.config, "label_thresholds", None) or [0.5] * len(labels)
    return decided(shares.tolist(), labels, least), loss


def predict_number(
    model: Any, tokenizer: Any, collator: Any, features: list[Feature], task: Task, size: int
) -> Predicted:
    """The number of each row."""
    found, loss = _outputs(model, collator, features, size)
    return [{"predicted": float(row[0])} for row in found], loss


def _outputs(model: Any, collator: Any, features: list[Feature], size: int) -> tuple[Any, float]:
    """The logits of shape [features, outputs] in float64, in the features' order, and the mean loss."""
    rows: list[Any] = [None] * len(features)
    loss = 0.0
    for places, _, output in forwarded(model, collator, features, size):
        loss += float(output.loss) * len(places)
        for place, row in zip(places, output.logits.double().cpu().numpy(), strict=True):
            rows[place] = row
    return np.stack(rows), loss / len(features)


def predict_tags(
    model: Any, tokenizer: Any, collator: Any, features: list[Feature], task: Task, size: int
) -> Predicted:
    """The tag of each word, by its first token; where windows overlap, by the one that has more around it.

    Words that were cut get the tag that means nothing: O, or else the first one.
    """
    labels = task.labels or []
    nothing = OUTSIDE if OUTSIDE in labels else labels[0]
    sizes = {feature["row"]: feature["of"] for feature in features}
    tags = [[nothing] * sizes[row] for row in sorted(sizes)]
    nearest = [[-1] * len(row) for row in tags]
    total, targets = 0.0, 0
    for places, batch, output in forwarded(model, collator, features, size):
        total, targets = _with(total, targets, output.loss, batch["labels"])
        said = output.logits.argmax(dim=-1).cpu().tolist()
        for place, numbers in zip(places, said, strict=True):
            row, words = features[place]["row"], features[place]["words"]
            for position, word in enumerate(words):
                edge = min(position, len(words) - position)
                if word is not None and edge > nearest[row][word]:
                    nearest[row][word], tags[row][word] = edge, labels[numbers[position]]
    return [{"predicted": row} for row in tags], total / max(1, targets)


def _with(total: float, targets: int, loss: Any, labels: torch.Tensor) -> tuple[float, int]:
    """A batch's loss added by how many labels it is the mean of; of none it would not be a number."""
    number = int((labels != IGNORED).sum())
    return (total + float(loss) * number, targets + number) if number else (total, targets)


def predict_text(
    model: Any, tokenizer: Any, collator: Any, features: list[Feature], task: Task, size: int
) -> Predicted:
    """The text that the model generates for each row: greedily, or with `num_beams`."""
    texts = [""] * len(features)
    total, targets = 0.0, 0
    for places, batch, output in forwarded(model, collator, features, size):
        total, targets = _with(total, targets, output.loss, batch["labels"])
        ids = model.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            max_new_tokens=task.max_target_length,
            num_beams=task.num_beams,
            do_sample=False,
        )
        for place, text in zip(places, tokenizer.batch_decode(ids, skip_special_tokens=True), strict=True):
            texts[place] = text.strip()
    return [{"predicted": text} for text in texts], total / max(1, targets)


def predict_next_tokens(
    model: Any, tokenizer: Any, collator: Any, features: list[Feature], task: Task, size: int
) -> Predicted:
    """How surprised the model is by each row's tokens, each after those before it."""
    rows: list[Record] = [{"loss": 0.0, "tokens": 0} for _ in range(features[-1]["row"] + 1)]
    for places, batch, output in forwarded(model, collator, features, size):
        losses, _ = _surprise(output.logits[:, :-1], batch["labels"][:, 1:])
        for place, row in zip(places, losses, strict=True):
            _add(rows[features[place]["row"]], row)
    return rows, _mean(rows)


def predict_masked_tokens(
    model: Any, tokenizer: Any, collator: Any, features: list[Feature], task: Task, size: int
) -> Predicted:
    """How surprised the model is by each row's tokens, each masked once, and how many it guesses right."""
    rows: list[Record] = [{"loss": 0.0, "tokens": 0, "hits": 0} for _ in range(features[-1]["row"] + 1)]
    masked = passes(features, tokenizer.mask_token_id, task.mask_share)
    for places, batch, output in forwarded(model, collator, masked, size):
        losses, hits = _surprise(output.logits, batch["labels"])
        for place, row, right in zip(places, losses, hits, strict=True):
            _add(rows[masked[place]["row"]], row)
            rows[masked[place]["row"]]["hits"] += int(right)
    return rows, _mean(rows)


def _surprise(logits: torch.Tensor, labels: torch.Tensor) -> tuple[list[torch.Tensor], list[int]]:
    """For each row of a batch: the negative log-likelihood (nats) of each label, and how many are on top."""
    losses, hits = [], []
    for scores, wanted in zip(logits, labels, strict=True):
        kept = wanted != IGNORED
        chosen = scores[kept].double()
        losses.append(torch.nn.functional.cross_entropy(chosen, wanted[kept], reduction="none").cpu())
        hits.append(int((chosen.argmax(dim=-1) == wanted[kept]).sum()))
    return losses, hits


def _add(row: Record, losses: torch.Tensor) -> None:
    row["loss"] += float(losses.sum())
    row["tokens"] += len(losses)


def _mean(rows: list[Record]) -> float:
    return sum(float(row["loss"]) for row in rows) / max(1, sum(int(row["tokens"]) for row in rows))

"""Climb the ladder: from the simplest model up, each trained on the training rows, to predict the test rows.

Networks are trained as the fine-tuned model is: same tokens, same loop, same choice of the best checkpoint on
the validation rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from stages.core import trainer_fields
from stages.core.records import Record
from stages.core.schema import Baselines, Runtime
from stages.core.task_section import Task as Settings
from stages.core.tasks import BASE, NETWORKS
from stages.tasks import inference
from stages.tasks.encode import Feature, check_ends
from stages.tasks.rows import Rows
from stages.tasks.table import TASKS
from stages.tasks.tokenizers import load_tokenizer, usable
from stages.training import build, loop, scratch
from stages.training.checkpoints import checkpoint_folder
from stages.training.fine_tuning import FineTuning, learn
from stages.training.fitted import Fitted
from stages.training.linear import linear_number
from stages.training.simple import SIMPLE, unigram
from stages.training.untouched import untouched


@dataclass(frozen=True)
class Start:
    """What every rung starts from. `decides` is all that decides a network's weights but its name."""

    rows: Mapping[str, Rows]
    settings: Settings
    baselines: Baselines
    base: Path
    precision: str
    seed: int
    checkpoints: Path
    runtime: Runtime
    decides: Record


def climb(name: str, start: Start) -> Fitted | None:
    """Fit one rung, and have it predict the test rows; None for a base that cannot do the task by itself.

    Raises PipelineError when the rows do not suffice. Where the model decides by thresholds that are tuned on
    the validation rows, so does every rung.
    """
    task, settings, test = TASKS[start.settings.type], start.settings, start.rows["test"]
    if task.decide is None:
        return _fit(name, start, test)
    held, labels = start.rows["validation"], settings.labels or []
    fitted = _fit(name, start, held.and_then(test))
    if fitted is None:
        return None
    thresholds = inference.tuned(task, settings, fitted.predicted[: len(held)], held.labels)
    predicted = inference.decide(fitted.predicted[len(held) :], labels, thresholds)
    return Fitted(predicted, fitted.facts | {"thresholds": thresholds})


def _fit(name: str, start: Start, asked: Rows) -> Fitted | None:
    if name in NETWORKS:
        with checkpoint_folder(start.checkpoints, start.decides | {"rung": name}) as folder:
            return _network(name, start, asked, folder)
    if name == "unigram":
        return _counted_tokens(start, asked)
    if name == BASE:
        return untouched(TASKS[start.settings.type], start.settings, start.base, asked)
    fit = SIMPLE[start.settings.kind.label][name]
    if fit is linear_number:
        fit = partial(linear_number, solver=start.baselines.solver)
    return fit(start.rows["train"], asked, start.settings.labels or [], start.seed)


# Every weight has a long way to go: a higher rate than fine-tuning takes, more epochs, and an end to them.
_TRAINING = {
    **trainer_fields.DEFAULTS,
    "learning_rate": 1e-3,
    "per_device_train_batch_size": 32,
    "per_device_eval_batch_size": 64,
    "num_train_epochs": 10,
    "early_stopping_patience": 2,
}
_RATES = {"transformer": 1e-4}

_DESCRIPTIONS = {
    "feed_forward": "a feed-forward network (tanh) on word embeddings, trained from nothing",
    "rnn": "a recurrent network on word embeddings, trained from nothing",
    "lstm": "an LSTM network on word embeddings, trained from nothing",
    "transformer": "the base's architecture with random weights, trained from nothing",
}


def training(name: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """What the network `name` is trained by: `baselines.train` over what suits networks without a past."""
    return {**_TRAINING, "learning_rate": _RATES.get(name, _TRAINING["learning_rate"]), **chosen}


def _network(name: str, start: Start, asked: Rows, checkpoints: Path) -> Fitted:
    task, train = TASKS[start.settings.type], training(name, start.baselines.train)
    tokenizer = load_tokenizer(start.base, start.settings)
    settings = usable(start.settings, tokenizer, start.base)
    width = start.baselines.hidden_size
    sizes = {"hidden_size": width, "embedding_size": width}
    labels = settings.labels or []
    model = scratch.rung(name, task, start.base, labels, start.seed, sizes, train.get("dropout"))
    check_ends(tokenizer, model.config, start.rows.values(), settings)
    chosen = FineTuning(
        task, settings, tokenizer, start.base, None, train, start.precision, start.runtime, "baselines"
    )
    state = learn(model, chosen, start.rows, start.seed, checkpoints)
    predicted = inference.predictions(model, tokenizer, asked, task, settings)
    found = loop.outcome(state, settings.metric)
    facts = {fact: found[fact] for fact in ("steps", "epochs", "operations")}
    facts |= {"description": _DESCRIPTIONS[name], "parameters": build.parameters(model)["total"]}
    return Fitted(predicted, facts)


def _counted_tokens(start: Start, asked: Rows) -> Fitted:
    task = TASKS[start.settings.type]
    tokenizer = load_tokenizer(start.base, start.settings)
    settings = usable(start.settings, tokenizer, start.base)
    train, test = (task.encode(tokenizer, rows, settings) for rows in (start.rows["train"], asked))
    likely = unigram([list(_targets(feature)) for feature in train], len(tokenizer))
    best = int(np.argmax(likely))
    predicted: list[Record] = [{"loss": 0.0, "tokens": 0, "hits": 0} for _ in asked.ids]
    for feature in test:
        wanted, row = _targets(feature), predicted[feature["row"]]
        row["loss"] -= sum(float(likely[token]) for token in wanted)
        row["tokens"] += len(wanted)
        row["hits"] += wanted.count(best)
    description = "each token by its frequency among the training tokens, whatever stands around it"
    return Fitted(predicted, {"description": description, "parameters": len(tokenizer)})


def _targets(feature: Feature) -> Sequence[int]:
    """The tokens of a feature that a language model predicts."""
    if "maskable" in feature:
        return [feature["input_ids"][place] for place in feature["maskable"]]
    targets: list[int] = feature["labels"][1:]
    return targets

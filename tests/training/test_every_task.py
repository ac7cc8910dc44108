"""Every task on every family with a head for it, in full and with LoRA: trained, saved, loaded, the same."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from stages.core.layout import Layout
from stages.core.records import parse
from stages.core.task_section import Task as Settings
from stages.core.tasks import TASK_TYPES
from stages.tasks import inference
from stages.tasks.rows import read_rows
from stages.tasks.table import TASKS
from stages.train import train
from tests import corpora, families, tiny

ROOT = Path(__file__).parents[2]
PAIRS = [(family, task) for family, tasks in families.HEADS.items() for task in sorted(tasks)]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny base model of each family."""
    folder = tmp_path_factory.mktemp("bases")
    for family in families.HEADS:
        (folder / family).mkdir()
        families.write_family(family, folder / family, corpora.texts())
    return folder


def repository(
    root: Path, bases: Path, family: str, task: str, pairs: bool = False, train: int = 64
) -> Layout:
    layout = Layout(root)
    shutil.copytree(bases / family, layout.base)
    (root / "stages").symlink_to(ROOT / "stages")
    corpora.write_prepared(layout, task, train=train, held_out=24, pairs=pairs)
    return layout


def settings(task: str, **changes: Any) -> dict[str, Any]:
    own = {"thresholds": "fixed"} if "thresholds" in TASK_TYPES[task].options else {}
    return {"type": task, "labels": None, "max_length": 32, **own, **changes}


def scored_again(layout: Layout) -> tuple[dict[str, Any], float, dict[str, float]]:
    """The record of training, and the validation loss and scores of the saved folder."""
    record = parse(layout.train_report.read_bytes())
    task = TASKS[record["task"]["type"]]
    own = Settings.model_validate(record["task"])
    model, tokenizer = inference.load(layout.trained, layout.base, task, own)
    rows = read_rows(layout.split("validation"))
    features = task.encode(tokenizer, rows, own)
    collator = inference.collator(task, tokenizer)
    predicted, loss = task.predict(model, tokenizer, collator, features, own, 16)
    return record, loss, task.score(predicted, rows.labels, own.labels or [])


def logged(layout: Layout, step: int, column: str) -> float:
    head, *lines = [line.split("\t") for line in layout.history.read_text().splitlines()]
    row = next(line for line in lines if line[0] == str(step))
    return float(row[head.index(column)])


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize(("family", "task"), PAIRS)
def test_what_is_saved_is_what_was_trained(
    family: str, task: str, method: str, bases: Path, tmp_path: Path
) -> None:
    """The loss of the folder that was saved is the one that its best checkpoint had, to the last digits."""
    layout = repository(tmp_path, bases, family, task)
    chosen = {"learning_rate": 5e-3, "num_train_epochs": 2, "logging_steps": 2}
    train(tiny.write_params(tmp_path, task=settings(task), method=method, train=chosen), layout)
    record, loss, scores = scored_again(layout)
    best = record["best"]
    columns = layout.history.read_text().split("\n")[0].split("\t")
    assert len(columns) == len(set(columns))
    assert loss == pytest.approx(logged(layout, best["step"], "eval_loss"), rel=1e-4)
    assert scores[best["metric"]] == pytest.approx(best["value"], rel=1e-4, abs=1e-5)
    trained, total = record["parameters"]["trainable"], record["parameters"]["total"]
    assert (trained == total) == (method == "full")
    names = {file.name for file in layout.trained.iterdir()}
    assert ("adapter_model.safetensors" in names) == (method == "lora")
    assert ("labels.json" in names) == (method == "lora" and TASKS[task].head)
    assert not [name for name in names if name.endswith((".bin", ".pt"))]


LEARNS = {
    "text-classification": ("bert", 10, lambda s: s["accuracy"] > 0.8),
    "multi-label-classification": ("camembert", 20, lambda s: s["f1_micro"] > 0.8),
    "text-regression": ("roberta", 20, lambda s: s["pearson"] > 0.7),
    "token-classification": ("flaubert", 8, lambda s: s["entity_f1"] > 0.8),
    "seq2seq": ("bart", 40, lambda s: s["chrf"] > 60),
    "causal-lm": ("gpt2", 10, lambda s: s["perplexity"] < 10),
    "masked-lm": ("xlm-roberta", 30, lambda s: s["pseudo_perplexity"] < 15),
}


@pytest.mark.parametrize("task", TASK_TYPES)
def test_every_task_learns(task: str, bases: Path, tmp_path: Path) -> None:
    """Rows that follow a rule, and a score that only the rule gives."""
    family, epochs, learned = LEARNS[task]
    layout = repository(tmp_path, bases, family, task, train=160)
    chosen = {"learning_rate": 5e-3, "num_train_epochs": epochs, "eval_strategy": "steps", "eval_steps": 50}
    train(tiny.write_params(tmp_path, task=settings(task), train=chosen), layout)
    _, _, scores = scored_again(layout)
    assert learned(scores), scores

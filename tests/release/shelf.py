"""A whole edition in a folder, as the stages before push would leave it: real weights, real rows."""

import json
import subprocess
from pathlib import Path
from typing import Any

from stages.core import records
from stages.core.files import digest, folder_digests, sha256
from stages.core.layout import Layout
from stages.core.schema import Hub
from stages.core.task_section import Task
from stages.evidence.published import Predictions, published, salted, write
from stages.release.rehearsal import Repository, rehearse
from stages.release.sidecar import describe as describe_card
from stages.release.sidecar import dumped, shown
from stages.release.snippet import code
from stages.release.traced import MarkdownText
from tests.tiny import write_base, write_params, write_prepared

REPO = "tests/tiny"
TEMPLATES = Path(__file__).parents[2] / "model_cards/templates"
LABELS = ["bad", "good"]
SETTINGS = Task(labels=LABELS, max_length=32)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
CARD = """---
license: mit
language:
- en
pipeline_tag: text-classification
library_name: transformers
base_model: tests/tiny-bert
---

# Tiny

`pipeline("text-classification", model="{repo_id}", revision="v{version}")`
"""


def make(root: Path, method: str = "full") -> Layout:
    """params.yaml, base, rows, a model with its predictions, records, figures and a card."""
    layout = Layout(root)
    write_params(root, method=method)
    layout.base.mkdir(parents=True)
    write_base(layout.base)
    write_prepared(layout, train=8, held_out=8)
    layout.trained.mkdir(parents=True)
    (_full if method == "full" else _lora)(layout)
    describe(layout, method)
    predict(layout)
    snippet(layout)
    figures = layout.breakdown_plot.parent
    figures.mkdir(parents=True)
    for name in ("breakdown", "loss", "results"):
        (figures / f"{name}.png").write_bytes(PNG + name.encode())
    card(layout)
    return layout


def _full(layout: Layout) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(1)
    names = {"id2label": dict(enumerate(LABELS)), "label2id": {name: i for i, name in enumerate(LABELS)}}
    model = AutoModelForSequenceClassification.from_pretrained(layout.base, **names)
    model.save_pretrained(layout.trained)
    for file in layout.base.glob("tokenizer*.json"):
        (layout.trained / file.name).write_bytes(file.read_bytes())


def _lora(layout: Layout) -> None:
    from stages.core.schema import Base, Lora
    from stages.tasks.table import TASKS
    from stages.tasks.tokenizers import load_tokenizer
    from stages.training import build, save

    task = TASKS["text-classification"]
    lora = Lora(r=2, lora_alpha=4)
    base = Base(repo_id="tests/tiny-bert", revision="0" * 40)
    tokenizer = load_tokenizer(layout.base, SETTINGS)
    model = build.build(task, layout.base, tokenizer, LABELS, 1, lora)
    save.save(model, layout.trained, layout.base, base, task, SETTINGS)


def describe(layout: Layout, method: str = "full", version: str = "0.1.0") -> None:
    """The records of what the folders hold now. `version` only tells them from another edition's."""
    splits = records.read(layout.prepared_manifest, "prepare")["splits"]
    files = folder_digests(layout.trained)
    model = {"files": files, "sha256": digest(files)}
    base = {
        "repo_id": "tests/tiny-bert",
        "revision": "0" * 40,
        "package": None,
        "sha256": digest(folder_digests(layout.base)),
    }
    source = {"type": "files", "path": "rows.csv"}
    records.write(layout.data_report, {"source": source, "splits": splits, "labels": LABELS})
    records.write(
        layout.train_report,
        {
            "base": base,
            "method": method,
            "lora": {"r": 2, "lora_alpha": 4} if method == "lora" else None,
            "threads": 1,
            "tokenizer": {"class": "BertTokenizer", "fast": True},
            "task": SETTINGS.described(),
            "model": model,
            "data": {name: splits[name]["sha256"] for name in ("train", "validation")},
        },
    )
    records.write(
        layout.eval_report,
        {
            "task": "text-classification",
            "labels": LABELS,
            "outputs": LABELS,
            "test": {"rows": splits["test"]["rows"], "sha256": splits["test"]["sha256"]},
            "model": {"sha256": model["sha256"]},
            "note": version,
        },
    )
    if layout.snippet_report.exists():
        written = records.read(layout.snippet_report, "snippet")
        records.write(layout.snippet_report, written | {"model": model})


def predict(layout: Layout) -> None:
    """models/predictions.jsonl of the model that the folder holds now."""
    from stages.tasks import inference
    from stages.tasks.rows import read_rows
    from stages.tasks.table import TASKS

    rows, task = read_rows(layout.split("test")), TASKS["text-classification"]
    model, tokenizer = inference.load(layout.trained, layout.base, task, SETTINGS)
    found = inference.predictions(model, tokenizer, rows, task, SETTINGS)
    lines = [
        {"id": id_, "label": label} | said | {"probabilities": [round(p, 6) for p in said["probabilities"]]}
        for id_, label, said in zip(rows.ids, rows.labels, found, strict=True)
    ]
    records.write_lines(layout.predictions, lines)
    ids = salted(rows.ids, layout.split("test").read_bytes())
    model = published("class", found, rows.labels, whole=True)
    write(layout.published, Predictions(ids, rows.labels, model))


def snippet(layout: Layout) -> None:
    """What the card's snippet prints of the model that the folder holds now."""
    train = records.read(layout.train_report, "train")
    written = _snippet(train, REPO, "0.1.0")
    repositories = [Repository(REPO, "v0.1.0", layout.trained)]
    if train["lora"]:
        repositories.append(Repository(train["base"]["repo_id"], train["base"]["revision"], layout.base))
    printed = rehearse(written, repositories, 1)["printed"]
    records.write(layout.snippet_report, {"printed": printed, "widget": []})


def _snippet(train: dict[str, Any], repo_id: str, version: str) -> str:
    return code(TEMPLATES, Hub(repo_id=repo_id, version=version), train, ["a superb film"])


def card(layout: Layout, version: str = "0.1.0", repo_id: str = REPO, more: str = "") -> None:
    """A card that names this version and shows every figure there is, its sidecar, and its snippet."""
    figures = [f"![](figures/{p.name})\n" for p in sorted(layout.results_plot.parent.glob("*.png"))]
    text = CARD.format(repo_id=repo_id, version=version) + "".join(figures) + more
    layout.card.write_text(text)
    train = records.read(layout.train_report, "train")
    found = {"snippet": _snippet(train, repo_id, version), "model": train["model"]}
    records.write(layout.snippet_report, records.read(layout.snippet_report, "snippet") | found)
    sign(layout)


def sign(layout: Layout) -> None:
    """The sidecar of the card and the records that are there now."""
    text = layout.card.read_text()
    names = ["data", "train", "eval", *(["curve"] if "figures/curve.png" in text else [])]
    made_of = {f"reports/{name}.json": sha256(layout.report(name)) for name in names}
    model = records.read(layout.train_report, "train")["model"]["sha256"]
    figures = {path: sha256(layout.card.parent / path) for path in shown(text)}
    described = describe_card(MarkdownText(text), {}, model, "en", figures)
    layout.card_sources.write_text(dumped(described | {"records": made_of}))


def receipt(layout: Layout) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(layout.receipt.read_text())
    return found


def commit_all(root: Path) -> str:
    """Everything in Git; returns the commit."""
    if not (root / ".git").exists():
        git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "state")
    return git(root, "rev-parse", "HEAD")


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=root, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()

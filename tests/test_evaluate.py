"""Evaluation of models that were really trained: a two-layer BERT made here, in full and with LoRA."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.baselines import baselines
from stages.card import card
from stages.core import records
from stages.core.errors import PipelineError
from stages.core.files import sha256
from stages.core.layout import Layout
from stages.core.records import parse
from stages.core.schema import Params
from stages.curve import curve
from stages.evaluate import evaluate
from stages.snippet import snippet
from stages.sources.prepared import write_slices
from stages.train import train
from tests import card_records, tiny

ROOT = Path(__file__).parents[1]
LABELS = ["negative", "positive"]
PLAIN = ("film", "book", "very", "it", "was", "a", "the", "and")


def params(method: str) -> Params:
    given = card_records.PARAMS | {
        "method": method,
        "task": {"labels": LABELS, "max_length": 16},
        "train": {
            "learning_rate": {"full": 0.003, "lora": 0.01}[method],
            "num_train_epochs": 4,
            "logging_steps": 2,
        },
        "compute": {"threads": 1, "precision": "fp32"},
        "evaluate": {"resamples": 200},
        "runtime": {"progress": False},
    }
    return Params.model_validate(given)


def write_prepared(layout: Layout) -> None:
    """Texts of twelve words whose label is their one telling word, but for one row in ten."""
    rng = random.Random(0)
    splits = {}
    layout.prepared.mkdir(parents=True)
    for name, size in (("train", 160), ("validation", 40), ("test", 60)):
        rows = []
        for number in range(size):
            label = rng.choice(LABELS)
            words = [rng.choice(PLAIN) for _ in range(rng.randrange(3, 12))]
            words.insert(rng.randrange(len(words)), "good" if label == "positive" else "bad")
            seen = label if rng.random() < 0.9 else rng.choice(LABELS)
            rows.append({"id": f"{name}-{number}", "text": " ".join(words), "label": seen})
        pq.write_table(pa.Table.from_pylist(rows), layout.split(name))
        counts = {label: sum(row["label"] == label for row in rows) for label in LABELS}
        splits[name] = {"rows": size, "sha256": sha256(layout.split(name)), "labels": counts}
    write_slices(layout.slices, [], [])
    records.write(layout.prepared_manifest, {"labels": LABELS, "normalisation": [], "splits": splits})
    read = {"read": 260, "kept": 260, "rejected": {}}
    source = {"type": "files", "path": "rows.csv"}
    records.write(
        layout.data_report,
        {"source": source, "rows": read, "splits": splits, "labels": LABELS, "normalisation": [], "leaks": 0},
    )


@pytest.fixture(scope="module", params=["full", "lora"])
def evaluated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Params, Layout]:
    """A repository in which the real stages ran up to evaluate and curve."""
    layout = Layout(tmp_path_factory.mktemp(request.param))
    (layout.root / "stages").symlink_to(ROOT / "stages")
    shutil.copytree(ROOT / "model_cards/templates", layout.templates)
    tiny.write_base(layout.base, (*PLAIN, "good", "bad"))
    write_prepared(layout)
    given = params(request.param)
    train(given, layout)
    baselines(given, layout)
    evaluate(given, layout)
    curve(given, layout)
    snippet(given, layout)
    return given, layout


@pytest.fixture
def changed(evaluated: tuple[Params, Layout], tmp_path: Path) -> tuple[Params, Layout]:
    """A copy to spoil."""
    given, layout = evaluated
    shutil.copytree(layout.root, tmp_path / "copy", symlinks=True)
    return given, Layout(tmp_path / "copy")


def report(layout: Layout) -> dict[str, Any]:
    return records.read(layout.eval_report, "evaluate")


def test_the_numbers_can_be_had_again_from_the_published_predictions(
    evaluated: tuple[Params, Layout],
) -> None:
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

    _, layout = evaluated
    found = report(layout)
    rows = list(records.read_lines(layout.predictions))
    assert [row["id"] for row in rows] == [f"test-{number}" for number in range(60)]
    true, said = [row["label"] for row in rows], [row["predicted"] for row in rows]
    assert found["metrics"]["f1_macro"]["value"] == round(f1_score(true, said, average="macro"), 6)
    assert found["metrics"]["accuracy"]["value"] == round(accuracy_score(true, said), 6)
    assert found["confusion"] == confusion_matrix(true, said, labels=LABELS).tolist()
    for row in rows:
        assert row["predicted"] == LABELS[int(np.argmax(row["probabilities"]))]
        assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-5)


def test_the_record_says_all_of_model_and_baselines_on_the_same_rows(
    evaluated: tuple[Params, Layout],
) -> None:
    _, layout = evaluated
    found = report(layout)
    assert found["metrics"]["f1_macro"]["value"] > 0.8  # it learned the telling word
    assert set(found["baselines"]) == {"majority", "linear"}
    for scored in (found, *found["baselines"].values()):
        assert set(scored["metrics"]) == {"accuracy", "f1_macro", "f1_micro", "f1_weighted"}
        for metric in scored["metrics"].values():
            assert 0 <= metric["low"] <= metric["value"] <= metric["high"] <= 1
            assert metric["n"] == 60
    assert found["baselines"]["majority"]["comparison"]["verdict"] == "better"
    assert sum(row["support"] for row in found["per_class"].values()) == 60
    assert found["model"]["sha256"] == records.read(layout.train_report, "train")["model"]["sha256"]
    assert found["test"] == {"rows": 60, "sha256": sha256(layout.split("test"))}
    floats = [number for number in _numbers(found) if isinstance(number, float)]
    assert floats == [round(number, 6) for number in floats]


def _numbers(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return [number for value in node.values() for number in _numbers(value)]
    if isinstance(node, list):
        return [number for value in node for number in _numbers(value)]
    return [node]


def test_again_gives_the_same_bytes_and_a_card(changed: tuple[Params, Layout]) -> None:
    given, layout = changed
    made = [
        layout.eval_report,
        layout.predictions,
        layout.published,
        layout.mistakes,
        *sorted(layout.results_plot.parent.glob("*.png")),
    ]
    assert len(made) == 10
    before = [path.read_bytes() for path in made]
    evaluate(given, layout)
    assert [path.read_bytes() for path in made] == before
    card(given, layout)
    value = report(layout)["metrics"]["f1_macro"]["value"]
    assert f"**{value:.3f}**" in layout.card.read_text(encoding="utf-8")


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def rewrite(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


def edit(path: Path, *keys: str, value: str) -> None:
    record = parse(path.read_bytes())
    node = record
    for key in keys[:-1]:
        node = node[key]
    node[keys[-1]] = value
    path.write_text(json.dumps(record))


MAJORITY = "majority.jsonl"
SPOILED: dict[str, tuple[Callable[[Layout], object], str]] = {
    "another model": (lambda at: flip_a_byte(next(at.trained.glob("*.safetensors"))), "repro train"),
    "a file more in the model": (lambda at: (at.trained / "x").write_text("x"), "repro train"),
    "other test rows": (lambda at: flip_a_byte(at.split("test")), "repro prepare"),
    "trained on another split": (
        lambda at: edit(at.prepared_manifest, "splits", "train", "sha256", value="0" * 64),
        "may not be new to it",
    ),
    "baseline rows in another order": (
        lambda at: rewrite(at.baselines / MAJORITY, lambda x: x[::-1]),
        "order",
    ),
    "a baseline row less": (
        lambda at: rewrite(at.baselines / MAJORITY, lambda x: x[1:]),
        "not the test rows",
    ),
    "a label that is none": (
        lambda at: rewrite(
            at.baselines / MAJORITY, lambda x: [r.replace("ative", "").replace("itive", "") for r in x]
        ),
        "unknown label",
    ),
    "no history": (lambda at: at.history.unlink(), "history.tsv is missing"),
    "no train record": (lambda at: at.train_report.unlink(), "repro train"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_what_does_not_belong_together_is_refused_and_nothing_is_written(
    changed: tuple[Params, Layout], case: str
) -> None:
    given, layout = changed
    spoil, words = SPOILED[case]
    spoil(layout)
    before = layout.eval_report.stat().st_mtime_ns, layout.predictions.stat().st_mtime_ns
    with pytest.raises(PipelineError, match=words) as caught:
        evaluate(given, layout)
    assert "\n" not in str(caught.value)
    assert (layout.eval_report.stat().st_mtime_ns, layout.predictions.stat().st_mtime_ns) == before


def test_an_adapter_is_not_scored_on_another_base(changed: tuple[Params, Layout]) -> None:
    given, layout = changed
    (layout.base / "config.json").write_text((layout.base / "config.json").read_text() + " ")
    if given.method == "full":
        evaluate(given, layout)  # a full model does not need its base any more
    else:
        with pytest.raises(PipelineError, match="not the base model that the adapter was trained on"):
            evaluate(given, layout)


def test_the_snippet_of_the_card_runs_on_the_release_and_answers_as_evaluated(
    changed: tuple[Params, Layout], tmp_path: Path
) -> None:
    """As a reader would: from the embedded Hub over HTTP, in a process that knows nothing of the pipeline."""
    from huggingface_hub import HfApi

    from localhub import launch, mirror

    given, layout = changed
    card(given, layout)
    row = next(records.read_lines(layout.predictions))
    text = pq.read_table(layout.split("test")).column("text")[0].as_py()
    said = layout.card.read_text(encoding="utf-8")
    copied, printed = said.split("```python\n")[1].split("```")[0], said.split("```text\n")[1].split("```")[0]
    about_the_row = copied.replace('"A text to classify."', repr(text))

    data = tmp_path / "hub"
    mirror.add(data, given.base.repo_id, layout.base, "base")
    mirror.add(data, given.hub.repo_id, layout.trained, "release")
    with launch.running(data) as server:
        HfApi(server.url, token=server.token).create_tag(given.hub.repo_id, tag=f"v{given.hub.version}")
        env = os.environ | {
            "HF_ENDPOINT": server.url,
            "HF_TOKEN": server.token,
            "HF_HOME": str(tmp_path / "home"),
            "OMP_NUM_THREADS": str(given.compute.threads),
        }
        answers = []
        for code in (copied, about_the_row):
            done = subprocess.run(
                [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            answers.append(done.stdout)
    assert answers[0] == printed
    assert row["predicted"] in answers[1]
    answer = float(re.findall(r"0\.\d+|1\.0", answers[1])[-1])
    assert answer == pytest.approx(max(row["probabilities"]), abs=1e-4)

"""Climbing the ladder: every rung decides as the model does, and by nothing of the test rows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stages.core.schema import Baselines, Runtime
from stages.core.task_section import Task as Settings
from stages.tasks.rows import Rows
from stages.tasks.table import TASKS
from stages.training import ladder
from tests import corpora, families

LABELS = corpora.LABELS["classes"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    families.write_family("bert", folder, corpora.texts())
    return folder


def start(base: Path, checkpoints: Path, thresholds: Any) -> ladder.Start:
    found = corpora.rows("classes", 120)
    texts, labels = [row["text"] for row in found], [row["label"] for row in found]
    cuts = {"train": range(80), "validation": range(80, 100), "test": range(100, 120)}
    whole = Rows([str(i) for i in range(120)], texts, None, labels)
    return ladder.Start(
        rows={split: whole.take(places) for split, places in cuts.items()},
        settings=Settings(type="multi-label-classification", labels=LABELS, thresholds=thresholds),
        baselines=Baselines(hidden_size=8, train={"num_train_epochs": 1}),
        base=base,
        precision="fp32",
        seed=1,
        checkpoints=checkpoints,
        runtime=Runtime(progress=False),
        decides={},
    )


@pytest.mark.parametrize("name", ["majority", "linear", "feed_forward"])
def test_thresholds_of_a_rung_are_tuned_as_the_models_are(name: str, base: Path, tmp_path: Path) -> None:
    given = start(base, tmp_path, "tuned")
    found = ladder.climb(name, given)
    thresholds = found.facts["thresholds"]
    assert len(found.predicted) == 20
    for row in found.predicted:
        reached = [p >= t for p, t in zip(row["probabilities"], thresholds, strict=True)]
        assert row["predicted"] == [label for label, holds in zip(LABELS, reached, strict=True) if holds]

    held = given.rows["validation"]
    again = ladder.climb(name, replace(given, rows=given.rows | {"test": held}))
    tune = TASKS["multi-label-classification"].decide
    assert tune and thresholds == tune(again.predicted, held.labels, LABELS) == again.facts["thresholds"]


def test_thresholds_that_are_fixed_are_one_half(base: Path, tmp_path: Path) -> None:
    found = ladder.climb("linear", start(base, tmp_path, "fixed"))
    assert found.facts["thresholds"] is None
    for row in found.predicted:
        assert row["predicted"] == [
            label for label, p in zip(LABELS, row["probabilities"], strict=True) if p >= 0.5
        ]


def test_the_answers_of_the_test_rows_change_nothing(base: Path, tmp_path: Path) -> None:
    given = start(base, tmp_path, "tuned")
    test = given.rows["test"]
    blind = replace(given, rows=given.rows | {"test": replace(test, labels=[[] for _ in test.ids])})
    assert ladder.climb("linear", given) == ladder.climb("linear", blind)


def test_a_checkpoint_is_chosen_by_the_thresholds_that_it_ships_with(base: Path, tmp_path: Path) -> None:
    """With one half for rare labels a model says none of them for long, and each checkpoint scores 0."""
    from stages.training import fine_tuning

    given = start(base, tmp_path, "tuned")
    chosen = {**ladder.training("lstm", {}), "num_train_epochs": 2, "learning_rate": 1e-5}
    tuned, fixed = (
        fine_tuning.fit(
            fine_tuning.start(
                given.settings.model_copy(update={"thresholds": how}),
                LABELS,
                base,
                None,
                chosen,
                "fp32",
                given.runtime,
                given.rows.values(),
            ),
            given.rows,
            1,
            tmp_path / how,
        )[1]
        for how in ("tuned", "fixed")
    )
    assert tuned.best_metric > fixed.best_metric

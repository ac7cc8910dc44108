"""The train stage, for real, on a tiny model: what it learns, records and saves."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from stages.core.errors import PipelineError
from stages.core.files import digest, folder_digests
from stages.core.layout import Layout
from stages.core.records import parse
from stages.train import train
from tests import tiny


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("prepared")
    layout = Layout(root)
    tiny.write_base(layout.base)
    tiny.write_prepared(layout)
    shutil.copytree("stages", root / "stages", ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture
def layout(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A repository of its own, entered as DVC enters it: paths in what is written stay relative."""
    shutil.copytree(prepared, tmp_path / "repo")
    monkeypatch.chdir(tmp_path / "repo")
    return Layout(Path("."))


def scores(layout: Layout, split: str) -> dict[str, float]:
    """Of the saved folder, loaded again."""
    from stages.core.task_section import Task as Settings
    from stages.tasks import inference
    from stages.tasks.rows import read_rows
    from stages.tasks.table import TASKS

    task = TASKS["text-classification"]
    settings = Settings.model_validate(parse(layout.train_report.read_bytes())["task"])
    model, tokenizer = inference.load(layout.trained, layout.base, task, settings)
    rows = read_rows(layout.split(split))
    found = inference.predictions(model, tokenizer, rows, task, settings)
    return task.score(found, rows.labels, settings.labels or [])


def accuracy(layout: Layout) -> float:
    return scores(layout, "test")["accuracy"]


def test_full_fine_tuning_learns_and_names_its_labels(layout: Layout) -> None:
    train(tiny.write_params(layout.root, train={"num_train_epochs": 10}), layout)
    assert accuracy(layout) > 0.8  # half of the rows are of either class
    config = json.loads((layout.trained / "config.json").read_text())
    assert config["id2label"] == {"0": "bad", "1": "good"}
    assert config["problem_type"] == "single_label_classification"
    assert not layout.checkpoints.exists() or not list(layout.checkpoints.iterdir())


def test_bf16_trains_without_a_gpu_and_saves_fp32(layout: Layout) -> None:
    """transformers refuses bf16 without a GPU unless it is told to use the processor."""
    compute = {"threads": 1, "precision": "bf16"}
    train(tiny.write_params(layout.root, train={"num_train_epochs": 10}, compute=compute), layout)
    assert accuracy(layout) > 0.8
    assert parse(layout.train_report.read_bytes())["precision"] == "bf16"
    weights = load_file(layout.trained / "model.safetensors").values()
    assert {str(w.dtype) for w in weights} == {"float32"}


def test_record_names_what_was_saved_and_nothing_of_this_machine(layout: Layout) -> None:
    train(tiny.write_params(layout.root), layout)
    record = parse(layout.train_report.read_bytes())
    files = folder_digests(layout.trained)
    assert record["model"] == {"files": files, "sha256": digest(files)}
    assert record["chosen"]["learning_rate"] == 2e-3
    assert "num_train_epochs" not in record["chosen"]  # 3 is the Trainer's own default
    for file in (*layout.trained.glob("*.json"), layout.train_report):
        assert str(Path.cwd()) not in file.read_text()
    assert set(files) >= {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert not [name for name in files if name.endswith((".bin", ".pt", ".pth"))]


def test_lora_keeps_its_head_and_its_labels(layout: Layout) -> None:
    params = tiny.write_params(
        layout.root, method="lora", train={"learning_rate": 1e-2, "num_train_epochs": 12}
    )
    train(params, layout)
    assert accuracy(layout) > 0.8
    config = json.loads((layout.trained / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tests/tiny-bert"
    assert config["revision"] == "0" * 40
    assert config["target_modules"] == sorted(config["target_modules"])
    assert json.loads((layout.trained / "labels.json").read_text())["id2label"] == {"0": "bad", "1": "good"}
    assert not (layout.trained / "config.json").exists()  # it would shadow the base
    assert not (layout.trained / "README.md").exists()
    counts = parse(layout.train_report.read_bytes())["parameters"]
    assert 0 < counts["trainable"] < counts["total"]
    weights = {path: load_file(path) for path in (layout.base / "model.safetensors", adapter(layout))}
    assert counts["total"] == sum(tensor.size for one in weights.values() for tensor in one.values())
    assert counts["trainable"] == sum(tensor.size for tensor in weights[adapter(layout)].values())


def adapter(layout: Layout) -> Path:
    return layout.trained / "adapter_model.safetensors"


def test_two_runs_are_byte_identical(layout: Layout, prepared: Path, tmp_path: Path) -> None:
    params = tiny.write_params(layout.root, method="lora")
    train(params, layout)
    first = folder_digests(layout.trained), layout.train_report.read_bytes(), layout.history.read_bytes()
    train(params, layout)
    again = folder_digests(layout.trained), layout.train_report.read_bytes(), layout.history.read_bytes()
    assert first == again


def test_history_has_losses_and_scores_but_no_times(layout: Layout) -> None:
    train(tiny.write_params(layout.root), layout)
    header, *lines = layout.history.read_text().splitlines()
    columns = header.split("\t")
    assert columns[:6] == ["step", "epoch", "loss", "learning_rate", "eval_loss", "eval_score"]
    rows = [dict(zip(columns, line.split("\t"), strict=True)) for line in lines]
    assert [row["step"] for row in rows if row["eval_f1_macro"] != "nan"] == ["12", "24", "36"]
    assert all(row["loss"] != "nan" and row["eval_score"] == row["eval_f1_macro"] for row in rows)
    assert all(cell for row in rows for cell in row.values())  # DVC draws an empty cell as 0


def test_gradient_accumulation_trains_on_the_same_loss(layout: Layout) -> None:
    """transformers #47688: without our cure, four accumulation steps train on four times the loss."""
    losses = []
    for batch, steps in ((16, 1), (4, 4)):
        chosen = {
            "per_device_train_batch_size": batch,
            "gradient_accumulation_steps": steps,
            "num_train_epochs": 1,
            "learning_rate": 1e-9,
            "logging_steps": 12,
            "train_sampling_strategy": "random",
        }
        train(tiny.write_params(layout.root, train=chosen), layout)
        losses.append(float(layout.history.read_text().splitlines()[1].split("\t")[2]))
    assert losses[1] == pytest.approx(losses[0], rel=0.2)


def validation_scores(layout: Layout) -> dict[int, float]:
    header, *lines = [line.split("\t") for line in layout.history.read_text().splitlines()]
    column = header.index("eval_f1_macro")
    return {int(line[0]): float(line[column]) for line in lines if line[column] != "nan"}


def test_best_checkpoint_is_the_one_saved(layout: Layout) -> None:
    """Scored again from the saved folder, the validation rows give the best score of the history."""
    # A rate that grows all the way: the model learns the rule early and is ruined at the end.
    chosen = {"learning_rate": 6.0, "warmup_steps": 10_000, "num_train_epochs": 24}
    train(tiny.write_params(layout.root, train=chosen), layout)
    record = parse(layout.train_report.read_bytes())
    logged = validation_scores(layout)
    best = max(logged, key=lambda step: (logged[step], -step))
    assert logged[best] > logged[max(logged)]  # or the test could not tell them apart
    assert record["best"]["step"] == best
    assert scores(layout, "validation")["f1_macro"] == pytest.approx(logged[best], abs=1e-5)


def test_a_loss_that_is_no_number_stops_with_advice(layout: Layout) -> None:
    """At the next log, that is before the first evaluation, at step 12."""
    chosen = {"learning_rate": 1e30, "max_grad_norm": 1e30, "logging_steps": 2}
    advice = r"^loss is not a finite number at step [2468]: lower train.learning_rate"
    with pytest.raises(PipelineError, match=advice):
        train(tiny.write_params(layout.root, train=chosen), layout)
    assert not layout.trained.exists()
    assert not layout.train_report.exists()


@pytest.mark.parametrize(
    ("chosen", "complaint"),
    [
        ({"lr_scheduler_kwargs": {"no_such": 1}}, "no_such"),
        ({"optim": "adamw_bnb_8bit"}, "bitsandbytes"),
    ],
)
def test_values_that_only_transformers_can_judge_are_one_line(
    layout: Layout, chosen: dict[str, Any], complaint: str
) -> None:
    params = tiny.write_params(layout.root, train=chosen)
    with pytest.raises(PipelineError, match=rf"^params.yaml: train: .*({complaint}).*$"):
        train(params, layout)
    assert not list(layout.checkpoints.iterdir())


def test_a_tokenizer_that_cannot_pad_is_refused(layout: Layout) -> None:
    path = layout.base / "tokenizer_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"pad_token": None}))
    with pytest.raises(PipelineError, match="has no padding token"):
        train(tiny.write_params(layout.root), layout)


def test_a_lowered_max_length_is_said(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    train(tiny.write_params(layout.root, task={"max_length": 500}, train={"max_steps": 1}), layout)
    assert "the base takes 64 tokens at most" in capsys.readouterr().out
    assert parse(layout.train_report.read_bytes())["task"]["max_length"] == 64


def test_no_evaluation_in_the_whole_run_is_said(layout: Layout) -> None:
    params = tiny.write_params(layout.root, train={"eval_delay": 1000})
    with pytest.raises(PipelineError, match="no evaluation fell due"):
        train(params, layout)


def test_unknown_lora_target_is_one_line(layout: Layout) -> None:
    params = tiny.write_params(layout.root, method="lora", lora={"target_modules": ["no_such_layer"]})
    with pytest.raises(
        PipelineError, match=r"^params.yaml: lora.target_modules: .*no_such_layer; it has .*query"
    ):
        train(params, layout)


def test_an_architecture_without_a_head_for_the_task_is_one_line(layout: Layout) -> None:
    path = layout.base / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"model_type": "marian"}))
    with pytest.raises(PipelineError, match=r"^models/base cannot be fine-tuned for this task: [^\n]*Marian"):
        train(tiny.write_params(layout.root), layout)


def test_early_stopping_ends_a_run_that_brings_nothing_better(layout: Layout) -> None:
    chosen = {"learning_rate": 1e-9, "num_train_epochs": 20, "early_stopping_patience": 2}
    train(tiny.write_params(layout.root, train=chosen), layout)
    assert parse(layout.train_report.read_bytes())["epochs"] == 3.0  # the first is the best


@pytest.mark.parametrize(("metric", "scores"), [("f1_macro", [0.5, 0.7, 0.7]), ("mse", [0.9, 0.6, 0.61])])
def test_patience_counts_in_the_history_that_a_checkpoint_carries(metric: str, scores: list[float]) -> None:
    """transformers' own counter begins again when a run is resumed; this one only looks at the past."""
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from stages.training.progress import Patience

    stops = []
    for count in range(1, 4):
        state = TrainerState(
            log_history=[{f"eval_{metric}": score, "eval_loss": 0.4} for score in scores[:count]]
        )
        control = TrainerControl()
        Patience(metric, 1).on_evaluate(TrainingArguments(report_to="none"), state, control)
        stops.append(control.should_training_stop)
    assert stops == [False, False, True]


def test_patience_with_a_loss_for_its_score_is_the_threshold_alone() -> None:
    from transformers import TrainerState

    from stages.training.progress import Patience

    history = [{"eval_mse": 1.0 - 0.01 * n, "eval_loss": 1.0 - 0.01 * n} for n in range(9)]
    for threshold, over in ((0.5, True), (0.0, False)):
        assert Patience("mse", 2, threshold).is_over(TrainerState(log_history=history)) == over


def test_patience_lasts_while_the_validation_loss_falls() -> None:
    """A score such as entity F1 is 0 until a network has learned a good deal."""
    from transformers import TrainerState

    from stages.training.progress import Patience

    patience = Patience("entity_f1", 2)
    history = [{"eval_entity_f1": 0.0, "eval_loss": loss} for loss in (1.3, 1.1, 1.0, 1.0, 0.9995)]
    over = [patience.is_over(TrainerState(log_history=history[:count])) for count in range(1, 6)]
    assert over == [False, False, False, False, True]


@pytest.mark.parametrize(
    ("chosen", "epochs"),
    [
        ({"learning_rate": 0.1, "num_train_epochs": 20, "early_stopping_patience": 1}, None),
        ({"num_train_epochs": 2.5, "lr_scheduler_type": "constant"}, 2.5),  # ends within an epoch
        ({"max_steps": 8, "eval_strategy": "steps", "eval_steps": 4}, 8 / 12),
    ],
)
def test_a_run_that_was_killed_when_training_was_over_ends_with_the_same_bytes(
    chosen: dict[str, Any], epochs: float | None, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stages.training import save

    params = tiny.write_params(layout.root, train=chosen)
    train(params, layout)
    whole = folder_digests(layout.trained), layout.train_report.read_bytes(), layout.history.read_bytes()
    made = parse(whole[1])["epochs"]
    assert made == pytest.approx(epochs) if epochs else made < 20  # or nothing was stopped
    shutil.rmtree(layout.trained)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(save, "save", killed)
        train(params, layout)
    assert not layout.trained.exists()
    train(params, layout)
    assert whole == (
        folder_digests(layout.trained),
        layout.train_report.read_bytes(),
        layout.history.read_bytes(),
    )

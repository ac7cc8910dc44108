"""A killed training goes on and ends with the same bytes; a damaged checkpoint is never resumed from."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.core.files import folder_digests
from stages.core.layout import Layout
from stages.training.checkpoints import checkpoint_folder, newest_intact
from tests import tiny

Result = tuple[dict[str, str], bytes, bytes]
# Steps are made slow enough to be hit by a kill: many small batches, an evaluation every 20 steps.
TRAIN = {
    "per_device_train_batch_size": 4,
    "num_train_epochs": 3,
    "eval_strategy": "steps",
    "eval_steps": 20,
    "logging_steps": 7,
}
ORDER = {
    "full": {"train_sampling_strategy": "group_by_length"},
    "lora": {"train_sampling_strategy": "random", "gradient_accumulation_steps": 2, "num_train_epochs": 6},
}


def start(root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "stages.train"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(root: Path) -> tuple[Result, str]:
    process = start(root)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    layout = Layout(root)
    return (
        folder_digests(layout.trained),
        layout.train_report.read_bytes(),
        layout.history.read_bytes(),
    ), said


def kill_at(root: Path, seals: int, how: signal.Signals = signal.SIGKILL) -> str:
    """Start training and kill it when its `seals`-th checkpoint is sealed."""
    process = start(root)
    deadline = time.monotonic() + 120
    wanted = f".checkpoints/*/checkpoint-{20 * seals}/SEAL.json"
    while not list(root.glob(wanted)):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, how)
    said, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    return said


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("origin")
    tiny.write_base(Layout(root).base)
    tiny.write_prepared(Layout(root))
    shutil.copytree("stages", root / "stages", ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture(scope="module", params=["full", "lora"])
def uninterrupted(
    request: pytest.FixtureRequest, origin: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Result]:
    root = tmp_path_factory.mktemp(request.param) / "repo"
    shutil.copytree(origin, root)
    tiny.write_params(root, method=request.param, train=TRAIN | ORDER[request.param])
    return request.param, finish(root)[0]


def damage_nothing(newest: Path) -> None:
    pass


def flip_a_byte(newest: Path) -> None:
    file = next(newest.glob("*.safetensors"))
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(data)


def lose_the_random_state(newest: Path) -> None:
    (newest / "rng_state.pth").unlink()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "resumes_from"),
    [(damage_nothing, 60), (flip_a_byte, 40), (lose_the_random_state, 40)],
)
def test_killed_training_ends_with_the_same_bytes(
    uninterrupted: tuple[str, Result],
    origin: Path,
    tmp_path: Path,
    damage: Callable[[Path], None],
    resumes_from: int,
) -> None:
    method, expected = uninterrupted
    root = tmp_path / "repo"
    shutil.copytree(origin, root)
    tiny.write_params(root, method=method, train=TRAIN | ORDER[method])
    kill_at(root, seals=3)
    assert not Layout(root).trained.exists()
    damage(next(root.glob(".checkpoints/*/checkpoint-60")))
    result, said = finish(root)
    assert f"going on from checkpoint-{resumes_from}" in said
    assert result == expected
    assert not list((root / ".checkpoints").iterdir())


def test_a_changed_parameter_starts_anew(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), checkpoint_folder(tmp_path, {"seed": 1}) as first:
        (first / "checkpoint-1").mkdir()
        raise KeyboardInterrupt
    with checkpoint_folder(tmp_path, {"seed": 2}) as second:
        assert second != first and first.exists() and newest_intact(second) is None


def test_what_other_runs_left_is_removed_when_one_ends_well(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), checkpoint_folder(tmp_path, {"seed": 1}) as first:
        (first / "checkpoint-1").mkdir()
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), checkpoint_folder(tmp_path, {"seed": 2}):
        raise KeyboardInterrupt
    assert sorted(p.name for p in tmp_path.iterdir()) == [first.name, f"{first.name}.lock"]
    with checkpoint_folder(tmp_path, {"seed": 3}):
        pass
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_nothing_half_written(origin: Path, tmp_path: Path) -> None:
    root = tmp_path / "repo"
    shutil.copytree(origin, root)
    tiny.write_params(root, train=TRAIN)
    said = kill_at(root, seals=1, how=signal.SIGINT)
    assert "interrupted: nothing half-written" in said and "Traceback" not in said
    assert not Layout(root).trained.exists() and not Layout(root).train_report.exists()
    assert [p.name for p in (root / "models").iterdir()] == ["base"]


def test_two_trainings_of_one_model_do_not_mix(tmp_path: Path) -> None:
    from stages.core.errors import PipelineError

    with (
        checkpoint_folder(tmp_path, {"seed": 1}),
        pytest.raises(PipelineError, match="another process is training this model"),
        checkpoint_folder(tmp_path, {"seed": 1}),
    ):
        pass

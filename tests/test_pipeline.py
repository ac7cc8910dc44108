"""The whole pipeline under real DVC, from a user's CSV and a base model on a Hub to a release."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from localhub import launch, mirror
from stages.core.files import folder_digests, sha256
from stages.core.records import parse
from tests import tiny

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
COPIED = ("stages", "localhub", "dvc.yaml", ".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore")
COPIED += (
    "data/previous",
    "model_cards/templates",
    "model_cards/prose/README.md",
    "reports/measured/README.md",
)
LEAVE_OUT = shutil.ignore_patterns("__pycache__")


@dataclass(frozen=True)
class Repo:
    root: Path
    world: str  # the Hub that fetch reads
    base_revision: str

    def run(self, *command: str, ok: bool = True) -> str:
        """Run a command as a user with the environment activated would; its output."""
        done = subprocess.run(
            command, cwd=self.root, env=self.environment(), text=True, capture_output=True, timeout=400
        )
        said = done.stdout + done.stderr
        assert (done.returncode == 0) == ok, said
        return said

    def environment(self) -> dict[str, str]:
        bin_ = str(Path(sys.executable).parent)
        return os.environ | {
            "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
            "HF_ENDPOINT": self.world,
            "HF_HOME": str(self.root.parent / "home"),
            "SHELL": "/bin/sh",  # where DVC runs stages; a plain one stays in between but for `exec`
        }

    def params(self, **changes: object) -> None:
        base = {"repo_id": "tests/tiny-bert", "revision": self.base_revision}
        tiny.write_params(self.root, base=base, **changes)

    def commit(self, message: str = "state") -> None:
        self.run("git", "add", "-A")
        identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
        self.run("git", *identity, "commit", "--quiet", "--allow-empty", "-m", message)

    def receipt(self) -> dict[str, Any]:
        receipt: dict[str, Any] = json.loads((self.root / "model_cards/release.json").read_text())
        return receipt

    def written(self) -> dict[str, tuple[str, int]]:
        """Digest and modification time of all that a run could write, but for DVC's own bookkeeping."""
        files = {}
        for name in ("data", "models", "reports", "model_cards", ".hub/repos"):
            found = [p for p in (self.root / name).rglob("*") if p.is_file()]
            files |= {str(p): (sha256(p), p.stat().st_mtime_ns) for p in found}
        # DVC itself rewrites its lock with the same bytes after an `always_changed` stage.
        files |= {"dvc.lock": (sha256(self.root / "dvc.lock"), 0)}
        return files


def new_repo(root: Path, world: str, revision: str) -> Repo:
    root.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=LEAVE_OUT)
        else:
            shutil.copy(source, root / name)
    lines = [f'"{text}",{label}' for text, label in tiny.sentences(320)]
    (root / "data/raw").mkdir()
    (root / "data/raw/rows.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    repo = Repo(root, world, revision)
    repo.params()
    repo.run("git", "init", "--quiet")
    repo.commit("start")
    return repo


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A Hub on loopback that stands for the world: its address, and the revision of a tiny base model."""
    folder = tmp_path_factory.mktemp("world")
    tiny.write_base(folder / "base")
    revision = mirror.add(folder / "hub", "tests/tiny-bert", folder / "base", "tiny base")
    with launch.running(folder / "hub") as server:
        yield server.url, revision


@pytest.fixture(scope="module")
def released(world: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository whose first `dvc repro` has ended well."""
    repo = new_repo(tmp_path_factory.mktemp("released") / "repo", *world)
    repo.run("dvc", "repro")
    repo.commit("released")
    return repo


@pytest.fixture
def repo(released: Repo, tmp_path: Path) -> Repo:
    """A copy of the released repository, cache and embedded Hub included, to do with as one likes."""
    shutil.copytree(released.root, tmp_path / "repo", symlinks=True)
    return Repo(tmp_path / "repo", released.world, released.base_revision)


def test_first_run_ends_released(released: Repo) -> None:
    receipt = released.receipt()
    assert receipt["tag"] == "v0.1.0"
    assert receipt["endpoint"] == "embedded"
    card = (released.root / "model_cards/README.md").read_text()
    assert 'revision="v0.1.0"' in card
    record = parse((released.root / "reports/eval.json").read_bytes())
    assert record["metrics"]["f1_macro"]["n"] == record["test"]["rows"]
    assert set(record["baselines"]) == {"majority", "linear"}
    assert released.run("git", "status", "--porcelain") == ""


def test_second_run_runs_push_alone_and_writes_nothing(repo: Repo) -> None:
    repo.run("dvc", "repro")
    before = repo.written()
    said = repo.run("dvc", "repro")
    assert "Running stage 'push'" in said
    for stage in ("fetch", "prepare", "baselines", "train", "evaluate", "curve", "snippet", "card"):
        assert f"Stage '{stage}' didn't change" in said
    assert repo.written() == before
    assert "already released" in said


def test_a_parameter_flipped_back_restores_from_the_run_cache_and_is_released(repo: Repo) -> None:
    first = repo.receipt()
    repo.params(train={"num_train_epochs": 1})
    repo.run("dvc", "repro")
    second = repo.receipt()
    assert second["files"] != first["files"]
    repo.params()
    said = repo.run("dvc", "repro")
    assert "Stage 'train' is cached" in said and "Running stage 'train'" not in said
    assert repo.receipt()["files"] == first["files"]
    assert repo.run("git", "diff", "--stat", "dvc.lock") == ""


def test_two_releases_are_compared_in_a_few_rows_and_in_pictures(repo: Repo, tmp_path: Path) -> None:
    repo.run("git", "tag", "one")
    repo.params(train={"num_train_epochs": 1})
    repo.run("dvc", "repro")
    repo.commit("two")
    repo.run("git", "tag", "two")
    rows = re.findall(
        r"^\| (\S+) +\| (\S+) ", repo.run("dvc", "metrics", "diff", "one", "two", "--md"), re.M
    )[1:]
    assert {path for path, _ in rows} == {"reports/scores.json"}
    assert {"score.f1_macro", "score.low", "score.high", "training.best_step"} <= {name for _, name in rows}
    assert len(rows) < 40
    assert len(repo.run("dvc", "metrics", "show", "--md").splitlines()[0].split("|")) < 40

    repo.run("dvc", "plots", "diff", "one", "two", "--out", str(tmp_path / "plots"))
    page = (tmp_path / "plots/index.html").read_text()
    for figure in (repo.root / "model_cards/figures").glob("*.png"):
        for tag in ("one", "two"):
            assert f'"static/{tag}_model_cards_figures_{figure.name}"' in page
            assert (tmp_path / f"plots/static/{tag}_model_cards_figures_{figure.name}").is_file()
    for curve in ("losses", "reports_history_tsv"):
        drawn = page.partition(f'<div id = "{curve}">')[2].partition("vegaEmbed(")[0]
        assert all(f'"rev": "{tag}"' in drawn for tag in ("one", "two"))


def test_a_clone_elsewhere_gives_the_same_bytes(released: Repo, tmp_path: Path) -> None:
    """Another path, no cache, another hash seed, locale and time zone: equal model, card and dvc.lock."""
    released.run("git", "clone", "--quiet", ".", str(tmp_path / "another/place"))
    clone = Repo(tmp_path / "another/place", released.world, released.base_revision)
    dry = clone.run("dvc", "repro", "--dry", "--allow-missing")
    assert re.findall(r"Running stage '(\w+)'", dry) == ["push"]
    environment = clone.environment() | {"PYTHONHASHSEED": "77", "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    subprocess.run(["dvc", "repro", "--force"], cwd=clone.root, env=environment, check=True, timeout=400)
    for name in ("dvc.lock", "model_cards/README.md", "reports/train.json", "reports/eval.json"):
        assert (clone.root / name).read_bytes() == (released.root / name).read_bytes(), name
    assert folder_digests(clone.root / "models/trained") == folder_digests(released.root / "models/trained")
    assert clone.receipt()["files"] == released.receipt()["files"]


def test_wiping_the_embedded_hub_ends_released_again(repo: Repo, tmp_path: Path) -> None:
    shutil.rmtree(repo.root / ".hub")
    repo.run("dvc", "repro")
    with launch.running(repo.root / ".hub") as server:
        assert downloaded(server, "v0.1.0", tmp_path / "out").items() >= repo.receipt()["files"].items()


def downloaded(server: launch.Server, revision: str, folder: Path) -> dict[str, str]:
    """Digests of the files of a revision, as a client gets them."""
    from huggingface_hub import snapshot_download

    snapshot_download(
        "tests/tiny", revision=revision, endpoint=server.url, token=server.token, local_dir=folder
    )
    return folder_digests(folder)


def test_a_users_file_in_data_raw_survives(repo: Repo) -> None:
    mine = repo.root / "data/raw/mine.txt"
    mine.write_text("not yet committed")
    repo.run("dvc", "repro", "--force", "fetch")
    assert mine.read_text() == "not yet committed"


def test_an_experiment_is_planned_and_not_published(repo: Repo) -> None:
    before = repo.receipt()
    said = repo.run("dvc", "exp", "run", "-S", "train.num_train_epochs=1", "--name", "shorter")
    assert "dvc exp apply" in said
    assert repo.receipt() == before
    repo.run("dvc", "exp", "apply", "shorter")
    repo.run("dvc", "repro")
    assert repo.receipt()["files"] != before["files"]


def test_killing_dvc_in_training_loses_little_and_changes_nothing(repo: Repo) -> None:
    """kill -9 of `dvc repro`: the stage ends with it, and the next run goes on from the sealed checkpoint."""
    slow = {
        "per_device_train_batch_size": 2,
        "num_train_epochs": 2,
        "eval_strategy": "steps",
        "eval_steps": 30,
    }
    repo.params(train=slow)
    dvc = subprocess.Popen(["dvc", "repro", "train"], cwd=repo.root, env=repo.environment())
    deadline = time.monotonic() + 200
    while not list(repo.root.glob(".checkpoints/*/checkpoint-60/SEAL.json")):
        assert dvc.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(dvc.pid, signal.SIGKILL)
    dvc.wait()
    said = repo.run("dvc", "repro", "train")
    assert "going on from checkpoint-" in said
    resumed = folder_digests(repo.root / "models/trained"), (repo.root / "reports/train.json").read_bytes()
    repo.run("dvc", "repro", "--force", "--single-item", "train")
    assert resumed == (
        folder_digests(repo.root / "models/trained"),
        (repo.root / "reports/train.json").read_bytes(),
    )


@pytest.mark.parametrize("stage", ["baselines", "evaluate", "push"])
def test_ctrl_c_leaves_what_was_there(repo: Repo, stage: str) -> None:
    """In the middle of a stage's work; others have such tests of their own, card writes at once."""
    if stage == "push":
        shutil.rmtree(repo.root / ".hub")  # or it would have nothing to do
    before = repo.written()
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", f"stages.{stage}"],
        cwd=repo.root,
        env=repo.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if line.startswith(f"{stage}:"):
            process.send_signal(signal.SIGINT)
            break
    said = process.stdout.read()
    process.stdout.close()
    assert process.wait(timeout=60) == 130, said
    assert "interrupted: nothing half-written" in said and "Traceback" not in said
    after = repo.written()
    if stage != "push":
        assert after == before
        return
    assert {k: v for k, v in after.items() if ".hub" not in k} == before
    repo.run("dvc", "repro")


def contents(repo: Repo) -> dict[str, str]:
    return {path: digest for path, (digest, _) in repo.written().items()}


@contextlib.contextmanager
def no_room(folder: Path, free: int) -> Iterator[None]:
    """The folder, with what it holds, on a real file system on which `free` bytes are left."""
    held = folder.with_name("held")
    folder.mkdir(exist_ok=True)
    shutil.copytree(folder, held)
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        shutil.copytree(held, folder, dirs_exist_ok=True)
        left = os.statvfs(folder)
        (folder / "filler").write_bytes(bytes(left.f_bavail * left.f_frsize - free))
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize(
    ("stage", "folder", "free"),
    [
        ("baselines", "models", 0),
        ("baselines", "reports", 0),
        ("train", ".checkpoints", 200_000),
        ("train", "models", 50_000),
        ("evaluate", "reports", 0),
        ("card", "model_cards", 0),
        ("push", ".hub", 100_000),
    ],
)
def test_a_full_disk_is_one_line_and_loses_nothing(repo: Repo, stage: str, folder: str, free: int) -> None:
    if stage == "push":
        shutil.rmtree(repo.root / ".hub")  # or it would have nothing to write
    with no_room(repo.root / folder, free):
        before = contents(repo)
        said = repo.run(sys.executable, "-m", f"stages.{stage}", ok=False)
        assert "error: " in said and "disk is full" in said and "Traceback" not in said
        if stage != "push":
            assert contents(repo) == before
    if stage == "push":
        repo.run("dvc", "repro")


def test_a_mistake_in_params_is_one_line_and_loses_nothing(repo: Repo) -> None:
    trained = folder_digests(repo.root / "models/trained")
    path = repo.root / "params.yaml"
    right = path.read_text()
    path.write_text(right.replace("learning_rate:", "lerning_rate:"))
    said = repo.run("dvc", "repro", ok=False)
    assert "train.lerning_rate: is not a field of TrainingArguments" in said
    assert "Did you mean learning_rate?" in said
    assert "Traceback" not in said
    path.write_text(right)
    said = repo.run("dvc", "repro")
    assert "Running stage 'train'" not in said
    assert folder_digests(repo.root / "models/trained") == trained

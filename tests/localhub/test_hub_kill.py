"""kill -9 at any instant: every repository stays readable, and what was under way can be done again."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError

from localhub import check
from tests.localhub.conftest import ROOT, serve

ROUNDS = 20
SEED = 5
TROUBLE = (HfHubHTTPError, httpx2.RequestError, RuntimeError)


def work(api: HfApi, number: int) -> None:
    """Everything that moves something: a repository, files small and large, a pull request, tags."""
    chance = random.Random(number)
    name = f"a/m{number}"
    api.create_repo(name, exist_ok=True)
    files = [CommitOperationAdd(f"{n}.txt", f"{number} {n}".encode()) for n in range(20)]
    large = [CommitOperationAdd(f"{n}.bin", b"\0" + chance.randbytes(700_000)) for n in range(3)]
    api.create_commit(name, [*files, *large], commit_message="all")
    opened = api.create_commit(
        name,
        [CommitOperationDelete("0.txt"), CommitOperationAdd("1.txt", b"other")],
        commit_message="change",
        create_pr=True,
    )
    assert opened.pr_num is not None
    api.comment_discussion(name, opened.pr_num, "looks good")
    api.merge_pull_request(name, opened.pr_num)
    api.create_tag(name, tag=f"v{opened.pr_num}", tag_message="annotated")
    api.create_branch(name, branch=f"b{opened.pr_num}")


def keep_working(url: str, token: str, numbers: list[int], ended: threading.Event) -> None:
    """Work until the server is gone; what is finished leaves the list."""
    api = HfApi(endpoint=url, token=token)
    with contextlib.suppress(*TROUBLE):
        while numbers and not ended.is_set():
            work(api, numbers[0])
            numbers.pop(0)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the client's pauses between its attempts: the server that it waits for is dead."""
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: time.monotonic())


@pytest.mark.usefixtures("unhurried")
def test_killed_at_any_instant(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    ahead = [list(range(start, 10_000, 2)) for start in (0, 1)]
    for number in range(ROUNDS):
        process, url = serve(tmp_path)
        token, ended = (tmp_path / "token").read_text(), threading.Event()
        clients = [threading.Thread(target=keep_working, args=(url, token, row, ended)) for row in ahead]
        for client in clients:
            client.start()
        threading.Event().wait(chance.uniform(0.02, 0.6))
        process.send_signal(signal.SIGKILL)
        ended.set()
        process.communicate()
        for client in clients:
            client.join()
        assert list(check.problems(tmp_path)) == [], f"round {number}"
    assert min(len(row) for row in ahead) < 5000, "nothing was ever finished"
    process, url = serve(tmp_path)
    api = HfApi(endpoint=url, token=(tmp_path / "token").read_text())
    for row in ahead:
        work(api, row[0])
        name = f"a/m{row[0]}"
        assert len(api.list_repo_files(name)) == 23 and api.list_repo_refs(name).tags
        assert {model.id for model in api.list_models()} >= {
            f"a/m{done}" for done in range(row[0] % 2, row[0], 2)
        }
    process.terminate()
    output, _ = process.communicate(timeout=10)
    assert output == ""


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """The data of a server that has ended: one repository with a large file."""
    process, url = serve(tmp_path)
    api = HfApi(endpoint=url, token=(tmp_path / "token").read_text())
    api.create_repo("a/b")
    api.create_commit("a/b", [CommitOperationAdd("w.bin", b"\0" * 5000)], commit_message="x")
    process.terminate()
    process.communicate(timeout=10)
    return tmp_path


def test_check_says_what_is_broken(sound: Path) -> None:
    repo = sound / "repos/models/a/b"
    assert list(check.problems(sound)) == []
    large = next(path for path in repo.glob("lfs/*/*/*"))
    large.chmod(0o644)
    large.write_bytes(b"\0" * 4999 + b"1")
    wrong = f"model a/b: the large file {large.name} does not hold what its name says"
    assert list(check.problems(sound)) == [wrong]
    large.unlink()
    assert list(check.problems(sound)) == [f"model a/b: the large file {large.name} is missing"]
    for path in (path for path in repo.glob("git/objects/??/*")):
        path.chmod(0o644)
        path.write_bytes(b"")
    assert any("git cannot be read" in line or "refs/heads/main" in line for line in check.problems(sound))
    (repo / "repo.json").write_text("{")
    assert "repo.json cannot be read" in next(check.problems(sound))


def test_check_reads_what_people_said_and_gathered(sound: Path) -> None:
    said, gathered = (
        sound / "repos/models/a/b/discussions/1.jsonl",
        sound / "collections" / f"{'0' * 24}.json",
    )
    for file, content in ((said, '{"num": 1, "events": []}\n'), (gathered, "{}")):
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
    assert list(check.problems(sound)) == []
    for damage in ("garbage\n", "", "7\n", "\xff\n"):
        said.write_text(damage, encoding="latin-1")
        gathered.write_text(damage, encoding="latin-1")
        first, second = check.problems(sound)
        assert first.startswith("model a/b: discussions/1.jsonl "), damage
        assert second.startswith(f"collections/{gathered.name} "), damage


def test_check_as_a_command(sound: Path) -> None:
    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "localhub", "check", "--data", str(sound)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    (sound / "repos/models/a/b/repo.json").write_text("{")
    done = run()
    assert done.returncode == 1 and "repo.json cannot be read" in done.stdout

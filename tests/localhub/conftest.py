"""A real server, the real client. Nothing here is a stand-in for our own code."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # read when huggingface_hub is imported
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

from huggingface_hub import HfApi

from localhub import launch

ROOT = Path(__file__).resolve().parents[2]
USERS = """\
- {name: ada, fullname: Ada, email: ada@example.org, token: token-of-ada, orgs: [{name: engines}]}
- {name: bob, fullname: Bob, email: bob@example.org, token: token-of-bob}
"""


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of `hub`."""
    return tmp_path_factory.mktemp("hub") / "data"


@pytest.fixture(scope="session")
def hub(data: Path) -> Iterator[launch.Server]:
    """One server for all tests that do not stop it; each test has its own repositories."""
    with launch.running(data) as server:
        yield server


@pytest.fixture
def api(hub: launch.Server) -> HfApi:
    return HfApi(endpoint=hub.url, token=hub.token)


@pytest.fixture
def anonymous(hub: launch.Server) -> HfApi:
    return HfApi(endpoint=hub.url, token=False)


@pytest.fixture
def repo_id(api: HfApi) -> str:
    """A fresh public model repository."""
    name = f"rehearsal/m{uuid4().hex[:10]}"
    api.create_repo(name)
    return name


@pytest.fixture(scope="session")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with two more users, ada (of engines) and bob; tokens are token-of-NAME."""
    base = tmp_path_factory.mktemp("team")
    (base / "users.yaml").write_text(USERS)
    process, url = serve(base / "data", "--users", str(base / "users.yaml"))
    yield url
    process.terminate()
    assert process.wait(timeout=10) == 0
    assert process.stdout is not None
    process.stdout.close()


def serve(data: Path, *options: str, prefix: tuple[str, ...] = ()) -> tuple[subprocess.Popen[str], str]:
    """Start `python -m localhub serve` as a person would, and wait for its line."""
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", "localhub", "serve", "--data", str(data), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("localhub: http://127.0.0.1:"), line
    return process, line.split()[1]


def until(condition: Callable[[], bool], seconds: float = 15) -> bool:
    """Whether the condition comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def in_child(hub: launch.Server, tmp_path: Path) -> Callable[[str], str]:
    """Run a script in a process whose HF_ENDPOINT is the Hub: transformers and datasets read it at import."""

    def run(script: str) -> str:
        environment = os.environ | {
            "HF_ENDPOINT": hub.url,
            "HF_TOKEN": hub.token,
            "HF_HOME": str(tmp_path / "hf_home"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout.strip()

    return run

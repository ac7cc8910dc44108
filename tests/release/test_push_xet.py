"""push to a Hub at an address, by a client that has hf_xet and no settings: large files go through Xet."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from localhub import launch
from tests.release import shelf
from tests.tiny import write_params

ROOT = Path(__file__).parents[2]


def push(root: Path, server: launch.Server, home: Path) -> "subprocess.CompletedProcess[str]":
    write_params(root, method="full", hub={"endpoint": server.url})
    return subprocess.run(
        [sys.executable, "-m", "stages.push"],
        cwd=root,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "HF_TOKEN": server.token, "HF_HOME": str(home)}
        | {"HF_HUB_DISABLE_XET": ""},
        capture_output=True,
        text=True,
    )


def test_a_release_through_xet_is_the_release(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    layout = shelf.make(tmp_path / "work")
    with launch.running(tmp_path / "hub") as server:
        done = push(layout.root, server, tmp_path / "home")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "reloaded in a clean process" in done.stdout
        assert shelf.receipt(layout)["endpoint"] == server.url
    assert list((tmp_path / "hub/xet").glob("*-*/*")), "through Xet"
    assert not list((tmp_path / "hub/tmp").iterdir())


@pytest.mark.parametrize("path", ["*/xet-write-token/*", "*/xorbs/*", "*/shards"])
def test_what_xet_refuses_is_one_line(tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """hf_xet raises exceptions of its own, which are none of the client's."""
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps([{"path": path, "what": "status", "status": 403, "count": 0}]))
    monkeypatch.setenv("LOCALHUB_FAULTS", str(faults))
    (tmp_path / "work").mkdir()
    layout = shelf.make(tmp_path / "work")
    with launch.running(tmp_path / "hub") as server:
        done = push(layout.root, server, tmp_path / "home")
    assert done.returncode == 1
    assert "error: " in done.stderr and "did not take a large file" in done.stderr, done.stderr
    assert "403" in done.stderr and "HF_HUB_DISABLE_XET=1" in done.stderr
    assert "Traceback" not in done.stderr and server.token not in done.stderr
    assert not layout.receipt.exists()

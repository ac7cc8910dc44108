"""push to a Hub at an address, by a client that has hf_xet and no settings: large files go through Xet."""

import os
import subprocess
import sys
from pathlib import Path

from localhub import launch
from tests.release import shelf
from tests.tiny import write_params

ROOT = Path(__file__).parents[2]


def test_a_release_through_xet_is_the_release(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    layout = shelf.make(tmp_path / "work")
    with launch.running(tmp_path / "hub") as server:
        write_params(layout.root, method="full", hub={"endpoint": server.url})
        done = subprocess.run(
            [sys.executable, "-m", "stages.push"],
            cwd=layout.root,
            env=os.environ
            | {"PYTHONPATH": str(ROOT), "HF_TOKEN": server.token, "HF_HOME": str(tmp_path / "home")}
            | {"HF_HUB_DISABLE_XET": ""},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "reloaded in a clean process" in done.stdout
        assert shelf.receipt(layout)["endpoint"] == server.url
    assert list((tmp_path / "hub/xet").glob("*-*/*")), "through Xet"
    assert not list((tmp_path / "hub/tmp").iterdir())

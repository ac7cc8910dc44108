"""docs/localhub.md, followed to the letter."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests import tiny
from tests.localhub.conftest import ROOT, serve

TEXT = (ROOT / "docs/localhub.md").read_text()


def block(heading: str, language: str = "") -> str:
    """The first code block below a heading."""
    below = TEXT.partition(f"\n## {heading}\n")[2]
    found = re.search(rf"^```{language}\n(.*?)^```$", below, re.M | re.S)
    assert found
    return found[1]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
def test_the_rehearsal(tmp_path: Path) -> None:
    tiny.write_base(tmp_path / "my-model")
    process, url = serve(tmp_path / "DIR")
    settings = re.search(r"^(export HF_ENDPOINT.*?)```", TEXT, re.M | re.S)
    assert settings
    script = settings[1] + "export HF_HUB_DISABLE_PROGRESS_BARS=1\n" + block("Rehearse a publication")
    script = script.replace("http://127.0.0.1:8000", url)
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
    try:
        subprocess.run(["git", "lfs", "install"], env=environment, cwd=tmp_path, check=True, timeout=60)
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
        )
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    for file in ("model.safetensors", "config.json"):
        assert (tmp_path / "my-model" / file).read_bytes() == (tmp_path / "clone" / file).read_bytes()


def test_the_users_file(tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text(block("For a team on one machine", "yaml"))
    process, url = serve(tmp_path / "data", "--users", str(tmp_path / "users.yaml"))
    try:
        answer = httpx.get(
            f"{url}/api/whoami-v2", headers={"Authorization": "Bearer a-long-random-string"}
        ).json()
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert answer["name"] == "ada" and answer["orgs"][0]["fullname"] == "Analytical Engines"

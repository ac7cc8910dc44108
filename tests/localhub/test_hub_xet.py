"""Uploads as huggingface_hub makes them by default: through Xet, by a real client in its own process."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from huggingface_hub import HfApi

from localhub.launch import Server
from localhub.xet import shelves
from tests.localhub.conftest import ROOT, serve, until

PRELUDE = """
import json, os, sys
from pathlib import Path
import numpy
from huggingface_hub import HfApi, constants
assert not constants.HF_HUB_DISABLE_XET
api = HfApi()
repo_id = os.environ["REPO"]
def weights(seed, count):
    return numpy.random.default_rng(seed).standard_normal(count).astype("float32").tobytes()
"""


def environment(url: str, token: str, repo_id: str, home: Path) -> dict[str, str]:
    """Of a client with default settings, and nothing of the person who runs the tests."""
    own = {"HF_ENDPOINT": url, "HF_TOKEN": token, "HF_HOME": str(home), "REPO": repo_id}
    kept = {name: value for name, value in os.environ.items() if name != "HF_HUB_DISABLE_XET"}
    return kept | own | {"HF_HUB_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(ROOT)}


@pytest.fixture
def xet(hub: Server, repo_id: str, tmp_path: Path) -> Callable[[str], str]:
    """Run a script after PRELUDE; what it prints."""

    def run(script: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + script],
            env=environment(hub.url, hub.token, repo_id, tmp_path / "home"),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout.strip()

    return run


def shelf(data: Path, api: HfApi, repo_id: str) -> Path:
    """Where the xorbs of the local user for a repository are."""
    answer = httpx.get(
        f"{api.endpoint}/api/models/{repo_id}/xet-write-token/main",
        headers={"Authorization": f"Bearer {api.token}"},
    )
    return data / "xet" / answer.json()["casUrl"].rpartition("/")[2]


def sha256(path: str | Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


FOLDER = """
files = {
    "model.safetensors": weights(1, 3_000_001) + b"odd",
    "zeros.bin": bytes(1_000_003),
    "rows.parquet": b"".join(b"row %d of a table\\n" % number for number in range(60_000)),
    "noise/small.bin": os.urandom(700),
    "config.json": b"{}",
}
folder = Path(os.environ["HF_HOME"]) / "folder"
for name, content in files.items():
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
"""


def test_a_client_with_default_settings_just_works(
    xet: Callable[[str], str], api: HfApi, repo_id: str, data: Path, tmp_path: Path
) -> None:
    before = set((data / "tmp").iterdir())  # of other tests
    xet(FOLDER + "api.upload_folder(repo_id=repo_id, folder_path=folder)")
    folder = tmp_path / "home/folder"
    back = Path(api.snapshot_download(repo_id, cache_dir=tmp_path / "cache"))
    names = ["model.safetensors", "zeros.bin", "rows.parquet", "noise/small.bin", "config.json"]
    assert [sha256(back / name) for name in names] == [sha256(folder / name) for name in names]
    facts = {item.path: item for item in api.get_paths_info(repo_id, names)}
    assert facts["model.safetensors"].lfs.sha256 == sha256(folder / "model.safetensors")
    assert facts["config.json"].lfs is None
    assert sum(path.stat().st_size for path in shelf(data, api, repo_id).iterdir()) < 12_000_000
    assert set((data / "tmp").iterdir()) <= before


def test_a_changed_model_sends_what_changed(
    xet: Callable[[str], str], api: HfApi, repo_id: str, data: Path, tmp_path: Path
) -> None:
    upload = """
content = bytearray(weights(2, 5_000_000))
content[9_000_000:9_000_010] = b"0123456789"
"""
    xet("api.upload_file(path_or_fileobj=weights(2, 5_000_000), path_in_repo='m.bin', repo_id=repo_id)")
    first = {path.name for path in shelf(data, api, repo_id).iterdir()}
    xet(
        upload
        + "print(api.upload_file(path_or_fileobj=bytes(content), path_in_repo='m.bin', repo_id=repo_id,"
        + " create_pr=True).pr_num)"
    )
    new = [path for path in shelf(data, api, repo_id).iterdir() if path.name not in first]
    assert sum(path.stat().st_size for path in new) < 2_000_000, "of 20 MB"
    back = api.hf_hub_download(repo_id, "m.bin", revision="refs/pr/1", cache_dir=tmp_path / "cache")
    assert Path(back).read_bytes()[9_000_000:9_000_010] == b"0123456789"
    assert len(api.list_repo_commits(repo_id)) == 2, "main is as it was"


def test_what_the_client_remembers_of_a_shelf_that_went_does_not_spoil_an_upload(
    xet: Callable[[str], str], api: HfApi, repo_id: str, data: Path, tmp_path: Path
) -> None:
    """Both in one process, which holds more in memory, and from process to process."""
    xet(f"""
from localhub.xet import shelves
for turn in range(2):
    content = weights(3, 2_000_000) + b"%d" % turn
    api.upload_file(path_or_fileobj=content, path_in_repo=f"{{turn}}.bin", repo_id=repo_id)
    shelves.sweep(Path({str(data)!r}), idle=-1)
""")
    xet("""
content = weights(3, 2_000_000) + b"2"
api.upload_file(path_or_fileobj=content, path_in_repo="2.bin", repo_id=repo_id)
""")
    for turn in range(3):
        back = api.hf_hub_download(repo_id, f"{turn}.bin", cache_dir=tmp_path / "cache")
        assert Path(back).read_bytes().endswith(b"%d" % turn) and Path(back).stat().st_size == 8_000_001


def test_shelves_in_use_stay(api: HfApi, repo_id: str, data: Path) -> None:
    home = shelf(data, api, repo_id)
    shelves.sweep(data)
    assert home.is_dir()
    os.utime(home, (time.time(), time.time() - shelves.IDLE - 5))
    shelves.sweep(data)
    assert not home.exists() and shelf(data, api, repo_id) != home


BIG = """
content = numpy.random.default_rng(4).bytes(150_000_000)
api.upload_file(path_or_fileobj=content, path_in_repo="big.bin", repo_id=repo_id)
"""


def test_an_upload_outlives_a_killed_server(tmp_path: Path) -> None:
    """kill -9 in the middle, then another server: nothing is torn, and the client, trying again, ends."""
    process, url = serve(tmp_path / "data")
    api = HfApi(endpoint=url, token=(tmp_path / "data/token").read_text())
    api.create_repo("a/b")
    head = api.model_info("a/b").sha
    settings = environment(url, str(api.token), "a/b", tmp_path / "home")
    client = subprocess.Popen([sys.executable, "-c", PRELUDE + BIG], env=settings)
    assert until(lambda: any((tmp_path / "data/xet").glob("*-*/*")), 60)
    process.kill()
    process.communicate()
    process, url = serve(tmp_path / "data", "--port", url.rpartition(":")[2])
    try:
        assert api.model_info("a/b").sha == head and api.list_repo_files("a/b") == [".gitattributes"]
        assert client.wait(timeout=120) == 0
        back = api.hf_hub_download("a/b", "big.bin", cache_dir=tmp_path / "cache")
        assert api.get_paths_info("a/b", "big.bin")[0].lfs.sha256 == sha256(back)
    finally:
        client.kill()
        process.terminate()
        process.communicate(timeout=10)

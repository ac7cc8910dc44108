"""The stage as DVC runs it: a process in a folder, the embedded Hub, a real reload."""

import json
import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from localhub import launch
from stages.core.layout import Layout
from tests.release import shelf

ROOT = Path(__file__).parents[1]
# A person who is logged in somewhere else, behind a proxy.
THEIRS = {
    "HF_TOKEN": "hf_" + "theirs" * 6,
    "HF_ENDPOINT": "https://huggingface.co",
    "http_proxy": "http://127.0.0.1:9",
    "PYTHONPATH": str(ROOT),
}


def run(layout: Layout, *command: str, **environment: str) -> str:
    """The stage's output; it has to end well."""
    done = attempt(layout, *command, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "theirs" not in done.stdout + done.stderr
    return done.stdout


def attempt(layout: Layout, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *(command or ("-m", "stages.push"))],
        cwd=layout.root,
        env=os.environ | THEIRS | environment,
        capture_output=True,
        text=True,
    )


def tree(root: Path) -> dict[str, tuple[int, int]]:
    found = (path for path in root.rglob("*") if path.is_file())
    return {str(p.relative_to(root)): (p.stat().st_mtime_ns, p.stat().st_size) for p in found}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    root = tmp_path_factory.mktemp("full") / "work"
    root.mkdir()
    return shelf.make(root)


def test_a_plan_writes_nothing_at_all(full: Layout) -> None:
    before = tree(full.root)
    said = run(full, "-m", "stages.plan")
    assert "plan: tests/tiny v0.1.0, on a Hub still to be started: " in said
    assert "13 new" in said
    assert tree(full.root) == before


def test_release_then_nothing_then_plans(full: Layout, tmp_path: Path) -> None:
    (tmp_path / "no_faults").write_text("[]")  # which makes the Hub note what it is sent
    said = run(full, LOCALHUB_FAULTS=str(tmp_path / "no_faults"))
    token = (full.hub / "token").read_text().strip()
    sent = [json.loads(line)["headers"] for line in (tmp_path / "no_faults.seen").read_text().splitlines()]
    credentials = [headers["authorization"] for headers in sent if "authorization" in headers]
    assert set(credentials) == {sha256(f"Bearer {token}".encode()).hexdigest()} and len(credentials) > 10
    assert "theirs" not in str(sent)
    assert "push: reloaded in a clean process: 8 predictions equal" in said
    assert re.search(r"^push: released tests/tiny v0\.1\.0: 13 files, [\d.]+ kB, commit ", said, re.M)
    assert "open http://127.0.0.1:8420/tests/tiny" in said
    assert token not in said

    before = tree(full.root / "model_cards")
    again = run(full)
    assert "already released" in again
    assert tree(full.root / "model_cards") == before

    first = shelf.receipt(full)
    assert first["endpoint"] == "embedded"

    assert "already released: push has nothing to write" in run(full, "-m", "stages.plan")
    shelf.card(full, more="B")
    said = run(full, "-m", "stages.plan")
    assert "2 changed, 11 same" in said
    assert "v0.1.0 holds other content, and would be moved" in said
    shelf.card(full)
    assert "already released" in run(full)
    assert shelf.receipt(full) == first


def test_nothing_to_do_loads_nothing_heavy(full: Layout) -> None:
    script = (
        "import sys; from pathlib import Path; from stages.core.params import load;"
        "from stages.core.layout import Layout; from stages.push import push;"
        "push(load(Path('params.yaml')), Layout(Path('.')));"
        "heavy = {'torch', 'transformers', 'numpy', 'pyarrow', 'jinja2', 'starlette'} & sys.modules.keys();"
        "sys.exit(', '.join(heavy) or 0)"
    )
    assert "already released" in run(full, "-c", script)


def test_a_server_that_is_there_is_used_and_left_running(full: Layout) -> None:
    with launch.running(full.hub) as server:
        assert "already released" in run(full)
        with launch.running(full.hub) as same:
            assert (same.url, same.started) == (server.url, False)


def test_the_base_lies_beside_the_release(full: Layout) -> None:
    from huggingface_hub import HfApi

    with launch.running(full.hub) as server:
        api = HfApi(endpoint=server.url, token=False)
        files = set(api.list_repo_files("tests/tiny-bert")) - {".gitattributes"}
    assert files == {path.name for path in full.base.iterdir()}


def test_an_adapter_finds_its_base_on_the_embedded_hub(tmp_path: Path) -> None:
    layout = shelf.make(tmp_path, "lora")
    said = run(layout)
    assert "reloaded in a clean process: 8 predictions equal" in said
    assert {"adapter_config.json", "adapter_model.safetensors", "labels.json"} < shelf.receipt(layout)[
        "files"
    ].keys()
    assert "already released" in run(layout)


def test_an_error_is_one_line(full: Layout, tmp_path: Path) -> None:
    shutil.copytree(full.root, tmp_path / "copy", ignore=shutil.ignore_patterns(".hub"))
    layout = Layout(tmp_path / "copy")
    (layout.trained / "training_args.bin").write_bytes(b"\x80")
    done = attempt(layout)
    assert done.returncode == 1
    assert done.stderr.startswith("error: models/trained/training_args.bin is a pickle")
    assert "Traceback" not in done.stderr
    assert not layout.hub.exists()

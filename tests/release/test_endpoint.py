"""Where the client goes and with whose token, each in a process of its own: it is decided at import."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stages.core.errors import PipelineError
from stages.release.endpoint import is_loopback, opened

ROOT = Path(__file__).parents[2]
LOOK = """
import json, os, sys
from pathlib import Path
from stages.release.endpoint import opened
with opened(sys.argv[1], Path(sys.argv[2])) as target:
    from huggingface_hub import constants, get_token
    name = target.api().whoami()["name"] if target.embedded else None
    print(json.dumps({
        "url": target.url, "token": target.token, "loopback": target.loopback, "user": name,
        "implicit": get_token(), "endpoint": constants.ENDPOINT, "home": constants.HF_HOME,
        "token_path": constants.HF_TOKEN_PATH, "cache": constants.HF_HUB_CACHE,
        "xet_off": constants.HF_HUB_DISABLE_XET, "offline": constants.HF_HUB_OFFLINE,
        "torch": "torch" in sys.modules,
    }))
"""


def look(tmp_path: Path, endpoint: str, **environment: str) -> dict[str, Any]:
    """What a process finds whose user is logged in to the real Hub."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    (home / "token").write_text("hf_saved_by_login")
    done = subprocess.run(
        [sys.executable, "-c", LOOK, endpoint, str(tmp_path / ".hub")],
        env=os.environ | {"HF_HOME": str(home)} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_embedded_hub_sees_nothing_of_the_user(tmp_path: Path) -> None:
    found = look(
        tmp_path,
        "embedded",
        HF_TOKEN="hf_of_the_user",
        HF_TOKEN_PATH=str(tmp_path / "home/token"),
        HF_HUB_CACHE=str(tmp_path / "home/hub"),
        HF_ENDPOINT="https://huggingface.co",
        HF_HUB_DISABLE_XET="",
        HF_HUB_OFFLINE="1",
        HTTP_PROXY="http://127.0.0.1:9",
        http_proxy="http://127.0.0.1:9",
        ALL_PROXY="socks5://127.0.0.1:9",
    )
    own = (tmp_path / ".hub/token").read_text().strip()
    assert found["token"] == found["implicit"] == own
    assert found["user"] == "local"
    assert found["url"] == found["endpoint"]
    assert found["url"].startswith("http://127.0.0.1:")
    for path in ("home", "token_path", "cache"):
        assert found[path].startswith(str(tmp_path / ".hub/"))
    assert found["xet_off"]
    assert not found["offline"]
    assert not found["torch"]


def test_a_real_hub_gets_the_token_of_the_user(tmp_path: Path) -> None:
    found = look(
        tmp_path, "https://hub.example", HF_TOKEN="hf_of_the_user", HF_ENDPOINT="https://other.example"
    )
    assert (found["token"], found["endpoint"]) == ("hf_of_the_user", "https://hub.example")
    assert not found["loopback"]
    assert look(tmp_path, "https://hub.example")["token"] == "hf_saved_by_login"
    assert not (tmp_path / ".hub").exists()


@pytest.mark.parametrize("wanted", ["", "1"])
def test_large_files_go_elsewhere_as_the_user_has_it(tmp_path: Path, wanted: str) -> None:
    found = look(tmp_path, "https://hub.example", HF_HUB_DISABLE_XET=wanted)
    assert found["xet_off"] is bool(wanted)


def test_a_saved_login_does_not_go_to_a_loopback_url(tmp_path: Path) -> None:
    found = look(tmp_path, "http://127.0.0.1:8420")
    assert found["token"] is None
    assert found["loopback"]
    assert look(tmp_path, "http://127.0.0.1:8420", HF_TOKEN="mine")["token"] == "mine"


def test_a_token_never_travels_in_clear(tmp_path: Path) -> None:
    with (
        pytest.raises(PipelineError, match="would carry your token in clear: use https"),
        opened("http://hub.example", tmp_path / ".hub"),
    ):
        pass


def test_a_client_imported_too_early_is_noticed(tmp_path: Path) -> None:
    import huggingface_hub  # noqa: F401

    with (
        pytest.raises(RuntimeError, match="imported too early"),
        opened("https://hub.example", tmp_path / ".hub"),
    ):
        pass


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:1", True),
        ("http://localhost:1", True),
        ("http://127.9.9.9", True),
        ("https://huggingface.co", False),
        ("http://10.0.0.1", False),
        ("https://localhost.example.org", False),
    ],
)
def test_loopback(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback

"""Faults on purpose: each kind as a client sees it, off unless asked for."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from huggingface_hub import HfApi

from localhub import launch
from tests.localhub.conftest import ROOT


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults") / "rules.yaml"


@pytest.fixture(scope="module")
def faulty(file: Path) -> Iterator[launch.Server]:
    file.write_text("[]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCALHUB_FAULTS", str(file))
        with launch.running(file.parent / "data") as server:
            yield server
    said = (file.parent / "data/server.log").read_text()
    assert f"FAULTS ON PURPOSE, by LOCALHUB_FAULTS={file}" in said
    assert len(said.splitlines()) == 2, said


def rules(file: Path, *rows: dict[str, Any]) -> None:
    aside = file.with_suffix(".new")
    aside.write_text(json.dumps(rows))
    os.replace(aside, file)


def test_status_for_the_chosen_requests(file: Path, faulty: launch.Server) -> None:
    row = {"method": "GET", "path": "/api/whoami*", "nth": 2, "count": 2, "what": "status", "status": 429}
    rules(file, row | {"retry_after": 3})
    url = f"{faulty.url}/api/whoami-v2"
    answers = [httpx.get(url) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 429, 429, 401, 401]
    assert answers[1].headers["Retry-After"] == "3" and httpx.get(faulty.url).status_code == 200


def test_done_and_its_answer_lost(file: Path, faulty: launch.Server) -> None:
    api = HfApi(endpoint=faulty.url, token=faulty.token)
    rules(file, {"path": "/api/repos/create", "what": "status", "status": 504, "done": True})
    headers = {"Authorization": f"Bearer {faulty.token}"}
    made = {"organization": "a", "name": "done"}
    assert httpx.post(f"{faulty.url}/api/repos/create", json=made, headers=headers).status_code == 504
    assert api.repo_exists("a/done")


def test_stall(file: Path, faulty: launch.Server) -> None:
    rules(file, {"what": "stall", "count": 0})
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(faulty.url, timeout=0.2)
    rules(file, {"what": "stall", "seconds": 0.2})
    begun = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(faulty.url)
    assert time.monotonic() - begun >= 0.2


@pytest.mark.parametrize("what", ["drop_request", "drop_response"])
@pytest.mark.parametrize("after", [0, 1, 1000])
def test_broken_off(file: Path, faulty: launch.Server, what: str, after: int) -> None:
    rules(file)
    api = HfApi(endpoint=faulty.url, token=faulty.token)
    name = f"a/{what.replace('_', '-')}{after}"
    api.create_repo(name)
    api.upload_file(path_or_fileobj=b"a" * 3000, path_in_repo="a.txt", repo_id=name)
    rules(file, {"what": what, "after": after})
    lines = [
        {"key": "header", "value": {"summary": "x" * 2000}},
        {"key": "deletedFile", "value": {"path": "a.txt"}},
    ]
    body = "\n".join(json.dumps(line) for line in lines)
    headers = {"Authorization": f"Bearer {faulty.token}"}
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        httpx.post(f"{faulty.url}/api/models/{name}/commit/main", content=body, headers=headers)
    assert api.file_exists(name, "a.txt") == (what == "drop_request")


def test_an_answer_comes_in_part(file: Path, faulty: launch.Server) -> None:
    rules(file, {"what": "drop_response", "after": 10})
    host, port = faulty.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(f"GET /api/whoami-v2 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        came = b""
        while piece := connection.recv(65_536):
            came += piece
    head, _, body = came.partition(b"\r\n\r\n")
    assert b"401" in head and len(body) == 10


def test_every_request_is_noted_for_its_owner(file: Path, faulty: launch.Server) -> None:
    rules(file)
    seen = file.with_name("rules.yaml.seen")
    seen.unlink(missing_ok=True)
    httpx.get(f"{faulty.url}/a/b%2Fc?d=e", headers={"X-Mine": "1", "Authorization": "Bearer secret"})
    assert "secret" not in seen.read_text()
    row = json.loads(seen.read_text())
    assert (row["method"], row["path"], row["headers"]["x-mine"]) == ("GET", "/a/b%2Fc", "1")
    assert seen.stat().st_mode & 0o777 == 0o600


def start(folder: Path, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "localhub", "serve", "--data", str(folder / "data")],
        cwd=ROOT,
        env=os.environ | {"LOCALHUB_FAULTS": str(file)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("text", ["[{what: nothing}]", "[{what: stall, how: long}]", "[3]", "{", "a: b"])
def test_rules_that_cannot_be_understood_end_the_server(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    done = start(tmp_path, file)
    assert done.returncode == 1 and done.stderr.startswith(f"error: {file}: "), done.stderr


def test_rules_that_are_not_there_end_the_server_before_it_is_heard_of(tmp_path: Path) -> None:
    done = start(tmp_path, tmp_path / "none")
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr
        == f"error: LOCALHUB_FAULTS={tmp_path / 'none'} cannot be read: No such file or directory.\n"
    )

"""Full disks, killed servers, clients that go away, memory."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

from localhub import launch
from tests.localhub.conftest import serve, until

BIG = os.urandom(1 << 20) * 6


def leftovers(data: Path) -> list[Path]:
    return [*data.glob("tmp/*"), *data.glob("repos/**/.*.*[0-9a-f]"), *data.glob("repos/**/*.lock")]


def test_full_disk_is_507_and_leaves_nothing_torn(tmp_path: Path) -> None:
    """A limit on file size stands for the full disk: it fails the same writes, at the same places."""
    process, url = serve(tmp_path, prefix=("bash", "-c", 'ulimit -f 2000; exec "$@"', "bash"))
    try:
        api = HfApi(endpoint=url, token=(tmp_path / "token").read_text())
        api.create_repo("a/b")
        before = api.model_info("a/b").sha
        with pytest.raises((HfHubHTTPError, RuntimeError)) as refused:
            api.upload_file(path_or_fileobj=BIG, path_in_repo="w.safetensors", repo_id="a/b")
        cause = refused.value if isinstance(refused.value, HfHubHTTPError) else refused.value.__cause__
        assert isinstance(cause, HfHubHTTPError) and cause.response.status_code == 507
        assert "No space left" in str(cause)
        text = BIG[: 4 << 20].hex().encode()  # 8 MB that stay a regular file, for git's store
        lines = [
            {"key": "header", "value": {"summary": "x"}},
            {"key": "file", "value": {"path": "small.txt", "content": "small", "encoding": "utf-8"}},
            {"key": "file", "value": {"path": "big.txt", "content": text.decode(), "encoding": "utf-8"}},
        ]
        answer = httpx.post(
            f"{url}/api/models/a/b/commit/main",
            content="\n".join(json.dumps(line) for line in lines),
            headers={"Authorization": f"Bearer {api.token}"},
            timeout=60,
        )
        assert answer.status_code == 507, answer.text
        assert api.model_info("a/b").sha == before and leftovers(tmp_path) == []
        api.upload_file(path_or_fileobj=b"fits", path_in_repo="ok.txt", repo_id="a/b")
        assert set(api.list_repo_files("a/b")) == {".gitattributes", "ok.txt"}
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_killed_server_leaves_repositories_readable(tmp_path: Path) -> None:
    process, url = serve(tmp_path)
    token = (tmp_path / "token").read_text()
    api = HfApi(endpoint=url, token=token)
    api.create_repo("a/b")
    api.upload_file(path_or_fileobj=BIG, path_in_repo="one.bin", repo_id="a/b")
    head = api.model_info("a/b").sha
    # half an upload and half a commit are on their way when the server is killed
    oid = hashlib.sha256(BIG[::-1]).hexdigest()
    batch = httpx.post(
        f"{url}/a/b.git/info/lfs/objects/batch",
        json={"operation": "upload", "objects": [{"oid": oid, "size": len(BIG)}]},
        headers={"Authorization": f"Bearer {token}"},
    ).json()
    href = httpx.URL(batch["objects"][0]["actions"]["upload"]["href"])
    line = json.dumps({"key": "file", "value": {"path": "x", "content": "eA==", "encoding": "base64"}}) + "\n"
    commit = f"POST /api/models/a/b/commit/main HTTP/1.1\r\nAuthorization: Bearer {token}\r\n"
    with (
        half(url, f"PUT {href.raw_path.decode()} HTTP/1.1\r\n", BIG[:3_000_000]),
        half(url, commit, line.encode()),
    ):
        time.sleep(0.5)
        process.kill()
        process.communicate()
    with launch.running(tmp_path) as server:
        api = HfApi(endpoint=server.url, token=server.token)
        assert api.model_info("a/b").sha == head
        assert set(api.list_repo_files("a/b")) == {".gitattributes", "one.bin"}
        api.upload_file(path_or_fileobj=BIG[::-1], path_in_repo="two.bin", repo_id="a/b")
        back = api.hf_hub_download("a/b", "two.bin", cache_dir=tmp_path / "cache")
        assert Path(back).read_bytes() == BIG[::-1]


def half(url: str, head: str, body: bytes) -> socket.socket:
    """An open connection that has sent a request's head and the first part of its body."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    connection.sendall(f"{head}Host: {host}:{port}\r\nContent-Length: {len(BIG)}\r\n\r\n".encode() + body)
    return connection


def test_client_that_goes_away_is_passed_over_in_silence(tmp_path: Path) -> None:
    process, url = serve(tmp_path)
    token = (tmp_path / "token").read_text()
    api = HfApi(endpoint=url, token=token)
    api.create_repo("a/b")
    oid = hashlib.sha256(BIG).hexdigest()
    batch = httpx.post(
        f"{url}/a/b.git/info/lfs/objects/batch",
        json={"operation": "upload", "objects": [{"oid": oid, "size": len(BIG)}]},
        headers={"Authorization": f"Bearer {token}"},
    ).json()
    href = httpx.URL(batch["objects"][0]["actions"]["upload"]["href"])
    with half(url, f"PUT {href.raw_path.decode()} HTTP/1.1\r\n", BIG[:3_000_000]):
        assert until(lambda: bool(leftovers(tmp_path))), "the upload is under way"
    commit = f"POST /api/models/a/b/commit/main HTTP/1.1\r\nAuthorization: Bearer {token}\r\n"
    half(url, commit, b'{"key": "header", "value": {"summary": "x"}}\n').close()
    assert until(lambda: not leftovers(tmp_path))
    assert len(api.list_repo_commits("a/b")) == 1
    process.terminate()
    output, _ = process.communicate(timeout=10)
    assert output == "", "nothing but the first line on the terminal"


def test_memory_stays_flat(tmp_path: Path) -> None:
    process, url = serve(tmp_path)
    try:
        api = HfApi(endpoint=url, token=(tmp_path / "token").read_text())
        api.create_repo("a/b")
        big = tmp_path / "big.bin"
        with big.open("wb") as file:
            file.truncate(150_000_000)
        api.upload_file(path_or_fileobj=big, path_in_repo="big.bin", repo_id="a/b")
        with httpx.stream("GET", f"{url}/a/b/resolve/main/big.bin") as answer:
            assert sum(len(chunk) for chunk in answer.iter_raw()) == 150_000_000
        files = [CommitOperationAdd(f"{number}.txt", b"a" * 2_000_000) for number in range(50)]
        api.create_commit("a/b", files, commit_message="133 MB of base64")
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        assert peak < 160_000, f"{peak} kB"
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_overlong_line_is_413(hub: launch.Server, repo_id: str) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * (1 << 20)

    answer = httpx.post(
        f"{hub.url}/api/models/{repo_id}/commit/main",
        content=endless(),
        headers={"Authorization": f"Bearer {hub.token}"},
        timeout=60,
    )
    assert answer.status_code == 413


def test_start_costs_less_than_half_a_second_of_cpu(tmp_path: Path) -> None:
    process, _ = serve(tmp_path)
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
    spent = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    process.terminate()
    process.communicate(timeout=10)
    assert spent < 0.6, f"{spent} s"  # 0.3 s on an idle machine; neighbours cost some cache

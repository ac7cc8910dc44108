"""What one request may cost: bodies that grow in memory, callers that nobody knows, slow rules."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import time
from asyncio.subprocess import PIPE
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from signal import SIGKILL
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from huggingface_hub import HfApi
from starlette.types import Message

from localhub.api import git
from localhub.errors import HubError
from localhub.launch import Server
from localhub.router import MAX_BODY
from localhub.routes import LONG
from localhub.storage import ignoring

BOMB = "*a" * 10 + "*b"  # as a regular expression: more ways to try than anybody waits for


def ask(hub: Server, path: str, token: str | None, content: bytes, method: str = "POST") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.request(method, f"{hub.url}{path}", content=content, headers=headers, timeout=30)


def padded(size: int, **fields: object) -> bytes:
    """A JSON object of `size` bytes."""
    text = json.dumps(fields | {"padding": ""})
    return text.replace('"padding": "', '"padding": "' + "x" * (size - len(text))).encode()


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/models/{id}/discussions", MAX_BODY),
        ("/{id}.git/info/lfs/objects/batch", MAX_BODY),
        ("/api/models/{id}/preupload/main", LONG),
        ("/api/models/{id}/paths-info/main", LONG),
        ("/api/validate-yaml", LONG),
    ],
)
def test_bodies_are_bounded(hub: Server, repo_id: str, path: str, most: int) -> None:
    path, fields = path.format(id=repo_id), {"title": "title", "content": "", "files": []}
    fields |= {"operation": "download", "objects": []}
    refused = ask(hub, path, hub.token, padded(most + 1, **fields))
    assert refused.status_code == 413
    assert refused.json()["error"] == f"The request body is larger than {most} bytes."
    assert ask(hub, path, hub.token, padded(most, **fields)).status_code == 200


def test_what_clients_send_at_most_is_taken(hub: Server, api: HfApi, repo_id: str) -> None:
    """256 files of a preupload with their samples, thousands of paths, a long comment in any script."""
    sample = "A" * 684  # 512 bytes in base64
    files = [{"path": f"{'folder/' * 40}{number}.txt", "size": 9, "sample": sample} for number in range(256)]
    body = {"files": files, "gitIgnore": "*.log\n" * 10_000}
    url = f"/api/models/{repo_id}/preupload/main"
    assert ask(hub, url, hub.token, json.dumps(body).encode()).status_code == 200
    assert api.get_paths_info(repo_id, [f"{'folder/' * 20}{number}" for number in range(10_000)]) == []
    assert api.create_discussion(repo_id, title="long", description="\U0001f600" * 65_536).num == 1


def unread(hub: Server, path: str, method: str = "POST") -> tuple[int, str]:
    """(status, X-Error-Code) that somebody unknown is answered before any of the body is sent."""
    address = urlsplit(hub.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {address.netloc}", "Content-Length: 10", "", ""]
        connection.sendall("\r\n".join(lines).encode())
        time.sleep(0.05)  # the answer is ready, and waits for the end of what it does not read
        connection.sendall(b"not JSON!!")
        head = connection.recv(65_536).decode().partition("\r\n\r\n")[0].lower()
    code = [line.partition(": ")[2] for line in head.splitlines() if line.startswith("x-error-code")]
    return int(head.split()[1]), code[0] if code else ""


def test_nobodys_writes_are_not_read(hub: Server, api: HfApi, repo_id: str) -> None:
    api.create_repo(f"{repo_id}-private", private=True)
    assert unread(hub, "/api/repos/create") == (401, "")
    assert unread(hub, "/api/repos/delete", "DELETE") == (401, "")
    assert unread(hub, "/api/collections") == (401, "")
    for path in ("discussions", "preupload/main", "tag/main", "lfs-files/batch"):
        assert unread(hub, f"/api/models/{repo_id}/{path}") == (401, "")
        assert unread(hub, f"/api/models/{repo_id}-private/{path}") == (401, "reponotfound")
        assert unread(hub, f"/api/models/{repo_id}-missing/{path}") == (401, "reponotfound")
    assert unread(hub, f"/api/models/{repo_id}/settings", "PUT") == (401, "")


def test_what_anybody_may_send_is_read(hub: Server, api: HfApi, repo_id: str) -> None:
    assert ask(hub, "/api/validate-yaml", None, b'{"content": ""}').status_code == 200
    wanted = b'{"operation": "download", "objects": []}'
    assert ask(hub, f"/{repo_id}.git/info/lfs/objects/batch", None, wanted).status_code == 200
    api.move_repo(repo_id, f"{repo_id}-moved")
    assert ask(hub, f"/api/models/{repo_id}/discussions", None, b"{}").status_code == 307


def test_gitignore_rules_are_quick(hub: Server, api: HfApi, repo_id: str) -> None:
    """Sent along, and in the repository."""
    url = f"/api/models/{repo_id}/preupload/main"
    body: dict[str, object] = {"files": [{"path": "a" * 40, "size": 1, "sample": ""}]}
    start = time.perf_counter()
    sent = ask(hub, url, hub.token, json.dumps(body | {"gitIgnore": f"{BOMB}\n*.log"}).encode())
    api.upload_file(path_or_fileobj=f"{BOMB}\n".encode(), path_in_repo=".gitignore", repo_id=repo_id)
    kept = ask(hub, url, hub.token, json.dumps(body).encode())
    assert time.perf_counter() - start < 1
    assert [answer.json()["files"][0]["shouldIgnore"] for answer in (sent, kept)] == [False, False]


def test_a_gitignore_that_git_cannot_end_with_freezes_nobody(
    hub: Server, repo_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = "\n".join(f"{'**/*a' * 12}/*{number}" for number in range(900))
    path = "/".join(["a" * 40] * 90)
    monkeypatch.setattr(ignoring, "MAX_SECONDS", 0.5)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ignoring.ignored, rules, [path], tmp_path)
        steps = 0
        while not slow.done():
            time.sleep(0.01)
            steps += 1
        with pytest.raises(HubError, match="takes longer than"):
            slow.result()
    assert steps > 20, "others go on meanwhile"
    assert os.listdir(tmp_path) == []


def test_gitignore_rules_are_counted(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="up to 65536 characters"):
        ignoring.ignored("a\n" * 40_000, ["a"], tmp_path)
    assert os.listdir(tmp_path) == []


SEGMENTS = ["a", "b", "*", "*.bin", "a*", "?", "**", "[ab]", "keep.bin", "build", "\\!a", "é"]
NAMES = ["a", "b", "x.bin", "keep.bin", "build", "ab", "!a", "é", ":(top)a"]


def test_gitignore_is_gits(tmp_path: Path) -> None:
    """Order, negation, anchors, folders, `**`: rules made at random, and git's own word on them."""
    random = Random(11)
    subprocess.run(["git", "init", "-q", str(tmp_path / "tree")], check=True)
    for _ in range(40):
        lines = ["# comment", "", *(_rule(random) for _ in range(random.randint(1, 5)))]
        paths = sorted({"/".join(random.choices(NAMES, k=random.randint(1, 4))) for _ in range(40)})
        (tmp_path / "tree/.gitignore").write_text("\n".join(lines))
        command = ["git", "-C", str(tmp_path / "tree"), "check-ignore", "--no-index", "--stdin", "-z"]
        out = subprocess.run(
            command, input="\0".join(f"./{path}" for path in paths), capture_output=True, text=True
        ).stdout
        assert ignoring.ignored("\n".join(lines), paths, tmp_path) == {
            path[2:] for path in out.split("\0") if path
        }, lines


def _rule(random: Random) -> str:
    pattern = "/".join(random.choices(SEGMENTS, k=random.randint(1, 3)))
    return random.choice(["", "", "!"]) + random.choice(["", "/"]) + pattern + random.choice(["", "", "/"])


def test_a_client_that_takes_nothing_keeps_no_clone_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold its connection; the process behind it ends, and its turn is another's."""
    monkeypatch.setattr(git, "STALLED", 0.2)
    monkeypatch.setattr(git, "_turns", cache(lambda: asyncio.Semaphore(1)))

    async def never(*_: object) -> Any:
        await asyncio.Event().wait()

    async def stalled() -> None:
        await git._turn()
        process = await asyncio.create_subprocess_exec("yes", stdout=PIPE, start_new_session=True)
        answer = asyncio.create_task(
            git.Pack(process, b"", "text/plain")({"type": "http"}, never, never_body)
        )
        async with asyncio.timeout(10):
            await git._turn()
        assert process.returncode == -SIGKILL and not answer.done()
        answer.cancel()
        with suppress(asyncio.CancelledError):
            await answer
        assert git._turns().locked(), "given back once"

    async def never_body(message: Message) -> None:
        if message["type"] == "http.response.body":
            await never()

    asyncio.run(stalled())

"""A disk that fills up at every single write: 507, nothing torn, and the same request does well afterwards.

A small file system in memory stands for the disk; where none can be mounted, test_hub_strength.py has a limit
on file sizes instead.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from localhub import check
from tests.localhub.conftest import serve

CONTENT = os.urandom(90_000)
OID = hashlib.sha256(CONTENT).hexdigest()
LEFT = (0, 4, 8, 12, 20, 40)  # KiB; a page is 4


@dataclass
class Disk:
    """A server on a small disk."""

    data: Path
    url: str
    token: str

    def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.request(method, self.url + path, headers=headers, timeout=30, **sent)

    def fill(self, left: int) -> None:
        """Leave `left` KiB."""
        with open(self.data / "filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 65_536)
            except OSError as error:
                assert error.errno == errno.ENOSPC
            file.truncate(max(0, file.tell() - left * 1024))

    def empty(self) -> None:
        (self.data / "filler").unlink()


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    place = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        process, url = serve(place / "data")
        yield Disk(place / "data", url, (place / "data/token").read_text())
        process.terminate()
        output, _ = process.communicate(timeout=10)
        assert output == ""
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def lines(*rows: tuple[str, dict[str, Any]]) -> bytes:
    head = {"key": "header", "value": {"summary": "x"}}
    return "\n".join(json.dumps(row) for row in (head, *({"key": k, "value": v} for k, v in rows))).encode()


def commit(disk: Disk, repo: str, size: int, pr: bool = False) -> httpx.Response:
    text = os.urandom(size // 2).hex()
    body = lines(("file", {"path": "a/text.txt", "content": text, "encoding": "utf-8"}))
    return disk.ask("POST", f"/api/models/{repo}/commit/main{'?create_pr=1' if pr else ''}", content=body)


def address(disk: Disk, repo: str, transfer: str) -> Any:
    wanted = {
        "operation": "upload",
        "transfers": [transfer],
        "objects": [{"oid": OID, "size": len(CONTENT)}],
    }
    found = disk.ask("POST", f"/{repo}.git/info/lfs/objects/batch", json=wanted)
    return found.json()["objects"][0]["actions"]["upload"] if found.status_code == 200 else found


def put_basic(disk: Disk, repo: str) -> httpx.Response:
    upload = address(disk, repo, "basic")
    return upload if isinstance(upload, httpx.Response) else httpx.put(upload["href"], content=CONTENT)


def put_parts(disk: Disk, repo: str) -> httpx.Response:
    upload = address(disk, repo, "multipart")
    if isinstance(upload, httpx.Response):
        return upload
    done = httpx.put(upload["header"]["00001"], content=CONTENT)
    if done.status_code != 200:
        return done
    parts = [{"partNumber": 1, "etag": done.headers["ETag"]}]
    return httpx.post(upload["href"], json={"oid": OID, "parts": parts})


def fresh(disk: Disk, repo: str) -> httpx.Response:
    name = repo.partition("/")[2]
    return disk.ask("POST", "/api/repos/create", json={"organization": "a", "name": f"{name}-made"})


def proposed(disk: Disk, repo: str) -> tuple[set[str], set[str]]:
    """The refs of a repository's pull requests, and the refs and commits that its discussions tell of."""
    place = f"/api/models/{repo}"
    shown = disk.ask("GET", f"{place}/refs?include_prs=1").json()["pullRequests"]
    told = set()
    for row in disk.ask("GET", f"{place}/discussions").json()["discussions"]:
        events = disk.ask("GET", f"{place}/discussions/{row['num']}").json()["events"]
        commits = [event["data"]["oid"] for event in events if event["type"] == "commit"]
        told.add(f"refs/pr/{row['num']} {commits[-1] if commits else ''}")
    return {f"{row['ref']} {row['targetCommit']}" for row in shown}, told


def talk(disk: Disk, repo: str, **sent: Any) -> httpx.Response:
    sent |= {"title": "title", "description": "x" * 5000}
    return disk.ask("POST", f"/api/models/{repo}/discussions", json=sent)


WRITES: dict[str, Callable[[Disk, str], httpx.Response]] = {
    "create": fresh,
    "small commit": lambda disk, repo: commit(disk, repo, 100),
    "large commit": lambda disk, repo: commit(disk, repo, 60_000),
    "pull request": lambda disk, repo: commit(disk, repo, 6000, pr=True),
    "draft": lambda disk, repo: talk(disk, repo, pullRequest=True),
    "large file": put_basic,
    "large file in parts": put_parts,
    "tag": lambda disk, repo: disk.ask(
        "POST", f"/api/models/{repo}/tag/main", json={"tag": "v1", "message": "annotated"}
    ),
    "branch": lambda disk, repo: disk.ask("POST", f"/api/models/{repo}/branch/b", json={}),
    "discussion": talk,
    "settings": lambda disk, repo: disk.ask(
        "PUT", f"/api/models/{repo}/settings", json={"visibility": "private"}
    ),
    "squash": lambda disk, repo: disk.ask(
        "POST", f"/api/models/{repo}/super-squash/main", json={"message": "one"}
    ),
}


def test_a_pull_request_is_there_with_all_of_it_or_not_at_all(disk: Disk) -> None:
    """With every page of room more: the answer, the ref and the discussion agree, and numbers go on."""
    made = {"organization": "a", "name": "pr"}
    assert disk.ask("POST", "/api/repos/create", json=made).status_code == 200
    statuses = []
    for left in range(0, 120, 4):
        before = proposed(disk, "a/pr")
        disk.fill(left)
        statuses.append(commit(disk, "a/pr", 100, pr=True).status_code)
        refs, told = proposed(disk, "a/pr")
        disk.empty()
        assert refs == told, left
        assert len(refs) == len(before[0]) + (statuses[-1] == 200), left
        if statuses[-3:] == [200] * 3:
            break
    assert {507, 200} == set(statuses)
    assert {row.split()[0] for row in refs} == {f"refs/pr/{n}" for n in range(1, statuses.count(200) + 1)}
    assert disk.ask("DELETE", "/api/repos/delete", json=made).status_code == 200


@pytest.mark.parametrize("what", WRITES)
def test_every_write(disk: Disk, what: str) -> None:
    refused = 0
    for left in LEFT:
        name = f"m{list(WRITES).index(what)}-{left}"
        repo = f"a/{name}"
        assert (
            disk.ask("POST", "/api/repos/create", json={"organization": "a", "name": name}).status_code == 200
        )
        before = sorted(path.name for path in (disk.data / "tmp").iterdir())
        disk.fill(left)
        first = WRITES[what](disk, repo)
        assert first.status_code in (200, 507), (what, left, first.text)
        reading = disk.ask("GET", f"/api/models/{repo}/tree/main")
        assert reading.status_code == 200, "what was there can be read"
        disk.empty()
        assert list(check.problems(disk.data)) == [], (what, left)
        if first.status_code == 507:
            refused += 1
            if "parts" not in what:  # parts that have arrived are kept, to be gone on with
                assert sorted(path.name for path in (disk.data / "tmp").iterdir()) == before
            assert WRITES[what](disk, repo).status_code == 200, (what, left)
        for path in disk.data.rglob(".*.*"):
            assert len(path.suffix) < 20, f"{path} was left"
        assert (
            disk.ask("DELETE", "/api/repos/delete", json={"organization": "a", "name": name}).status_code
            == 200
        )
    assert refused, f"{what} was never refused"

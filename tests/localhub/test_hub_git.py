"""git and git-lfs against the embedded Hub: they fetch everything and push nothing."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from localhub.launch import Server
from tests.localhub.conftest import serve, until

pytestmark = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
LARGE = os.urandom(300_000)
Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Run git as somebody who has configured git-lfs and nothing else; what it said on both streams."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }

    def run(*words: str, cwd: Path = tmp_path, fails: bool = False) -> str:
        done = subprocess.run(
            ["git", *words], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode != 0) == fails, done.stderr
        return done.stdout + done.stderr

    run("lfs", "install", "--skip-repo")
    run("config", "--global", "user.email", "a@localhub.invalid")
    run("config", "--global", "user.name", "a")
    return run


def filled(api: HfApi, private: bool = False, kind: str = "model") -> str:
    name = f"rehearsal/g{uuid4().hex[:10]}"
    api.create_repo(name, repo_type=kind, private=private)
    files = {"w.safetensors": LARGE, "a.txt": b"one\n", "sub/\xe9 %.txt": b"odd name\n"}
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    api.create_commit(name, operations, commit_message="fill", repo_type=kind)
    return name


def change(api: HfApi, name: str, text: bytes, **options: str) -> None:
    api.upload_file(path_or_fileobj=text, path_in_repo="a.txt", repo_id=name, **options)


def with_token(url: str, token: str) -> str:
    return url.replace("http://", f"http://anyone:{token}@")


def test_clone_has_the_real_files_branches_tags_and_pull_requests(
    api: HfApi, hub: Server, git: Git, tmp_path: Path
) -> None:
    name = filled(api)
    api.create_tag(name, tag="v1", tag_message="first")
    api.create_branch(name, branch="dev")
    change(api, name, b"two\n", revision="dev")
    api.create_pull_request(name, title="A change")
    git("clone", f"{hub.url}/{name}", "c")
    assert (tmp_path / "c/w.safetensors").read_bytes() == LARGE
    assert (tmp_path / "c/sub/\xe9 %.txt").read_bytes() == b"odd name\n"
    assert git("tag", cwd=tmp_path / "c").split() == ["v1"]
    git("fetch", "origin", "refs/pr/1:one", cwd=tmp_path / "c")
    assert "Git LFS fsck OK" in git("lfs", "fsck", cwd=tmp_path / "c")
    git("checkout", "dev", cwd=tmp_path / "c")
    assert (tmp_path / "c/a.txt").read_bytes() == b"two\n"
    change(api, name, b"three\n")
    git("pull", "origin", "main", "--no-rebase", "-X", "theirs", cwd=tmp_path / "c")
    assert (tmp_path / "c/a.txt").read_bytes() == b"three\n"


@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_every_version_of_the_protocol(
    api: HfApi, hub: Server, git: Git, tmp_path: Path, version: str
) -> None:
    name = filled(api, kind="dataset")
    git("-c", f"protocol.version={version}", "clone", f"{hub.url}/datasets/{name}.git", "c")
    assert (tmp_path / "c/w.safetensors").read_bytes() == LARGE


def test_shallow_and_partial_clones(api: HfApi, hub: Server, git: Git, tmp_path: Path) -> None:
    name = filled(api)
    change(api, name, b"two\n")
    git("clone", "--depth", "1", f"{hub.url}/{name}", "shallow")
    assert len(git("log", "--oneline", cwd=tmp_path / "shallow").splitlines()) == 1
    git("clone", "--filter=blob:none", "--no-checkout", f"{hub.url}/{name}", "partial")
    missing = git("rev-list", "--all", "--objects", "--missing=print", cwd=tmp_path / "partial")
    assert "?" in missing, "the server left blobs out"
    assert git("show", "HEAD~1:a.txt", cwd=tmp_path / "partial") == "one\n"


def test_private_repository(api: HfApi, hub: Server, git: Git, tmp_path: Path) -> None:
    name = filled(api, private=True)
    assert "could not read Username" in git("clone", f"{hub.url}/{name}", fails=True)
    assert "Authentication failed" in git("clone", f"{with_token(hub.url, 'wrong')}/{name}", fails=True)
    git("clone", f"{with_token(hub.url, hub.token)}/{name}", "c")
    assert (tmp_path / "c/w.safetensors").read_bytes() == LARGE
    for path in (name, "rehearsal/none"):  # no telling them apart
        answer = httpx.get(f"{hub.url}/{path}/info/refs", params={"service": "git-upload-pack"})
        assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Basic ")
        assert httpx.post(f"{hub.url}/{path}.git/git-upload-pack", content=b"0000").status_code == 401


def test_anothers_token_opens_nothing(team: str, git: Git) -> None:
    ada = HfApi(endpoint=team, token="token-of-ada")
    ada.create_repo("ada/closed", private=True)
    said = git("clone", f"{with_token(team, 'token-of-bob')}/ada/closed", fails=True)
    assert "Repository not found" in said


def test_a_gated_repository_says_whom_to_ask(team: str, git: Git, tmp_path: Path) -> None:
    ada, name = HfApi(endpoint=team, token="token-of-ada"), f"ada/gated-{uuid4().hex[:8]}"
    ada.create_repo(name)
    ada.update_repo_settings(name, gated="manual")
    said = git("clone", f"{with_token(team, 'token-of-bob')}/{name}", fails=True)
    assert "remote: Access to model" in said, said
    git("clone", f"{with_token(team, 'token-of-ada')}/{name}", "c")
    ada.grant_access(name, "bob")
    git("clone", f"{with_token(team, 'token-of-bob')}/{name}", "d")
    assert (tmp_path / "d/.gitattributes").exists()


def test_a_moved_repository_is_followed(api: HfApi, hub: Server, git: Git, tmp_path: Path) -> None:
    name = filled(api)
    api.move_repo(name, f"{name}-new")
    git("clone", f"{hub.url}/{name}", "c")
    assert (tmp_path / "c/w.safetensors").read_bytes() == LARGE


def test_pushes_are_refused_in_words(api: HfApi, hub: Server, data: Path, git: Git, tmp_path: Path) -> None:
    name = filled(api)
    before = api.model_info(name).sha
    git("clone", f"{with_token(hub.url, hub.token)}/{name}", "c")
    (tmp_path / "c/new.bin").write_bytes(LARGE[::-1])
    git("add", ".", cwd=tmp_path / "c")
    git("commit", "-m", "x", cwd=tmp_path / "c")
    for words in (("push", "origin", "main"), ("lfs", "push", "origin", "main")):
        said = git(*words, cwd=tmp_path / "c", fails=True)
        assert "This Hub takes no pushes by git" in said and f"hf upload {name}" in said
    answer = httpx.post(f"{hub.url}/{name}/git-receive-pack", content=b"0000")
    assert answer.status_code == 403 and answer.text.startswith("This Hub takes no pushes")
    assert api.model_info(name).sha == before
    assert len([p for p in data.glob(f"repos/models/{name}/lfs/**/*") if p.is_file()]) == 1


def test_what_is_no_request_of_gits(api: HfApi, hub: Server, repo_id: str) -> None:
    post = f"{hub.url}/{repo_id}/git-upload-pack"
    packed = {"Content-Encoding": "gzip"}
    bomb = gzip.compress(bytes(100 << 20), 1)
    assert httpx.get(f"{hub.url}/{repo_id}/info/refs").status_code == 403  # the dumb protocol
    assert httpx.post(post, content=bomb, headers=packed).status_code == 413
    assert httpx.post(post, content=b"no gzip", headers=packed).status_code == 400
    assert httpx.post(post, content=gzip.compress(b"0000")[:-4], headers=packed).status_code == 400
    assert httpx.post(post, content=gzip.compress(b"0000") + b"more", headers=packed).status_code == 400
    assert httpx.post(post, content=b"x", headers={"Content-Encoding": "br"}).status_code == 415
    assert httpx.post(post, content=gzip.compress(b"0000"), headers=packed).status_code == 200
    for odd in (b"", b"0000", b"zzzz", b"0009want", os.urandom(5000)):
        assert httpx.post(post, content=odd).status_code == 200, "git's own words, or none"
        assert httpx.post(post, content=odd, headers={"Git-Protocol": "version=2"}).status_code == 200


def test_a_client_that_goes_away_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))  # nothing of ours reaches git
    process, url = serve(tmp_path / "data")
    try:
        api = HfApi(endpoint=url, token=(tmp_path / "data/token").read_text())
        api.create_repo("a/b")
        texts = [CommitOperationAdd(f"{n}.txt", os.urandom(2_000_000).hex().encode()) for n in range(4)]
        sha = api.create_commit("a/b", texts, commit_message="16 MB").oid
        asked = f"0032want {sha}\n00000009done\n".encode()
        host, port = url.removeprefix("http://").split(":")
        head = f"POST /a/b/git-upload-pack HTTP/1.1\r\nHost: {host}:{port}\r\n"
        head += f"Content-Length: {len(asked)}\r\n\r\n"
        for _ in range(9):  # one more than may be at work at once
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(head.encode() + asked)
                assert connection.recv(12) == b"HTTP/1.1 200"
                assert until(lambda: bool(children(process.pid))), "git is at work and waits for us to read"
            assert until(lambda: not children(process.pid))
        assert not (tmp_path / "trace").exists()
        assert list((tmp_path / "data/tmp").iterdir()) == []
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=10)
    assert output == ""


def children(pid: int) -> str:
    return "".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))


def test_without_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    process, url = serve(tmp_path / "data")
    try:
        HfApi(endpoint=url, token=(tmp_path / "data/token").read_text()).create_repo("a/b")
        answer = httpx.get(f"{url}/a/b/info/refs", params={"service": "git-upload-pack"})
        assert answer.status_code == 501 and "`git`" in answer.text
    finally:
        process.terminate()
        process.communicate(timeout=10)

"""`python -m localhub gc`: what goes, what stays, also beside a live server."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

from localhub import collect, launch, mirror
from localhub.storage import lfs, reachable, repos
from localhub.storage.repos import Repo
from tests.localhub.conftest import ROOT

OLD = 1_600_000_000  # Unix time
BIG = hashlib.sha256(b"a large file").digest() * 1000


def gc(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "localhub", "gc", "--data", str(data), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def age(place: Path) -> None:
    """Everything in there was last touched long ago."""
    for path in (place, *place.rglob("*")):
        os.utime(path, (OLD, OLD), follow_symlinks=False)


def repository(data: Path, name: str) -> Repo:
    found = repos.find(data, "model", "local", name)
    assert found is not None
    return found


def commit(api: HfApi, name: str, path: str, content: bytes, **options: object) -> str:
    done = api.create_commit(
        f"local/{name}",
        [CommitOperationAdd(path, content)],
        commit_message=path,
        **options,  # type: ignore[arg-type]
    )
    return str(done.oid)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a bit of everything; tests work on copies."""
    data = tmp_path_factory.mktemp("gc") / "data"
    with launch.running(data) as server:
        api = HfApi(endpoint=server.url, token=server.token)
        for name in ("kept", "gone", "old"):
            api.create_repo(f"local/{name}")
        commit(api, "kept", "main.bin", BIG)
        commit(api, "kept", "main.bin", BIG[::-1])
        api.create_tag("local/kept", tag="v1", tag_message="annotated")
        api.create_branch("local/kept", branch="side")
        commit(api, "kept", "side.bin", b"\0side" * 999, revision="side")
        commit(api, "kept", "asked.bin", b"\0asked" * 999, create_pr=True)
        api.create_branch("local/kept", branch="doomed")
        commit(api, "kept", "doomed.bin", b"\0doomed" * 999, revision="doomed")
        commit(api, "kept", "doomed.txt", b"doomed", revision="doomed")
        api.delete_branch("local/kept", branch="doomed")
        api.move_repo("local/old", "local/new")
        api.move_repo("local/gone", "local/gone2")
        api.delete_repo("local/gone2")
    return data


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "data")
    return tmp_path / "data"


def contents(repo: Repo) -> dict[str, bytes]:
    """Every file of every ref, large ones from the store: an error if one is missing."""
    git, found = repo.git(), {}
    for ref, tip in reachable.tips(git).items():
        reached = reachable.reach(git, [tip])
        found[ref] = "".join(sorted(reached.objects)).encode()
        for oid in reached.large:
            found[oid] = lfs.object_path(repo.path, oid).read_bytes()
    return found


def test_what_goes_and_what_stays(data: Path) -> None:
    kept = repository(data, "kept")
    before = contents(kept)
    for name, inside in (("1" * 32, None), ("2" * 32, "repo.json"), ("parts-" + "3" * 32, "00001")):
        path = data / "tmp" / name
        if inside:
            path.mkdir()
            (path / inside).write_bytes(b"x" * 5000)
        else:
            path.write_bytes(b"x" * 5000)
    (kept.path / f".repo.json.{'4' * 32}").write_text("{}")
    (kept.path / "git/refs/heads/main.lock").write_text("")
    (kept.path / "git/objects/aa").mkdir(exist_ok=True)
    (kept.path / "git/objects/aa/tmp_obj_123456").write_text("half")
    doomed = {oid for oid, _, _ in lfs.stored(kept.path)} - before.keys()
    assert len(doomed) == 1, "the object of the deleted branch"
    age(data)
    looked = gc(data, "--dry-run")
    assert looked.returncode == 0 and "would free" in looked.stdout, looked.stderr
    assert (data / "tmp" / ("1" * 32)).exists() and contents(kept) == before
    done = gc(data)
    assert done.returncode == 0, done.stderr
    assert done.stdout == looked.stdout.replace("would free", "freed")
    for line in (
        "leftovers of unfinished work: 5, ",
        "deleted repositories: 1, ",
        "large files that no commit names: 1, ",
        "former names of deleted repositories: 2, ",
    ):
        assert line in done.stdout, done.stdout
    assert contents(kept) == before
    assert {oid for oid, _, _ in lfs.stored(kept.path)} == {oid for oid in before if len(oid) == 64}
    assert list((data / "tmp").iterdir()) == []
    assert [p.name for p in (kept.path / "git").rglob("*.lock")] == []
    assert gc(data).stdout == f"{data}: freed 0 bytes\n"
    with launch.running(data) as server:
        api = HfApi(endpoint=server.url, token=server.token)
        assert api.model_info("local/old").id == "local/new", "a redirect that leads somewhere stays"
        commit(api, "kept", "after.bin", BIG + b"!")
        with pytest.raises(HfHubHTTPError):
            api.model_info("local/gone")


def test_what_is_young_stays(data: Path) -> None:
    (data / "tmp" / ("1" * 32)).write_bytes(b"an upload under way")
    before = sorted(path for path in data.rglob("*") if path.name not in ("server.lock", "lock"))
    assert gc(data).stdout == f"{data}: freed 0 bytes\n"
    assert sorted(path for path in data.rglob("*") if path.name not in ("server.lock", "lock")) == before


def test_an_object_that_is_needed_again_stays(data: Path) -> None:
    """A commit under way counts on a blob that lay there, unreachable and old: git touched it."""
    kept = repository(data, "kept")
    age(data)
    git = kept.git()
    oid = str(git.create_blob(b"doomed"))
    assert (kept.path / "git/objects" / oid[:2] / oid[2:]).stat().st_mtime > OLD
    assert gc(data).returncode == 0
    assert oid in kept.git()


def test_an_object_that_is_touched_at_that_instant_stays(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between our look at it and its removal, a commit found it and counts on it."""
    age(data)
    rename = os.rename

    def touched_before(source: Path, target: Path) -> None:
        if "objects" in Path(source).parts:
            os.utime(source)
        rename(source, target)

    before = sorted(repository(data, "kept").path.rglob("git/objects/??/*"))
    monkeypatch.setattr(os, "rename", touched_before)
    assert collect.run(data, 24, dry=False) == 0
    assert sorted(repository(data, "kept").path.rglob("git/objects/??/*")) == before


def test_beside_a_live_server(data: Path) -> None:
    """Commits, uploads and downloads go on while gc runs again and again, and nothing of theirs is lost."""
    age(data / "repos/models/local/kept/lfs")
    age(data / "repos/models/local/kept/git/objects")
    with launch.running(data) as server:
        assert "is being served" in gc(data, "--older-than", "0").stderr
        api = HfApi(endpoint=server.url, token=server.token)
        failed: list[BaseException] = []

        def work() -> None:
            try:
                for number in range(8):
                    commit(
                        api, "kept", f"f{number}.bin", b"\0doomed" * 999 if number == 4 else os.urandom(9999)
                    )
                    api.file_exists("local/kept", "main.bin")
            except BaseException as error:
                failed.append(error)

        worker = threading.Thread(target=work)
        worker.start()
        while worker.is_alive():
            done = gc(data, "--older-than", "1")
            assert done.returncode == 0, done.stderr
        worker.join()
        assert not failed
        names = set(api.list_repo_files("local/kept"))
        assert {f"f{number}.bin" for number in range(8)} <= names
    contents(repository(data, "kept"))


def test_a_mirror_keeps_its_older_commits(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    shas = []
    for text in ("first", "second"):
        (folder / "config.json").write_text(text)
        shas.append(mirror.add(data, "world/base", folder, "mirror"))
    age(data)
    assert gc(data).returncode == 0
    repo = repos.find(data, "model", "world", "base")
    assert repo is not None and shas[0] in repo.git() and shas[1] in repo.git()


def test_a_repository_that_cannot_be_read_is_left_alone(data: Path) -> None:
    kept = repository(data, "kept")
    tree = str(kept.git().head.peel().tree.id)
    (kept.path / "git/objects" / tree[:2] / tree[2:]).unlink()
    age(data)
    count = sum(1 for path in kept.path.rglob("*") if path.is_file())
    done = gc(data)
    assert done.returncode == 0 and "model local/kept: left as it is" in done.stdout
    assert sum(1 for path in kept.path.rglob("*") if path.is_file()) == count


def test_wrong_uses(tmp_path: Path) -> None:
    done = gc(tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {tmp_path} is not the data directory of a localhub: it has no folder 'repos'.\n"
    )
    assert list(tmp_path.iterdir()) == []
    for hours in ("-1", "soon"):
        assert gc(tmp_path, "--older-than", hours).returncode == 2


def test_marking_costs_little_for_a_long_history(tmp_path: Path) -> None:
    """300 commits over 2,000 files: each tree is entered once."""
    import pygit2

    git = pygit2.init_repository(str(tmp_path / "git"), bare=True)
    index, mode = pygit2.Index(), pygit2.enums.FileMode.BLOB
    for number in range(2000):
        oid = git.create_blob(b"%d" % number)
        index.add(pygit2.IndexEntry(f"d{number % 20}/{number}", oid, mode))
    parents: list[pygit2.Oid] = []
    who = pygit2.Signature("a", "a@b", OLD, 0)
    for number in range(300):
        index.add(pygit2.IndexEntry("d0/changing", git.create_blob(b"c%d" % number), mode))
        parents = [git.create_commit(None, who, who, "m", index.write_tree(git), parents)]
    start = time.process_time()
    reached = reachable.reach(git, [str(parents[0])])
    spent = time.process_time() - start
    assert len(reached.objects) == 2000 + 300 * 4 + 19
    assert spent < 3, f"{spent:.1f} s"


def test_what_xet_left_goes_when_no_server_runs(made: Path, tmp_path: Path) -> None:
    """Beside a server it stays for an hour: an upload may still count on it."""
    data = tmp_path / "data"
    shutil.copytree(made, data, symlinks=True)
    shelf = data / "xet" / f"{'0' * 24}-{'0' * 16}"
    shelf.mkdir(parents=True, exist_ok=True)
    (shelf / "piece").write_bytes(b"\0" * 5000)
    assert "freed" in gc(data, "--older-than", "1").stdout and shelf.exists()
    done = gc(data, "--older-than", "0")
    assert "sent through Xet: 1, 5.0 kB" in done.stdout and not shelf.exists()

"""`python -m localhub gc`: what deleted repositories, broken uploads and rewritten histories left.

Safe beside a live server. What is younger than an age is left alone, for an upload may be under way; of each
repository only what none of its refs leads to goes, while its lock is held; and whatever a writer counts on
has just been written or touched (libgit2 touches an object that it would have written again).
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pygit2

from localhub.errors import HubError
from localhub.storage import lfs, reachable, redirects, repos, stories
from localhub.storage.disk import try_lock
from localhub.storage.reachable import Reached
from localhub.storage.repos import Repo
from localhub.xet import shelves

LEAST_HOURS = 1.0  # beside a live server: longer than an upload rests between two of its requests
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{32}", re.ASCII)  # as disk.write_atomic names them
_SHA = re.compile(r"[0-9a-f]{40}", re.ASCII)
_LABELS = {
    "uploads": "leftovers of unfinished work",
    "repositories": "deleted repositories",
    "xet": "pieces of files that were sent through Xet",
    "objects": "git objects that no branch, tag or pull request leads to",
    "large": "large files that no commit names",
    "names": "former names of deleted repositories",
}


@dataclass
class Sweep:
    """What is collected: files that were last touched before `before` (Unix time). `dry`: only counted."""

    data: Path
    before: float
    dry: bool
    found: dict[str, tuple[int, int]]  # label: (number, bytes)
    left: list[str]  # one line for each repository that could not be looked through

    def note(self, label: str, size: int) -> None:
        """Count one more of a sort."""
        count, total = self.found.get(label, (0, 0))
        self.found[label] = (count + 1, total + size)


def run(data: Path, hours: float, dry: bool) -> int:
    """Collect and say what was freed; exit status 0. HubError for a folder that is no data directory."""
    if not (data / "repos").is_dir():
        raise HubError(400, f"{data} is not the data directory of a localhub: it has no folder 'repos'.")
    if hours < LEAST_HOURS and _is_served(data):
        raise HubError(
            409, f"{data} is being served: --older-than must be {LEAST_HOURS:g} or more, or stop the server."
        )
    sweep = Sweep(data, time.time() - hours * 3600, dry, {}, [])
    _work(sweep)
    _shelves(sweep)
    for kind in repos.KINDS:
        for repo in repos.every(data, kind):
            with suppress(HubError):  # deleted or moved while we came to it
                _repository(sweep, repo)
    _names(sweep)
    _report(sweep)
    return 0


def _is_served(data: Path) -> bool:
    descriptor = try_lock(data / "server.lock")
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def _report(sweep: Sweep) -> None:
    for label, (count, size) in sweep.found.items():
        print(f"  {_LABELS[label]}: {count}, {_bytes(size)}")
    for line in sweep.left:
        print(f"  {line}")
    total = _bytes(sum(size for _, size in sweep.found.values()))
    print(f"{sweep.data}: {'would free' if sweep.dry else 'freed'} {total}")


def _bytes(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _work(sweep: Sweep) -> None:
    """DATA/tmp: uploads, parts of files, and repositories on their way in or out."""
    for path in [*(sweep.data / "tmp").iterdir(), *(sweep.data / "collections").glob(".*")]:
        with suppress(FileNotFoundError):
            if _newest(path) < sweep.before:
                label = (
                    "repositories" if (path / "repo.json").exists() or (path / "git").exists() else "uploads"
                )
                _drop(sweep, label, path)


def _newest(path: Path) -> float:
    """When something in a folder, to the depth of one, was last changed."""
    inside = [child.lstat().st_mtime for child in path.iterdir()] if path.is_dir() else []
    return max([path.lstat().st_mtime, *inside])


def _shelves(sweep: Sweep) -> None:
    idle = time.time() - sweep.before  # beside a server an hour or more, as LEAST_HOURS sees to
    for path in (sweep.data / "xet").glob("*-*"):
        with suppress(FileNotFoundError):
            if path.lstat().st_mtime < time.time() - idle:
                sweep.note("xet", _size(path))
    if not sweep.dry:
        shelves.sweep(sweep.data, idle)


def _size(path: Path) -> int:
    if not path.is_dir():
        return path.lstat().st_size
    return sum(child.lstat().st_size for child in path.rglob("*") if not child.is_dir())


def _drop(sweep: Sweep, label: str, path: Path) -> None:
    sweep.note(label, _size(path))
    if not sweep.dry:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _repository(sweep: Sweep, repo: Repo) -> None:
    """Marked without the lock, and again with it if a ref has moved meanwhile."""
    git = repo.git()
    try:
        tips = _starts(repo, git)
        marked = reachable.reach(git, tips)
        with repo.lock():
            if _starts(repo, git) != tips:
                marked = reachable.reach(git, _starts(repo, git))
            _sweep_repository(sweep, repo, marked)
    except (KeyError, ValueError, pygit2.GitError) as error:
        sweep.left.append(f"{repo.kind} {repo.id}: left as it is, for an object cannot be read: {error}")


def _starts(repo: Repo, git: pygit2.Repository) -> list[str]:
    """Every ref, and every commit that a discussion speaks of."""
    spoken = [word for word in stories.spoken(repo) if word in git]
    return sorted({*reachable.tips(git).values(), *spoken})


def _sweep_repository(sweep: Sweep, repo: Repo, marked: Reached) -> None:
    for path in [*repo.path.iterdir(), *(repo.path / "discussions").glob(".*")]:
        if _TEMPORARY.fullmatch(path.name) and path.lstat().st_mtime < sweep.before:
            _drop(sweep, "uploads", path)
    for path in _leftovers(repo.path / "git"):
        if path.lstat().st_mtime < sweep.before:
            _drop(sweep, "uploads", path)
    if repo.mirror:
        return  # `mirror.add` promises that its older commits stay readable by their SHA
    for path in (repo.path / "git/objects").glob("??/*"):
        if (
            _SHA.fullmatch(path.parent.name + path.name)
            and path.parent.name + path.name not in marked.objects
        ):
            _take(sweep, path)
    for oid, size, touched in lfs.stored(repo.path):
        if oid not in marked.large and touched < sweep.before:
            sweep.note("large", size)
            if not sweep.dry:  # a commit under way looks again, with the lock, whether it is there
                lfs.object_path(repo.path, oid).unlink(missing_ok=True)


def _leftovers(git: Path) -> Iterator[Path]:
    """What a killed process leaves in a git folder. We hold the lock: nobody's lock on a ref is alive."""
    yield from (git / "objects").glob("tmp_o*")
    yield from (git / "objects").glob("??/tmp_o*")
    yield from repos.dead_locks(git)


def _take(sweep: Sweep, path: Path) -> None:
    """Remove a git object, unless somebody who needs it touches it at this instant."""
    status = path.lstat()
    if status.st_mtime >= sweep.before:
        return
    if not sweep.dry:
        aside = sweep.data / "tmp" / uuid4().hex
        os.rename(path, aside)
        if aside.lstat().st_mtime >= sweep.before:
            os.rename(aside, path)
            return
        aside.unlink()
    sweep.note("objects", status.st_size)


def _names(sweep: Sweep) -> None:
    """Redirects to repositories that are gone, and namespaces without any."""
    with repos.naming(sweep.data):
        alive = {repo.uid for kind in repos.KINDS for repo in repos.every(sweep.data, kind)}
        for path, uid in redirects.every(sweep.data):
            if uid not in alive and path.lstat().st_mtime < sweep.before:
                _drop(sweep, "names", path)
        if not sweep.dry:
            for path in (sweep.data / "repos").glob("*/*"):
                with suppress(OSError):
                    path.rmdir()

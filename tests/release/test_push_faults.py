"""A Hub that fails at every single request of a push: released or untouched, and the next push finishes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from huggingface_hub import set_client_factory
from huggingface_hub.utils._http import default_client_factory

from localhub import launch
from stages.core.errors import PipelineError
from stages.release import endpoint
from stages.release.remote import Remote, look
from tests.release import shelf
from tests.release.conftest import Desk, open_desk

# Each as a rule of localhub/faults.py, but for which request it is.
FAULTS: dict[str, dict[str, Any]] = {
    "500": {"what": "status", "status": 500},
    "503": {"what": "status", "status": 503, "retry_after": 7},
    "429": {"what": "status", "status": 429, "retry_after": 7},
    "504, done all the same": {"what": "status", "status": 504, "done": True},
    "stall": {"what": "stall"},
    "drop before": {"what": "drop_request"},
    "drop half-way of the request": {"what": "drop_request", "after": 20},
    "drop before the answer": {"what": "drop_response"},
    "drop half-way of the answer": {"what": "drop_response", "after": 2},
    "down from there on": {"what": "status", "status": 500, "count": 0},
    "gone from there on": {"what": "drop_request", "count": 0},
}
AT_MOST = 40  # requests of a push; it makes about 25


class Faulty:
    """A Hub whose faults are a file."""

    def __init__(self, server: launch.Server, file: Path) -> None:
        self.server, self.file = server, file

    def fails(self, *rules: dict[str, Any]) -> None:
        """From now on by these rules, and with no request noted."""
        aside = self.file.with_suffix(".new")
        aside.write_text(json.dumps(rules))
        os.replace(aside, self.file)
        self.file.with_name(f"{self.file.name}.seen").unlink(missing_ok=True)

    def seen(self) -> list[str]:
        lines = self.file.with_name(f"{self.file.name}.seen").read_text().splitlines()
        return [f"{row['method']} {row['path']}" for row in map(json.loads, lines)]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    folder = tmp_path_factory.mktemp("faulty")
    file = folder / "faults.json"
    file.write_text("[]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCALHUB_FAULTS", str(file))
        with launch.running(folder / ".hub") as server:
            yield Faulty(server, file)
        assert "Traceback" not in (folder / ".hub/server.log").read_text()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The client that push has, but retrying at once and waiting for the Hub for a quarter of a second."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(endpoint, "PATIENCE", 0.25)
    set_client_factory(endpoint.patient_client)
    yield
    set_client_factory(default_client_factory)


@pytest.fixture
def desk(made: Path, faulty: Faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.delenv("DVC_EXP_NAME", raising=False)
    return open_desk(made, tmp_path / "desk", faulty.server, f"tests/m{uuid4().hex[:10]}")


def renew(desk: Desk, more: str) -> None:
    """Content of another release: a card, a large file, a file that goes or comes."""
    figures = desk.layout.card.parent / "figures"
    (figures / "loss.png").write_bytes(shelf.PNG + more.encode())
    if (figures / "extra.png").exists():
        (figures / "extra.png").unlink()
    else:
        (figures / "extra.png").write_bytes(shelf.PNG)
    desk.write(more=more)


def is_whole(desk: Desk, remote: Remote, files: dict[str, Any]) -> bool:
    content = desk.edition().content
    return files.keys() == content.keys() and all(files[path].holds(content[path]) for path in content)


def old_or_new(desk: Desk, before: Remote, when: str) -> None:
    """Main and tag show the release that was there, or this one; the tag may be missing, never astray."""
    remote = look(desk.target, desk.hub.repo_id)
    fresh = bool(remote.files) and is_whole(desk, remote, remote.files)
    assert fresh or remote.files == before.files, when
    tag = remote.tags.get("v0.1.0")
    known = {None, before.tags.get("v0.1.0"), *([remote.head] if fresh else [])}
    assert tag in known, when


def attempt(desk: Desk, when: str) -> bool:
    """One push; whether it ended well. What it says is a line for a person."""
    try:
        desk.deliver()
        return True
    except PipelineError as error:
        assert len(str(error).splitlines()) == 1, when
        return False


def walk(
    faulty: Faulty, desk: Desk, fault: dict[str, Any], again: Callable[[int], None], requests: range
) -> list[str]:
    """Fail the first of `requests` of a push, then the next of another, and so on; how each push ended."""
    ended = []
    for nth in requests:
        faulty.fails()
        again(nth)
        before = look(desk.target, desk.hub.repo_id)
        faulty.fails({"nth": nth, **fault})
        when = f"{fault} at request {nth}"
        done = attempt(desk, when)
        seen = faulty.seen()
        if len(seen) < nth:  # it needs no more requests than that
            assert done, when
            return ended
        when = f"{fault} at request {nth}, {seen[nth - 1]}"
        faulty.fails()
        old_or_new(desk, before, when)
        assert attempt(desk, when), f"the next push does not finish after {when}"
        remote = look(desk.target, desk.hub.repo_id)
        assert is_whole(desk, remote, remote.files), when
        assert remote.tags == {"v0.1.0": remote.head}, when
        assert desk.open_requests() == [], when
        ended.append("released" if done else "refused")
    raise AssertionError(f"a push makes more than {AT_MOST} requests")


def some(fault: str, shift: int = 0) -> range:
    """Every fifth request of a push, another fifth for each fault: together every request meets four."""
    return range(1 + (list(FAULTS).index(fault) + shift) % 5, AT_MOST, 5)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_first_release(faulty: Faulty, desk: Desk, fault: str) -> None:
    def new_repository(_: int) -> None:
        desk.hub = desk.hub.model_copy(update={"repo_id": f"tests/m{uuid4().hex[:10]}"})
        desk.layout.receipt.unlink(missing_ok=True)
        desk.write()

    ended = walk(faulty, desk, FAULTS[fault], new_repository, some(fault))
    assert len(ended) > 3 and "refused" in ended


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_release_that_follows_another(faulty: Faulty, desk: Desk, fault: str) -> None:
    """On one's own Hub under the same version, so that its tag is moved too."""
    faulty.fails()
    desk.deliver()
    ended = walk(faulty, desk, FAULTS[fault], lambda nth: renew(desk, f"{fault} {nth}"), some(fault, 2))
    assert len(ended) > 2 and "refused" in ended


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", FAULTS)
def test_every_request(faulty: Faulty, desk: Desk, fault: str) -> None:
    faulty.fails()
    desk.deliver()
    every = range(1, AT_MOST)
    assert len(walk(faulty, desk, FAULTS[fault], lambda nth: renew(desk, f"{fault} {nth}"), every)) > 15

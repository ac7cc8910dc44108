"""Use the Hub that serves a data directory, or serve it for as long as a `with` block lasts.

Kept light (no server library is imported here), so that every program can afford it.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60.0  # generous: a loaded machine imports slowly
ALREADY_SERVED = 3  # exit status of `localhub serve`
USER = "local"


@dataclass(frozen=True)
class Server:
    """A live Hub. `token` gives `user` full rights; `started`: it ends with the block that made it."""

    url: str
    token: str
    user: str
    started: bool


class LaunchError(RuntimeError):
    """The Hub could not be started; the message says why in one line."""


@contextmanager
def running(data: Path, port: int = 0) -> Iterator[Server]:
    """The Hub of `data`: the one that is being served (left running), else one of our own.

    Our own listens on 127.0.0.1 at `port` (0 takes a free one), ends with the block, and ends too when this
    process is killed. Of several processes that start at once, one serves and the others use it. Raises
    LaunchError.
    """
    data = Path(data).absolute()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    deadline = time.monotonic() + START_SECONDS
    while True:
        live = _live(data, deadline)
        if live:
            yield live
            return
        child = _start(data, port)
        try:
            server = _ready(data, child, deadline)
            if server:
                yield server
                return
        finally:
            _stop(child)


def _live(data: Path, deadline: float) -> Server | None:
    """The server that holds the lock, once it answers; None as soon as nobody holds it."""
    while _is_locked(data / "server.lock"):
        server = _ask(data, started=False)
        if server:
            return server
        if time.monotonic() > deadline:
            raise LaunchError(f"another process holds {data / 'server.lock'} but its Hub does not answer")
        time.sleep(0.05)
    return None


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)


def _ask(data: Path, started: bool) -> Server | None:
    """The server that `data` names, if it is there and takes the token of `data`."""
    try:
        url = str(json.loads((data / "server.json").read_text())["url"])
        token = (data / "token").read_text().strip()
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return Server(url, token, USER, started) if _whoami(url, token) == USER else None


def _whoami(url: str, token: str) -> str | None:
    from http.client import HTTPConnection, HTTPException  # never through a proxy, unlike urllib

    connection = HTTPConnection(url.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/api/whoami-v2", headers={"Authorization": f"Bearer {token}"})
        return str(json.loads(connection.getresponse().read()).get("name"))
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()


def _start(data: Path, port: int) -> subprocess.Popen[bytes]:
    """`python -m localhub serve`, in a session of its own: Ctrl-C is for us, and we then end it."""
    root = str(Path(__file__).resolve().parent.parent)
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-m", "localhub", "serve", "--data", str(data), "--port", str(port)]
    with (data / "server.log").open("ab") as log:
        return subprocess.Popen(
            [*command, "--with-parent", str(os.getpid())],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _ready(data: Path, child: subprocess.Popen[bytes], deadline: float) -> Server | None:
    """Our server once it answers; None when another process was faster. Raises LaunchError."""
    while time.monotonic() < deadline:
        status = child.poll()
        if status == ALREADY_SERVED:
            return None
        if status is not None:
            raise LaunchError(
                f"the embedded Hub ended with status {status}: {_last_line(data / 'server.log')}"
            )
        if _pid(data) == child.pid:
            server = _ask(data, started=True)
            if server:
                return server
        time.sleep(0.02)
    raise LaunchError(
        f"the embedded Hub did not answer within {START_SECONDS:.0f} s; see {data / 'server.log'}"
    )


def _pid(data: Path) -> int | None:
    try:
        return int(json.loads((data / "server.json").read_text())["pid"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    deadline = time.monotonic() + 5
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)  # Popen.wait looks only every 50 ms
    if child.poll() is None:
        child.kill()
        child.wait()

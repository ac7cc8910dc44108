"""One server for one data directory: the lock, the socket, the address file, the signals.

DATA/server.lock is held while the server lives (the kernel lets go of it however the process ends);
DATA/server.json says where it listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import time
from pathlib import Path
from types import FrameType

import uvicorn

from localhub import auth
from localhub.api.call import Hub
from localhub.app import build
from localhub.storage import repos
from localhub.storage.disk import read_json, try_lock, write_json
from localhub.xet import shelves

ALREADY_SERVED = 3
GRACE_SECONDS = 2
PARENT_POLL_SECONDS = 0.25


def run(data: Path, host: str, port: int, users: Path | None, parent: int) -> int:
    """Serve until SIGTERM or Ctrl-C; with `parent`, also until that process is gone. OSError, HubError."""
    _check_faults()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = _lock(data / "server.lock")
    if lock is None:
        print(f"error: another server already serves {data}{_where(data)}", flush=True)
        return ALREADY_SERVED
    listening = None
    try:
        hub = _hub(data, users)
        listening = _listen(host, port)
        url = _url(host, listening)
        write_json(data / "server.json", {"url": url, "pid": os.getpid()}, mode=0o600)
        print(f"localhub: {url}  (data in {data})", flush=True)
        asyncio.run(_serve(hub, listening, parent))
    finally:
        (data / "server.json").unlink(missing_ok=True)
        if listening:
            listening.close()
        os.close(lock)
    return 0


def _check_faults() -> None:
    if file := os.environ.get("LOCALHUB_FAULTS"):
        from localhub import faults

        faults.check(Path(file))


def _lock(path: Path) -> int | None:
    """The server's lock, tried for a moment: whoever looks whether it is held holds it for an instant."""
    for _ in range(10):
        descriptor = try_lock(path)
        if descriptor is not None:
            return descriptor
        time.sleep(0.02)
    return None


def _where(data: Path) -> str:
    """Where the server that was first listens, once it does."""
    try:
        return f", at {read_json(data / 'server.json')['url']}"
    except (FileNotFoundError, ValueError, KeyError):
        return ""


def _hub(data: Path, users: Path | None) -> Hub:
    repos.prepare(data)
    _sweep(data / "tmp")
    shelves.sweep(data)
    token = auth.secret_file(data / "token", prefix="localhub_")
    known = {token: auth.User(auth.LOCAL, "Local user", "local@localhub.invalid", admin=True)}
    return Hub(data, known | (_others(users) if users else {}), auth.secret_file(data / "secret"))


def _others(path: Path) -> dict[str, auth.User]:
    from localhub import users

    return users.load(path)


def _sweep(folder: Path) -> None:
    """Remove what killed uploads left. Only entries of a day ago: a `mirror.add` may be at work beside us."""
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - 86_400:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it every answer waits 40 ms
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise OSError(f"port {port} of {host} is not free: {error.strerror}") from error
    listening.listen(128)
    return listening


def _url(host: str, listening: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"


class _Server(uvicorn.Server):
    """uvicorn's, without its ticks at the end: it looks every 0.1 s whether to end, and then rests for 0.1 s.

    Every `launch.running` block that started a server waits for that.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ending = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self.loop.call_soon_threadsafe(self.ending.set)

    async def main_loop(self) -> None:
        tick = 0
        while not await self.on_tick(tick):
            tick = (tick + 1) % 864_000
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ending.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(3):  # an idle connection is gone after one turn of the loop
            await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)  # answers are still on their way


async def _serve(hub: Hub, listening: socket.socket, parent: int) -> None:
    config = uvicorn.Config(
        build(hub),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config)

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn puts these back when it has shut down and raises the signal again: then they end nothing more
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    watch = asyncio.create_task(_follow(parent, server)) if parent else None
    await server.serve(sockets=[listening])
    if watch:
        watch.cancel()


async def _follow(parent: int, server: uvicorn.Server) -> None:
    """End with the process that started us, however it ended.

    PR_SET_PDEATHSIG would fire too early: when the *thread* that started us ends.
    """
    while os.getppid() == parent:
        await asyncio.sleep(PARENT_POLL_SECONDS)
    server.should_exit = True

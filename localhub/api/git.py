"""`git clone` and `git fetch` over smart HTTP, by git's own upload-pack; pushes are refused in words.

Protocol: https://git-scm.com/docs/http-protocol and https://git-scm.com/docs/gitprotocol-v2. A request goes
to an unlinked file, from which `git upload-pack` reads; what it writes is sent as it comes. So memory holds
one step of each, whatever the size of the repository.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import zlib
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from signal import SIGKILL
from typing import IO

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from localhub import gitprogram
from localhub.api.call import Call
from localhub.errors import HubError

STEP = 1 << 18  # bytes sent at once
MOST_ASKED = 64 << 20  # bytes of one inflated request: a line for each object that the client wants or has
MOST_AT_ONCE = 8
PATIENCE = 60  # seconds that a request waits for its turn
STALLED = 30  # seconds within which a client takes a step; then its turn is another's
NO_PUSH = (
    "This Hub takes no pushes by git, which would go round its checks. Upload with the client instead: "
    "`hf upload {id} FOLDER{option}`, or huggingface_hub's upload_folder and create_commit."
)
# Nothing of the user's or the machine's configuration applies, and no hook runs.
SETTINGS = {
    "safe.directory": "*",
    "core.hooksPath": os.devnull,
    "core.bigFileThreshold": "8m",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",  # `git fetch origin SHA`, as the Hub allows
    "pack.threads": "1",
    # The way is short: packing four times as fast is worth more than a few percent of size.
    "pack.compression": "1",
    "pack.window": "0",
}


async def advertise(call: Call) -> Response:
    """GET /ID[.git]/info/refs?service=git-upload-pack: what there is to fetch."""
    try:
        _refuse_push(call, call.query.get("service"))
        place = await run_in_threadpool(_place, call)
        return await _answer(call, place, "--advertise-refs", None)
    except HubError as error:
        return _said(error)


async def upload_pack(call: Call) -> Response:
    """POST /ID[.git]/git-upload-pack: the objects that a clone or fetch asks for."""
    try:
        place = await run_in_threadpool(_place, call)
        with tempfile.TemporaryFile(dir=call.hub.data / "tmp") as asked:
            await _receive(call, asked)
            return await _answer(call, place, None, asked)
    except HubError as error:
        return _said(error)


async def receive_pack(call: Call) -> Response:
    """POST /ID[.git]/git-receive-pack: refused."""
    return _said(_no_push(call))


def refuse_lfs_push(call: Call) -> None:
    """HubError 403 for an upload by git-lfs, which sends Basic credentials where the client sends a token."""
    scheme = call.request.headers.get("authorization", "").partition(" ")[0]
    if scheme.lower() == "basic" or "git-lfs" in call.request.headers.get("user-agent", ""):
        raise _no_push(call)


def _refuse_push(call: Call, service: str | None) -> None:
    if service == "git-receive-pack":
        raise _no_push(call)
    if service != "git-upload-pack":
        raise HubError(403, "Only git's smart HTTP protocol is served: this git is too old, or no git.")


def _no_push(call: Call) -> HubError:
    kind = call.args.get("kind", "models").removesuffix("s")
    option = "" if kind == "model" else f" --repo-type {kind}"
    text = NO_PUSH.format(id=f"{call.args['ns']}/{call.args['name']}", option=option)
    error = HubError(403, text)
    error.body["message"] = text  # where git-lfs looks for it
    return error


def _place(call: Call) -> Path:
    return call.find().path / "git"


def _said(error: HubError) -> Response:
    """A refusal that git shows: text/plain becomes `remote: ...`, and 401 makes it ask for credentials."""
    headers = dict(error.headers)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="localhub"'
    if error.code:
        headers["X-Error-Code"] = error.code
    return PlainTextResponse(f"{error.message}\n", error.status, headers)


async def _receive(call: Call, file: IO[bytes]) -> None:
    """Put the request's body, inflated, into a file, and go to its start. HubError 400, 413, 415."""
    coding = call.request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip", "x-gzip"):
        raise HubError(415, f"Content-Encoding {coding[:40]!r} is not understood; use gzip.")
    inflate = None if coding == "identity" else zlib.decompressobj(31)  # 31: gzip's own header
    async for chunk in call.request.stream():
        await run_in_threadpool(_keep, file, chunk, inflate)
    if inflate and not inflate.eof:
        raise HubError(400, "The request's gzip data ends too early.")
    file.seek(0)


def _keep(file: IO[bytes], chunk: bytes, inflate: zlib._Decompress | None) -> None:
    for data in _inflated(chunk, inflate) if inflate else [chunk]:
        file.write(data)
        if file.tell() > MOST_ASKED:
            raise HubError(413, f"The request is longer than {MOST_ASKED} bytes.")


def _inflated(chunk: bytes, inflate: zlib._Decompress) -> Iterator[bytes]:
    """A chunk of gzip data, a step at a time: a few bytes may stand for gigabytes."""
    data, rest = b"", chunk
    while rest or len(data) == STEP:
        if inflate.eof:
            if rest:
                raise HubError(400, "The request goes on after the end of its gzip data.")
            return
        try:
            data = inflate.decompress(rest, STEP)
        except zlib.error:
            raise HubError(400, "The request is not valid gzip data.") from None
        rest = inflate.unconsumed_tail or inflate.unused_data
        yield data


async def _answer(call: Call, place: Path, option: str | None, asked: IO[bytes] | None) -> Response:
    """What upload-pack says, as it says it. HubError 501 without git, 503 when too many are at work."""
    git = gitprogram.find("Cloning")
    await _turn()
    try:
        process = await _start(git, call.request.headers.get("git-protocol", ""), place, option, asked)
    except BaseException:
        _turns().release()
        raise
    what = "advertisement" if option else "result"
    head = b"001e# service=git-upload-pack\n0000" if option else b""
    return Pack(process, head, f"application/x-git-upload-pack-{what}")


@cache
def _turns() -> asyncio.Semaphore:
    return asyncio.Semaphore(MOST_AT_ONCE)


async def _turn() -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            await _turns().acquire()
    except TimeoutError:
        raise HubError(503, "Too many clones at once; try again.").with_headers(Retry_After="30") from None


async def _start(
    git: str, protocol: str, place: Path, option: str | None, asked: IO[bytes] | None
) -> asyncio.subprocess.Process:
    settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    options = ["--stateless-rpc", "--strict", "--timeout=600", *([option] if option else [])]
    return await asyncio.create_subprocess_exec(
        git,
        *settings,
        "upload-pack",
        *options,
        str(place),
        stdin=asked or asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(protocol),
        limit=STEP,
        start_new_session=True,  # a Ctrl-C at the server's terminal is the server's
    )


def _environment(protocol: str) -> dict[str, str]:
    """GIT_PROTOCOL comes from the client: it may choose a version, and no more."""
    known = protocol if protocol in ("version=0", "version=1", "version=2") else ""
    return gitprogram.environment() | {"GIT_PROTOCOL": known}


class Pack(StreamingResponse):
    """What a process writes. It ends with the answer: when all is said, or when the client goes away.

    A client that stays and takes nothing loses it too: what it then gets ends too early, as it will see.
    """

    def __init__(self, process: asyncio.subprocess.Process, head: bytes, media_type: str) -> None:
        self.process = process
        self.ending: asyncio.Task[None] | None = None
        super().__init__(self._output(head), headers={"Cache-Control": "no-cache"}, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await asyncio.shield(self._end())

    async def _output(self, head: bytes) -> AsyncIterator[bytes]:
        assert self.process.stdout is not None
        piece = head or await self.process.stdout.read(STEP)
        while piece:
            timer = asyncio.get_running_loop().call_later(STALLED, self._end)
            try:
                yield piece
            finally:
                timer.cancel()
            piece = await self.process.stdout.read(STEP)
        await self.process.wait()  # what it had to complain of, it has told the client

    def _end(self) -> asyncio.Task[None]:
        self.ending = self.ending or asyncio.get_running_loop().create_task(_end(self.process))
        return self.ending


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, SIGKILL)  # with pack-objects, which it started
    assert process.stdout is not None
    while await process.stdout.read(STEP):
        pass  # asyncio takes a process for ended when its pipe is read to the end
    await process.wait()
    _turns().release()

"""Xet uploads: huggingface_hub sends large files this way when hf_xet is installed, as it is by default.

https://huggingface.co/docs/xet/upload-protocol. The client cuts files into chunks, packs those into xorbs,
sends the xorbs and then a shard that says how files are made of them. We put the files together at once and
keep them as any large file, by their SHA-256: the commit that follows, downloads and git see no difference.
Downloads through Xet are not served (no answer names a file's Xet hash).

The client's token for this is ours: signed for one scope, one user's shelf of one repository, with an end.
"""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from localhub.api.call import Call
from localhub.api.transfers import adopt, receive
from localhub.auth import check_signature, sign
from localhub.errors import HubError
from localhub.storage import lfs, repos, trees
from localhub.storage.repos import Repo
from localhub.xet import rebuild, shards, shelves, xorbs

TOKEN_SECONDS = 1800  # the client asks for another in time
MAX_SHARD = 64 << 20  # bytes; the client's own bound
GONE = "What was uploaded here was not used for long and is gone; start the upload again."
_HASH = re.compile("[0-9a-f]{64}", re.ASCII)


def write_token(call: Call) -> Response:
    """GET /api/T/ID/xet-write-token/REV[?create_pr=1]: for writers, and for members for a pull request.

    As with LFS, uploading shows nothing to anybody; the commit that names the file has checks of its own.
    """
    proposal = bool(call.query.get("create_pr")) or call.args["rev"].startswith("refs/pr/")
    repo, user = call.find_as_member() if proposal else call.find_writable()
    _check_revision(call, repo)
    return _token(call, repo, "write", shelves.current(call.hub.data, repo, user.name))


def read_token(call: Call) -> Response:
    """GET /api/T/ID/xet-read-token/REV: opens nothing here but the question which chunks are known: none."""
    repo = call.find()
    _check_revision(call, repo)
    user = call.user.name if call.user else ""
    return _token(call, repo, "read", f"{shelves.owner_of(repo, user)}-{'0' * 16}")


def _check_revision(call: Call, repo: Repo) -> None:
    if not call.query.get("create_pr"):  # the client then does not know where it will write
        trees.resolve(repo.git(), call.args["rev"])


def _token(call: Call, repo: Repo, scope: str, shelf: str) -> Response:
    ends, signature = sign(call.hub.secret, _purpose(repo, scope, shelf), int(time.time()) + TOKEN_SECONDS)
    url = f"{call.endpoint}/-/xet/{repo.kind}s/{repo.id}/{shelf}"
    token = f"{scope}-{ends}-{signature}"
    headers = {"X-Xet-Cas-Url": url, "X-Xet-Access-Token": token, "X-Xet-Token-Expiration": str(ends)}
    return JSONResponse({"casUrl": url, "exp": ends, "accessToken": token}, headers=headers)


def _purpose(repo: Repo, scope: str, shelf: str) -> str:
    return f"xet-{scope} {repo.uid} {shelf}"


def _allowed(call: Call, *scopes: str) -> tuple[Repo, str]:
    """The repository and the shelf that the address names, if the token is for them and one of the scopes.

    Else HubError 401, at which the client asks for a new token, or 403. A repository that is not there
    answers as one that the token is not for.
    """
    args, words = call.args, call.request.headers.get("authorization", "").split(" ")
    scope, ends, signature = [*words[-1].split("-"), "", ""][:3]
    repo = repos.find(call.hub.data, args["kind"].removesuffix("s"), args["ns"], args["name"])
    try:
        if repo is None or len(words) != 2:
            raise HubError(403, "No token.")
        check_signature(call.hub.secret, _purpose(repo, scope, args["shelf"]), ends, signature)
    except HubError:
        raise HubError(401, "This token for Xet is not valid here, or has expired.") from None
    if scope not in scopes:
        raise HubError(403, f"This token for Xet has the scope '{scope}'.")
    return repo, args["shelf"]


def _shelf(call: Call) -> tuple[Repo, Path]:
    repo, name = _allowed(call, "write")
    shelf = shelves.find(call.hub.data, name)
    if shelf is None:
        raise HubError(404, GONE)
    return repo, shelf


async def put_xorb(call: Call) -> dict[str, bool]:
    """POST /v1/xorbs/default/HASH: a xorb, streamed to the shelf. HubError 400 unless its headers make sense.

    That it is the xorb of this hash is not checked: nobody else can refer to it, and files are checked.
    """
    _, shelf = await run_in_threadpool(_shelf, call)
    name, temporary = call.args["hash"], call.hub.data / "tmp" / uuid4().hex
    if not _HASH.fullmatch(name):
        raise HubError(400, "A xorb is named by 64 hexadecimal digits.")
    try:
        size = await receive(call, temporary, xorbs.MAX_XORB, lambda _: None)
        new = await run_in_threadpool(_keep, temporary, size, shelf / name)
    finally:
        temporary.unlink(missing_ok=True)
    return {"was_inserted": new}


def _keep(temporary: Path, size: int, final: Path) -> bool:
    """Put a xorb that has arrived whole into its place; whether it is new there."""
    with open(temporary, "rb") as file:
        xorbs.offsets(file, size)
    new = not final.exists()
    try:
        temporary.replace(final)
    except FileNotFoundError:
        raise HubError(404, GONE) from None
    return new


async def put_shard(call: Call) -> dict[str, int]:
    """POST /v1/shards: puts the files together; afterwards a commit may name them by their SHA-256.

    What was put together before a refusal, or a kill, stays, and is passed over when the shard comes again.
    """
    repo, shelf = await run_in_threadpool(_shelf, call)
    shard = bytearray()
    async for chunk in call.request.stream():
        shard += chunk
        if len(shard) > MAX_SHARD:
            raise HubError(413, f"A shard may have at most {MAX_SHARD} bytes.")
    await run_in_threadpool(_register, call.hub.data, repo, shelf, bytes(shard))
    _sweep_later(call.hub.data)
    return {"result": 1}


def _sweep_later(data: Path) -> None:
    loop = asyncio.get_running_loop()
    loop.call_later(shelves.IDLE + 1, lambda: loop.run_in_executor(None, shelves.sweep, data))


def _register(data: Path, repo: Repo, shelf: Path, shard: bytes) -> None:
    known: rebuild.Offsets = {}
    for file in shards.files(shard):
        if lfs.size_of(repo.path, file.oid) == file.size:
            continue
        temporary = data / "tmp" / uuid4().hex
        try:
            rebuild.write(shelf, file, temporary, known)
            adopt(repo, file.oid, temporary)
        finally:
            temporary.unlink(missing_ok=True)


def unknown_chunk(call: Call) -> dict[str, Any]:
    """GET /v1/chunks/PREFIX/HASH: 404. Chunks are known to nobody but the client that sent them."""
    _allowed(call, "read", "write")
    raise HubError(404, "No chunk of this hash is known.")


def older(call: Call) -> dict[str, Any]:
    """POST /v1/xorb-grants/..., POST /v2/shards: 404 sends the client to /v1/xorbs and /v1/shards."""
    _allowed(call, "write")
    raise HubError(404, "Send it to /v1/xorbs or /v1/shards.")

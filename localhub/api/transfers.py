"""The bytes of large files, by links that carry their own permission.

The client sends no credentials with a PUT, a part or the completion of one: each address is signed for one
verb on one object of one repository, and ends after some hours. Knowing a SHA-256 signs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from localhub.api.call import Call, objects
from localhub.auth import check_signature, sign
from localhub.errors import HubError, repo_not_found
from localhub.names import check_sha256
from localhub.storage import lfs, parts, repos
from localhub.storage.repos import Repo

STEP = 1 << 20  # bytes written at once


def link(call: Call, repo: Repo, verb: str, oid: str, size: int, **more: str) -> str:
    """A signed address to "put", "get" or "complete" an object, or put a "part"; `more` joins its query."""
    fields = {"size": str(size), **more}
    ends, signature = sign(call.hub.secret, _purpose(repo, verb, oid, fields))
    query = urlencode({**fields, "expires": ends, "signature": signature})
    return f"{call.endpoint}/-/lfs/{repo.kind}s/{repo.id}/{oid}?{query}"


def pieces(call: Call, repo: Repo, oid: str, size: int) -> dict[str, Any]:
    """The upload action of a file in parts: where to complete it, and in `header` an address a part."""
    user = call.user.name if call.user else ""
    name = f"{repo.uid}\n{user}\n{oid}\n{size}"  # the same when the upload is begun anew
    key = sha256(name.encode()).hexdigest()[:32]
    header: dict[str, str] = {"chunk_size": str(parts.chunk_size(size))}
    for number in range(1, parts.count(size) + 1):
        header[f"{number:05d}"] = link(call, repo, "part", oid, size, key=key, part=str(number))
    return {"href": link(call, repo, "complete", oid, size, key=key), "header": header}


def _purpose(repo: Repo | None, verb: str, oid: str, fields: dict[str, str]) -> str:
    """What is signed. It names the repository itself: no link passes to another of the same id."""
    uid = repo.uid if repo else "none"
    return f"{verb} {uid} {oid} {' '.join(f'{name}={fields[name]}' for name in sorted(fields))}"


def _linked(call: Call, verb: str, *names: str) -> tuple[Repo, str, dict[str, str]]:
    """(repository, object, signed fields of the query). The signature is the permission: no user is needed.

    HubError 403 alike for a wrong link and for a repository that is not there.
    """
    query, args = call.query, call.args
    oid = check_sha256(args["oid"])
    fields = {name: query.get(name, "") for name in ("size", *names)}
    repo = repos.find(call.hub.data, args["kind"].removesuffix("s"), args["ns"], args["name"])
    purpose = _purpose(repo, verb, oid, fields)
    check_signature(call.hub.secret, purpose, query.get("expires", ""), query.get("signature", ""))
    assert repo is not None  # nothing was ever signed for "none"
    return repo, oid, fields


async def put(call: Call) -> Response:
    """PUT of a large file, or of one part of it: streamed to a temporary file, then renamed into its place.

    Raises HubError 400 when the bytes are not what the link was signed for. A client that goes away leaves
    nothing of this request.
    """
    return await (_put_part(call) if "part" in call.query else _put_whole(call))


async def _put_whole(call: Call) -> Response:
    repo, oid, fields = await run_in_threadpool(_linked, call, "put")
    size, digest, temporary = int(fields["size"]), sha256(), call.hub.data / "tmp" / uuid4().hex
    try:
        received = await receive(call, temporary, size, digest.update)
        if received != size or digest.hexdigest() != oid:
            raise HubError(400, f"The bytes received ({received}) are not the object {oid} ({size}).")
        await run_in_threadpool(adopt, repo, oid, temporary)
    finally:
        temporary.unlink(missing_ok=True)
    return Response(status_code=200, headers={"ETag": f'"{oid}"'})


async def _put_part(call: Call) -> Response:
    """One part. Its bytes are checked together with the others, when the upload is completed."""
    _, _, fields = await run_in_threadpool(_linked, call, "part", "key", "part")
    number, temporary = int(fields["part"]), call.hub.data / "tmp" / uuid4().hex
    expected = parts.length(int(fields["size"]), number)
    try:
        received = await receive(call, temporary, expected, lambda _: None)
        if received != expected:
            raise HubError(400, f"Part {number} has {received} bytes, not the {expected} announced.")
        await run_in_threadpool(parts.keep, call.hub.data, fields["key"], number, temporary)
    finally:
        temporary.unlink(missing_ok=True)
    return Response(status_code=200, headers={"ETag": _etag(fields["key"], number)})


def _etag(key: str, number: int) -> str:
    return f'"{key}-{number}"'


async def receive(call: Call, temporary: Path, most: int, seen: Callable[[bytes], None]) -> int:
    """Write the request's body to a file, STEP by STEP, and show it to `seen`; how many bytes came."""
    received, pending = 0, bytearray()
    with open(temporary, "xb", buffering=0) as file:

        def flush(data: bytes) -> None:
            seen(data)
            view = memoryview(data)
            while view:  # an unbuffered write may take only a part, on a disk that is filling up
                view = view[file.write(view) :]

        async for chunk in call.request.stream():
            received += len(chunk)
            if received > most:
                raise HubError(400, f"More bytes than the {most} announced.")
            pending += chunk
            if len(pending) >= STEP:
                await run_in_threadpool(flush, bytes(pending))
                pending.clear()
        await run_in_threadpool(flush, bytes(pending))
    return received


def adopt(repo: Repo, oid: str, temporary: Path) -> None:
    """Move a checked temporary file among the repository's large files; RepoNotFound if that is gone."""
    try:
        lfs.adopt(repo.path, oid, temporary)
    except FileNotFoundError:
        raise repo_not_found(anonymous=False) from None


def complete(call: Call) -> Response:
    """POST `{oid, parts: [{partNumber, etag}]}`: join the parts. 200 again when that has been done."""
    repo, oid, fields = _linked(call, "complete", "key")
    size, key = int(fields["size"]), fields["key"]
    with parts.completing(call.hub.data, key):
        if lfs.size_of(repo.path, oid) != size:
            _check_parts(call, oid, key, parts.count(size))
            whole = parts.join(call.hub.data, key, oid, size)
            try:
                adopt(repo, oid, whole)
            finally:
                whole.unlink(missing_ok=True)
    return JSONResponse({"success": True}, headers={"ETag": f'"{oid}"'})


def _check_parts(call: Call, oid: str, key: str, count: int) -> None:
    sent = objects(call.body.get("parts"), "parts")
    expected = [{"partNumber": number, "etag": _etag(key, number)} for number in range(1, count + 1)]
    if call.text("oid") != oid or sent != expected:
        raise HubError(
            400, f"The completion must name the object and its {count} parts with their ETags, in order."
        )


def get(call: Call) -> Response:
    """GET of a large file by a signed link (git-lfs)."""
    from localhub.api.files import StoredFile

    repo, oid, fields = _linked(call, "get")
    if lfs.size_of(repo.path, oid) != int(fields["size"]):
        raise HubError(404, "Object does not exist")
    path = lfs.object_path(repo.path, oid)
    return StoredFile(path, media_type="application/octet-stream", stat_result=path.stat())

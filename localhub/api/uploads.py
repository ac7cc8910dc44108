"""Before a commit: which files go where, and the bytes of the large ones (Git LFS batch API, basic transfer).

https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md. The client sends no credentials with the PUT,
so its address is signed for one object of one repository and ends after some hours.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pygit2
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from localhub.api.call import Call, objects
from localhub.auth import check_signature, sign
from localhub.errors import HubError, repo_not_found
from localhub.names import check_path, check_sha256
from localhub.storage import attributes, lfs, repos, trees
from localhub.storage.repos import Repo

STEP = 1 << 20  # bytes written at once
LFS_JSON = "application/vnd.git-lfs+json"


def preupload(call: Call) -> dict[str, Any]:
    """POST /api/T/ID/preupload/REV: LFS or regular, ignored or not, and the identity of what is there."""
    repo, _ = call.find_as_member()
    git = repo.git()
    commit = trees.resolve(git, call.args["rev"])
    files = objects(call.body.get("files"), "files")
    ignored = _ignored(git, commit, call.text("gitIgnore", "") or None, files)
    return {"files": [_mode(git, commit, file, ignored) for file in files]}


def _mode(
    git: pygit2.Repository, commit: pygit2.Commit, file: dict[str, Any], ignored: set[str]
) -> dict[str, Any]:
    path = check_path(str(file.get("path", "")))
    try:
        sample = base64.b64decode(str(file.get("sample", "")))
    except binascii.Error:
        raise HubError(400, f"The sample of {path} is not base64.") from None
    size = file.get("size")
    if not isinstance(size, int):
        raise HubError(400, f"The size of {path} is missing.")
    large = size >= attributes.LARGE or attributes.looks_binary(sample)
    large = large or attributes.is_large(git, commit.id, path)
    found = {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": path in ignored}
    there = trees.entry(git, commit, path)
    return found | {"oid": there.etag} if there and there.kind == "file" else found


def _ignored(
    git: pygit2.Repository, commit: pygit2.Commit, content: str | None, files: list[dict[str, Any]]
) -> set[str]:
    """The paths that a .gitignore (sent along, among the repository's files) leaves out."""
    content = content if content is not None else trees.text_at(git, commit, ".gitignore")
    if not content:
        return set()
    from dulwich.ignore import IgnoreFilter

    rules = IgnoreFilter(
        [line.encode() for line in content.splitlines() if line and not line.startswith("#")]
    )
    paths = [str(file.get("path", "")) for file in files]
    return {path for path in paths if _is_ignored(rules, path)}


def _is_ignored(rules: Any, path: str) -> bool:
    """git's own order: a folder that is ignored takes its files with it."""
    parts = path.split("/")
    folders = ["/".join(parts[:depth]) + "/" for depth in range(1, len(parts))]
    return any(rules.is_ignored(candidate) for candidate in (*folders, path))


def batch(call: Call) -> Response:
    """POST /ID.git/info/lfs/objects/batch: where to send or fetch each object."""
    operation = call.text("operation")
    if operation not in ("upload", "download"):
        raise HubError(422, "'operation' must be upload or download.")
    repo = call.find_as_member()[0] if operation == "upload" else call.find()
    if call.text("hash_algo", "sha256") != "sha256":
        raise HubError(409, "Only SHA-256 objects are served.")
    action = _upload if operation == "upload" else _download
    rows = [action(call, repo, item) for item in objects(call.body.get("objects"), "objects")]
    body = {"transfer": "basic", "objects": rows, "hash_algo": "sha256"}
    return JSONResponse(body, media_type=LFS_JSON)


def _object(item: dict[str, Any]) -> tuple[str, int]:
    size = item.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 50:
        raise HubError(422, "An object needs a size in bytes.")
    return check_sha256(str(item.get("oid", ""))), size


def _upload(call: Call, repo: Repo, item: dict[str, Any]) -> dict[str, Any]:
    oid, size = _object(item)
    row: dict[str, Any] = {"oid": oid, "size": size, "authenticated": True}
    if lfs.size_of(repo.path, oid) == size:
        return row  # nothing to send
    verify = f"{call.endpoint}/{_prefix(repo)}{repo.id}.git/info/lfs/objects/verify"
    actions = {"upload": {"href": _link(call, repo, "put", oid, size)}, "verify": {"href": verify}}
    return row | {"actions": actions}


def _download(call: Call, repo: Repo, item: dict[str, Any]) -> dict[str, Any]:
    oid, size = _object(item)
    if lfs.size_of(repo.path, oid) != size:
        return {"oid": oid, "size": size, "error": {"code": 404, "message": "Object does not exist"}}
    href = _link(call, repo, "get", oid, size)
    return {"oid": oid, "size": size, "authenticated": True, "actions": {"download": {"href": href}}}


def _prefix(repo: Repo) -> str:
    return "" if repo.kind == "model" else f"{repo.kind}s/"


def _purpose(kind: str, repo_id: str, verb: str, oid: str, size: str) -> str:
    return f"{verb} {kind}/{repo_id} {oid} {size}"


def _link(call: Call, repo: Repo, verb: str, oid: str, size: int) -> str:
    ends, signature = sign(call.hub.secret, _purpose(f"{repo.kind}s", repo.id, verb, oid, str(size)))
    query = urlencode({"size": size, "expires": ends, "signature": signature})
    return f"{call.endpoint}/-/lfs/{repo.kind}s/{repo.id}/{oid}?{query}"


def _linked(call: Call, verb: str) -> tuple[Repo, str, int]:
    """(repository, object, size) of a signed link. The signature is the permission: no user is needed."""
    query, args = call.query, call.args
    oid, size = check_sha256(args["oid"]), query.get("size", "")
    purpose = _purpose(args["kind"], f"{args['ns']}/{args['name']}", verb, oid, size)
    check_signature(call.hub.secret, purpose, query.get("expires", ""), query.get("signature", ""))
    repo = repos.find(call.hub.data, args["kind"].removesuffix("s"), args["ns"], args["name"])
    if repo is None:
        raise HubError(404, "Repository not found", "RepoNotFound")
    return repo, oid, int(size)


async def put(call: Call) -> Response:
    """PUT of a large file: streamed to a temporary file, checked against its name, renamed into the store.

    Raises HubError 400 when the bytes are not what the link was signed for. A client that goes away leaves
    nothing.
    """
    repo, oid, size = await run_in_threadpool(_linked, call, "put")
    temporary = call.hub.data / "tmp" / uuid4().hex
    digest, received, pending = sha256(), 0, bytearray()
    try:
        with open(temporary, "wb", buffering=0) as file:

            def flush(data: bytes) -> None:
                digest.update(data)
                view = memoryview(data)
                while view:  # an unbuffered write may take only a part, on a disk that is filling up
                    view = view[file.write(view) :]

            async for chunk in call.request.stream():
                received += len(chunk)
                if received > size:
                    raise HubError(400, f"More bytes than the {size} announced.")
                pending += chunk
                if len(pending) >= STEP:
                    await run_in_threadpool(flush, bytes(pending))
                    pending.clear()
            await run_in_threadpool(flush, bytes(pending))
        if received != size or digest.hexdigest() != oid:
            raise HubError(400, f"The bytes received ({received}) are not the object {oid} ({size}).")
        await run_in_threadpool(_adopt, repo, oid, temporary)
    finally:
        temporary.unlink(missing_ok=True)
    return Response(status_code=200, headers={"ETag": f'"{oid}"'})


def _adopt(repo: Repo, oid: str, temporary: Path) -> None:
    try:
        lfs.adopt(repo.path, oid, temporary)
    except FileNotFoundError:
        raise repo_not_found(anonymous=False) from None


def get(call: Call) -> Response:
    """GET of a large file by a signed link (git-lfs)."""
    from localhub.api.files import StoredFile

    repo, oid, size = _linked(call, "get")
    if lfs.size_of(repo.path, oid) != size:
        raise HubError(404, "Object does not exist")
    path = lfs.object_path(repo.path, oid)
    return StoredFile(path, media_type="application/octet-stream", stat_result=path.stat())


def verify(call: Call) -> dict[str, Any]:
    """POST /ID.git/info/lfs/objects/verify: has it arrived whole?"""
    repo, _ = call.find_as_member()
    oid, size = _object(dict(call.body))
    if lfs.size_of(repo.path, oid) != size:
        raise HubError(404, f"Object {oid} of {size} bytes is not here.")
    return {"success": True}


def no_locks(_: Call) -> Response:
    """POST /ID.git/info/lfs/locks/verify: 404 tells git-lfs that file locking is not served."""
    return JSONResponse({"message": "File locking is not served."}, status_code=404, media_type=LFS_JSON)

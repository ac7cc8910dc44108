"""Before a commit: which files go where, and where the bytes of the large ones are to be sent.

Git LFS batch API, https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md, with the Hub's multipart
transfer for files from `Hub.multipart_from` bytes on (huggingface_hub/lfs.py). The bytes go to `transfers`.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import pygit2
from starlette.responses import JSONResponse, Response

from localhub.api import transfers
from localhub.api.call import Call, objects
from localhub.api.commit import permitted
from localhub.api.git import refuse_lfs_push
from localhub.errors import HubError
from localhub.names import check_path, check_sha256
from localhub.storage import attributes, ignoring, lfs, parts, trees
from localhub.storage.repos import Repo

LFS_JSON = "application/vnd.git-lfs+json"
MOST_FILES = 1000  # of one preupload or batch; the client asks for 256
MOST_LINKS = 100_000  # addresses of parts in one answer
MOST_BYTES = 500 * 10**9  # of one file: the Hub's hard limit, https://huggingface.co/docs/hub/storage-limits


def preupload(call: Call) -> dict[str, Any]:
    """POST /api/T/ID/preupload/REV: LFS or regular, ignored or not, and the identity of what is there.

    `oid` is how the client finds out which files have not changed; see huggingface_hub/_commit_api.py:
    _fetch_upload_modes.
    """
    repo, _ = permitted(call)
    git = repo.git()
    commit = trees.resolve(git, call.args["rev"])
    files = objects(call.body.get("files"), "files", MOST_FILES)
    paths = [check_path(str(file.get("path", ""))) for file in files]
    rules = call.text("gitIgnore", "", limit=ignoring.MAX_RULES)  # sent along, or in the repository
    rules = rules or trees.text_at(git, commit, ignoring.FILE) or ""
    ignored = ignoring.ignored(rules, paths, call.hub.data / "tmp")
    return {"files": [_mode(git, commit, file, ignored) for file in files]}


def _mode(
    git: pygit2.Repository, commit: pygit2.Commit, file: dict[str, Any], ignored: set[str]
) -> dict[str, Any]:
    path = check_path(str(file.get("path", "")))
    try:
        sample = base64.b64decode(str(file.get("sample", "")))
    except (binascii.Error, ValueError):
        raise HubError(400, f"The sample of {path} is not base64.") from None
    size = file.get("size")
    if not isinstance(size, int):
        raise HubError(400, f"The size of {path} is missing.")
    large = size >= attributes.LARGE or attributes.looks_binary(sample)
    large = large or attributes.is_large(git, commit.id, path)
    found = {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": path in ignored}
    there = trees.entry(git, commit, path)
    return found | {"oid": there.etag} if there and there.kind == "file" else found


def batch(call: Call) -> Response:
    """POST /ID.git/info/lfs/objects/batch: where to send or fetch each object."""
    operation = call.text("operation")
    if operation not in ("upload", "download"):
        raise HubError(422, "'operation' must be upload or download.")
    if operation == "upload":
        refuse_lfs_push(call)
    repo = call.find_as_member()[0] if operation == "upload" else call.find()
    if call.text("hash_algo", "sha256") != "sha256":
        raise HubError(409, "Only SHA-256 objects are served.")
    wanted = [_object(item) for item in objects(call.body.get("objects"), "objects", MOST_FILES)]
    if operation == "download":
        return _answer("basic", [_download(call, repo, oid, size) for oid, size in wanted])
    cut = {(oid, size) for oid, size in wanted if _in_parts(call, repo, oid, size)}
    if sum(parts.count(size) for _, size in cut) > MOST_LINKS:
        raise HubError(413, "These files have too many parts for one answer; ask for fewer at once.")
    rows = [_upload(call, repo, oid, size, (oid, size) in cut) for oid, size in wanted]
    return _answer("multipart" if cut else "basic", rows)


def _answer(transfer: str, rows: list[dict[str, Any]]) -> Response:
    return JSONResponse({"transfer": transfer, "objects": rows, "hash_algo": "sha256"}, media_type=LFS_JSON)


def _object(item: dict[str, Any]) -> tuple[str, int]:
    size = item.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 50:
        raise HubError(422, "An object needs a size in bytes.")
    return check_sha256(str(item.get("oid", ""))), size


def _in_parts(call: Call, repo: Repo, oid: str, size: int) -> bool:
    """Whether it goes in parts: a big file from a client that can, any from one that can do nothing else."""
    offered = call.body.get("transfers")
    offered = offered if isinstance(offered, list) else []
    if "multipart" not in offered or not 0 < size <= MOST_BYTES or lfs.size_of(repo.path, oid) == size:
        return False
    return size >= call.hub.multipart_from or "basic" not in offered


def _upload(call: Call, repo: Repo, oid: str, size: int, cut: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"oid": oid, "size": size, "authenticated": True}
    if lfs.size_of(repo.path, oid) == size:
        return row  # nothing to send
    if size > MOST_BYTES:
        message = f"A file may have at most {MOST_BYTES // 10**9} GB; this one has {size} bytes."
        return {"oid": oid, "size": size, "error": {"code": 422, "message": message}}
    verify = f"{call.endpoint}/{_prefix(repo)}{repo.id}.git/info/lfs/objects/verify"
    send = transfers.pieces if cut else _whole
    return row | {"actions": {"upload": send(call, repo, oid, size), "verify": {"href": verify}}}


def _whole(call: Call, repo: Repo, oid: str, size: int) -> dict[str, Any]:
    return {"href": transfers.link(call, repo, "put", oid, size)}


def _download(call: Call, repo: Repo, oid: str, size: int) -> dict[str, Any]:
    if lfs.size_of(repo.path, oid) != size:
        return {"oid": oid, "size": size, "error": {"code": 404, "message": "Object does not exist"}}
    href = transfers.link(call, repo, "get", oid, size)
    return {"oid": oid, "size": size, "authenticated": True, "actions": {"download": {"href": href}}}


def _prefix(repo: Repo) -> str:
    return "" if repo.kind == "model" else f"{repo.kind}s/"


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

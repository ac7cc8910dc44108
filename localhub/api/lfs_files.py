"""The large files that a repository stores: listed, deleted for good, lent to another repository."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from localhub.api.call import Call, objects
from localhub.api.paging import page
from localhub.auth import require_user, require_write
from localhub.errors import HubError, repo_not_found
from localhub.names import check_sha256
from localhub.storage import history, lfs, repos
from localhub.storage.repos import Repo

PAGE = 1000
MOST = 1000  # of one deletion or duplication; the client asks for 1,000 and 500


def listing(call: Call) -> Response:
    """GET /api/T/ID/lfs-files, newest first, in pages that a `Link` header chains.

    An object that was uploaded and never committed has its own hash for a name, and no ref.
    """
    repo, _ = call.find_writable()
    start, limit = call.count("cursor", 0, 10**7), max(1, call.count("limit", PAGE, PAGE))
    rows = sorted(_rows(repo), key=lambda row: (row["pushedAt"], row["fileOid"]), reverse=True)
    return page(call, rows[start : start + limit], start + limit if start + limit < len(rows) else None)


def _rows(repo: Repo) -> Iterator[dict[str, Any]]:
    """As `huggingface_hub.hf_api.LFSFileInfo` reads them."""
    names = history.large_files(repo.git())
    for oid, size, when in lfs.stored(repo.path):
        filename, ref = names.get(oid, (oid, None))
        pushed = datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row = {"fileOid": oid, "oid": oid, "filename": filename, "size": size, "pushedAt": pushed}
        yield row | ({"ref": ref} if ref else {})


def batch(call: Call) -> dict[str, Any]:
    """POST /api/T/ID/lfs-files/batch `{deletions: {sha: [...], rewriteHistory}}`"""
    repo, _ = call.find_writable()
    deletions = call.body.get("deletions")
    if not isinstance(deletions, dict) or not isinstance(deletions.get("sha"), list):
        raise HubError(400, "'deletions' must be an object with a list 'sha'.")
    if len(deletions["sha"]) > MOST:
        raise HubError(413, f"At most {MOST} files can be deleted at once.")
    doomed = {check_sha256(str(oid)) for oid in deletions["sha"]}
    history.delete_large_files(repo, doomed, rewrite=deletions.get("rewriteHistory", True) is True)
    return {"success": True}


def duplicate(call: Call) -> dict[str, Any]:
    """POST /api/T/ID/lfs-files/duplicate `{target: {type, name}, files: [{sha256, filename}]}`

    Asked of the repository that has the files, before a commit that copies them (huggingface_hub/hf_api.py:
    _duplicate_lfs_files). Only what a commit of it shows can be lent: else a hash would open a file.
    """
    source, target = call.find(), _target(call)
    asked = [check_sha256(str(item.get("sha256"))) for item in objects(call.body.get("files"), "files", MOST)]
    known = history.large_files(source.git())
    done = [oid for oid in asked if oid in known and lfs.lend(source.path, target.path, oid)]
    failed = [{"sha256": oid, "error": "File not found"} for oid in asked if oid not in done]
    return {"success": [{"sha256": oid} for oid in done], "failed": failed}


def _target(call: Call) -> Repo:
    user, wanted = require_user(call.user), call.body.get("target")
    wanted = wanted if isinstance(wanted, dict) else {}
    kind, (namespace, _, name) = wanted.get("type", "model"), str(wanted.get("name", "")).partition("/")
    repo = repos.find(call.hub.data, kind, namespace, name) if kind in repos.KINDS else None
    if repo is None:
        raise repo_not_found(anonymous=False)
    require_write(user, repo)
    return repo

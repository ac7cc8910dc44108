"""HEAD and GET of files: /NS/NAME/resolve/REV/PATH."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import quote

from starlette.responses import FileResponse, Response

from localhub.api.call import Call
from localhub.errors import HubError
from localhub.storage import lfs, trees

# What a browser may show by itself. The rest is bytes: a stored HTML file must never run as a page.
SHOWN = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
TEXT = {
    ".md",
    ".txt",
    ".json",
    ".jsonl",
    ".yaml",
    ".yml",
    ".csv",
    ".tsv",
    ".py",
    ".html",
    ".xml",
    ".cfg",
    ".toml",
}


class StoredFile(FileResponse):
    """A large file in bigger steps than starlette's 64 KiB: each step costs a thread hop."""

    chunk_size = 1 << 20


def resolve(call: Call) -> Response:
    """A file's bytes, with the headers that the client's cache lives on. Range: 206, If-None-Match: 304."""
    repo = call.find()
    git = repo.git()
    commit = trees.resolve(git, call.args["rev"])
    entry = trees.file_entry(git, commit, call.args["path"])
    headers = _headers(str(commit.id), entry, "download" in call.query)
    if call.request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if not entry.lfs:
        return _blob(call, trees.blob(git, entry.oid), headers)
    path = lfs.object_path(repo.path, entry.lfs.oid)
    if lfs.size_of(repo.path, entry.lfs.oid) != entry.lfs.size:
        raise HubError(
            404, f"The large file {entry.path} is missing from this Hub's storage.", "EntryNotFound"
        )
    return StoredFile(path, headers=headers, media_type=headers["Content-Type"], stat_result=path.stat())


def _headers(sha: str, entry: trees.Entry, download: bool) -> dict[str, str]:
    name = PurePosixPath(entry.path).name
    ascii_name = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    disposition = "attachment" if download else "inline"
    headers = {
        "X-Repo-Commit": sha,
        "ETag": f'"{entry.etag}"',
        "Accept-Ranges": "bytes",
        "Content-Type": _media_type(name),
        "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(name)}; filename=\"{ascii_name}\"",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if entry.lfs:
        headers |= {"X-Linked-Etag": f'"{entry.lfs.oid}"', "X-Linked-Size": str(entry.size)}
    return headers


def _media_type(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in TEXT or name.startswith(".git"):
        return "text/plain; charset=utf-8"
    return SHOWN.get(suffix, "application/octet-stream")


def _blob(call: Call, data: bytes, headers: dict[str, str]) -> Response:
    """A regular file, or the one part of it that a Range header asks for (RFC 9110, section 14)."""
    asked = call.request.headers.get("range", "")
    bounds = _range(asked, len(data)) if asked else None
    if bounds is None:
        return Response(data, headers=headers)
    start, end = bounds
    if start >= end:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(data)}"})
    headers |= {"Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}
    return Response(data[start:end], status_code=206, headers=headers)


def _range(header: str, size: int) -> tuple[int, int] | None:
    """(start, end) of a single byte range, cut to `size`; None when the header is to be ignored."""
    unit, _, spec = header.partition("=")
    first, _, last = spec.strip().partition("-")
    # At most 18 digits: Python refuses to read thousands of them, and no file is that long.
    if unit.strip() != "bytes" or not re.fullmatch("[0-9]{0,18}-[0-9]{0,18}", spec.strip()):
        return None
    if not first:
        return (max(0, size - int(last)), size) if last else None
    return int(first), min(int(last) + 1, size) if last else size

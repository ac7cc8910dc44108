"""HEAD and GET of files: /NS/NAME/resolve/REV/PATH, and /raw/ for what git holds in their place."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import pygit2
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response, StreamingResponse

from localhub.api import conditions
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


STEP = 1 << 20  # bytes read at once: starlette's 64 KiB cost a thread hop each


class StoredFile(FileResponse):
    """A large file in bigger steps than starlette's own."""

    chunk_size = STEP


def resolve(call: Call) -> Response:
    """A file's bytes, with the headers that the client's cache lives on. Range: 206, If-None-Match: 304."""
    repo = call.find_for(call.args["path"])
    git = repo.git()
    commit = trees.resolve(git, call.args["rev"])
    entry = trees.file_entry(git, commit, call.args["path"])
    headers = _headers(str(commit.id), entry, "download" in call.query)
    if not entry.lfs:
        return _answer(call, headers, entry, git)
    path = lfs.object_path(repo.path, entry.lfs.oid)
    if lfs.size_of(repo.path, entry.lfs.oid) != entry.lfs.size:
        raise HubError(
            404, f"The large file {entry.path} is missing from this Hub's storage.", "EntryNotFound"
        )
    return _answer(call, headers, entry, path)


def raw(call: Call) -> Response:
    """What git holds at a path: the file, or the pointer of a large one."""
    repo = call.find_for(call.args["path"])
    git = repo.git()
    commit = trees.resolve(git, call.args["rev"])
    found = trees.file_entry(git, commit, call.args["path"])
    size = found.lfs.length if found.lfs else found.size
    entry = trees.Entry("file", found.path, found.oid, size)
    headers = _headers(str(commit.id), entry, "download" in call.query)
    return _answer(call, headers | {"Content-Type": "text/plain; charset=utf-8"}, entry, git)


def _answer(
    call: Call, headers: dict[str, str], entry: trees.Entry, source: Path | pygit2.Repository
) -> Response:
    """The whole of a file, a part of it, or no body at all (HEAD, 304). `source`: what holds it."""
    asked = call.request.headers
    if conditions.not_modified(asked, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    span = conditions.span(asked, headers["ETag"], entry.size) if call.request.method == "GET" else None
    start, end = span or (0, entry.size)
    headers |= {"Content-Length": str(end - start)}
    headers |= {"Content-Range": f"bytes {start}-{end - 1}/{entry.size}"} if span else {}
    status = 206 if span else 200
    if call.request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    if isinstance(source, Path):
        return StreamingResponse(_read(source, start, end), status, headers)
    return Response(trees.blob(source, entry.oid)[start:end], status, headers)


async def _read(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes of a file from `start` to before `end`, a step at a time."""
    descriptor = await run_in_threadpool(os.open, path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while start < end:
            piece = await run_in_threadpool(os.pread, descriptor, min(STEP, end - start), start)
            if not piece:
                raise OSError(f"{path} is shorter than it was")
            start += len(piece)
            yield piece
    finally:
        os.close(descriptor)


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

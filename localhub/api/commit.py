"""POST /api/T/ID/commit/REV: newline-delimited JSON, read line by line.

Each regular file becomes a git blob as soon as its line is complete, so memory holds one line at a time.
Lines: `header`, `file`, `lfsFile`, `deletedFile`, `deletedFolder` (huggingface_hub/_commit_api.py:
_prepare_commit_payload; a copy arrives there as a file or an lfsFile).
"""

from __future__ import annotations

import base64
from typing import Any

import pygit2
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from localhub.api import ndjson
from localhub.api.call import Call
from localhub.auth import User, require_write
from localhub.cards import rules
from localhub.errors import HubError
from localhub.storage import attributes, commits, discussions, refs, trees
from localhub.storage.repos import Repo

MAX_TEXT = 65_536
HEADER = ("summary", "description", "parentCommit")


async def post(call: Call) -> Response:
    """Write a commit, or with `?create_pr=1` open a pull request that holds it."""
    repo, user = await run_in_threadpool(permitted, call)
    git = repo.git()
    draft = commits.Draft()
    header: dict[str, Any] = {}
    async for lines in ndjson.batches(call.request.stream()):
        await run_in_threadpool(_apply, git, repo, draft, header, lines)
    if not header.get("summary"):
        raise HubError(400, "The commit has no header line with a summary.")
    return await run_in_threadpool(_finish, call, repo, user, git, draft, header)


def permitted(call: Call) -> tuple[Repo, User]:
    """Writers commit; whoever can read may open a pull request, and goes on committing to their own."""
    repo, user = call.find_as_member()
    revision = call.args["rev"]
    if call.query.get("create_pr") or _own_request(repo, user, revision):
        return repo, user
    return repo, require_write(user, repo)


def _own_request(repo: Repo, user: User, revision: str) -> bool:
    number = revision.removeprefix("refs/pr/")
    if number == revision or not (number.isascii() and number.isdigit()):
        return False
    return bool(discussions.get(repo, int(number))["author"]["name"] == user.name)


def _apply(
    git: pygit2.Repository, repo: Repo, draft: commits.Draft, header: dict[str, Any], lines: list[bytes]
) -> None:
    """Put operations into the draft, and what matters of the one header line into `header`."""
    for line in lines:
        key, value = ndjson.parse(line)
        if key != "header":
            _operation(git, repo, draft, key, value)
        elif header:
            raise HubError(400, "The commit has more than one header line.")
        else:
            header |= {name: value[name] for name in HEADER if name in value}


def _operation(
    git: pygit2.Repository, repo: Repo, draft: commits.Draft, key: str, value: dict[str, Any]
) -> None:
    match key:
        case "file":
            path, content = _text(value, "path"), _content(value)
            if path == "README.md":
                rules.refuse_invalid(content.decode(errors="replace"), repo.kind)
            commits.add_file(git, repo, draft, path, content)
        case "lfsFile":
            size = value.get("size")
            size = size if isinstance(size, int) else None
            commits.add_large(git, repo, draft, _text(value, "path"), _text(value, "oid"), size)
        case "deletedFile" | "deletedFolder":
            commits.delete(draft, _text(value, "path"), folder=key == "deletedFolder")
        case _:
            raise HubError(400, f"Unknown operation in the commit: {key[:80]!r}.")


def _text(value: dict[str, Any], key: str, default: str | None = None) -> str:
    found = value.get(key, default)
    if not isinstance(found, str):
        raise HubError(400, f"'{key}' must be a string.")
    try:
        found[:MAX_TEXT].encode()
    except UnicodeEncodeError:
        raise HubError(400, f"'{key}' is not valid Unicode.") from None
    return found


def _content(value: dict[str, Any]) -> bytes:
    text = _text(value, "content")
    try:
        data = base64.b64decode(text, validate=True) if value.get("encoding") == "base64" else text.encode()
    except ValueError:  # binascii.Error, UnicodeEncodeError
        raise HubError(
            400, f"The content of {_text(value, 'path', '?')} is not what its encoding says."
        ) from None
    if len(data) > attributes.LARGE:
        raise ndjson.too_large(_text(value, "path", "?"))
    return data


def _finish(
    call: Call, repo: Repo, user: User, git: pygit2.Repository, draft: commits.Draft, header: dict[str, Any]
) -> Response:
    title = _text(header, "summary").strip()[:MAX_TEXT]
    text = (_text(header, "description", "") or "").strip()[:MAX_TEXT]
    parent = header.get("parentCommit")
    if parent is not None and not (isinstance(parent, str) and commits.is_parent(parent)):
        raise HubError(400, "'parentCommit' must be a commit SHA of 5 digits or more.")
    revision = call.args["rev"]
    page = call.endpoint + repo.url_path
    body: dict[str, Any] = {"success": True}
    if call.query.get("create_pr"):
        num, sha = discussions.commit_pull_request(repo, git, revision, draft, user.name, title, text, parent)
        body["pullRequestUrl"] = f"{page}/discussions/{num}"
    else:
        sha = _commit(repo, user, git, draft, f"{title}\n\n{text}".strip(), parent, revision)
    return JSONResponse(body | {"commitOid": sha, "commitUrl": f"{page}/commit/{sha}"})


def _commit(
    repo: Repo,
    user: User,
    git: pygit2.Repository,
    draft: commits.Draft,
    message: str,
    parent: str | None,
    rev: str,
) -> str:
    ref = refs.ref_of(rev)
    if not trees.has_ref(git, ref) or not ref.startswith(refs.MOVABLE):
        named = trees.resolve(git, rev).id  # 404 for an unknown name, as everywhere
        raise HubError(400, f"Commits go to a branch or a pull request; {rev} is neither (it names {named}).")
    stamp = commits.Stamp(user.name, message)
    before = str(trees.resolve(git, ref).id)
    sha = commits.commit(repo, git, ref, draft, stamp, parent)
    if ref.startswith("refs/pr/") and sha != before:
        num = int(ref.removeprefix("refs/pr/"))
        discussions.add_commit_event(repo, num, user.name, sha, message.partition("\n")[0])
    return sha

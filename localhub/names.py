"""What may be called what: repository ids, file paths, revisions.

Everything that later becomes a path on disk or in git passes through here first. The rules for ids are those
of `huggingface_hub.utils.validate_repo_id`; those for paths are stricter than git's.
"""

from __future__ import annotations

import re

from localhub.errors import HubError

RESERVED = frozenset(
    {"api", "datasets", "spaces", "models", "kernels", "buckets", "collections", "papers", "zero-gpu", "-"}
)
MAX_ID = 96
MAX_PATH_BYTES = 4096
MAX_COMPONENT_BYTES = 255
MAX_DEPTH = 128  # folders in each other: trees are walked by recursion

_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SHA = re.compile(r"[0-9a-f]{7,40}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def is_repo_part(part: str) -> bool:
    """Whether `part` can be the namespace or the name of a repository."""
    if not 0 < len(part) <= MAX_ID or not _PART.fullmatch(part):
        return False
    return ".." not in part and "--" not in part and not part.lower().endswith((".git", ".ipynb"))


def check_repo_id(namespace: str, name: str) -> str:
    """`namespace/name`, or HubError 400 when either cannot be used."""
    if namespace.lower() in RESERVED:
        raise HubError(400, f"'{namespace}' is a reserved name and cannot be a namespace.")
    if not (is_repo_part(namespace) and is_repo_part(name)):
        raise HubError(
            400,
            f"Invalid repository id '{namespace}/{name}': use letters, digits, '-', '_' and '.', at most"
            f" {MAX_ID} "
            "a part, no '--' or '..', no '-' or '.' at either end, and no '.git' ending.",
        )
    return f"{namespace}/{name}"


def check_path(path: str) -> str:
    """The path of a file inside a repository, unchanged, or HubError 422 when it is unsafe.

    Refused: absolute paths, `.` and `..` components, backslashes, control characters, anything called `.git`,
    lone surrogates, and lengths that a file system would not take.
    """
    reason = _path_fault(path)
    if reason:
        raise HubError(422, f"Invalid path {path[:200]!r}: {reason}.")
    return path


def _path_fault(path: str) -> str | None:
    if "\\" in path or _CONTROL.search(path):
        return "it holds a backslash or a control character"
    try:
        parts = [part.encode() for part in path.split("/")]
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if any(part in (b"", b".", b"..") for part in parts):
        return "it must be relative, without '.', '..' or empty components"
    if any(_is_dot_git(part) for part in parts):
        return "'.git' is reserved"
    if len(path.encode()) > MAX_PATH_BYTES or any(len(part) > MAX_COMPONENT_BYTES for part in parts):
        return "it is too long"
    if len(parts) > MAX_DEPTH:
        return f"it is more than {MAX_DEPTH} folders deep"
    return None


def _is_dot_git(part: bytes) -> bool:
    """Also what case-folding, NTFS or HFS+ would read as `.git` in a later clone (CVE-2014-9390)."""
    folded = part.decode(errors="replace").casefold().replace("\u200c", "").replace("\u200d", "")
    return folded.rstrip(" .") == ".git" or folded == "git~1"


def is_sha(text: str) -> bool:
    """Whether `text` looks like a full or abbreviated (7 digits or more) commit SHA-1."""
    return _SHA.fullmatch(text) is not None


def check_sha256(text: str) -> str:
    """A lower-case hexadecimal SHA-256, or HubError 422."""
    if not _SHA256.fullmatch(text):
        raise HubError(422, f"Invalid SHA-256: {text[:80]!r}.")
    return text

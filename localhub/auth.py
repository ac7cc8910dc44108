"""Who is asking, what they may do, and links that carry their own permission.

The only tokens accepted are the one made at first start (`DATA/token`, user `local`, full rights everywhere)
and those of an optional users file (see `localhub.users`). A person's real Hugging Face token is never among
them and is answered 401.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from localhub.errors import HubError, repo_not_found
from localhub.storage import access
from localhub.storage.repos import Repo

LOCAL = "local"
LINK_SECONDS = 6 * 3600  # as the Hub's own upload links


@dataclass(frozen=True)
class Org:
    """An organisation. Its new repositories are private by default when `private_by_default` is true."""

    name: str
    fullname: str = ""
    private_by_default: bool | None = None


@dataclass(frozen=True)
class User:
    """An account. `namespaces` are the names (lower case) it may write in; `admin` may write everywhere."""

    name: str
    fullname: str
    email: str
    orgs: tuple[Org, ...] = ()
    admin: bool = False

    @property
    def namespaces(self) -> set[str]:
        """The user's own name and those of their organisations, in lower case."""
        return {name.lower() for name in (self.name, *(org.name for org in self.orgs))}


def secret_file(path: Path, prefix: str = "") -> str:
    """The secret in `path`, made at random on first use and readable by its owner alone.

    Two processes may call this at once: the file appears complete (a hard link never replaces), and both read
    it.
    """
    if not path.exists():
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write(prefix + secrets.token_hex(24))
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return path.read_text().strip()


def identify(users: Mapping[str, User], header: str | None, basic: bool) -> User | None:
    """The user of an `Authorization` header; None without one. HubError 401 for a token that is not ours.

    Basic credentials (the password is the token) are what browsers and git send. A browser adds them by
    itself to any request, another site's included, so the caller allows them (`basic`) for reading only.
    """
    if not header:
        return None
    scheme, _, value = header.partition(" ")
    token = (
        value.strip() if scheme.lower() == "bearer" else _password(value) if scheme.lower() == "basic" else ""
    )
    if scheme.lower() == "basic" and not basic:
        raise HubError(401, "Basic credentials may only read; send the token as 'Authorization: Bearer'.")
    found = None
    for known, user in users.items():  # all of them: the time taken says nothing about where a match was
        if hmac.compare_digest(known.encode(), token.encode()):
            found = user
    if found:
        return found
    raise HubError(401, "Invalid credentials in Authorization header").with_headers(
        WWW_Authenticate='Basic realm="localhub"'
    )


def _password(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except ValueError:  # not base64, not ASCII, not UTF-8
        return ""


def may_read(user: User | None, repo: Repo) -> bool:
    """Everyone sees public repositories; private ones are for those who may write them.

    The files of a gated one need `may_open` too.
    """
    return not repo.private or may_write(user, repo.namespace)


def may_open(user: User | None, repo: Repo) -> bool:
    """Whether the gate of a repository, if it has one, is open for this user."""
    if not repo.gated or may_write(user, repo.namespace):
        return True
    return user is not None and access.status(repo, user.name) == "accepted"


def require_open(user: User | None, repo: Repo, endpoint: str) -> None:
    """HubError GatedRepo, in the Hub's words, unless the gate is open for this user."""
    if may_open(user, repo):
        return
    what = f"{repo.kind} {repo.id}"
    if user is None:
        message = (
            f"Access to {what} is restricted. You must have access to it and be authenticated to access it. "
            "Please log in."
        )
        raise HubError(401, message, "GatedRepo")
    words = {
        "pending": f"Your request to access {what} is awaiting a review from the repo authors.",
        "rejected": f"Your request to access {what} has been rejected by the repo's authors.",
    }
    unasked = (
        f"Access to {what} is restricted and you are not in the authorized list. "
        f"Visit {endpoint}{repo.url_path} to ask for access."
    )
    raise HubError(403, words.get(access.status(repo, user.name) or "", unasked), "GatedRepo")


def may_write(user: User | None, namespace: str) -> bool:
    """Whether the user may create and change repositories of a namespace."""
    return user is not None and (user.admin or namespace.lower() in user.namespaces)


def require_user(user: User | None) -> User:
    """The user, or HubError 401 for an anonymous call."""
    if user is None:
        raise HubError(401, "Invalid username or password.").with_headers(
            WWW_Authenticate='Basic realm="localhub"'
        )
    return user


def require_write(user: User | None, repo: Repo) -> User:
    """The user, or HubError 401 (anonymous), 403 (not theirs), RepoNotFound (not even visible)."""
    known = require_user(user)
    if not may_read(known, repo):
        raise repo_not_found(anonymous=False)
    if not may_write(known, repo.namespace):
        raise HubError(403, f"You don't have the rights to write to {repo.id} as {known.name}")
    return known


def sign(secret: str, purpose: str, expires: int | None = None) -> tuple[int, str]:
    """(Unix time it ends, signature) of a link that may do one thing: HMAC-SHA256 over purpose and end."""
    ends = int(time.time()) + LINK_SECONDS if expires is None else expires
    return ends, hmac.new(secret.encode(), f"{ends}\n{purpose}".encode(), sha256).hexdigest()


def check_signature(secret: str, purpose: str, expires: str, signature: str) -> None:
    """HubError 403 unless the link was made by us for this purpose and has not ended."""
    ends = int(expires) if expires.isascii() and expires.isdigit() and len(expires) < 12 else 0
    if not hmac.compare_digest(sign(secret, purpose, ends)[1].encode(), signature.encode()):
        raise HubError(403, "This link is not valid.")
    if ends < time.time():
        raise HubError(403, "This link has expired; ask for a new one.")

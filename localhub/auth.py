"""Who is asking, what they may do, and links that carry their own permission.

The only tokens accepted are the one made at first start (`DATA/token`, user `local`, full rights everywhere)
and those of an optional users file. A person's real Hugging Face token is never among them and is answered
401.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from localhub.errors import HubError, repo_not_found
from localhub.storage.repos import Repo

LOCAL = "local"
LINK_SECONDS = 6 * 3600  # as the Hub's own upload links


@dataclass(frozen=True)
class User:
    """An account. `namespaces` are the names (lower case) it may write in; `admin` may write everywhere."""

    name: str
    fullname: str
    email: str
    orgs: tuple[str, ...] = ()
    admin: bool = False

    @property
    def namespaces(self) -> set[str]:
        """The user's own name and those of their organisations, in lower case."""
        return {name.lower() for name in (self.name, *self.orgs)}


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
    for known, user in users.items():
        if hmac.compare_digest(known.encode(), token.encode()):
            return user
    raise HubError(401, "Invalid credentials in Authorization header").with_headers(
        WWW_Authenticate='Basic realm="localhub"'
    )


def _password(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def may_read(user: User | None, repo: Repo) -> bool:
    """Everyone reads public repositories; private ones are for those who may write them."""
    return not repo.private or may_write(user, repo.namespace)


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


def load_users(path: Path) -> dict[str, User]:
    """{token: user} from a YAML file: a list of `name, fullname, email, token, orgs: [{name}]`.

    Raises HubError 400 with the name of what is missing.
    """
    from ruamel.yaml import YAML

    found: dict[str, User] = {}
    for row in YAML(typ="safe", pure=True).load(path.read_text()) or []:
        try:
            name, token = str(row["name"]), str(row["token"])
        except (KeyError, TypeError):
            raise HubError(400, f"{path}: every user needs a name and a token.") from None
        if name == LOCAL or token in found or token.startswith("hf_") or not token:
            raise HubError(
                400,
                f"{path}: user {name!r} needs a name other than '{LOCAL}' and a token of its own, "
                "not starting with hf_ (never write a real token into this file).",
            )
        orgs = tuple(str(org["name"]) for org in row.get("orgs") or ())
        found[token] = User(name, str(row.get("fullname", name)), str(row.get("email", "")), orgs)
    return found

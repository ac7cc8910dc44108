"""One request as the endpoints see it: who asks, about which repository, with what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from starlette.requests import Request

from localhub import auth
from localhub.errors import HubError, repo_not_found
from localhub.storage import moves, repos
from localhub.storage.repos import Repo

BEFORE_THE_GATE = {"README.md", "LICENSE", "LICENSE.md", "LICENSE.txt"}


@dataclass(frozen=True)
class Hub:
    """The running Hub: where its data is, who may enter ({token: user}), and the key that signs its links.

    Files of `multipart_from` bytes and more are sent in parts: a connection that breaks then costs one part.
    """

    data: Path
    users: Mapping[str, auth.User]
    secret: str
    multipart_from: int = 1 << 30

    def account(self, name: str) -> auth.User | None:
        """The user of that name, in any case."""
        return next((user for user in self.users.values() if user.name.lower() == name.lower()), None)

    def org(self, name: str) -> auth.Org | None:
        """The organisation of that name, in any case."""
        orgs = (org for user in self.users.values() for org in user.orgs)
        return next((org for org in orgs if org.name.lower() == name.lower()), None)


@dataclass(frozen=True)
class Call:
    """A matched request. `args` are the pattern's parts, percent-decoded; `body` the decoded JSON or form."""

    hub: Hub
    request: Request
    args: Mapping[str, str]
    user: auth.User | None
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        """The Hub's address as this client wrote it (its Host header was checked)."""
        return f"{self.request.url.scheme}://{self.request.url.netloc}"

    @property
    def query(self) -> Mapping[str, str]:
        """The query string's parameters, the last of each name."""
        return self.request.query_params

    def find(self) -> Repo:
        """The repository that the path names, if the caller may read its files.

        HubError RepoNotFound (also for a private one), GatedRepo, or 307 to where it was moved.
        """
        repo = self.find_listed()
        auth.require_open(self.user, repo, self.endpoint)
        return repo

    def find_listed(self) -> Repo:
        """As `find`, without its gate: for what everyone sees of a gated one (its card, names of files)."""
        kind = self.args.get("kind", "models").removesuffix("s")
        namespace, name = self.args["ns"], self.args["name"]
        repo = repos.find(self.hub.data, kind, namespace, name)
        moved = moves.follow(self.hub.data, kind, namespace, name) if repo is None else None
        if moved and auth.may_read(self.user, moved):
            raise HubError(307, f"Moved to {moved.id}.").with_headers(Location=self._address_at(moved))
        if repo is None or not auth.may_read(self.user, repo):
            raise repo_not_found(anonymous=self.user is None)
        return repo

    def find_for(self, path: str) -> Repo:
        """As `find`, for one file of it: the card and the licence stand before the gate."""
        return self.find_listed() if path in BEFORE_THE_GATE else self.find()

    def _address_at(self, repo: Repo) -> str:
        """This request's path and query, with the present id of the repository."""
        raw = self.request.scope.get("raw_path") or self.request.url.path.encode()
        parts = raw.partition(b"?")[0].decode("latin-1").split("/")
        for place in range(1, len(parts) - 1):
            namespace, name = unquote(parts[place]), unquote(parts[place + 1])
            if namespace == self.args["ns"] and name.removesuffix(".git") == self.args["name"]:
                new_namespace, new_name = repo.id.split("/")
                parts[place : place + 2] = new_namespace, new_name + (".git" if name.endswith(".git") else "")
                break
        query = self.request.url.query
        return "/".join(parts) + (f"?{query}" if query else "")

    def find_writable(self) -> tuple[Repo, auth.User]:
        """The repository and the user, if they may write to it; else HubError 401, 403 or RepoNotFound."""
        repo = self.find_listed()
        return repo, auth.require_write(self.user, repo)

    def find_as_member(self) -> tuple[Repo, auth.User]:
        """The repository and a signed-in user who may read it: enough to open pull requests."""
        return self.find(), auth.require_user(self.user)

    def text(self, key: str, default: str | None = None, limit: int = 65_536) -> str:
        """A string of the body; HubError 400 when it is missing, not a string or too long."""
        value = self.body.get(key)
        value = default if value is None else value
        if not isinstance(value, str):
            raise HubError(400, f"'{key}' must be a string.")
        return cast(str, bounded(key, value, limit))

    def count(self, key: str, default: int, most: int) -> int:
        """A non-negative integer of the query string, at most `most`."""
        raw = self.query.get(key, "")
        return min(int(raw), most) if raw.isascii() and raw.isdigit() and len(raw) < 10 else default


def bounded(key: str, value: Any, limit: int) -> Any:
    """`value` if its length is within `limit`; HubError 413 else."""
    if len(value) > limit:
        raise HubError(413, f"'{key}' is too long ({len(value)}, at most {limit}).")
    return value


def objects(value: Any, key: str, limit: int = 10_000) -> list[dict[str, Any]]:
    """A list of JSON objects; HubError 400 or 413."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise HubError(400, f"'{key}' must be a list of objects.")
    return cast(list[dict[str, Any]], bounded(key, value, limit))

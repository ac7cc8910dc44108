"""One request as the endpoints see it: who asks, about which repository, with what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from starlette.requests import Request

from localhub import auth
from localhub.errors import HubError, repo_not_found
from localhub.storage import repos
from localhub.storage.repos import Repo


@dataclass(frozen=True)
class Hub:
    """The running Hub: where its data is, who may enter ({token: user}), and the key that signs its links."""

    data: Path
    users: Mapping[str, auth.User]
    secret: str


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
        """The repository that the path names, if the caller may read it; else HubError RepoNotFound."""
        kind = self.args.get("kind", "models").removesuffix("s")
        repo = repos.find(self.hub.data, kind, self.args["ns"], self.args["name"])
        if repo is None or not auth.may_read(self.user, repo):
            raise repo_not_found(anonymous=self.user is None)
        return repo

    def find_writable(self) -> tuple[Repo, auth.User]:
        """The repository and the user, if they may write to it; else HubError 401, 403 or RepoNotFound."""
        repo = self.find()
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

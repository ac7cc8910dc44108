"""The one exception that becomes an HTTP answer.

huggingface_hub decides by headers, not by bodies: `X-Error-Code` picks the exception class it raises
(RepoNotFound, RevisionNotFound, EntryNotFound, GatedRepo) and `X-Error-Message` becomes its text.
See `huggingface_hub/utils/_http.py: hf_raise_for_status`.
"""

from __future__ import annotations

from typing import Any


class HubError(Exception):
    """A refusal with an HTTP status, the Hub's error code where it has one, and one clear sentence."""

    def __init__(self, status: int, message: str, code: str | None = None, **body: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.body = body
        self.headers: dict[str, str] = {}

    def with_headers(self, **headers: str) -> HubError:
        """The same error with extra response headers (`X_Repo_Commit=...` gives `X-Repo-Commit`)."""
        self.headers |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self


def repo_not_found(anonymous: bool) -> HubError:
    """A missing repository and a private one that the caller may not see: deliberately the same answer."""
    status, hint = (401, "Invalid username or password.") if anonymous else (404, "Repository not found")
    return HubError(status, hint, "RepoNotFound")


def revision_not_found(revision: str) -> HubError:
    """The repository exists and has no such branch, tag or commit."""
    return HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def entry_not_found(path: str) -> HubError:
    """The revision exists and holds no such file or folder."""
    return HubError(404, f"Entry not found: {path}", "EntryNotFound")

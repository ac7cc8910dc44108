"""What is not served: 501 with the name of what it is, where the Hub has something; else 404."""

from __future__ import annotations

from localhub.errors import HubError, repo_not_found
from localhub.router import KINDS

# The beginning of an address, and what the Hub has there (huggingface_hub/hf_api.py).
FEATURES = (
    ("/api/settings/webhooks", "webhooks"),
    ("/api/jobs", "jobs"),
    ("/api/scheduled-jobs", "scheduled jobs"),
    ("/api/buckets", "buckets"),
    ("/buckets", "buckets"),
    ("/api/kernels", "kernels"),
    ("/api/papers", "papers"),
    ("/papers", "papers"),
    ("/api/daily_papers", "papers"),
    ("/api/endpoint", "inference endpoints"),
    ("/api/inference-catalog", "inference endpoints"),
    ("/api/inference-proxy", "inference"),
    ("/api/models-tags-by-type", "the list of all tags"),
    ("/api/datasets-tags-by-type", "the list of all tags"),
    ("/api/spaces/templates", "space templates"),
    ("/api/spaces/hardware", "the hardware of spaces"),
    ("/api/spaces/semantic-search", "search for spaces by meaning"),
    ("/api/spaces/zero-gpu", "the hardware of spaces"),
    ("/api/organizations", "this about organisations"),
    ("/api/users", "this about users"),
    ("/oauth", "OAuth"),
    ("/uploads", "attachments"),
)
# What follows the id of a repository. With an id of one part, as `gpt2`, it stands where the name would.
ONE_PART = {"revision", "tree", "like", "likers", "refs", "commits", "paths-info", "preupload", "commit"}
ONE_PART |= {
    "branch",
    "tag",
    "discussions",
    "settings",
    "auth-check",
    "super-squash",
    "lfs-files",
    "duplicate",
}
ONE_PART |= {"user-access-request", "xet-read-token", "xet-write-token"}
# What runs a space; its files are those of any repository.
RUNTIME = {"runtime", "secrets", "variables", "hardware", "sleeptime", "pause", "restart", "dev-mode", "logs"}
RUNTIME |= {"volumes", "storage"}


def refusal(method: str, path: str, anonymous: bool) -> HubError:
    """The answer to a request that no route takes. `anonymous`: it came without a token."""
    for beginning, what in FEATURES:
        if path == beginning or path.startswith(f"{beginning}/"):
            return _not_implemented(what, method, path)
    parts = path.split("/")[1:]
    if parts[0] == "api" and len(parts) >= 3 and parts[1] in KINDS:
        if len(parts) == 3 or parts[3] in ONE_PART:
            return repo_not_found(anonymous)
        if parts[1] == "spaces" and len(parts) > 4 and parts[4] in RUNTIME:
            return _not_implemented("the runtime of spaces", method, path)
    if len(parts) > 2 and parts[1] == "resolve":
        return repo_not_found(anonymous)
    if parts[0] == "api" or method not in ("GET", "HEAD") or "/info/refs" in path:
        return _not_implemented("", method, path)
    return HubError(404, "There is no such page.")


def _not_implemented(what: str, method: str, path: str) -> HubError:
    address = f"{method} {path[:200]}"
    message = (
        f"localhub does not serve {what} ({address})." if what else f"localhub does not serve {address}."
    )
    return HubError(501, message, "NotImplemented")

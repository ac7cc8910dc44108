"""Where a release goes: the embedded Hub or a URL, and the environment in which its client runs.

huggingface_hub and transformers read HF_ENDPOINT, HF_HOME and their like once, when they are imported. So
`opened` sets them first, and asserts afterwards what the client took.
"""

import ipaddress
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stages.core.errors import PipelineError

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub import HfApi

# Seconds without a byte from the Hub before it counts as out of reach: it may be silent for a minute or two
# after a commit of thousands of files.
PATIENCE = 300.0

# What would lead the embedded Hub's client to the user's own tokens, caches and settings.
_PERSONAL = (
    "HF_HUB_CACHE",
    "HF_OIDC_RESOURCE",
    "HF_STORED_TOKENS_PATH",
    "HF_TOKEN_PATH",
    "HUGGINGFACE_CO_STAGING",
    "HUGGINGFACE_HUB_CACHE",
    "HUGGING_FACE_HUB_TOKEN",
    "TRANSFORMERS_OFFLINE",
)


# How this machine reaches others; a client refuses some of them (SOCKS) even where it would not use them.
PROXIES = tuple(
    name for scheme in ("ALL", "HTTP", "HTTPS") for name in (f"{scheme}_PROXY", f"{scheme.lower()}_proxy")
)


@dataclass(frozen=True)
class Target:
    """A Hub to publish to.

    On a `loopback` one a version may be retagged and nothing needs to be pinned; any other is shared with
    people, and has their rules. `name` is what params.yaml calls it and the receipt records.
    """

    name: str
    url: str
    token: str | None
    loopback: bool

    @property
    def embedded(self) -> bool:
        """Whether it is the Hub of this folder's .hub."""
        return self.name == "embedded"

    def api(self) -> "HfApi":
        """A client of this Hub and of no other, with this token and no other."""
        from huggingface_hub import HfApi

        return HfApi(endpoint=self.url, token=self.token or False)


@contextmanager
def opened(name: str, hub: Path) -> Iterator[Target]:
    """The Hub that `hub.endpoint` names, ready to be spoken to until the block ends.

    `embedded` serves the folder `hub`, or uses the server it has. Raises PipelineError when it does not start
    or when a token would travel in clear.
    """
    if name != "embedded":
        yield _elsewhere(name.rstrip("/"))
        return
    from localhub import launch

    try:
        with launch.running(hub) as server:
            _settle(server.url, _own(hub, server.token))
            yield Target(name, server.url, server.token, loopback=True)
    except launch.LaunchError as error:
        raise PipelineError(str(error)) from None


def _own(hub: Path, token: str) -> dict[str, str]:
    """What the embedded Hub's client lives by. Its large files go by LFS, elsewhere by the client's default.

    Through Xet they would arrive too, but the embedded Hub then keeps what was sent for an hour beside the
    files it makes of it; and Xet sends less only to a Hub whose address it knows, which is another each run.
    """
    return {"HF_HOME": str((hub / "client").absolute()), "HF_TOKEN": token, "HF_HUB_DISABLE_XET": "1"}


def _elsewhere(url: str) -> Target:
    loopback = is_loopback(url)
    if url.startswith("http://") and not loopback:
        raise PipelineError(f"hub.endpoint: {url} would carry your token in clear: use https://")
    _settle(url, {})
    from huggingface_hub import get_token

    # The token that `hf auth login` saved is for a Hub out there, not for whatever listens on this machine.
    token = os.environ.get("HF_TOKEN", "").strip() if loopback else get_token()
    return Target(url, url, token or None, loopback)


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _settle(url: str, own: dict[str, str]) -> None:
    """Set what the client reads at import, import it, and make sure that it did."""
    os.environ |= {"HF_ENDPOINT": url, "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    if own:
        for name in _PERSONAL:
            os.environ.pop(name, None)
        os.environ |= own | {"HF_HUB_OFFLINE": "0"}
    if is_loopback(url):
        for name in PROXIES:
            os.environ.pop(name, None)
        # Without variables a client may find the proxies of the system's settings.
        for name in ("NO_PROXY", "no_proxy"):
            os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1,localhost,::1"]))
    from huggingface_hub import constants, set_client_factory

    set_client_factory(patient_client)
    if url != constants.ENDPOINT:
        raise RuntimeError(f"huggingface_hub was imported too early: it speaks to {constants.ENDPOINT}")


def patient_client() -> "httpx2.Client":
    """The client's own connections, which would else wait for ever for a Hub that does not answer."""
    from huggingface_hub.utils._http import default_client_factory

    client = default_client_factory()
    client.event_hooks = {"request": [*client.event_hooks["request"], _limited]}
    return client


def _limited(request: "httpx2.Request") -> None:
    """A limit in seconds to each wait that has none: many calls of the client name none, some say None."""
    known = request.extensions.get("timeout") or {}
    limits = {name: known.get(name) or PATIENCE for name in ("connect", "read", "write", "pool")}
    request.extensions = {**request.extensions, "timeout": limits}

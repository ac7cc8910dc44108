"""Templates to responses, with the headers that every page carries; and the few files that pages load."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from starlette.responses import Response

from localhub.errors import HubError

HERE = Path(__file__).parent
# Nothing runs, nothing is fetched from elsewhere, nobody frames us.
CSP = (
    "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SCRIPT = "copy.js"
SERVED = {
    "style.css": "text/css",
    "changes.css": "text/css",
    SCRIPT: "text/javascript",
    "icon.svg": "image/svg+xml",
}
# What turns the direction of the text around it (https://trojansource.codes) is shown, and turns nothing. It
# stands in text only: addresses are percent-encoded.
TURNING = {code: f"‹U+{code:04X}›" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def page(
    template: str,
    status: int = 200,
    headers: dict[str, str] | None = None,
    script: bool = False,
    **context: Any,
) -> Response:
    """Render `templates/NAME` with autoescaping on; `script` lets it run the one script, and no other.

    The policy names the script by its digest (https://www.w3.org/TR/CSP3/#external-hash): a file of a
    repository, though of the same origin, is not it.
    """
    text = _environment().get_template(template).render(script=script, **context).translate(TURNING)
    policy = f"{CSP}; script-src '{_integrity(SCRIPT)}'" if script else CSP
    safety = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    html = text.encode(errors="replace")  # metadata may hold half of a surrogate pair
    return Response(html, status, safety | (headers or {}), media_type="text/html")


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from localhub.pages.wording import FILTERS

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS | {"asset": asset, "integrity": _integrity}
    return environment


@cache
def _file(name: str) -> bytes:
    return (HERE / "templates" / name).read_bytes()


def _integrity(name: str) -> str:
    """https://www.w3.org/TR/SRI/"""
    return f"sha256-{b64encode(sha256(_file(name)).digest()).decode()}"


def asset(name: str) -> str:
    """The address of one of those files; it changes with the bytes, so that browsers may keep them."""
    return f"/-/{name}?{sha256(_file(name)).hexdigest()[:16]}"


def served(name: str) -> Response:
    """One of those files; HubError 404 for any other name."""
    if name not in SERVED:
        raise HubError(404, "There is no such page.")
    headers = {
        "Cache-Control": "max-age=31536000, immutable",
        "Content-Security-Policy": "default-src 'none'",
    }
    return Response(_file(name), media_type=SERVED[name], headers=headers)

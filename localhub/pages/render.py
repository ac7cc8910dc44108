"""Templates to responses, with the headers that every page carries."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from starlette.responses import HTMLResponse, Response

HERE = Path(__file__).parent
# Nothing runs, nothing is fetched from elsewhere, nobody frames us.
CSP = (
    "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# What turns the direction of the text around it (https://trojansource.codes) is shown, and turns nothing. It
# stands in text only: addresses are percent-encoded.
TURNING = {code: f"‹U+{code:04X}›" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def page(template: str, status: int = 200, headers: dict[str, str] | None = None, **context: Any) -> Response:
    """Render `templates/NAME` with autoescaping on."""
    html = _environment().get_template(template).render(**context).translate(TURNING)
    safety = {"Content-Security-Policy": CSP, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return HTMLResponse(html, status, safety | (headers or {}))


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
    environment.filters |= FILTERS
    return environment


def stylesheet() -> Response:
    """The one style sheet."""
    css = (HERE / "templates" / "style.css").read_text()
    return Response(css, media_type="text/css", headers={"Cache-Control": "max-age=60"})

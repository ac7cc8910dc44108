"""POST /api/validate-yaml: the client asks before every commit that has a README.md."""

from __future__ import annotations

from starlette.responses import JSONResponse, PlainTextResponse, Response

from localhub.api.call import Call
from localhub.cards import rules
from localhub.errors import HubError
from localhub.storage.repos import KINDS


def validate(call: Call) -> Response:
    """400 when there are errors. `RepoCard.validate` asks for plain text and shows it as it is."""
    kind = call.text("repoType", "model")
    if kind not in KINDS:
        raise HubError(400, f"'repoType' must be one of {', '.join(KINDS)}.")
    errors, warnings = rules.check(call.text("content", limit=5_000_000), kind)
    status = 400 if errors else 200
    if "text/plain" in call.request.headers.get("accept", ""):
        lines = [f"- Error: {line}" for line in errors] + [f"- Warning: {line}" for line in warnings]
        return PlainTextResponse("\n".join(lines), status_code=status)
    body = {
        "errors": [{"message": line} for line in errors],
        "warnings": [{"message": line} for line in warnings],
    }
    return JSONResponse(body, status_code=status)

"""Lists in pages: the `Link` header that the client follows (RFC 8288)."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from localhub.api.call import Call


def page(call: Call, rows: list[dict[str, Any]], following: int | str | None) -> Response:
    """One page of a list; `following` is the cursor of the next, None on the last."""
    response = JSONResponse(rows)
    if following is not None:
        url = call.request.url.include_query_params(cursor=following)
        response.headers["Link"] = f'<{url}>; rel="next"'
    return response

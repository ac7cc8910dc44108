"""The ASGI application: check the door, find the route, read the body, turn what happens into an answer."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs
from uuid import uuid4

import pygit2
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from localhub import auth
from localhub.api.call import Call, Hub
from localhub.errors import HubError
from localhub.router import Route, match
from localhub.routes import ROUTES
from localhub.storage.disk import is_full

_HERE = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)
DRAIN_BYTES = 1 << 30
DRAIN_SECONDS = 20
_REQUEST_ID = re.compile(r"[A-Za-z0-9;=._-]{1,100}", re.ASCII)
log = logging.getLogger("localhub")


def build(hub: Hub) -> ASGIApp:
    """The application that serves `hub`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await _respond(hub, request)
            response.headers["X-Request-Id"] = _request_id(request)
            if response.status_code >= 300:
                await _drain(request)
            await response(scope, receive, send)
        except ClientDisconnect:
            pass  # the client went away in the middle of an upload: nobody is left to answer

    if file := os.environ.get("LOCALHUB_FAULTS"):
        from localhub import faults

        return faults.between(app, Path(file))
    return app


def _request_id(request: Request) -> str:
    """The client's own name for this request, which it then shows with an error, or one of ours."""
    given = request.headers.get("x-request-id") or request.headers.get("x-amzn-trace-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid4().hex


async def _drain(request: Request) -> None:
    """Read what the client is still sending: closing on it resets the connection and loses our answer."""
    left = DRAIN_BYTES
    with contextlib.suppress(RuntimeError, TimeoutError):  # starlette: the body was read to its end already
        async with asyncio.timeout(DRAIN_SECONDS):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return


async def _respond(hub: Hub, request: Request) -> Response:
    try:
        _check_door(request)
        return _finished(await _call(hub, request))
    except HubError as error:
        return _refusal(hub, request, error)
    except (OSError, pygit2.GitError) as error:
        if not is_full(error, hub.data):
            log.exception("%s %s", request.method, request.url.path)
            return _refusal(
                hub, request, HubError(500, "Internal error; the server's terminal has the details.")
            )
        return _refusal(hub, request, HubError(507, "No space left on the disk that holds this Hub's data."))
    except ClientDisconnect:
        raise
    except Exception:
        log.exception("%s %s", request.method, request.url.path)
        return _refusal(hub, request, HubError(500, "Internal error; the server's terminal has the details."))


def _check_door(request: Request) -> None:
    """Only requests addressed to this machine (DNS rebinding), and no writes sent by other sites' pages."""
    hosts = request.headers.getlist("host")
    if len(hosts) != 1 or not _HERE.fullmatch(hosts[0]):
        raise HubError(403, "This Hub answers to 127.0.0.1 and localhost only.")
    if not _raw_path(request).startswith(b"/"):
        raise HubError(400, "Requests to a proxy (with a whole URL) are not served.")
    if request.method in ("GET", "HEAD"):
        return
    origin = request.headers.get("origin")
    if origin and origin.partition("://")[2] != hosts[0]:
        raise HubError(403, "Requests from other sites' pages are refused.")


async def _call(hub: Hub, request: Request) -> Any:
    found = match(ROUTES, request.method, _raw_path(request))
    if found is None:
        raise _unserved(request)
    route, args = found
    # git and git-lfs authenticate with Basic credentials, and fetch by POST
    lfs = "/info/lfs/" in route.pattern or route.pattern.endswith("/git-upload-pack")
    reading = request.method in ("GET", "HEAD")
    # a form of our own pages: the door has compared the Origin, which every browser sends with a form
    asking = route.pattern.endswith("/ask-access") and "origin" in request.headers
    header = None if route.own_token else request.headers.get("authorization")
    user = auth.identify(hub.users, header, basic=reading or lfs or asking)
    call = Call(hub, request, args, user)
    if route.body == "json" and user is None and not route.anyone:
        await run_in_threadpool(_ask_who, call)
    call = replace(call, body=await _body(route, request))
    if inspect.iscoroutinefunction(route.handler):
        return await route.handler(call)
    return await run_in_threadpool(route.handler, call)


def _ask_who(call: Call) -> None:
    """Nobody's writes are refused unread: HubError 401 (RepoNotFound for a private repository), or 307."""
    if "name" in call.args:
        call.find_listed()
    auth.require_user(call.user)


def _raw_path(request: Request) -> bytes:
    raw = cast(bytes, request.scope.get("raw_path") or request.scope["path"].encode())
    return raw.partition(b"?")[0]


async def _body(route: Route, request: Request) -> Mapping[str, Any]:
    if route.body not in ("json", "form"):
        return {}
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > route.limit:
            raise HubError(413, f"The request body is larger than {route.limit} bytes.")
    return await run_in_threadpool(_decoded, route.body, bytes(data))


def _decoded(how: str, data: bytes) -> Mapping[str, Any]:
    try:
        if how == "form":
            fields = parse_qs(data.decode(), keep_blank_values=True, max_num_fields=20_000)
            return {key: values if key == "paths" else values[-1] for key, values in fields.items()}
        value = json.loads(data or b"{}")
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate could be stored nowhere
    except (ValueError, RecursionError):
        raise HubError(
            400, f"The request body is not valid {'JSON' if how == 'json' else 'form data'}."
        ) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise HubError(400, "The request body must be a JSON object.")
    return value


def _finished(answer: Any) -> Response:
    response = answer if isinstance(answer, Response) else JSONResponse(answer)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _unserved(request: Request) -> HubError:
    """501 for what the Hub has and we do not, 404 for what is nowhere."""
    from localhub.api import unserved

    return unserved.refusal(request.method, request.url.path, "authorization" not in request.headers)


def _refusal(hub: Hub, request: Request, error: HubError) -> Response:
    headers = {
        **error.headers,
        "X-Error-Message": _header_safe(error.message),
        "X-Content-Type-Options": "nosniff",
    }
    if error.code:
        headers["X-Error-Code"] = error.code
    if _wants_page(request):
        from localhub.pages import views

        return views.refusal(error, headers)
    return JSONResponse({"error": error.message, **error.body}, error.status, headers)


def _wants_page(request: Request) -> bool:
    path = request.url.path
    asked = "text/html" in request.headers.get("accept", "")
    return asked and request.method == "GET" and not path.startswith("/api/") and "/resolve/" not in path


def _header_safe(message: str) -> str:
    """Header values are one line of Latin-1, without space at the ends."""
    line = "".join(c if c.isprintable() else " " for c in message).strip()[:1000].strip()
    return line.encode("latin-1", "replace").decode("latin-1")

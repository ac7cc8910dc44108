"""Faults on purpose, for tests of clients: chosen requests are refused, stall, or break off half-way.

Off unless the environment variable LOCALHUB_FAULTS names a file, which the server then says at its start. The
file is a YAML (or JSON) list of rules and is read again whenever it changes; every request is also noted, one
JSON line {method, path, headers} each, in FILE.seen; of credentials their SHA-256 stands there.
A rule:

    - method: POST         # default: any
      path: /api/*/commit* # a glob on the address as sent, without its query; default: any
      nth: 2               # the second request that matches is the first to fail; default 1
      count: 3             # so many in a row fail; default 1; 0: every one from there on
      what: status         # or stall, drop_request, drop_response
      status: 503          # status: the answer; default 500
      retry_after: 1       # status: seconds, as a Retry-After header
      done: true           # status: what was asked is done, and only its answer is lost; default false
      seconds: 5           # stall: so long nothing comes, then the connection closes; default an hour
      after: 1000          # drop_request, drop_response: bytes of the body that pass first; default 0, and
                           # then the request is not looked at, or the answer's head does not come either

The first rule that takes a request decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localhub.errors import HubError

VARIABLE = "LOCALHUB_FAULTS"
KINDS = ("status", "stall", "drop_request", "drop_response")


@dataclass(frozen=True)
class Rule:
    """One row of the file, as the module says."""

    what: str
    method: str = ""
    path: str = "*"
    nth: int = 1
    count: int = 1
    status: int = 500
    retry_after: int | None = None
    done: bool = False
    seconds: float = 3600
    after: int = 0


@dataclass
class Rules:
    """The rules of a file as it was when its `stamp` was taken, and how many requests each has matched."""

    file: Path
    stamp: object = None
    rules: Sequence[Rule] = ()
    matched: list[int] = field(default_factory=list)


def check(file: Path) -> None:
    """HubError 400 for a file that cannot be used, to be known before the server is heard of."""
    try:
        load(file)
    except OSError as error:
        raise HubError(400, f"{VARIABLE}={file} cannot be read: {error.strerror}.") from None


def between(app: ASGIApp, file: Path) -> ASGIApp:
    """`app` with the faults of `file`. HubError 400 for a file that cannot be understood."""
    rules = Rules(file)
    _refresh(rules)
    print(f"localhub: FAULTS ON PURPOSE, by {VARIABLE}={file}", flush=True)

    async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        _note(file, scope)
        rule = _chosen(rules, scope)
        if rule is None:
            await app(scope, receive, send)
        elif rule.what == "status":
            await _status(rule, app, scope, receive, send)
        elif rule.what == "stall":
            await _until_gone(receive, rule.seconds)
            await _hang_up(send)
        elif rule.what == "drop_request":
            await _drop_request(rule, app, scope, receive, send)
        else:
            await app(scope, receive, _cut(rule, send))

    return faulty


def load(file: Path) -> list[Rule]:
    """The rules of a file; HubError 400 with the rule that cannot be understood, OSError."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        rows = YAML(typ="safe", pure=True).load(file.read_text()) or []
        return [_rule(row) for row in rows]
    except (YAMLError, TypeError, ValueError) as error:
        raise HubError(400, f"{file}: {error}; localhub/faults.py says what a rule is.") from None


def _rule(row: Any) -> Rule:
    if not isinstance(row, dict):
        raise ValueError(f"{row!r} is not a rule")
    known = {item.name for item in fields(Rule)}
    strange = sorted(row.keys() - known)
    if strange or row.get("what") not in KINDS:
        raise ValueError(f"the rule {row} has an unknown {strange or 'what'}")
    return Rule(**row)


def _refresh(rules: Rules) -> None:
    found = rules.file.stat()
    stamp = (found.st_ino, found.st_mtime_ns)
    if stamp != rules.stamp:
        rules.rules, rules.stamp = load(rules.file), stamp
        rules.matched = [0] * len(rules.rules)


def _raw(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.decode("latin-1")


def _note(file: Path, scope: Scope) -> None:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if "authorization" in headers:
        headers["authorization"] = sha256(headers["authorization"].encode("latin-1")).hexdigest()
    line = json.dumps({"method": scope["method"], "path": _raw(scope), "headers": headers}) + "\n"
    seen = file.with_name(f"{file.name}.seen")
    descriptor = os.open(seen, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open(descriptor, "w") as notes:
        notes.write(line)


def _chosen(rules: Rules, scope: Scope) -> Rule | None:
    _refresh(rules)
    for number, rule in enumerate(rules.rules):
        if rule.method not in ("", scope["method"]) or not fnmatchcase(_raw(scope), rule.path):
            continue
        rules.matched[number] += 1
        turn = rules.matched[number] - rule.nth
        if turn >= 0 and (rule.count == 0 or turn < rule.count):
            return rule
    return None


async def _status(rule: Rule, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    if rule.done:
        await app(scope, receive, _nowhere)
    else:
        await _read_to_the_end(receive)
    headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
    await JSONResponse({"error": "A fault on purpose."}, rule.status, headers)(scope, receive, send)


async def _read_to_the_end(receive: Receive) -> None:
    """An answer to a request that is still being sent would be lost with its connection."""
    while (await receive()).get("more_body"):
        pass


async def _until_gone(receive: Receive, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass


async def _nowhere(_: Message) -> None:
    pass


async def _drop_request(rule: Rule, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    left = rule.after
    if left == 0:
        await _hang_up(send)
        return

    async def part() -> Message:
        nonlocal left
        message = await receive() if left else {"type": "http.disconnect"}
        body = message.get("body", b"")
        if message["type"] == "http.disconnect" or (len(body) < left and message.get("more_body")):
            left -= len(body)
            return message
        message, left = {"type": "http.request", "body": body[:left], "more_body": True}, 0
        return message

    await app(scope, part, _nowhere)
    await _hang_up(send)


def _cut(rule: Rule, send: Send) -> Send:
    left = rule.after

    async def part(message: Message) -> None:
        nonlocal left
        if left <= 0:
            await _hang_up(send)
        elif message["type"] == "http.response.start":
            await send(message)
        else:
            body = message.get("body", b"")
            last = not message.get("more_body")
            passed = min(left, len(body) - 1) if last and body else left  # a short answer misses a byte too
            await send({"type": "http.response.body", "body": body[:passed], "more_body": True})
            left -= len(body)
            if left <= 0 or last:
                await _hang_up(send)

    return part


async def _hang_up(send: Send) -> None:
    """Close the connection: ASGI has no word for it, so it is uvicorn's own that is closed."""
    cycle = cast(Any, send).__self__
    cycle.transport.close()
    while not cycle.disconnected:  # else uvicorn takes the missing answer for a mistake and says so
        await asyncio.sleep(0.001)

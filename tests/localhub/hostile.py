"""Hostile requests for every route, near enough to real ones to get past the first check."""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from localhub.router import Route

Draw = Callable[[SearchStrategy[Any]], Any]
NASTY = (
    *("", ".", "..", "../../token", "a/../b", "..%2f", "a\\b", "-", "--", "%", "%00", "\x00", "a\nb", "\x7f"),
    *("\u202e", "\ud800", "é", "e\u0301", "\ufeff", "🜁", " ", "a b", "'", '"', "<script>", "{{7*7}}", "{0}"),
    *(
        "%s",
        "*",
        "[",
        "~",
        "^",
        "@{",
        "refs/heads/",
        "refs/heads/main",
        "refs/pr/1",
        "refs/pr/0",
        "refs/pr/-1",
    ),
    *(
        "refs/pr/99999999999999999999",
        "refs/pr/²",
        "HEAD",
        "main.lock",
        "main/x",
        ".git",
        "x" * 255,
        "x" * 300,
    ),
    *("x/" * 200, "y" * 5000, "0", "-1", "1e9", "9" * 30, "9" * 5000, "²", "١", "null", "true", "NaN"),
    *("0" * 40, "0" * 64, "f" * 40, "e3b0c442", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
)
NUMBERS = (0, -1, 1, 2**31, 2**63, 2**64, 10**400, 0.5, 1e308, float("inf"), float("nan"), True, False, None)


@dataclass(frozen=True)
class Seeds:
    """What is really there: `parts` by a pattern's name, tokens, signed addresses, JSON
    bodies by the end of the pattern that understands them, a Xet store's address and token, a large file.
    """

    parts: Mapping[str, tuple[str, ...]]
    tokens: tuple[str, ...]
    links: tuple[str, ...]
    words: tuple[str, ...]
    bodies: Mapping[str, Any]
    store: tuple[str, str]
    large: bytes


@dataclass(frozen=True)
class Asked:
    """A request as its bytes reach the application."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


texts = st.sampled_from(NASTY) | st.text(max_size=12)
atoms = texts | st.sampled_from(NUMBERS) | st.integers()
values = st.recursive(
    atoms, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)


def requests(route: Route, seeds: Seeds) -> SearchStrategy[Asked]:
    """Requests that a route takes, most of them wrong somewhere."""

    @st.composite
    def asked(draw: Draw) -> Asked:
        names = [match.rstrip("*") for match in re.findall(r"\{([a-z_]+\*?)\}", route.pattern)]
        places = [*names, "query", "token", "headers", "body", "body"]
        wild = draw(st.sets(st.sampled_from(places), max_size=2))  # the rest is as it should be
        path, query = _path(draw, route, seeds, wild), _query(draw, route, seeds, wild)
        if route.pattern.startswith("/-/lfs/") and draw(st.booleans()):
            path, _, query = draw(st.sampled_from(seeds.links)).partition("?")
        if route.pattern.startswith("/-/xet/") and "shelf" not in wild:
            path = f"{seeds.store[0]}/{path.split('/', 6)[6]}"
        body, more = _body(draw, route, seeds, wild)
        headers = _headers(draw, seeds, wild, route.own_token)
        return Asked(route.method, path, query, (*headers, *more), body)

    return asked()


def _path(draw: Draw, route: Route, seeds: Seeds, wild: set[str]) -> str:
    def part(match: re.Match[str]) -> str:
        name = match[1].rstrip("*")
        known = seeds.parts.get(name, seeds.words)
        text = draw(texts) if name in wild else draw(st.sampled_from(known))
        slash = match[1].endswith("*") and draw(st.booleans())
        return quote(text, safe="/" if slash else "", errors="replace")

    return re.sub(r"\{([a-z_]+\*?)\}", part, route.pattern)


def _keys(route: Route) -> list[str]:
    """The words that the route's module knows: what it reads from bodies and queries is among them."""
    source = Path(str(sys.modules[route.handler.__module__].__file__)).read_text()
    return sorted(set(re.findall(r'"([A-Za-z_]{1,24})"', source))) or ["x"]


def _known(seeds: Seeds) -> SearchStrategy[Any]:
    return st.sampled_from(seeds.words) | st.sampled_from(
        [word for row in seeds.parts.values() for word in row]
    )


def _query(draw: Draw, route: Route, seeds: Seeds, wild: set[str]) -> str:
    keys = st.sampled_from([*_keys(route), "expand", "expand[]", "p", "limit", "cursor", "create_pr"])
    values_ = texts if "query" in wild else _known(seeds)
    pairs = draw(st.lists(st.tuples(keys, values_), max_size=3))
    if route.pattern.endswith("/info/refs"):
        pairs.append(("service", "git-upload-pack"))
    return urlencode([(key, value.encode(errors="replace")) for key, value in pairs])


def _headers(draw: Draw, seeds: Seeds, wild: set[str], store: bool) -> tuple[tuple[bytes, bytes], ...]:
    headers = {"host": draw(st.sampled_from(["127.0.0.1:1", "localhost", "[::1]:80"]))}
    token = seeds.store[1] if store else draw(st.sampled_from(seeds.tokens))
    headers["authorization"] = f"Bearer {token}"
    if "token" in wild:
        scheme = draw(st.sampled_from(["Bearer", "bearer", "Basic", "", "Digest"]))
        headers["authorization"] = f"{scheme} {draw(texts)}"
        if draw(st.booleans()):
            del headers["authorization"]
    others = {
        "accept": st.sampled_from(["text/html", "text/plain", "*/*"]),
        "range": st.sampled_from(["bytes=0-", "bytes=5-2", "bytes=0-0,2-3", f"bytes={'9' * 40}-"]),
        "if-none-match": texts,
        "user-agent": st.sampled_from(["git-lfs/3", "git/2", "hf_hub/2.4"]),
        "content-encoding": st.sampled_from(["gzip", "identity", "br", ""]),
        "git-protocol": st.sampled_from(["version=2", "version=1", "version=9", "x=\u00ff"]),
        "origin": st.sampled_from(["http://127.0.0.1:1", "null", "http://["]),
    }  # fmt: skip
    for name in draw(st.sets(st.sampled_from(sorted(others)), max_size=3)) if "headers" in wild else ():
        headers[name] = draw(others[name])
    return tuple((name.encode(), _sendable(value)) for name, value in headers.items())


def _sendable(value: str) -> bytes:
    """What h11 lets through: it refuses control characters and spaces at the ends."""
    return re.sub(rb"[\x00-\x1f\x7f]", b"?", value.encode("latin-1", "replace")).strip()[:2000]


def _body(
    draw: Draw, route: Route, seeds: Seeds, wild: set[str]
) -> tuple[bytes, tuple[tuple[bytes, bytes], ...]]:
    known = texts if "body" in wild else _known(seeds)
    if route.body == "json":
        return _json(draw, route, seeds, "body" in wild), ()
    if route.body == "form":
        pairs = draw(st.lists(st.tuples(st.sampled_from(["paths", "expand"]), known), max_size=4))
        return urlencode([(key, value.encode(errors="replace")) for key, value in pairs]).encode(), ()
    if route.body == "none":
        return b"", ()
    if "/commit/" in route.pattern:
        return _ndjson(draw, seeds, "body" in wild), ()
    if "pack" in route.pattern:
        data = _packets(draw, seeds)
        packed = draw(st.booleans())
        return (gzip.compress(data) if packed else data), (
            ((b"content-encoding", b"gzip"),) if packed else ()
        )
    return (draw(st.binary(max_size=200)) if "body" in wild else seeds.large), ()


def _json(draw: Draw, route: Route, seeds: Seeds, wild: bool) -> bytes:
    """A body that the route understands; when `wild`, with some of its values, or all of it, replaced."""
    real = next((body for end, body in seeds.bodies.items() if route.pattern.endswith(end)), {})
    shape = draw(st.integers(0, 6)) if wild else 9
    if shape == 0:
        ugly = [b"[" * 60_000, b'{"a":' * 60_000, b"\xff", b"NaN", b'"\\ud800"', b"1" * 5000, b""]
        return bytes(draw(st.sampled_from(ugly)))
    if shape == 1:
        return dumps(draw(values))
    known = _known(seeds)
    if shape == 2 or not real:
        row = st.dictionaries(st.sampled_from(_keys(route)), known | values, max_size=6)
        found = known | values | st.lists(row, max_size=3) | row
        return dumps(draw(st.dictionaries(st.sampled_from(_keys(route)), found, max_size=8)))
    body = json.loads(json.dumps(real))
    if wild:
        for _ in range(draw(st.integers(1, 3))):
            _spoil(draw, body)
    return dumps(body)


def _spoil(draw: Draw, value: Any) -> None:
    """Replace one value somewhere inside."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    if not keys:
        return
    key = draw(st.sampled_from(keys))
    if isinstance(value[key], dict | list) and draw(st.booleans()):
        _spoil(draw, value[key])
    else:
        value[key] = draw(values)


def dumps(value: Any) -> bytes:
    """JSON with the lone surrogates that it can spell."""
    return json.dumps(value).encode()


def _ndjson(draw: Draw, seeds: Seeds, wild: bool) -> bytes:
    paths = st.sampled_from([*seeds.parts["path"], *seeds.parts["oid"], "new", "data/new", "README.md/x"])
    known = paths | texts if wild else paths
    fields = {
        "header": ("summary", "description", "parentCommit"),
        "file": ("path", "content", "encoding"),
        "lfsFile": ("path", "oid", "size", "algo"),
        "deletedFile": ("path",),
        "deletedFolder": ("path",),
        "copyFile": ("path", "srcPath", "srcRevision"),
        "?": ("path",),
    }
    real = {"encoding": st.sampled_from(["base64", "utf-8"]), "content": st.sampled_from(["eA==", "x", "e"])}
    real |= {"oid": st.sampled_from(seeds.parts["oid"]), "size": st.sampled_from([792, 5, None])}
    lines = [] if wild and draw(st.booleans()) else [dumps({"key": "header", "value": {"summary": "s"}})]
    for _ in range(draw(st.integers(0, 5))):
        key = draw(st.sampled_from(sorted(fields)))
        value = {
            name: draw(real.get(name, known) if draw(st.integers(0, 4)) else values) for name in fields[key]
        }
        lines.append(dumps({"key": key, "value": value}))
    ends = [b"", b"\n", b"\n\n", b"{", b"\r\n", b"\n" + b"[" * 60_000]
    end = draw(st.sampled_from(ends)) if wild else b""
    return b"\n".join(lines) + bytes(end)


def _packets(draw: Draw, seeds: Seeds) -> bytes:
    """git's pkt-lines, with lengths that need not be true."""
    out = b""
    for _ in range(draw(st.integers(0, 5))):
        sha = draw(st.sampled_from(seeds.parts["sha"]))
        line = draw(
            st.sampled_from(
                [f"want {sha} side-band-64k\n", f"want {sha}\n", "done\n", "command=ls-refs\n", "deepen x\n"]
            )
        )
        length = draw(st.sampled_from([len(line) + 4, 0, 1, 2, 3, 4, 65535]))
        out += f"{length:04x}{line}".encode() if length > 4 else f"{length:04x}".encode()
    return out + bytes(draw(st.sampled_from([b"", b"0000", b"0009done\n", b"zzzz"])))

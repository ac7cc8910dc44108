"""The door: raw requests that no client library would send, and what no answer may carry."""

from __future__ import annotations

import contextlib
import re
import socket
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from localhub.launch import Server
from localhub.pages import markdown
from localhub.routes import ROUTES


def raw(hub: Server, request: bytes) -> bytes:
    """What the server answers to these bytes."""
    host, port = hub.url.removeprefix("http://").split(":")
    found = b""
    with (
        socket.create_connection((host, int(port)), timeout=10) as connection,
        contextlib.suppress(ConnectionError),  # it need not listen to the end of a request that it refuses
    ):
        connection.sendall(request)
        while piece := connection.recv(65_536):
            found += piece
    return found


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


@pytest.mark.parametrize(
    "host",
    [
        "localhost.",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0.0.0.0",
        "[::]",
        "[::ffff:127.0.0.1]",
        "evil@127.0.0.1",
        "127.0.0.1@evil",
        "127.0.0.1/evil",
        "127.0.0.1#evil",
        "127.0.0.1:80:80",
        "127.0.0.1:999999",
        "127.0.0.1:x",
        "localhost, evil",
        "localhost evil",
        "xlocalhost",
    ],
)
def test_hosts_that_are_not_this_machine(hub: Server, host: str) -> None:
    answer = raw(hub, f"GET /api/models HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert status(answer) in (400, 403), answer


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]", "[::1]:8420"])
def test_hosts_that_are(hub: Server, host: str) -> None:
    answer = raw(hub, f"GET /api/models HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert status(answer) == 200, answer


@pytest.mark.parametrize(
    "head",
    [
        b"GET /api/models HTTP/1.1\r\n",  # no Host at all
        b"GET /api/models HTTP/1.0\r\n",
        b"GET /api/models HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n",
        b"GET http://evil/api/models HTTP/1.1\r\nHost: localhost\r\n",
        b"GET http://localhost/api/models HTTP/1.1\r\nHost: evil\r\n",
        b"GET evil:80 HTTP/1.1\r\nHost: localhost\r\n",
        b"CONNECT evil:80 HTTP/1.1\r\nHost: localhost\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n",
        b"GET //evil/api/models HTTP/1.1\r\nHost: localhost\r\n",
        b"GET /api/models HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: x\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 200_000,
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_odd_requests_are_refused_and_the_server_lives(hub: Server, head: bytes) -> None:
    answer = raw(hub, head + b"Connection: close\r\n\r\n")
    assert 400 <= status(answer) < 500 or status(answer) in (0, 501), answer[:300]
    assert httpx.get(hub.url).status_code == 200


def test_addresses_beyond_ascii(hub: Server, repo_id: str) -> None:
    for path in (b"/\xff", b"/%ff", b"/" + repo_id.encode() + b"/resolve/main/\xc3\xa9"):
        answer = raw(hub, b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert status(answer) in (0, 400, 401, 404), answer[:300]
    assert httpx.get(hub.url).status_code == 200


def test_nothing_sets_a_cookie_and_every_page_has_its_policy(hub: Server, api: HfApi, repo_id: str) -> None:
    api.upload_file(path_or_fileobj=b"---\nlicense: mit\n---\n# x", path_in_repo="README.md", repo_id=repo_id)
    opened = api.create_commit(
        repo_id, [CommitOperationAdd("a.txt", b"a")], commit_message="x", create_pr=True
    )
    parts = {"kind": "models", "ns": repo_id.split("/")[0], "name": repo_id.split("/")[1], "rev": "main"}
    parts |= {"path*": "README.md", "num": str(opened.pr_num), "sha": "main", "pair*": "main..refs%2Fpr%2F1"}
    pages = 0
    for route in ROUTES:
        if route.method != "GET" or "{status}" in route.pattern:
            continue
        address = re.sub(r"\{([a-z]+\*?)\}", lambda match: parts.get(match[1], "x"), route.pattern)
        answer = httpx.get(hub.url + address, headers={"Accept": "text/html"})
        assert "set-cookie" not in answer.headers, address
        assert answer.headers["x-content-type-options"] == "nosniff", address
        if answer.headers.get("content-type", "").startswith("text/html"):
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'") and "unsafe" not in policy, address
            assert "script-src" not in policy or "'self'" in policy, address
            pages += answer.status_code == 200
    assert pages > 10


def test_stored_pages_never_run(hub: Server, api: HfApi, repo_id: str) -> None:
    evil = b"<script>alert(1)</script>"
    names = ["x.html", "x.svg", "x.xhtml", "x.js", "x.xml", "x.htm", "x", "x.html.bin"]
    api.create_commit(repo_id, [CommitOperationAdd(name, evil) for name in names], commit_message="x")
    for name in names:
        answer = httpx.get(f"{hub.url}/{repo_id}/resolve/main/{name}")
        assert answer.status_code == 200 and answer.content == evil
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["content-type"].split(";")[0] in ("text/plain", "application/octet-stream")
        assert answer.headers["x-content-type-options"] == "nosniff"


HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<object data=x></object><embed src=x><applet></applet>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='jAvAsCrIpT&colon;alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "[x](javascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    "<img src=//evil.example/pixel.png srcset='//evil.example/2 2x'>",
    "<picture><source srcset=//evil.example/x><img src=a></picture>",
    "<style>*{background:url(//evil.example)}</style>",
    "<p style='background:url(//evil.example)'>x</p>",
    "<link rel=stylesheet href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example>",
    "<form action=//evil.example><input name=token><button>go</button></form>",
    "<video src=//evil.example poster=//evil.example><track src=//evil.example></video>",
    "<details ontoggle=alert(1) open>x</details>",
    "<div class='header nav'>x</div>",
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "$$<script>alert(1)</script>$$",
    "$<img src=x onerror=alert(1)>$",
    "[^1]\n\n[^1]: <script>alert(1)</script>",
    "> [!NOTE]\n> <script>alert(1)</script>",
    "# <img src=x onerror=alert(1)>",
    "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=alert(1)> |",
    'https://evil.example/"onmouseover=alert(1)',
    "\x00<script\x00>alert(1)</script>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_cards_cannot_run_or_call(text: str) -> None:
    html = markdown.render(text, "/a/b", "main")
    tags = re.findall(r"<[^>]*>", html)
    assert not any(
        re.match(r"</?(script|style|iframe|object|embed|form|input|link|meta|base|svg|video)\b", tag, re.I)
        for tag in tags
    ), html
    for tag in tags:
        assert not re.search(r"\son\w+\s*=|\sstyle\s*=|\ssrcset\s*=", tag, re.I), html
        for name, value in re.findall(r'(href|src)="([^"]*)"', tag):
            assert not re.match(r"\s*(javascript|data|vbscript):", value, re.I), html
            assert name == "href" or value.startswith("/a/b/"), html


def test_a_hostile_card_as_a_page(hub: Server, api: HfApi, repo_id: str, tmp_path: Path) -> None:
    text = "\n\n".join(HOSTILE)
    api.upload_file(path_or_fileobj=text.encode(), path_in_repo="docs.md", repo_id=repo_id)
    api.create_discussion(repo_id, title=f"<script>{uuid4().hex}</script>", description=text)
    for page in ("discussions", "discussions/1", "blob/main/docs.md", "commits/main", "commit/main"):
        answer = httpx.get(f"{hub.url}/{repo_id}/{page}", headers={"Accept": "text/html"})
        assert answer.status_code == 200, page
        assert not re.search(
            r"<script(?! src=\"/-/)|<img[^>]*onerror|javascript:alert\(1\)\"", answer.text
        ), page

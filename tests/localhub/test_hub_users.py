"""The users file: whom it lets in, and what it says about every mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from localhub import users
from localhub.errors import HubError
from tests.localhub.conftest import ROOT, serve

USERS = """\
- name: __DUMMY_USER__
  fullname: Dummy User
  email: dummy@example.org
  token: hf_fixtureTokenThatIsNobodys
  orgs: [{name: open_org, fullname: Open Org}, {name: closed_org, private_by_default: true}]
- {name: other, token: other-token, orgs: [{name: closed_org, fullname: Closed}]}
"""


@pytest.fixture(autouse=True)
def no_real_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The login of whoever runs the tests must not matter; a home of our own instead."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf_home"))
    return tmp_path / "hf_home"


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "users.yaml"
    path.write_text(text)
    with pytest.raises(HubError) as caught:
        users.load(path)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(str(path)) for line in lines), lines
    return [line.removeprefix(str(path)) for line in lines]


def test_served(tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text(USERS)
    process, url = serve(tmp_path / "data", "--users", str(tmp_path / "users.yaml"))
    try:
        api = HfApi(endpoint=url, token="hf_fixtureTokenThatIsNobodys")
        me = api.whoami()
        assert (me["name"], me["fullname"], me["email"]) == (
            "__DUMMY_USER__",
            "Dummy User",
            "dummy@example.org",
        )
        assert [(org["name"], org["fullname"], org["roleInOrg"]) for org in me["orgs"]] == [
            ("open_org", "Open Org", "admin"),
            ("closed_org", "Closed", "admin"),
        ]
        for name, options, private in (
            ("open_org/a", {}, False),
            ("closed_org/a", {}, True),
            ("closed_org/b", {"private": False}, False),
            ("closed_org/c", {"visibility": "public"}, False),
            ("open_org/d", {"visibility": "private"}, True),
        ):
            api.create_repo(name, **options)  # type: ignore[arg-type]
            assert api.model_info(name).private is private, name
        local = HfApi(endpoint=url, token=(tmp_path / "data/token").read_text())
        local.create_repo("closed_org/by-local")
        assert local.model_info("closed_org/by-local").private is True
        assert local.whoami()["orgs"] == []
    finally:
        process.terminate()
        process.wait(timeout=10)
        assert process.stdout is not None
        process.stdout.close()
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert kept and not any(b"hf_fixtureToken" in path.read_bytes() for path in kept), "no token is stored"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ": must be a list of users, as '- {name: ada, token: ...}'."),
        ("name: ada\n", ": must be a list of users, as '- {name: ada, token: ...}'."),
        ("- ada\n", ":1: user number 1: must be a mapping with a name and a token."),
        ("- {name: ada}\n", ":1: user 'ada': 'token' is missing."),
        ("- {token: t}\n", ":1: user number 1: 'name' is missing."),
        (
            "\n- {name: ada, tokn: t, token: t}\n",
            ":2: user 'ada': 'tokn' is not a key of it; did you mean 'token'?",
        ),
        (
            "- {name: ada, zzz: t, token: t}\n",
            ":1: user 'ada': 'zzz' is not a key of it; use name, fullname, email, token, orgs.",
        ),
        ("- {name: ada, token: ''}\n", ":1: user 'ada': 'token' is empty; invent one."),
        ("- {name: ada, token: 123}\n", ":1: user 'ada': 'token' must be text; put quotes around it."),
        (
            "- {name: ada, token: 'a b'}\n",
            ":1: user 'ada': 'token' must be printable ASCII without spaces, at most 500 characters.",
        ),
        (
            "- {name: a/b, token: t}\n",
            ":1: user 'a/b': 'name' must be text that can stand before the slash of a repository id.",
        ),
        (
            "- {name: local, token: t}\n",
            ":1: user 'local': 'name' is taken by the Hub itself; choose another.",
        ),
        (
            "- {name: Datasets, token: t}\n",
            ":1: user 'Datasets': 'name' is taken by the Hub itself; choose another.",
        ),
        (
            "- {name: ada, token: t, fullname: 3}\n",
            ":1: user 'ada': 'fullname' must be one line of text, at most 500 characters.",
        ),
        (
            "- {name: ada, token: t, orgs: x}\n",
            ":1: user 'ada': 'orgs' must be a list, as [{name: engines}].",
        ),
        ("- {name: ada, token: t, orgs: [{}]}\n", ":1: user 'ada': 'orgs': an org needs a name."),
        (
            "- {name: ada, token: t, orgs: [{name: e, private: true}]}\n",
            ":1: user 'ada': org 'e': 'private' is not a key of it; did you mean 'private_by_default'?",
        ),
        (
            "- {name: ada, token: t, orgs: [{name: e, private_by_default: 1}]}\n",
            ":1: user 'ada': org 'e': 'private_by_default' must be true or false.",
        ),
        (
            "- {name: ada, token: t}\n- {name: ADA, token: u}\n",
            ": user 'ADA': 'name' is used twice; ids are the same in upper and lower case.",
        ),
        (
            "- {name: ada, token: t}\n- {name: bob, token: t}\n",
            ": user 'bob': 'token' is another user's too; invent one for each.",
        ),
        (
            "- {name: ada, token: t, orgs: [{name: Bob}]}\n- {name: bob, token: u}\n",
            ": user 'bob': 'name' is also that of an org; choose another for one of them.",
        ),
        (
            "- {name: ada, token: t, orgs: [{name: e, fullname: A}]}\n"
            "- {name: bob, token: u, orgs: [{name: e, fullname: B}]}\n",
            ": user 'bob': org 'e': 'fullname' differs elsewhere.",
        ),
        (
            "- {name: ada, name: bob, token: t}\n",
            ':1: not valid YAML: found duplicate key "name" with value "bob"',
        ),
        ("- {name: ada, token: t\n", ":2: not valid YAML: "),
    ],
)
def test_mistakes(tmp_path: Path, text: str, expected: str) -> None:
    (line,) = problems(tmp_path, text)
    assert line == expected or (expected.startswith((":1: not valid", ":2: not valid")) and expected in line)


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    text = "- {name: ada, tokn: t}\n- {name: local, token: ''}\n"
    assert len(problems(tmp_path, text)) == 4


@pytest.mark.parametrize(
    "place", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "token", "HF_TOKEN_PATH", "stored_tokens"]
)
def test_a_real_token_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_real_token: Path, place: str
) -> None:
    real = "hf_theRealOneOfThisAccount"
    no_real_token.mkdir()
    if place == "HF_TOKEN_PATH":
        (tmp_path / "elsewhere").write_text(f"{real}\n")
        monkeypatch.setenv(place, str(tmp_path / "elsewhere"))
    elif place.isupper():
        monkeypatch.setenv(place, real)
    else:
        text = f"[work]\nhf_token = {real}\nrefresh_token = rt\n" if place == "stored_tokens" else f"{real}\n"
        (no_real_token / place).write_text(text)
    (line,) = problems(tmp_path, f"- {{name: ada, token: {real}}}\n")
    assert line.startswith(":1: user 'ada': 'token' is one that this account uses for a real Hub")
    assert real not in line
    (tmp_path / "users.yaml").write_text(f"- {{name: ada, token: {real}x}}\n")
    assert users.load(tmp_path / "users.yaml")[f"{real}x"].name == "ada"


def test_the_server_says_it_and_ends(tmp_path: Path) -> None:
    for name, content in (
        ("missing.yaml", None),
        ("binary.yaml", b"\xff\xfe\x00"),
        ("bad.yaml", b"- {name: a}\n"),
    ):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "localhub",
                "serve",
                "--data",
                str(tmp_path / "data"),
                "--users",
                str(path),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            env=os.environ,
        )
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: {path}") and done.stderr.count("\n") == 1, done.stderr

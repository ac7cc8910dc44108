"""The file of `--users`: accounts beside the one that every data directory has.

A YAML list of `{name, fullname, email, token, orgs: [{name, fullname, private_by_default}]}`; name and token
are required. Every problem is one line that names the file, the line, the user and the key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from localhub.auth import LOCAL, Org, User
from localhub.errors import HubError
from localhub.names import RESERVED, is_repo_part

USER_KEYS = ("name", "fullname", "email", "token", "orgs")
ORG_KEYS = ("name", "fullname", "private_by_default")
MAX_BYTES = 4_000_000
MAX_TEXT = 500


def load(path: Path) -> dict[str, User]:
    """{token: user} of a users file. HubError 400 whose message has one line for each problem in it."""
    problems: list[str] = []
    rows = _rows(path)
    real = real_tokens()
    users = [_user(path, rows, index, real, problems) for index in range(len(rows))]
    known = [user for user in users if user]
    problems += _clashes(path, rows, users)
    merged = _merge_orgs(path, known, problems)
    if problems:
        raise HubError(400, "\n".join(dict.fromkeys(problems)))
    return {str(row["token"]): user for row, user in zip(rows, merged, strict=True)}


def _rows(path: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1).decode()
        if len(text) > MAX_BYTES:
            raise HubError(400, f"{path}: larger than {MAX_BYTES} bytes.")
        rows = YAML(typ="rt", pure=True).load(text)
    except OSError as error:
        raise HubError(400, f"{path}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise HubError(400, f"{path}: not UTF-8 text.") from None
    except MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise HubError(400, f"{path}{line}: not valid YAML: {error.problem or error.context}.") from None
    except (YAMLError, RecursionError) as error:
        raise HubError(400, f"{path}: not valid YAML: {str(error).splitlines()[0]}.") from None
    if not isinstance(rows, list) or not rows:
        raise HubError(400, f"{path}: must be a list of users, as '- {{name: ada, token: ...}}'.")
    return rows


def _user(path: Path, rows: Any, index: int, real: set[str], problems: list[str]) -> User | None:
    """The user of one row; what is wrong with it goes to `problems`."""
    row, before = rows[index], len(problems)
    line = rows.lc.item(index)[0] + 1 if hasattr(rows, "lc") else 0
    name = row.get("name") if isinstance(row, Mapping) else None
    who = f"{path}:{line}: user {str(name)[:100]!r}" if name else f"{path}:{line}: user number {index + 1}"
    if not isinstance(row, Mapping):
        problems.append(f"{who}: must be a mapping with a name and a token.")
        return None
    problems += _unknown_keys(who, row, USER_KEYS)
    problems += [f"{who}: '{key}' is missing." for key in ("name", "token") if key not in row]
    problems += _bad_texts(who, row, ("fullname", "email"))
    problems += _bad_name(who, row) if "name" in row else []
    problems += _bad_token(who, row["token"], real) if "token" in row else []
    orgs = _orgs(who, row.get("orgs"), problems)
    if len(problems) > before:
        return None
    return User(str(name), str(row.get("fullname", name)), str(row.get("email", "")), tuple(orgs))


def _unknown_keys(who: str, row: Mapping[Any, Any], known: tuple[str, ...]) -> Iterator[str]:
    for key in row:
        if key not in known:
            near = get_close_matches(str(key), known, 1, cutoff=0.5)
            hint = f"did you mean '{near[0]}'?" if near else f"use {', '.join(known)}."
            yield f"{who}: '{str(key)[:100]}' is not a key of it; {hint}"


def _bad_texts(who: str, row: Mapping[Any, Any], keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        value = row.get(key, "")
        if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
            yield f"{who}: '{key}' must be one line of text, at most {MAX_TEXT} characters."


def _bad_name(who: str, row: Mapping[Any, Any]) -> Iterator[str]:
    name = row["name"]
    if not isinstance(name, str) or not is_repo_part(name):
        yield f"{who}: 'name' must be text that can stand before the slash of a repository id."
    elif name.lower() in (RESERVED | {LOCAL}):
        yield f"{who}: 'name' is taken by the Hub itself; choose another."


def _bad_token(who: str, token: Any, real: set[str]) -> Iterator[str]:
    """Never shows the token: the line may end up in a log."""
    if not isinstance(token, str):
        yield f"{who}: 'token' must be text; put quotes around it."
    elif not token:
        yield f"{who}: 'token' is empty; invent one."
    elif not (token.isascii() and token.isprintable() and " " not in token and len(token) <= MAX_TEXT):
        yield f"{who}: 'token' must be printable ASCII without spaces, at most {MAX_TEXT} characters."
    elif token in real:
        yield (
            f"{who}: 'token' is one that this account uses for a real Hub (HF_TOKEN, or the login of "
            "`hf auth`); invent another. If it is a token of this file, unset HF_TOKEN, or `hf auth logout`."
        )


def _orgs(who: str, rows: Any, problems: list[str]) -> list[Org]:
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        problems.append(f"{who}: 'orgs' must be a list, as [{{name: engines}}].")
        return []
    found = []
    for row in rows:
        what = f"{who}: org {str(row.get('name'))[:100]!r}"
        wrong = [*_unknown_keys(what, row, ORG_KEYS), *_bad_texts(what, row, ("fullname",))]
        wrong += _bad_name(what, row) if "name" in row else [f"{who}: 'orgs': an org needs a name."]
        if not isinstance(row.get("private_by_default", False), bool):
            wrong.append(f"{what}: 'private_by_default' must be true or false.")
        problems += wrong
        if not wrong:
            found.append(Org(str(row["name"]), str(row.get("fullname", "")), row.get("private_by_default")))
    return found


def _clashes(path: Path, rows: Any, users: list[User | None]) -> Iterator[str]:
    """Two users of one name or one token, and names that are a user's and an organisation's."""
    orgs = {org.name.lower() for user in users if user for org in user.orgs}
    names: set[str] = set()
    tokens: set[str] = set()
    for row, user in zip(rows, users, strict=True):
        if user is None:
            continue
        who = f"{path}: user {user.name!r}"
        if user.name.lower() in names:
            yield f"{who}: 'name' is used twice; ids are the same in upper and lower case."
        if user.name.lower() in orgs:
            yield f"{who}: 'name' is also that of an org; choose another for one of them."
        if row["token"] in tokens:
            yield f"{who}: 'token' is another user's too; invent one for each."
        names.add(user.name.lower())
        tokens.add(str(row["token"]))


def _merge_orgs(path: Path, users: list[User], problems: list[str]) -> list[User]:
    """An org may be described once and only named by its other members."""
    known: dict[str, Org] = {}
    for user in users:
        for org in user.orgs:
            first = known.setdefault(org.name.lower(), org)
            known[org.name.lower()] = _merged(first, org)
            for key in ("name", "fullname", "private_by_default"):
                old, new = getattr(first, key), getattr(org, key)
                if old not in ("", None) and new not in ("", None) and old != new:
                    problems.append(
                        f"{path}: user {user.name!r}: org {org.name!r}: '{key}' differs elsewhere."
                    )
    full = {key: replace(org, fullname=org.fullname or org.name) for key, org in known.items()}
    return [replace(user, orgs=tuple(full[org.name.lower()] for org in user.orgs)) for user in users]


def _merged(first: Org, second: Org) -> Org:
    private = first.private_by_default if first.private_by_default is not None else second.private_by_default
    return replace(first, fullname=first.fullname or second.fullname, private_by_default=private)


def real_tokens() -> set[str]:
    """What this account sends to a real Hub, and every other word of the files that hold it.

    The places are those of huggingface_hub/constants.py and utils/_auth.py. Nothing of it is kept or shown.
    """
    cache = os.environ.get("XDG_CACHE_HOME", os.path.join("~", ".cache"))
    home = os.environ.get("HF_HOME", os.path.join(cache, "huggingface"))
    token = Path(_expanded(os.environ.get("HF_TOKEN_PATH", os.path.join(_expanded(home), "token"))))
    texts = [os.environ.get(name, "") for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")]
    for place in (token, token.with_name("stored_tokens")):
        try:
            texts.append(place.read_text(errors="replace"))
        except OSError:
            continue
    return {word for text in texts for word in re.split(r"[\s='\"]+", text) if word}


def _expanded(text: str) -> str:
    return os.path.expandvars(os.path.expanduser(text))

"""What may not be in a published file: pickles, secrets, paths of this machine."""

import json
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path

_SECRETS = {
    "a Hugging Face token": rb"\bhf_[A-Za-z0-9]{30,}",
    "a token of the embedded Hub": rb"\blocalhub_[\w-]{20,}",
    "an AWS access key": rb"\bAKIA[0-9A-Z]{16}\b",
    "a private key": rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a GitHub token": rb"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,})",
    "a Slack token": rb"\bxox[abprs]-[\w-]{20,}",
    "an API key": rb"\bsk-[A-Za-z0-9_-]{32,}",
    "a password in a URL": rb"://[^/\s:@\"']+:[^/\s:@\"']+@",
}
_ANY_SECRET = re.compile(b"|".join(b"(?:%s)" % pattern for pattern in _SECRETS.values()))
# Where people's files are, on Linux, macOS and Windows; not preceded by what would make it part of a URL.
_LOCAL_PATH = re.compile(
    rb"(?<![\w.:/-])/(?:home|root|Users|tmp|private|mnt|workspace)/[\w.-]|\b[A-Za-z]:\\\\?Users\\"
)
# Vocabularies hold strings that look like paths; in them only this machine's own paths are looked for.
_VOCABULARY = re.compile(r"(?:^|/)(?:tokenizer\.json|vocab\..+|merges\.txt|.+\.(?:model|spm))$")
_TEXT = (".json", ".txt", ".md", ".jinja", ".yaml")
_PNG = b"\x89PNG\r\n\x1a\n"
_ZIP_OR_PICKLE = (b"PK\x03\x04", b"\x80")


def screen(source: Path, path: str, root: Path) -> Iterator[str]:
    """What speaks against publishing the file `source` as `path`, a finding a line; no secret is repeated.

    Of a safetensors file the header is read, of every other file all of it.
    """
    if path.endswith(".safetensors"):
        data, wrong = _header(source)
    else:
        data = source.read_bytes()
        wrong = _wrong_kind(path, data)
    if wrong:
        yield f"{source}: {wrong}"
        return
    yield from _found(secrets(data), source, "remove it, and revoke it if it was ever shared")
    yield from _found(_paths(data, path, root), source, "publish nothing that names this machine")
    if path == "config.json" and b'"auto_map"' in data:
        yield f"{source}: asks its readers to run code (auto_map), which a release never does"


def _found(findings: Iterator[tuple[int, str]], source: Path, advice: str) -> Iterator[str]:
    for line, what in findings:
        yield f"{source}:{line}: holds {what}: {advice}"


def secrets(data: bytes) -> Iterator[tuple[int, str]]:
    """(line, what it looks like) of everything in `data` that looks like a secret."""
    for match in _ANY_SECRET.finditer(data):
        what = next(name for name, pattern in _SECRETS.items() if re.match(pattern, match[0]))
        yield _line(data, match.start()), what
    own = os.environ.get("HF_TOKEN", "").strip().encode()
    if len(own) > 8 and own in data:
        yield _line(data, data.index(own)), "the token of HF_TOKEN"


def _paths(data: bytes, path: str, root: Path) -> Iterator[tuple[int, str]]:
    here = [str(root.resolve()), os.path.expanduser("~")]
    for folder in dict.fromkeys(f.rstrip("/") for f in here):
        # One word such as "/home" may stand in a vocabulary; a path of two parts may not.
        exact = rb"|(?=[\"'])" if folder.count("/") > 1 else b""
        # Not within a longer path or a URL, where another site may have a folder of the same name.
        pattern = rb"(?<![\w.-])" + re.escape(folder.encode()) + rb"(?:[/\\][\w.]" + exact + b")"
        if folder.startswith("/") and (match := re.search(pattern, data)):
            yield _line(data, match.start()), "a path of this machine"
            return
    if not _VOCABULARY.search(path) and (match := _LOCAL_PATH.search(data)):
        yield _line(data, match.start()), "a local path"


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _header(source: Path) -> tuple[bytes, str | None]:
    """A safetensors file begins with the length of a JSON object, then the object."""
    wrong = "is not a safetensors file, whatever its name says"
    with source.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(100_000_000, source.stat().st_size - 8):
            return b"", wrong
        header = file.read(length)
    try:
        return header, None if isinstance(json.loads(header), dict) else wrong
    except ValueError:
        return b"", wrong


def _wrong_kind(path: str, data: bytes) -> str | None:
    if path.endswith(".png"):
        return None if data.startswith(_PNG) else "is not a PNG, whatever its name says"
    if data.startswith(_ZIP_OR_PICKLE):
        return "is a pickle or an archive, whatever its name says"
    if path.endswith(_TEXT):
        try:
            data.decode()
        except UnicodeDecodeError as error:
            return f"is not UTF-8 (line {_line(data, error.start)})"
    return None

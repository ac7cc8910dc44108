"""One file as a page: as what it is (a card, a table, tensors, an image) or as numbered lines."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pygit2
from starlette.responses import RedirectResponse, Response

from localhub.api.call import Call
from localhub.cards import frontmatter, safetensors
from localhub.errors import entry_not_found
from localhub.pages import contents, markdown, render
from localhub.pages.code import crumbs
from localhub.pages.views import frame
from localhub.pages.wording import segment
from localhub.storage import trees
from localhub.storage.repos import Repo

MAX_TEXT = 1_000_000  # bytes of a file that are read as text
LINES = 2000  # a page
MAX_ROWS = 200  # of a table
MAX_TENSORS = 2000
MAX_COLUMNS = 60
MAX_CELL = 300  # characters
MAX_LINE = 4000  # characters
_SEPARATORS = {".csv": ",;|\t", ".tsv": "\t"}
_ROWS = (".jsonl", ".ndjson")


@dataclass(frozen=True)
class Shown:
    """A file made readable: `kind` picks the markup, `value` is what it shows, `cut` says what is not."""

    kind: str  # "markdown", "table", "json", "tensors", "image"
    value: Any = None
    cut: str = ""


@dataclass(frozen=True)
class Source:
    """One page of a text file's lines, the first of which is number `first`."""

    lines: list[str] = field(default_factory=list)
    first: int = 1
    total: int = 0


def page(call: Call) -> Response:
    """GET /NS/NAME/blob/REV/PATH?view=source&p=: one file; a folder goes to its listing."""
    path = call.args["path"].strip("/")
    repo = call.find_for(path)
    git, revision = repo.git(), call.args["rev"]
    commit = trees.resolve(git, revision)
    entry = trees.entry(git, commit, path)
    if entry is None:
        raise entry_not_found(path)
    if entry.kind == "directory":
        return RedirectResponse(f"{repo.url_path}/tree/{segment(revision)}/{quote(path)}", 303)
    opaque = _suffix(path) in (".safetensors", *contents.IMAGES)
    text = None if opaque else contents.text(git, repo, entry, MAX_TEXT)
    shown = _readable(git, repo, entry, text, revision)
    as_source = text is not None and (shown is None or call.query.get("view") == "source")
    number = call.count("p", 0, 10**5)
    return render.page(
        "blob.html",
        **frame(call, repo, "files", revision),
        entry=entry,
        crumbs=crumbs(path),
        path=path,
        shown=None if as_source else shown,
        switch=shown is not None and text is not None,
        source=_source(text or "", number) if as_source else None,
        number=number,
        page=lambda at: "?" + urlencode({"view": "source", "p": at}),
        cut=text is not None and entry.size > MAX_TEXT,
        pickled=_suffix(path) in contents.PICKLED,
        last=trees.last_commits(git, commit, [path]).get(path),
        subject=trees.subject,
        moment=trees.when,
    )


def _suffix(path: str) -> str:
    name = path.lower().rpartition("/")[2]
    return f".{name.rpartition('.')[2]}" if "." in name else ""


def _source(text: str, number: int) -> Source:
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    start = min(number * LINES, max(0, len(lines) - 1) // LINES * LINES)
    page = [_short(line.removesuffix("\r"), MAX_LINE) for line in lines[start : start + LINES]]
    return Source(page, start + 1, len(lines))


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def _readable(
    git: pygit2.Repository, repo: Repo, entry: trees.Entry, text: str | None, revision: str
) -> Shown | None:
    """The file as something better than its lines; None when nothing is."""
    suffix = _suffix(entry.path)
    if suffix in contents.IMAGES:
        return Shown("image")
    if suffix == ".safetensors":
        found = contents.tensors(git, repo, entry)
        return _tensors(found) if found is not None else None
    if text is None:
        return None
    if suffix == ".md":
        return _markdown(repo, entry.path, text, revision)
    if suffix in _SEPARATORS:
        return _separated(text, _SEPARATORS[suffix])
    if suffix in _ROWS:
        return _objects(text)
    return _json(text) if suffix == ".json" and entry.size <= MAX_TEXT else None


def _tensors(found: list[safetensors.Tensor]) -> Shown:
    cut = f"The first {MAX_TENSORS:,} of {len(found):,} tensors." if len(found) > MAX_TENSORS else ""
    counts = safetensors.by_dtype(found)
    value = {
        "rows": found[:MAX_TENSORS],
        "count": len(found),
        "dtypes": counts,
        "total": sum(counts.values()),
    }
    return Shown("tensors", value, cut)


def _markdown(repo: Repo, path: str, text: str, revision: str) -> Shown:
    yaml, body = frontmatter.split(text)
    folder = path.rpartition("/")[0]
    html = markdown.render(body, repo.url_path, revision, folder)
    return Shown("markdown", {"html": html, "yaml": yaml})


def _separated(text: str, separators: str) -> Shown | None:
    """The first rows of a CSV, the separator being the one that its first line holds most of."""
    first = text.partition("\n")[0]
    separator = max(separators, key=first.count)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            if row:
                rows.append(row)
            if len(rows) > MAX_ROWS + 1:
                break
    except csv.Error:
        return None
    if not rows or len(rows[0]) < 2:
        return None
    return _table(rows[0], rows[1:])


def _objects(text: str) -> Shown | None:
    """JSON lines as a table of the keys that they have; None when they are not all objects."""
    found: list[dict[str, Any]] = []
    for line in text.split("\n", MAX_ROWS + 1)[: MAX_ROWS + 1]:
        try:
            item = json.loads(line) if line.strip() else {}
        except (ValueError, RecursionError):
            return None
        if not isinstance(item, dict):
            return None
        found += [item] if item else []
    columns = list(dict.fromkeys(key for item in found for key in item))
    rows = [[_cell(item[key]) if key in item else "" for key in columns[:MAX_COLUMNS]] for item in found]
    return _table(columns, rows) if columns else None


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _table(head: list[str], rows: list[list[str]]) -> Shown:
    parts = [f"the first {MAX_ROWS} rows"] if len(rows) > MAX_ROWS else []
    parts += [f"the first {MAX_COLUMNS} of {len(head)} columns"] if len(head) > MAX_COLUMNS else []
    cells = [[_short(cell, MAX_CELL) for cell in row[:MAX_COLUMNS]] for row in (head, *rows[:MAX_ROWS])]
    cut = f"Only {' and '.join(parts)} are shown." if parts else ""
    return Shown("table", {"head": cells[0], "rows": cells[1:]}, cut)


def _json(text: str) -> Shown | None:
    """JSON with a key a line; None when it is written that way already."""
    try:
        value = json.loads(text)
        pretty = json.dumps(value, ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return None
    lines = pretty.split("\n")
    if text.count("\n") * 2 > len(lines):
        return None
    cut = f"The first {LINES:,} of {len(lines):,} lines." if len(lines) > LINES else ""
    return Shown("json", "\n".join(_short(line, MAX_LINE) for line in lines[:LINES]), cut)

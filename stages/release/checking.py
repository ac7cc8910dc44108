"""Whether a card says what its records say: each disagreement by its place, with both sides.

`against` compares a card with a sidecar, `released` a folder as a reader downloads it: its card, its sidecar,
its records and the model's files. Neither needs the templates.
"""

import difflib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from stages.core.errors import PipelineError
from stages.core.files import digest, sha256
from stages.core.hub_words import LICENCE_FILES
from stages.core.model_files import PICKLED
from stages.core.records import Record, parse
from stages.release import blocks, fields
from stages.release.contents import CARD, PREDICTIONS, SIDECAR, is_of_a_release
from stages.release.sidecar import PARAMS, has_digit, pieces, sources
from stages.release.templates import environment, evaluate

_Line = tuple[int, str]
_WINDOW = 40  # lines in which a changed one is looked for: comparing all with all takes minutes
# What a release holds that neither the record of the training nor card.json names.
_UNNAMED = (
    CARD,
    SIDECAR,
    PREDICTIONS,
    *(f"reports/{name}.json" for name in ("data", "train", "eval")),
    *LICENCE_FILES,
)
_UNREADABLE = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, TemplateError)


def against(card: str, sidecar: Record, name: str) -> Iterator[str]:
    """How the text of a card, a file called `name`, departs from its sidecar.

    The lines that the sidecar holds have to stand in the card, in their order; a line beside them may say
    anything, but no number. What people wrote around the blocks, and keys that they added to the front
    matter, may say anything: nobody claims that a record is behind it.
    """
    free, body = blocks.free(card)
    values: dict[int, list[tuple[int, str, Record]]] = defaultdict(list)
    for value in sidecar["values"]:
        for number, column, text in pieces(value):
            values[number].append((column, text, value))
    wanted = [(line["line"], line["text"]) for line in sidecar["lines"]]
    lines = enumerate(blocks.plain_lines(card).split("\n"), start=1)
    found = [(number, line) for number, line in lines if number not in free]
    matcher = difflib.SequenceMatcher(None, [text for _, text in wanted], [text for _, text in found], False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag != "equal":
            yield from _block(wanted[i:j], found[k:m], values, name, body)


def _block(
    wanted: list[_Line],
    found: list[_Line],
    values: Mapping[int, list[tuple[int, str, Record]]],
    name: str,
    body: int,
) -> Iterator[str]:
    """What is wrong where these lines stand instead of those that are wanted; `body` is where it begins."""
    paired, at = set(), 0
    for place, (number, text) in enumerate(wanted):
        near = [place] if len(wanted) == len(found) else range(at, min(at + _WINDOW, len(found)))
        close = difflib.get_close_matches(text, [found[i][1] for i in near], n=1, cutoff=0.6)
        if not close:
            yield f"{name}: line {number} of the card is missing: {_shown(text)}"
            continue
        here = next(i for i in near if found[i][1] == close[0])
        paired.add(here)
        at = here + 1
        yield from _changed(*found[here], text, values[number], name)
    for i, (number, text) in enumerate(found):
        if i not in paired and number >= body and has_digit(text):
            yield f"{name}:{number}: holds a number that no record is behind: {_shown(text)}"


def _changed(
    place: int, found: str, wanted: str, values: list[tuple[int, str, Record]], name: str
) -> Iterator[str]:
    """Which values of a line another stands for; the line itself when only words differ."""
    codes = difflib.SequenceMatcher(None, wanted, found, False).get_opcodes()
    told = False
    for column, text, value in values:
        start, end = column - 1, column - 1 + len(text)
        said = _word(found, _mapped(codes, start, min), _mapped(codes, end, max))
        if said != _word(wanted, start, end):
            told = True
            yield f"{name}:{place}: says {_shown(said)}, but {named(value)} makes it {_shown(text)}"
    if not told:
        yield f"{name}:{place}: says {_shown(found)}, but the card was written as {_shown(wanted)}"


def _mapped(
    codes: Sequence[tuple[str, int, int, int, int]], at: int, choose: Callable[[list[int]], int]
) -> int:
    """Where the place `at` of one text went in the other: of the places it can be, the one to `choose`."""
    places = []
    for tag, i, j, k, m in codes:
        if i <= at <= j:
            places += [k + at - i] if tag == "equal" else [k] * (at < j or i == j) + [m] * (at > i or i == j)
    return choose(places)


def _word(text: str, start: int, end: int) -> str:
    """The part of a text from `start` to `end`, with the letters and digits that adjoin it."""
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return text[start:end]


def released(folder: Path) -> tuple[list[str], str]:
    """What disagrees in a downloaded release, and a line that says how much was checked.

    Raises PipelineError when there is no card or no sidecar to check.
    """
    card, sidecar = _text(folder / CARD), _json(folder / SIDECAR)
    try:
        return _released(folder, card, sidecar)
    except (LookupError, TypeError, AttributeError):
        raise PipelineError(f"{folder / 'card.json'}: is not the sidecar of a card") from None


def _released(folder: Path, card: str, sidecar: Record) -> tuple[list[str], str]:
    records: dict[str, Record] = {}
    problems = []
    for path in sorted({"reports/train.json", "reports/eval.json", *sidecar["records"]}):
        try:
            records[path] = _json(_within(folder, path), parse)
        except PipelineError as error:
            problems.append(str(error))
            continue
        if sha256(folder / path) != sidecar["records"].get(path):
            problems.append(f"{folder / path}: is not the record that card.json names")
    on_card = [*against(card, sidecar, CARD)]
    problems += [*_values(sidecar, records), *(on_card or [*blocks.edited(card), *_front(card)])]
    problems += _model(folder, sidecar["model"]["sha256"], records)
    problems += [*changed_files(folder, sidecar["figures"], SIDECAR), *_others(folder, sidecar, records)]
    said = sum(any(s["record"] == PARAMS for s in sources(value)) for value in sidecar["values"])
    known = len(sidecar["values"]) - said
    around = "; people have written around them since" if blocks.free(card)[0] else ""
    return problems, f"{known} values agree with their records; {said} more are params.yaml's{around}"


def _others(folder: Path, sidecar: Record, records: Mapping[str, Record]) -> Iterator[str]:
    """Predictions that the scores are not of; files that nothing vouches for and that a library may load."""
    wanted = records.get("reports/eval.json", {}).get("predictions", {}).get("sha256")
    if wanted and not (folder / PREDICTIONS).is_file():
        yield f"{folder / PREDICTIONS}: is missing, but reports/eval.json names it"
    elif wanted and sha256(folder / PREDICTIONS) != wanted:
        yield f"{folder / PREDICTIONS}: is not what reports/eval.json was worked out from"
    files = _named_files(records)
    known = {*files, *sidecar["records"], *sidecar["figures"], *_UNNAMED}
    for path in sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()):
        loaded = is_of_a_release(path) or path.endswith((*PICKLED, ".py", ".safetensors", ".jinja"))
        if loaded and path not in known and not path.startswith((".cache/", "figures/", "reports/")):
            yield f"{folder / path}: no record names it, and a library may load it"


def _front(card: str) -> Iterator[str]:
    """The keys of the front matter that do not hold what was generated; what people added is theirs."""
    parts = blocks.read(card, "README.md")
    found = fields.digests(parts.front)
    for key, known in (parts.made.front if parts.made else {}).items():
        if not set(known) <= set(found.get(key, [])):
            yield f"README.md: {key} of its front matter is not what was generated"


def _values(sidecar: Record, records: Mapping[str, Record]) -> Iterator[str]:
    """The values that their records do not make what the sidecar says."""
    within = environment(language=sidecar["card"]["language"])
    for value in sidecar["values"]:
        place = f"README.md:{value['line']}"
        named_records = {source["record"] for source in sources(value)}
        if not named_records:
            yield f"{place}: says {_shown(value['text'])}, and card.json names no record for it"
        if strangers := sorted(named_records - {PARAMS, *sidecar["records"]}):
            yield f"{place}: says {_shown(value['text'])} by {strangers[0]}, which card.json does not list"
        if not named_records <= records.keys():
            continue  # params.yaml is not released; any other record that is missing is told of
        try:
            made = str(evaluate(within, value, records))
        except _UNREADABLE as error:
            yield f"{place}: says {_shown(value['text'])}, but {named(value)} cannot be read: {error}"
            continue
        if made != value["text"]:
            yield f"{place}: says {_shown(value['text'])}, but {named(value)} makes it {_shown(made)}"


def _model(folder: Path, wanted: str, records: Mapping[str, Record]) -> Iterator[str]:
    """The files of the model that are not those that were evaluated."""
    for path in ("reports/train.json", "reports/eval.json"):
        if path in records and records[path]["model"]["sha256"] != wanted:
            yield f"{folder / path}: is about another model than card.json"
    files = _named_files(records)
    if "reports/train.json" in records and digest(files) != wanted:
        yield "reports/train.json: the digests of its files are not those of the model that was evaluated"
    yield from changed_files(folder, files)


def _named_files(records: Mapping[str, Record]) -> dict[str, str]:
    """The model's files and their digests, as the record of the training has them; none without it."""
    files: dict[str, str] = records.get("reports/train.json", {"model": {"files": {}}})["model"]["files"]
    return files


def changed_files(folder: Path, files: Mapping[str, str], by: str = "reports/train.json") -> Iterator[str]:
    """The files in `folder` that do not have these digests, by their name, which `by` gives."""
    for name, known in sorted(files.items()):
        if not _within(folder, name).is_file():
            yield f"{folder / name}: is missing, but {by} names it"
        elif (now := sha256(folder / name)) != known:
            yield f"{folder / name}: has the SHA-256 {now}, but {by} names {known}"


def named(value: Record) -> str:
    """The sources of a value, for a reader: reports/eval.json#/metrics/f1_macro/value."""
    keys = [f"{source['record']}#{source.get('key', source.get('name'))}" for source in sources(value)]
    shown = list(dict.fromkeys(keys))
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 120 else text[:119] + "…")


def _within(folder: Path, name: str) -> Path:
    """The path of a file that a release names, which may not lead out of its folder.

    A folder in the cache of huggingface_hub holds links to its files, which are beside it in `blobs`.
    """
    path, home = folder / name, folder.resolve()
    blobs = home.parent.parent / "blobs" if home.parent.name == "snapshots" else home
    if ".." in Path(name).parts or not any(path.resolve().is_relative_to(place) for place in (home, blobs)):
        raise PipelineError(f"{name}: leads out of {folder}, and a release does not")
    return path


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        raise PipelineError(f"{path}: is missing: the release has to be complete") from None
    except OSError as error:
        raise PipelineError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise PipelineError(f"{path}: is not UTF-8") from None


def _json(path: Path, read: Callable[[str], Any] = json.loads) -> Any:
    try:
        return read(_text(path))
    except (ValueError, RecursionError) as error:
        raise PipelineError(f"{path}: is not JSON: {error}") from None

"""Tags that do not belong to a corpus's scheme: typing errors, most of them. None is guessed at."""

import difflib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from stages.core.errors import PipelineError
from stages.sources.labels import check_name
from stages.sources.rows import Row, place
from stages.sources.tags import PLAIN, PREFIXES, parts
from stages.tasks.entity_tags import OUTSIDE

_SHOWN = 20
_UNQUOTED = re.compile(r"(?!null$|true$|false$)[A-Za-z][\w-]*", re.ASCII | re.IGNORECASE)

Names = Mapping[str, str | None]


@dataclass
class Seen:
    """How often a tag occurs, and where first."""

    count: int
    first: str


def check_tags(rows: Iterable[Row], scheme: str, label_map: Names) -> None:
    """Raise one PipelineError that lists every odd tag, and shows how `data.label_map` would settle them.

    A tag that `label_map` gives to others is taken as meant, if it is well-formed.
    """
    seen = _census(rows)
    for tag in seen:
        check_name(tag, seen[tag].first)
    odd = _odd(seen, scheme, {name for name in label_map.values() if name})
    if not odd:
        return
    listed = sorted(odd, key=lambda tag: (-seen[tag].count, tag))
    lines = [
        f"{seen[tag].first}: {_quoted(tag)} ({seen[tag].count} in all) {odd[tag]}" for tag in listed[:_SHOWN]
    ]
    if len(odd) > _SHOWN:
        lines.append(f"and {len(odd) - _SHOWN} more such tags")
    meant = {tag: _meant(tag, seen, odd, scheme) for tag in listed[:_SHOWN]}
    settled = {name: to and meant.get(to, to) for name, to in label_map.items()}
    lines.append(
        f"{len(odd)} tags are not what the others are ({scheme}): say what they stand for, for instance"
        f" data.label_map: {_yaml(settled | meant)} (null leaves their sentences out), or set"
        " data.tag_scheme to the scheme that they are in (plain: parts of speech and the like)"
    )
    raise PipelineError("\n".join(lines))


def _census(rows: Iterable[Row]) -> dict[str, Seen]:
    seen: dict[str, Seen] = {}
    for row in rows:
        for position, tag in enumerate(row.label if isinstance(row.label, tuple) else ()):
            if tag not in seen:
                seen[tag] = Seen(0, place(row.at, row.lines, position))
            seen[tag].count += 1
    return seen


def _odd(seen: Mapping[str, Seen], scheme: str, accepted: set[str]) -> dict[str, str]:
    """Each odd tag with what is odd about it."""
    if scheme == PLAIN:
        return {"": "has to have one"} if "" in seen else {}
    odd = {tag: why for tag in seen if (why := _misshapen(tag, scheme))}
    types = _types(seen, odd)
    begun = {parts(tag)[1] for tag in seen if parts(tag)[0] in ("B", "S", "U")}
    for tag in seen.keys() - odd.keys() - accepted - {OUTSIDE}:
        kind = parts(tag)[1]
        if parts(kind)[1] in types:
            odd[tag] = "has two prefixes"
        elif alike := next((t for t in types if t.casefold() == kind.casefold() and t != kind), None):
            if (-types[alike], alike) < (-types[kind], kind):
                odd[tag] = f"is written in another case than {alike}"
        elif scheme not in ("IO", "IOB1") and kind not in begun:
            odd[tag] = f"is of a type that no entity begins with: there is no B-{kind}"
    return odd


def _misshapen(tag: str, scheme: str) -> str:
    if not tag:
        return "has to have one"
    if tag == OUTSIDE or (parts(tag)[0] and parts(tag)[0] in PREFIXES[scheme]):
        return ""
    return f"is neither {OUTSIDE} nor {', '.join(f'{p}-' for p in PREFIXES[scheme])} with a type"


def _types(seen: Mapping[str, Seen], odd: Collection[str]) -> Counter[str]:
    """The types of entities in well-formed tags, the most frequent first."""
    counts: Counter[str] = Counter()
    for tag in sorted(seen.keys() - odd):
        if parts(tag)[1]:
            counts[parts(tag)[1]] += seen[tag].count
    return Counter(dict(counts.most_common()))


def _meant(tag: str, seen: Mapping[str, Seen], odd: Collection[str], scheme: str) -> str | None:
    """What a typing error probably stands for.

    When nothing is near, a well-formed tag stands for itself, which accepts it, and another for None: as O
    its words would be learned as no entities.
    """
    if tag.casefold() == "o" or not any(map(str.isalpha, tag)):
        return OUTSIDE
    types = list(_types(seen, odd))
    prefix = "B" if tag[0] in "Bb" and "B" in PREFIXES.get(scheme, "") else "I"
    ending = next((kind for kind in types if tag.casefold().endswith(kind.casefold())), None)
    near = [ending] if ending else difflib.get_close_matches(parts(tag)[1] or tag, types, 1, 0.6)
    if near:
        return f"{prefix}-{near[0]}"
    return None if _misshapen(tag, scheme) else tag


def _quoted(tag: str) -> str:
    return repr(tag[:80]) if tag else "a word without a tag"


def _yaml(names: Names) -> str:
    """A mapping as YAML writes it on one line."""
    pairs = [f"{_scalar(name)}: {'null' if to is None else _scalar(to)}" for name, to in names.items()]
    return "{" + ", ".join(pairs) + "}"


def _scalar(text: str) -> str:
    return text if _UNQUOTED.fullmatch(text) else json.dumps(text, ensure_ascii=False)

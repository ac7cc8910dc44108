"""What checks found in the rows: told, recorded, and refused where `data.checks` says so."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stages.core.data_section import Checks
from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.sources.rows import Row

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that a check found: nothing of its text, which may be personal.

    `other` is the row that it is compared with, `similarity` their cosine.
    """

    check: str
    kind: str
    split: str
    row: Row
    other: Row | None = None
    similarity: float | None = None


@dataclass(frozen=True)
class Check:
    """How a check is told: what rows do that it finds, and what their author can do about it."""

    found: str
    advice: str = ""


_APART = "remove them from one of the two, or name no such split, and it is cut from the training rows"
CHECKS = {
    "leaks": Check("are in another split too, but for case and punctuation", _APART),
    "near_leaks": Check("have a near duplicate in another split", _APART),
    "near_duplicates": Check("have a near duplicate in their own split"),
    "contradictions": Check(
        "have a near duplicate with another label", "correct the label of one of the two"
    ),
    "damage": Check("hold damaged characters", "read or save the source in its own encoding, or mend them"),
    "personal": Check("hold what looks like personal data", "remove the rows or what identifies a person"),
    "label_errors": Check("are suspected to have a wrong label", "look at them and correct their labels"),
}


def setting(checks: Checks, check: str) -> str:
    """`block`, `warn` or `off`; near duplicates within a split are looked for as those that leak are."""
    if check == "near_duplicates":
        return "off" if checks.near_leaks == "off" else "warn"
    return str(getattr(checks, check))


def settle(findings: Sequence[Finding], checks: Checks, listed: str) -> list[str]:
    """A line for each check that found something and is not to block; `listed` is the file of all findings.

    Raises PipelineError with the first rows of each one that is.
    """
    by_check = _by_check(findings)
    if blocked := [check for check in by_check if setting(checks, check) == "block"]:
        raise PipelineError("\n".join(_refusal(check, by_check[check]) for check in blocked))
    return [f"{_sentence(check, found)}: see {listed}" for check, found in by_check.items()]


def summary(findings: Sequence[Finding], checks: Checks) -> Record:
    """For each check its setting and, unless it is off, how many rows it found: in all, by kind, by split."""
    by_check = _by_check(findings)
    return {
        check: {"setting": setting(checks, check)}
        | ({} if setting(checks, check) == "off" else _counts(by_check.get(check, [])))
        for check in CHECKS
    }


def lines(findings: Iterable[Finding]) -> list[Record]:
    """Every finding as a record, sorted; texts are left out."""
    found = [_line(finding) for finding in findings]
    return sorted(found, key=lambda line: [str(line.get(key, "")) for key in _KEYS])


_KEYS = ("check", "kind", "split", "id", "at", "other", "other_at")


def _line(finding: Finding) -> Record:
    line: Record = {"check": finding.check, "kind": finding.kind, "split": finding.split}
    line |= {"id": finding.row.id, "at": finding.row.at}
    if finding.other is not None:
        line |= {"other": finding.other.id, "other_at": finding.other.at}
    if finding.similarity is not None:
        line["similarity"] = round(finding.similarity, 4)
    return line


def _by_check(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    groups: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.check].append(finding)
    return {check: groups[check] for check in CHECKS if check in groups}


def _rows(findings: Iterable[Finding]) -> dict[tuple[str, str, str], Finding]:
    """The first finding of each row."""
    rows: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        rows.setdefault((finding.split, finding.row.id, finding.row.at), finding)
    return rows


def _counts(findings: Sequence[Finding]) -> Record:
    rows = _rows(findings)
    splits = Counter(split for split, _, _ in rows)
    return {"rows": len(rows), "kinds": _kinds(findings), "splits": dict(sorted(splits.items()))}


def _kinds(findings: Iterable[Finding]) -> dict[str, int]:
    return dict(sorted(Counter(finding.kind for finding in findings).items()))


def _sentence(check: str, findings: Sequence[Finding]) -> str:
    kinds = ", ".join(f"{kind} {count}" for kind, count in _kinds(findings).items())
    count = len(_rows(findings))
    return f"{count} row{'s' if count > 1 else ''} of those kept {CHECKS[check].found} ({kinds})"


def _refusal(check: str, findings: Sequence[Finding]) -> str:
    rows = list(_rows(findings).values())
    shown = ", ".join(map(_place, rows[:_SHOWN])) + (
        f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    )
    return (
        f"{_sentence(check, findings)}: {shown}; {CHECKS[check].advice}; or set data.checks.{check} to warn,"
        " and they are kept and listed"
    )


def _place(finding: Finding) -> str:
    other = "" if finding.other is None else f", and {finding.other.at}"
    return f"{finding.row.id} ({finding.row.at}{other})"

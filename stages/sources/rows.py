"""The rows that become training and test data, and those that do not."""

from dataclasses import dataclass, field

from stages.core.records import Record

Text = str | tuple[str, ...]  # a text, or the words that tags belong to
Label = str | tuple[str, ...] | float | None  # by the kind of the task: stages/core/tasks.py


@dataclass(frozen=True, slots=True)
class Row:
    """One text with its label. `at` is where it was read: file and line.

    `pair` is the second text of those that come in twos. `lines` are the lines of the words, where each has
    its own. `slices` are the values of `data.slices`.
    """

    at: str
    id: str
    text: Text
    pair: str | None
    label: Label
    lines: tuple[int, ...] = field(default=(), repr=False)
    slices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is left out, and why."""

    at: str
    reason: str
    id: str | None
    text: str


@dataclass(frozen=True)
class Cleaned:
    """The usable rows of each split, and those left out of all.

    `found` says what they all together showed, `done` what was done about it, in sentences; `facts` is both
    as the report has it, `manifest` what later stages have to know.
    """

    rows: dict[str, list[Row]]
    rejected: list[Rejected]
    found: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    facts: Record = field(default_factory=dict)
    manifest: Record = field(default_factory=dict)


def as_text(text: Text) -> str:
    """A row's text as one string, the words of a sentence joined by spaces."""
    return text if isinstance(text, str) else " ".join(text)


def place(at: str, lines: tuple[int, ...] | list[int], position: int) -> str:
    """Where the word at `position` stands: `at`, with the word's own line if there is one."""
    return f"{at.rpartition(':')[0]}:{lines[position]}" if position < len(lines) else at

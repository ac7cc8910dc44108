"""The rows that become training and test data, and those that do not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text. `at` is where it was read: file and line."""

    at: str
    id: str
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is left out, and why."""

    at: str
    reason: str
    id: str | None
    text: str

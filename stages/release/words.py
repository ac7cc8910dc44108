"""What a card needs words for, whatever its language: see words_en.py and words_fr.py.

A change of words renders a card anew and retrains nothing.
"""

from dataclasses import dataclass

Example = str | list[str]


@dataclass(frozen=True)
class Words:
    """A language's words for what records name by a key. Names stand in the middle of a sentence."""

    metrics: dict[str, str]
    baselines: dict[str, tuple[str, str]]  # article, with the space after it, and name
    examples: dict[str, list[Example]]  # for users who name none: texts that say that they are examples
    verdicts: dict[str, str]  # of comparisons, after "this model is"
    slices: dict[str, str]  # the columns of slices that are the pipeline's own
    changes: dict[str, str]  # what was done to stressed texts
    headings: dict[str, str]  # of the user's own sections
    splits: dict[str, str]
    curves: dict[str, str]  # the verdicts of stages/evidence/diagnosis.py
    # A rule's sentence takes the number that was measured and the threshold that it was held against, both in
    # the format beside it. Scores are said to improve and to worsen: not for all of them more is better.
    rules: dict[str, tuple[str, str]]
    advice: dict[str, str]
    phrases: dict[str, str]  # for what records say in English; `{}` stands for a value on both sides

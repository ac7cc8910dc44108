"""Scores of tags: whole entities by seqeval where tags are entity tags (B-PER), single tags elsewhere (NOUN).

Entities are scored strictly, in IOB2, with mode and scheme named: seqeval's default mode accepts any tag and
gives other numbers. A model may predict sequences that are not IOB2, of which the strict mode would see
nothing; so first an I- that continues nothing starts an entity, as CoNLL's own script has it.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import datasets
import evaluate
from sklearn import metrics as sk

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.tasks.entity_tags import IOB2, OUTSIDE, are_entities
from stages.tasks.metrics import Scores, numbers

Entity = tuple[str, int, int]  # type, first word, word after the last

_NO_SCORES = {"precision": 0.0, "recall": 0.0, "f1-score": 0.0, "support": 0}
_CITATION = """@misc{seqeval, title={{seqeval}: A {P}ython framework for sequence labeling evaluation},
author={Hiroki Nakayama}, year={2018}, url={https://github.com/chakki-works/seqeval}}"""


class Tagging(evaluate.Metric):  # type: ignore[misc]
    """Accuracy over words; over entities precision, recall and F1, or over plain tags the macro mean of F1.

    Accuracy takes tags as they are predicted. A plain tag that neither occurs nor is predicted has F1 0.
    Nothing to score (no word, no entity on either side) is 0, without seqeval's warnings.
    """

    def _info(self) -> evaluate.MetricInfo:
        tags = datasets.Sequence(datasets.Value("string"))
        return evaluate.MetricInfo(
            description="accuracy over words; strict IOB2 entity scores, or macro F1 over tags",
            citation=_CITATION,
            inputs_description="predictions, references: a tag a word, for each row; labels: all tags",
            features=datasets.Features({"predictions": tags, "references": tags}),
        )

    def _compute(
        self, predictions: list[list[str]], references: list[list[str]], labels: Sequence[str]
    ) -> dict[str, float]:
        said, true = words(predictions, references)
        pair = numbers(true, labels), numbers(said, labels)
        accuracy = float(sk.accuracy_score(*pair)) if true else 0.0
        if not are_entities(labels):
            every = list(range(len(labels)))
            f1 = sk.f1_score(*pair, labels=every, average="macro", zero_division=0) if true else 0.0
            return {"accuracy": accuracy, "f1_macro": float(f1)}
        micro = _report(predictions, references).get("micro avg", _NO_SCORES)
        return {
            "entity_f1": float(micro["f1-score"]),
            "entity_precision": float(micro["precision"]),
            "entity_recall": float(micro["recall"]),
            "accuracy": accuracy,
        }


def score_tags(
    predicted: Sequence[Record], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Accuracy over words, and entity precision, recall and F1 (micro) or, of plain tags, macro F1.

    Raises PipelineError for a row with more or fewer tags than words, for a tag that `labels` lacks, and for
    entity tags that are not IOB2.
    """
    metric = Tagging(keep_in_memory=True)
    result: dict[str, float] = metric.compute(
        predictions=[list(record["predicted"]) for record in predicted],
        references=[list(tags) for tags in references],
        labels=list(labels),
    )
    return result


def per_entity(
    predicted: Sequence[Sequence[str]], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> Scores:
    """Precision, recall, F1 and support (true entities) of every type of entity that `labels` names."""
    report = _report(predicted, references)
    found = {}
    for kind in sorted({label[2:] for label in labels if label != OUTSIDE}):
        of = report.get(kind, _NO_SCORES)
        found[kind] = {
            "precision": float(of["precision"]),
            "recall": float(of["recall"]),
            "f1": float(of["f1-score"]),
            "support": int(of["support"]),
        }
    return found


def words(
    predicted: Sequence[Sequence[str]], references: Sequence[Sequence[str]]
) -> tuple[list[str], list[str]]:
    """The tags of all rows, predicted and true, word by word; PipelineError where a row's lengths differ."""
    for row, (said, true) in enumerate(zip(predicted, references, strict=True)):
        if len(said) != len(true):
            raise PipelineError(f"row {row} has {len(true)} words but {len(said)} predicted tags")
    return list(chain.from_iterable(predicted)), list(chain.from_iterable(references))


def iob2(tags: Iterable[str]) -> list[str]:
    """These tags with a B- for every I- that does not continue an entity of its type."""
    repaired = []
    before = ""
    for tag in tags:
        kind = tag[2:]
        repaired.append(f"B-{kind}" if tag.startswith("I-") and kind != before else tag)
        before = kind
    return repaired


def entities(tags: Iterable[str]) -> set[Entity]:
    """The entities of one row, by the same rule as `iob2`."""
    found: list[Entity] = []
    for place, tag in enumerate(iob2(tags)):
        if tag.startswith("B-"):
            found.append((tag[2:], place, place + 1))
        elif tag.startswith("I-"):
            kind, start, _ = found.pop()
            found.append((kind, start, place + 1))
    return set(found)


def _report(predicted: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> dict[str, Any]:
    """seqeval's scores by type and as "micro avg"; nothing when there is no entity on either side."""
    from seqeval import scheme
    from seqeval.metrics import classification_report

    used = set(chain.from_iterable(chain(predicted, references)))
    if odd := sorted(tag for tag in used if not IOB2.fullmatch(tag)):
        raise PipelineError(
            f"the tag {odd[0]!r} is not IOB2 (O, B-TYPE, I-TYPE) as others are: mend the data"
        )
    if used <= {OUTSIDE}:
        return {}
    # Plain lists: seqeval refuses arrays and tuples.
    said, true = ([iob2(tags) for tags in rows] for rows in (predicted, references))
    report: dict[str, Any] = classification_report(
        true, said, mode="strict", scheme=scheme.IOB2, output_dict=True, zero_division=0
    )
    return report

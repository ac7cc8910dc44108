"""Which tags mark entities, and which scores such tags have; light, so that prepare can refuse in time."""

import re
from collections.abc import Collection

OUTSIDE = "O"
# seqeval strips hyphens from both ends of a type, so that B-X- would become an X.
TYPE = r"[^-](?:.*[^-])?"
IOB2 = re.compile(rf"O|[BI]-{TYPE}", re.DOTALL)

# By stages/tasks/tag_metrics.py.
PLAIN_SCORES = ("accuracy", "f1_macro")
ENTITY_SCORES = ("entity_f1", "entity_precision", "entity_recall", "accuracy")


def are_entities(labels: Collection[str]) -> bool:
    """Whether these tags mark entities: all are O, or B- or I- with a type, and not all are O."""
    return all(IOB2.fullmatch(label) for label in labels) and any(label != OUTSIDE for label in labels)

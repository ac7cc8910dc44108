"""The licence of the base model as it lies here."""

from pathlib import Path

from stages.core import terms
from stages.core.hub_card import licences_of
from stages.core.schema import Base


def base_licence(base: Base, folder: Path) -> str | None:
    """The licence of the base model in `folder`: `base.license`, or what its card there states.

    Raises PipelineError when they differ.
    """
    card = folder / "README.md"
    stated = licences_of(card.read_text(encoding="utf-8", errors="replace")) if card.is_file() else []
    return terms.settled("base.license", base.license, stated, f"the base's own card ({card})")

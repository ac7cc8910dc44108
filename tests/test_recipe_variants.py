"""Recipes with other families of models, or with LoRA, each to its release and its card's snippet."""

from pathlib import Path
from typing import Any

import pytest

from tests.test_recipes import World, hub, released_and_used

__all__ = ["hub"]  # a fixture
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")]

# Other families on the same tasks: the recipe, and what is changed in it.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "translation by Marian": (
        "translation-en-fr",
        {"base": {"repo_id": "Helsinki-NLP/opus-mt-en-fr"}, "task": {"prefix": ""}},
    ),
    "translation by BART, LoRA": (
        "translation-en-fr",
        {"base": {"repo_id": "facebook/bart-base"}, "task": {"prefix": ""}, "method": "lora"},
    ),
    "classification by XLM-R, LoRA": (
        "imdb-distilbert",
        {"base": {"repo_id": "FacebookAI/xlm-roberta-base"}, "method": "lora"},
    ),
    "generation, LoRA": ("generation-gpt2", {"method": "lora"}),
    "several labels, LoRA": ("emotions-roberta", {"method": "lora"}),
    "pre-training, LoRA": ("pretrain-then-finetune-1", {"method": "lora"}),
    "pairs by FlauBERT, LoRA": ("paraphrases-flaubert", {"method": "lora"}),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_ends_in_a_release_that_its_card_tells_how_to_use(
    name: str,
    hub: World,
    tmp_path: Path,
) -> None:
    recipe, changes = VARIANTS[name]
    released_and_used(recipe, changes, hub, tmp_path)

"""The languages that a card can be written in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stages.release import formats, formats_fr
from stages.release.words import Words
from stages.release.words_en import ENGLISH
from stages.release.words_fr import FRENCH


@dataclass(frozen=True)
class Language:
    """Its words, and how it writes figures and lists: the filters of its templates, by their names."""

    words: Words
    formats: tuple[Callable[..., Any], ...]


# By their tags (BCP 47), which are also the names of the folders of their templates.
LANGUAGES: dict[str, Language] = {
    "en": Language(ENGLISH, formats.FORMATS),
    "fr": Language(FRENCH, formats_fr.FORMATS),
}

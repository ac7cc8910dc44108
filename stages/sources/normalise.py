"""What is done to every text, and the key by which two texts count as the same one.

Normalisation forms: Unicode Standard Annex #15.
"""

import functools
import html
import re
import unicodedata

from stages.core.data_section import Data


def normalise(text: str, unescape_html: bool) -> str:
    """The text as the model will see it; `sentences` says the same in words."""
    if unescape_html:
        text = html.unescape(text)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", text).strip()


def sentences(data: Data) -> list[str]:
    """What `normalise` does, for the records and the card, in the order of its steps."""
    unescape = (
        ["HTML entities are replaced by the characters that they stand for."] if data.unescape_html else []
    )
    return [
        *unescape,
        "Line ends are LF.",
        "Characters are composed (Unicode normalisation form NFC).",
        "White space at both ends is removed.",
    ]


@functools.cache  # a split asks for each key several times
def leak_key(text: str) -> str:
    """Equal for texts that differ in case, punctuation, white space or compatibility forms only.

    Symbols count (`super 😀`), and so do the marks that are vowels in many scripts. A text of nothing but
    punctuation is its own key.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(re.sub(r"[\W_]+", _kept, folded).split()) or text


def _kept(found: re.Match[str]) -> str:
    """What counts of characters that are neither letters nor digits: symbols, as words, and marks."""
    return "".join(map(_counting, found[0]))


@functools.cache
def _counting(character: str) -> str:
    if "\ufe00" <= character <= "\ufe0f":  # these choose between two pictures of one character
        return ""
    category = unicodedata.category(character)[0]
    return character if category == "M" else f" {character} " if category == "S" else " "

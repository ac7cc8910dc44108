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

    A text of nothing but punctuation or emoji is its own key.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return re.sub(r"[\W_]+", " ", folded).strip() or text

"""Damaged characters: texts that were read or written in the wrong encoding somewhere on their way here."""

import unicodedata
from collections.abc import Iterator

_REPLACEMENT = "\ufffd"  # what decoders put where they could not read
_WHITE_SPACE = "\n\t"


def damage(text: str) -> Iterator[str]:
    """The kinds of damage in a text: `mojibake`, `replacement`, `control`.

    Mojibake is what ftfy both finds unlikely and can undo ("Ã©tÃ©" is "été" in the wrong encoding), so that
    a rare sequence of rightful characters is no alarm.
    """
    import ftfy
    from ftfy.badness import is_bad

    if is_bad(text) and ftfy.fix_encoding(text) != text:
        yield "mojibake"
    if _REPLACEMENT in text:
        yield "replacement"
    if not text.isprintable() and any(
        unicodedata.category(character) == "Cc" and character not in _WHITE_SPACE for character in set(text)
    ):
        yield "control"

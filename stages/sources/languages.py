"""The languages that the texts are in, as far as texts tell."""

from collections import Counter
from collections.abc import Iterable

from stages.core.records import Record

_LONG_ENOUGH = 40  # characters; of shorter texts too many are taken for another language
_LEAST = 0.01  # share of a language that the record names: fewer rows may all be mistakes


def languages(texts: Iterable[str]) -> Record:
    """`rows`, the number of texts that are long enough to tell, and `shares` of those by ISO 639 code.

    Told by py3langid (after Lui and Baldwin, langid.py: an off-the-shelf language identification tool, ACL
    2012), whose model is inside the package. Shares have four decimals, those below 0.01 are left out.
    """
    import py3langid

    counts = Counter(py3langid.classify(text)[0] for text in texts if len(text) >= _LONG_ENOUGH)
    rows = counts.total()
    shares = {name: round(count / rows, 4) for name, count in counts.items() if count / rows >= _LEAST}
    return {"rows": rows, "shares": dict(sorted(shares.items()))}

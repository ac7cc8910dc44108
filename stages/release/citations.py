"""What a card asks its readers to cite, as BibTeX: the author's entries, then those of the methods used."""

import re
from collections.abc import Iterator

from stages.core.errors import PipelineError

_TRANSFORMERS = """\
@inproceedings{wolf2020transformers,
  title     = {Transformers: State-of-the-Art Natural Language Processing},
  author    = {Wolf, Thomas and Debut, Lysandre and Sanh, Victor and others},
  booktitle = {Proceedings of EMNLP 2020: System Demonstrations},
  pages     = {38--45},
  year      = {2020},
  doi       = {10.18653/v1/2020.emnlp-demos.6},
}"""
_LORA = """\
@inproceedings{hu2022lora,
  title     = {{LoRA}: Low-Rank Adaptation of Large Language Models},
  author    = {Hu, Edward J. and Shen, Yelong and Wallis, Phillip and Allen-Zhu, Zeyuan and Li, Yuanzhi and
               Wang, Shean and Wang, Lu and Chen, Weizhu},
  booktitle = {International Conference on Learning Representations},
  year      = {2022},
  url       = {https://openreview.net/forum?id=nZeVKeeFYf9},
}"""

# By training method.
METHODS = {"full": (_TRANSFORMERS,), "lora": (_LORA, _TRANSFORMERS)}
_START = re.compile(r"@(\w+)\s*\{\s*([^\s,{}]+)\s*,")


def bibliography(own: str | None, data: str | None, method: str) -> str:
    """The entries of card.citation, of card.data.citation and of the training method; each once.

    Entries are told apart by their citation key, whatever its case; the first one stays. Raises PipelineError
    for a text that is not BibTeX, and for two entries that share a key and are not the same.
    """
    found: dict[str, str] = {}
    for place, text in (("card.citation", own), ("card.data.citation", data)):
        for key, entry in _entries(text or "", place):
            known = found.setdefault(key.lower(), entry)
            if "".join(known.split()) != "".join(entry.split()):
                raise PipelineError(f"{place}: two different entries are called {key}: rename one of them")
    for text in METHODS[method]:
        for key, entry in _entries(text, method):
            found.setdefault(key.lower(), entry)
    return "\n\n".join(found.values())


def _entries(text: str, place: str) -> Iterator[tuple[str, str]]:
    """(citation key, entry) of each entry, told by its braces; what stands between entries is left out."""
    at = text.find("@")
    if at < 0 and text.strip():
        raise PipelineError(f"{place}: is not BibTeX: an entry begins like @article{{key, ...")
    while at >= 0:
        start = _START.match(text, at)
        end = _closed(text, start.start(2)) if start else None
        if start is None or end is None:
            line = text.count("\n", 0, at) + 1
            what = "has no closing brace" if start else "does not begin like @article{key, ..."
            raise PipelineError(f"{place}: the entry in its line {line} {what}")
        yield start[2], text[at:end]
        at = text.find("@", end)


def _closed(text: str, start: int) -> int | None:
    """Where the brace that is open at `start` is closed; None where it is not."""
    depth = 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    return None

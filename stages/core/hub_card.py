"""What the card of a base or of a data set, its README.md, states on its licence.

Only the lines of that one key are parsed: cards are other people's texts, and some hold thousands of results.
Specification: https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

import re

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.core.licences import TERMS

_LARGEST = 1 << 20  # characters that are looked at
_FRONT_MATTER = re.compile(r"\A\ufeff?\s*---[ \t]*\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)
_LICENCE = re.compile(r"^license[ \t]*:.*(?:\n[ \t-].*)*", re.MULTILINE)


def licences_of(card: str) -> list[str]:
    """The Hub's ids that `license` names, in order; several may be a choice, or each that of a part.

    Empty where the card has no such key, or holds there what is no id of the Hub.
    """
    front = _FRONT_MATTER.search(card[:_LARGEST].replace("\r\n", "\n"))
    entry = front and _LICENCE.search(front[1])
    if not entry:
        return []
    try:
        found = YAML(typ="safe", pure=True).load(entry[0])["license"]
    except (YAMLError, ValueError, TypeError, KeyError, RecursionError):
        return []
    named = [str(value).lower() for value in (found if isinstance(found, list) else [found])]
    return list(dict.fromkeys(id_ for id_ in named if id_ in TERMS))

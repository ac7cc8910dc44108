"""The licences that the Hub knows, each with what it asks of those who build on the work.

Ids: https://huggingface.co/docs/hub/repositories-licenses. Terms: the licences themselves, by way of
https://spdx.org/licenses, https://choosealicense.com/appendix, https://creativecommons.org/licenses; the GNU
licences also by https://www.gnu.org/licenses/license-list. A careful reading, and not legal advice.
"""

from typing import Literal

# share_alike        what is made from it keeps this licence (Creative Commons, databases)
# copyleft           the same of licences for software: the GPL and its kin
# non_commercial     not for commerce, and so with what is made from it
# research_only      for research, and so with what is made from it
# no_derivatives     what is made from it is not to be published
# use_restrictions   conditions on use that have to be passed on (RAIL, Llama, Gemma)
# data_only          the conditions end at the data: the licence frees what is computed from them
# unknown            the id does not tell the terms
Condition = Literal[
    "share_alike",
    "copyleft",
    "non_commercial",
    "research_only",
    "no_derivatives",
    "use_restrictions",
    "data_only",
    "unknown",
]

# odbl frees "produced works" of it, but whether a model is one is disputed. bsl-1.0 is Boost's. lppl-1.3c
# asks for another name, artistic-2.0 for notes on changes: neither for its own terms.
_PERMISSIVE = """
    afl-3.0 apache-2.0 apple-ascl artistic-2.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0
    cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 ecl-2.0
    etalab-2.0 isc lppl-1.3c mit ncsa odc-by openmdw-1.0 pddl postgresql unlicense wtfpl zlib
"""
_COPYLEFT = """
    agpl-3.0 epl-1.0 epl-2.0 eupl-1.1 eupl-1.2 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 lgpl-lr
    mpl-2.0 ms-pl ofl-1.1 osl-3.0
"""
_RAIL = """
    bigcode-openrail-m bigscience-bloom-rail-1.0 bigscience-openrail-m creativeml-openrail-m openrail
    openrail++
"""
_COMMUNITY = "gemma grok2-community llama2 llama3 llama3.1 llama3.2 llama3.3 llama4"

_ROWS: list[tuple[set[Condition], str]] = [
    (set(), _PERMISSIVE),
    ({"copyleft"}, _COPYLEFT),
    ({"share_alike"}, "cc-by-sa-3.0 cc-by-sa-4.0 odbl"),
    ({"share_alike", "data_only"}, "cdla-sharing-1.0"),  # section 3: not of Results
    ({"use_restrictions", "data_only"}, "c-uda"),  # section 2.2: nor here
    ({"non_commercial"}, "cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0"),
    ({"non_commercial", "share_alike"}, "cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0"),
    ({"no_derivatives"}, "cc-by-nd-4.0"),
    ({"no_derivatives", "non_commercial"}, "cc-by-nc-nd-3.0 cc-by-nc-nd-4.0"),
    ({"use_restrictions"}, _RAIL + _COMMUNITY),
    ({"research_only"}, "apple-amlr h-research intel-research"),
    ({"non_commercial", "research_only"}, "deepfloyd-if-license fair-noncommercial-research-license"),
    ({"unknown"}, "cc other unknown"),  # cc: one of Creative Commons', but which?
]

TERMS: dict[str, frozenset[Condition]] = {
    id_: frozenset(conditions) for conditions, ids in _ROWS for id_ in ids.split()
}

# Licences that ask for themselves, and the others that they accept instead: by their words on later versions;
# by https://creativecommons.org/share-your-work/licensing-considerations/compatible-licenses; by section 3 of
# LGPL 2.1 and the preamble of 3; section 3.3 of MPL 2.0; the appendices of EUPL 1.1 and 1.2. That gpl-2.0 may
# become gpl-3.0 holds for "or any later version" only, which the id does not tell.
_INSTEAD = {
    "cc-by-sa-3.0": "cc-by-sa-4.0",
    "cc-by-sa-4.0": "gpl-3.0",
    "cc-by-nc-sa-2.0": "cc-by-nc-sa-3.0 cc-by-nc-sa-4.0",
    "cc-by-nc-sa-3.0": "cc-by-nc-sa-4.0",
    "eupl-1.1": "epl-1.0 eupl-1.2 gpl-2.0 osl-3.0",
    "eupl-1.2": "agpl-3.0 cc-by-sa-3.0 epl-1.0 eupl-1.1 gpl-2.0 gpl-3.0 lgpl-2.1 lgpl-3.0 mpl-2.0 osl-3.0",
    "gpl": "gpl-2.0 gpl-3.0",
    "lgpl": "gpl gpl-2.0 gpl-3.0 lgpl-2.1 lgpl-3.0",
    "lgpl-2.1": "gpl gpl-2.0 gpl-3.0",
    "lgpl-3.0": "gpl-3.0",
    "mpl-2.0": "agpl-3.0 gpl-2.0 gpl-3.0 lgpl-2.1 lgpl-3.0",
}


def accepted(licence: str) -> tuple[str, ...]:
    """The licences that one which asks for itself takes instead."""
    return tuple(_INSTEAD.get(licence, "").split())


def accepts(licence: str, other: str) -> bool:
    """Whether what is made from a work under `licence`, one that asks for itself, may be under `other`."""
    return other == licence or other in accepted(licence)

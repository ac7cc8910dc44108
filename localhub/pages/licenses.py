"""Where a licence can be read: in the repository itself, or at SPDX."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from localhub.cards.frontmatter import strings

# The Hub's ids that SPDX (https://spdx.org/licenses/) spells in another way than in capitals.
SPELLED = {
    "apache-2.0": "Apache-2.0",
    "artistic-2.0": "Artistic-2.0",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd-3-clause-clear": "BSD-3-Clause-Clear",
    "c-uda": "C-UDA-1.0",
    "cdla-sharing-1.0": "CDLA-Sharing-1.0",
    "cdla-permissive-1.0": "CDLA-Permissive-1.0",
    "cdla-permissive-2.0": "CDLA-Permissive-2.0",
    "etalab-2.0": "etalab-2.0",
    "lppl-1.3c": "LPPL-1.3c",
    "odc-by": "ODC-By-1.0",
    "odbl": "ODbL-1.0",
    "pddl": "PDDL-1.0",
    "postgresql": "PostgreSQL",
    "unlicense": "Unlicense",
    "zlib": "Zlib",
    "lgpl-lr": "LGPLLR",
}
_CAPITALS = """\
mit bsl-1.0 cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0
cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0
cc-by-nc-sa-4.0 afl-3.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gpl-2.0 gpl-3.0 lgpl-2.1
lgpl-3.0 isc ms-pl mpl-2.0 osl-3.0 ofl-1.1 ncsa
"""
IN_CAPITALS = frozenset(_CAPITALS.split())
_FILES = ("LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "COPYING")


def shown(card: dict[str, Any], paths: set[str], base: str) -> list[tuple[str, str | None]]:
    """(name, address or None) of each licence. `base` is the repository's page, `paths` its files.

    The address is what the card links to, else the licence's own file here, else SPDX's page.
    """
    names = strings(card.get("license"))
    if names == ["other"]:
        names = strings(card.get("license_name")) or names
    link = next(iter(strings(card.get("license_link"))), None)
    if link is not None and link.startswith(("https://", "http://")):
        return [(name, link) for name in names]
    found = next((path for path in (link, *_FILES) if path in paths), None)
    if found is not None and len(names) == 1:
        return [(names[0], f"{base}/blob/main/{quote(found)}")]
    return [(name, spdx(name)) for name in names]


def spdx(name: str) -> str | None:
    """SPDX's page of one of the Hub's licence ids; None for those that are not theirs."""
    spelled = name.upper() if name in IN_CAPITALS else SPELLED.get(name)
    return None if spelled is None else f"https://spdx.org/licenses/{spelled}.html"

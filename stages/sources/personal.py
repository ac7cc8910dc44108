"""Personal data in texts, by form: addresses and numbers, told from others by a checksum where they have one.

Names and postal addresses have no form and are not looked for, so nothing found proves nothing.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator

_EMAIL = r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}(?!\w)"
_PHONE = r"(?<![\w+.,/-])(?<!\d )(?:\+|00)[1-9](?:[ .\-()/]{0,2}\d){7,14}(?![\w/-])"
_IBAN = r"(?<!\w)[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?)(?!\w)"
# Sixteen digits (Visa, Mastercard, Discover, JCB), or fifteen and fourteen (American Express, Diners Club).
_CARD = r"(?<![\w.,-])(?<!\d )[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{4}(?![ -]?\d)(?!\w)"
_CARD_SHORT = r"(?<![\w.,-])(?<!\d )3\d{3}([ -]?)\d{6}\2\d{4,5}(?![ -]?\d)(?!\w)"
_IPV4 = r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)"
_IPV6 = r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:.]*\w)"
# Sex, year and month of birth, department (2A and 2B in Corsica), municipality, order, key.
_NIR = r"(?<!\w)[12] ?\d\d ?(?:0[1-9]|1[0-2]|[235-9]\d|4[0-2]) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d(?!\w)"
_ISSUERS = re.compile(
    r"4\d{15}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|6(?:011|4[4-9]\d|5\d\d)\d{12}|35\d{14}|3(?:0[0-5]|[68]\d)\d{11}"
)


def personal(text: str) -> Iterator[str]:
    """The kinds of personal data in a text: `email`, `phone`, `iban`, `card`, `ip`, `nir` (a French id)."""
    for kind, (pattern, holds) in _KINDS.items():
        if any(holds(found[0]) for found in pattern.finditer(text)):
            yield kind


def _always(found: str) -> bool:
    return True


def _is_phone(found: str) -> bool:
    """E.164 numbers have 15 digits at most, the international prefix aside, and hardly any fewer than 8."""
    return 8 <= len(re.sub(r"\D", "", found).removeprefix("00")) <= 15


def _is_iban(found: str) -> bool:
    """ISO 13616: with the country moved to the end and letters as numbers from 10, it is 1 modulo 97.

    What follows an IBAN may look like a part of it, so every shorter beginning at a space is tried too.
    """
    parts = found.split(" ")
    return any(_mod_97("".join(parts[:end])) for end in range(len(parts), 0, -1))


def _mod_97(iban: str) -> bool:
    turned = iban[4:] + iban[:4]
    return 15 <= len(iban) <= 34 and int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1


def _is_card(found: str) -> bool:
    """ISO/IEC 7812: a known issuer, and the sum of Luhn ends in 0."""
    digits = re.sub(r"\D", "", found)
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return bool(_ISSUERS.fullmatch(digits)) and sum(sum(divmod(number, 10)) for number in doubled) % 10 == 0


def _is_address(found: str) -> bool:
    """An address of the public Internet: those of every home network tell nothing about anyone."""
    try:
        return ipaddress.ip_address(found).is_global
    except ValueError:
        return False


def _is_nir(found: str) -> bool:
    """The key is 97 less the number modulo 97; 2A counts as 19 and 2B as 18 (INSEE)."""
    number = found.replace(" ", "").replace("2A", "19").replace("2B", "18")
    return int(number[-2:]) == 97 - int(number[:-2]) % 97


_KINDS: dict[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "email": (re.compile(_EMAIL), _always),
    "phone": (re.compile(_PHONE, re.ASCII), _is_phone),
    "iban": (re.compile(_IBAN, re.ASCII), _is_iban),
    "card": (re.compile(f"{_CARD}|{_CARD_SHORT}", re.ASCII), _is_card),
    "ip": (re.compile(f"{_IPV4}|{_IPV6}", re.ASCII), _is_address),
    "nir": (re.compile(_NIR, re.ASCII), _is_nir),
}

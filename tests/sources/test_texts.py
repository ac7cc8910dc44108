"""Damage, personal data and languages in texts. All numbers of persons are made up."""

import re

import pytest

from stages.sources.damage import damage
from stages.sources.languages import languages
from stages.sources.personal import personal


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Ã©tÃ© Ã  la plage", {"mojibake"}),
        ("l’Ã©cole", {"mojibake"}),
        ("it doesnâ€™t work", {"mojibake"}),
        ("un caf\ufffd noir", {"replacement"}),
        ("a\x07b", {"control"}),
        ("a\x85b", {"control", "mojibake"}),  # "a…b" of Windows
        ("Ã©tÃ© \ufffd \x1b[0m", {"mojibake", "replacement", "control"}),
        ("été à la plage, l’école « où » – 5 £ VOILÀ", set()),
        ("two\nlines\tand a tab", set()),
        ("👩‍👩‍👧 ❤️ नहीं 日本語 “quoted” – ok…", set()),
        ("", set()),
    ],
)
def test_damage(text: str, kinds: set[str]) -> None:
    assert set(damage(text)) == kinds


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("écrivez à jean.dupont+test@exemple.fr.", {"email"}),
        ("merci @jean et @marie_99, 50 @ 3 €", set()),
        ("appelez le +33 6 12 34 56 78 !", {"phone"}),
        ("call +1 (555) 123-4567 or 0033612345678", {"phone"}),
        ("+3 points, 00 heure, 2024-11-24, 1 000 000 000 and +100000", set()),
        ("IBAN FR14 2004 1010 0505 0001 3M02 606 merci", {"iban"}),
        ("IBAN GB82WEST12345698765432", {"iban"}),
        ("IBAN DE89 3704 0044 0532 0130 00 BANK", {"iban"}),
        ("IBAN FR15 2004 1010 0505 0001 3M02 606", set()),
        ("4111 1111 1111 1111", {"card"}),
        ("5555555555554444, or 3782-822463-10005", {"card"}),
        ("4111 1111 1111 1112 and 1234567812345670", set()),
        ("tweet 41111111111111110 of 411111111111111", set()),
        ("from 8.8.8.8.", {"ip"}),
        ("2001:4860:4860::8888 answers", {"ip"}),
        ("192.168.1.1, 127.0.0.1, 999.1.1.1, 10:30:45, std::vector, ::", set()),
        ("NIR 2 55 08 14 168 025 38", {"nir"}),
        ("NIR 1 55 08 2A 168 025 " + f"{97 - int('1550819168025') % 97:02}", {"nir"}),
        ("NIR 2 55 08 14 168 025 39", set()),
        ("", set()),
    ],
)
def test_personal(text: str, kinds: set[str]) -> None:
    assert set(personal(text)) == kinds


def test_checksums_let_few_numbers_pass() -> None:
    """Of consecutive numbers of one issuer one in ten has Luhn's sum."""
    numbers = [f"411111111111{n:04}" for n in range(1000)]
    assert sum("card" in personal(number) for number in numbers) == 100
    assert not any(re.search("nir|iban", kind) for number in numbers for kind in personal(number))


def test_languages() -> None:
    french = [
        f"le film numéro {n} était vraiment très long, mais nous avons bien aimé la fin" for n in range(30)
    ]
    english = [f"the film number {n} was really very long, but we all liked the ending" for n in range(70)]
    short = ["ok", "super 😀", "", "très bien"]
    assert languages([*french, *english, *short]) == {"rows": 100, "shares": {"en": 0.7, "fr": 0.3}}
    assert languages(short) == {"rows": 0, "shares": {}}


def test_languages_of_a_few_rows_are_left_out() -> None:
    english = [f"the film number {n} was really very long, but we all liked the ending" for n in range(300)]
    german = ["der Film war wirklich sehr lang, aber das Ende hat uns allen gefallen"]
    assert languages([*english, *german]) == {"rows": 301, "shares": {"en": 0.9967}}

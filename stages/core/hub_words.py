"""Values of a card that the Hub checks when it is pushed, refused here in the same way before any training.

Specification: https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

import difflib
import re
from collections.abc import Collection
from typing import Annotated

from pydantic import AfterValidator

from stages.core.licences import TERMS

# The tasks of https://huggingface.co/tasks, as huggingface.js lists them.
_TASKS = """
    any-to-any audio-classification audio-text-to-text audio-to-audio automatic-speech-recognition
    depth-estimation document-question-answering feature-extraction fill-mask graph-ml
    image-classification image-feature-extraction image-segmentation image-text-to-image
    image-text-to-text image-text-to-video image-to-3d image-to-image image-to-text image-to-video
    keypoint-detection mask-generation multiple-choice object-detection other question-answering
    reinforcement-learning robotics sentence-similarity summarization table-question-answering
    table-to-text tabular-classification tabular-regression tabular-to-text text-classification
    text-generation text-ranking text-retrieval text-to-3d text-to-audio text-to-image
    text-to-speech text-to-video time-series-forecasting token-classification translation
    unconditional-image-generation video-classification video-text-to-text video-to-video
    visual-document-retrieval visual-question-answering voice-activity-detection
    zero-shot-classification zero-shot-image-classification zero-shot-object-detection
"""
PIPELINE_TAGS = tuple(_TASKS.split())
# Names by which transformers.pipeline knows some of them too.
_ALSO_CALLED = {"ner": "token-classification", "sentiment-analysis": "text-classification"}

# ISO 639-1, with its withdrawn bh and sh, which cards of the Hub still use.
_ISO_639_1 = """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
    dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id
    ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu
    lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu
    rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to
    tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
TWO_LETTERS = frozenset(_ISO_639_1.split())
# Languages that people write out, or by a country's code, and their ISO 639-1 codes.
_NAMES = {
    "ar": "arabic العربية",
    "bg": "bulgarian български",
    "bn": "bengali বাংলা",
    "br": "breton brezhoneg",
    "ca": "catalan català",
    "cs": "czech čeština cz",
    "cy": "welsh cymraeg",
    "da": "danish dansk dk",
    "de": "german deutsch",
    "el": "greek ελληνικά gr",
    "en": "english gb us",
    "es": "spanish español castellano",
    "et": "estonian eesti",
    "eu": "basque euskara",
    "fa": "persian farsi فارسی",
    "fi": "finnish suomi",
    "fr": "french français francais",
    "ga": "irish gaeilge",
    "gl": "galician galego",
    "he": "hebrew עברית",
    "hi": "hindi हिन्दी",
    "hr": "croatian hrvatski",
    "hu": "hungarian magyar",
    "hy": "armenian",
    "id": "indonesian",
    "is": "icelandic íslenska",
    "it": "italian italiano",
    "ja": "japanese 日本語 jp",
    "ka": "georgian",
    "ko": "korean 한국어",
    "la": "latin",
    "lb": "luxembourgish lëtzebuergesch",
    "lt": "lithuanian lietuvių",
    "lv": "latvian latviešu",
    "mk": "macedonian",
    "ms": "malay melayu",
    "mt": "maltese malti",
    "nl": "dutch nederlands flemish",
    "no": "norwegian norsk",
    "oc": "occitan",
    "pl": "polish polski",
    "pt": "portuguese português portugues",
    "ro": "romanian română",
    "ru": "russian русский",
    "sk": "slovak slovenčina",
    "sl": "slovenian slovene slovenščina",
    "sq": "albanian shqip",
    "sr": "serbian српски srpski",
    "sv": "swedish svenska",
    "sw": "swahili kiswahili",
    "ta": "tamil தமிழ்",
    "te": "telugu",
    "th": "thai ไทย",
    "tl": "tagalog filipino",
    "tr": "turkish türkçe",
    "uk": "ukrainian українська ua",
    "ur": "urdu اردو",
    "vi": "vietnamese vn",
    "zh": "chinese mandarin 中文 cn",
}
_CODES = {name: code for code, names in _NAMES.items() for name in names.split()}


LICENCE_FILES = ("LICENSE", "LICENSE.md")  # what `license_link` may be beside a URL
_LICENCES = "https://huggingface.co/docs/hub/repositories-licenses"


def _licence(value: str) -> str:
    if value in TERMS:
        return value
    meant = _nearest_licence(value)
    advice = f"did you mean {meant}?" if meant else "take one of them, or `other`"
    raise ValueError(f"is not a licence id of {_LICENCES}: {advice}")


def _nearest_licence(value: str) -> str | None:
    """The id for another spelling: SPDX's (`ODbL-1.0`, `GPL-3.0-only`), or one with a word too many."""
    spelled = re.sub(r"[\s_]+", "-", value.strip().lower())
    spelled = re.sub(r"(-(only|or-later)|\+)$", "", re.sub(r"-?licen[cs]e", "", spelled))
    for id_ in (spelled, re.sub(r"-?v?(\d+)$", r"-\1.0", spelled), re.sub(r"-[\d.]+$", "", spelled)):
        if id_ in TERMS:
            return id_
    return _nearest(spelled, TERMS, 0.7)


def _is_language(value: str) -> bool:
    """Whether it is a code of ISO 639-1, of the shape of ISO 639-3's, or one of the Hub's two words."""
    return value in ("code", "multilingual") or value in TWO_LETTERS or bool(re.fullmatch("[a-z]{3}", value))


def _language(value: str) -> str:
    if _is_language(value):
        return value
    named = value.strip().casefold()
    without_region = re.split("[-_]", named)[0]
    meant = _CODES.get(_nearest(named, _CODES, 0.8) or "")
    if meant is None and _is_language(without_region):
        meant = without_region
    advice = f"did you mean {meant}?" if meant else "https://iso639-3.sil.org/code_tables/639/data has them"
    raise ValueError(f"should be an ISO 639 code such as fr, `code` or `multilingual`: {advice}")


def _pipeline_tag(value: str) -> str:
    if value in PIPELINE_TAGS:
        return value
    spelled = re.sub(r"[\s_]+", "-", value.strip().lower())
    meant = _ALSO_CALLED.get(spelled) or _nearest(spelled, PIPELINE_TAGS, 0.6)
    advice = f": did you mean {meant}?" if meant else ""
    raise ValueError(f"is not one of the Hub's tasks (https://huggingface.co/tasks){advice}")


def _nearest(value: str, known: Collection[str], cutoff: float) -> str | None:
    return next(iter(difflib.get_close_matches(value, known, n=1, cutoff=cutoff)), None)


_URL = re.compile(r"https?://[^\s<>\"'/@]+(/[^\s<>\"']*)?")


def _web_address(value: str) -> str:
    if not _URL.fullmatch(value):
        raise ValueError("should be a URL that anyone may see, without `user:token@`")
    return value


def _licence_link(value: str) -> str:
    if value not in LICENCE_FILES and not _URL.fullmatch(value):
        raise ValueError("should be LICENSE or LICENSE.md, a file in model_cards, or a URL")
    return value


def _words(value: str) -> str:
    if not value.strip():
        raise ValueError("should not be empty: write it, or take the key out")
    return value


Licence = Annotated[str, AfterValidator(_licence)]
Language = Annotated[str, AfterValidator(_language)]
PipelineTag = Annotated[str, AfterValidator(_pipeline_tag)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
LicenceLink = Annotated[str, AfterValidator(_licence_link)]
Words = Annotated[str, AfterValidator(_words)]

"""Scores of generated texts: chrF and BLEU by sacrebleu, ROUGE by rouge_score. All from 0 to 100.

rouge_score's own tokenizer drops every letter that is not ASCII ("été" and "êtê" would be the same), so it is
given another: lower-cased words in NFC, without a stemmer. A word is a `\\w` and what follows it of `\\w`,
marks (vowel signs in Hindi, points in Arabic) and the joiners U+200C and U+200D. It suits languages that put
spaces between words; chrF suits all.
"""

import re
import sys
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import NDArray

from stages.core.errors import PipelineError
from stages.core.records import Record

ROUGES = ("rouge1", "rouge2", "rougeL")
_CITATION = """@inproceedings{post-2018-call, title={A Call for Clarity in Reporting {BLEU} Scores},
author={Post, Matt}, booktitle={Proceedings of the Third Conference on Machine Translation}, year={2018}}
@inproceedings{lin-2004-rouge, title={{ROUGE}: A Package for Automatic Evaluation of Summaries},
author={Lin, Chin-Yew}, booktitle={Text Summarization Branches Out}, year={2004}}"""


class TextOverlap(evaluate.Metric):  # type: ignore[misc]
    """chrF and BLEU over all rows at once, ROUGE as the mean F of the rows; one reference a row."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description="corpus chrF and BLEU, mean F of ROUGE-1, ROUGE-2 and ROUGE-L",
            citation=_CITATION,
            inputs_description="predictions, references: texts",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(self, predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        said, true = list(predictions), list(references)
        means = rouge(said, true).mean(axis=0)
        return {
            "chrf": float(chrf().corpus_score(said, [true]).score),
            "bleu": float(bleu().corpus_score(said, [true]).score),
            **{name: float(mean) for name, mean in zip(ROUGES, means, strict=True)},
        }


def score_text(
    predicted: Sequence[Record], references: Sequence[str], labels: Sequence[str]
) -> dict[str, float]:
    """Corpus chrF and BLEU and mean ROUGE F of one text a row, each from 0 to 100."""
    said = [record["predicted"] for record in predicted]
    same_length(said, references)
    metric = TextOverlap(keep_in_memory=True)
    result: dict[str, float] = metric.compute(predictions=said, references=list(references))
    return result


def chrf() -> Any:
    """sacrebleu's chrF2: characters up to 6-grams, no words (Popović, WMT 2015)."""
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()


def bleu() -> Any:
    """sacrebleu's BLEU with its default 13a tokens (Post, WMT 2018).

    `force` keeps it from guessing that texts are tokenized: in some languages sentences end in " .".
    """
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(force=True)


def rouge(predicted: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
    """F of ROUGE-1, ROUGE-2 and ROUGE-L of each row, from 0 to 100: shape [rows, 3]."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(list(ROUGES), tokenizer=SimpleNamespace(tokenize=tokens))
    found = np.empty((len(references), len(ROUGES)))
    for row, (said, true) in enumerate(zip(predicted, references, strict=True)):
        scored = scorer.score(true, said)
        found[row] = [100 * scored[name].fmeasure for name in ROUGES]
    return found


def tokens(text: str) -> list[str]:
    """The words of a text, whatever their letters, lower-cased."""
    return _word().findall(unicodedata.normalize("NFC", text.lower()))


@cache
def _word() -> re.Pattern[str]:
    marks = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c).startswith("M")]
    return re.compile(rf"\w[\w\u200c\u200d{''.join(marks)}]*")


def signatures() -> dict[str, str]:
    """How each score is made, so that it can be made again: sacrebleu's signatures, and ROUGE's alike."""
    made = {"chrf": chrf(), "bleu": bleu()}
    words = r"NFC-\w[\w\p{M}\u200c\u200d]*"
    for metric in made.values():
        metric.corpus_score(["a"], [["a"]])  # the number of references is known only after a score
    return {
        **{name: str(metric.get_signature()) for name, metric in made.items()},
        "rouge": f"nrefs:1|case:lc|tok:{words}|stem:no|mean:F|rouge_score:{version('rouge_score')}",
    }


def same_length(predicted: Sequence[str], references: Sequence[str]) -> None:
    """Raise PipelineError unless there are as many: sacrebleu would leave the rest out without a word."""
    if len(predicted) != len(references):
        raise PipelineError(f"{len(predicted)} texts were predicted for {len(references)} rows")

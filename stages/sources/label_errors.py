"""Suspected label errors, by confident learning.

Northcutt, Jiang and Chuang, Confident learning: estimating uncertainty in dataset labels, JAIR 70 (2021).
"""

from collections import Counter
from collections.abc import Sequence

from stages.core.errors import PipelineError
from stages.sources.rows import Row, as_text

_FOLDS = 5


def suspected(rows: Sequence[Row], seed: int) -> list[Row]:
    """The rows whose class is likely wrong, as a linear model of the other rows' words sees them.

    Probabilities are out of sample, by cross-validation in five parts; classes of fewer than five rows are
    left out. Raises PipelineError when cleanlab is not installed.
    """
    try:
        from cleanlab.filter import find_label_issues
    except ImportError:
        raise PipelineError(
            "data.checks.label_errors: needs cleanlab: run `pip install --constraint constraints.txt -e"
            " '.[quality]'`, or set it to off"
        ) from None
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    counts = Counter(row.label for row in rows)
    rows = [row for row in rows if counts[row.label] >= _FOLDS]
    classes = sorted({str(row.label) for row in rows})
    if len(classes) < 2:
        return []
    numbers = [classes.index(str(row.label)) for row in rows]
    # One-character words too, of any script; a text of none has no features, and is no suspect.
    model = make_pipeline(
        TfidfVectorizer(token_pattern=r"\w+|[^\w\s]", sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    texts = ["\n".join([as_text(row.text), row.pair or ""]) for row in rows]
    probabilities = cross_val_predict(model, texts, numbers, cv=folds, method="predict_proba")
    issues = find_label_issues(numbers, probabilities, n_jobs=1)
    return [row for row, is_issue in zip(rows, issues, strict=True) if is_issue]

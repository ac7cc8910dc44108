"""Simple models that a fine-tuned one has to beat. (More rungs of the ladder belong here.)"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prediction:
    """Probabilities of shape [rows, classes] and what the record should say of the model behind them."""

    probabilities: NDArray[np.float64]
    facts: dict[str, Any]


Baseline = Callable[[Sequence[str], Sequence[int], Sequence[str], int, int], Prediction]


def majority(
    train: Sequence[str], numbers: Sequence[int], test: Sequence[str], classes: int, seed: int
) -> Prediction:
    """The most frequent class of the training rows, for every test row; ties go to the first label."""
    counts = Counter(numbers)
    shares = np.array([counts[number] / len(numbers) for number in range(classes)])
    facts = {"description": "always the most frequent class of the training rows", "parameters": 1}
    return Prediction(np.tile(shares, (len(test), 1)), facts)


def tfidf_logistic_regression(
    train: Sequence[str], numbers: Sequence[int], test: Sequence[str], classes: int, seed: int
) -> Prediction:
    """Logistic regression on TF-IDF weights of words and word pairs, its penalty chosen by cross-validation.

    Classes weigh alike and the inverse penalty C is the best of three by macro-F1 on the training rows: a
    baseline that is easy to beat would flatter the model.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline

    pipeline = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(max_iter=1000, class_weight="balanced"),
    )
    folds = StratifiedKFold(min(3, *Counter(numbers).values()), shuffle=True, random_state=seed)
    search = GridSearchCV(
        pipeline, {"logisticregression__C": [1, 10, 100]}, scoring="f1_macro", cv=folds
    ).fit(list(train), list(numbers))
    words, model = (step for _, step in search.best_estimator_.steps)
    probabilities = np.zeros((len(test), classes))
    probabilities[:, model.classes_] = search.predict_proba(list(test))
    facts = {
        "description": "logistic regression on TF-IDF weights of words and word pairs",
        "parameters": int(model.coef_.size + model.intercept_.size),
        "features": len(words.vocabulary_),
        "C": model.C,
    }
    return Prediction(probabilities, facts)


BASELINES: dict[str, Baseline] = {
    "majority": majority,
    "tfidf_logistic_regression": tfidf_logistic_regression,
}

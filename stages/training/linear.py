"""The linear rungs of the ladder: one layer over what is counted in a text, for each kind of label.

They are tuned where that is cheap: a baseline that is easy to beat would flatter the model. Every function is
a Baseline (stages/training/fitted.py).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.tasks.rows import Rows
from stages.tasks.thresholds import decided
from stages.training import least_squares
from stages.training.fitted import Fitted, classes, fitting, membership

_PENALTIES = (1, 10, 100)  # C of a logistic regression: the inverse of its penalty
_RIDGES = (0.01, 0.1, 1.0, 10.0)  # of a linear regression, by the number of rows
_TUNED_ON = 2000  # rows: what is chosen there holds for more
_SOLVABLE = 5000  # equations: some seconds and 200 MB


def linear_class(train: Rows, test: Rows, labels: Sequence[str], seed: int) -> Fitted:
    """Logistic regression on TF-IDF weights of words and word pairs, its penalty chosen by cross-validation.

    Classes weigh alike and C is the best of three by macro-F1 on the training rows; with a class of one row
    there is nothing to choose by, and C is the middle one.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline

    place = {label: number for number, label in enumerate(labels)}
    numbers = [place[label] for label in train.labels]
    model = make_pipeline(_tfidf(train), LogisticRegression(max_iter=1000, class_weight="balanced"))
    rarest = min(Counter(numbers).values())
    with fitting("linear"):
        _tfidf(train).fit(_texts(train))  # complains in one line, a search in a page
        if len(set(numbers)) < 2:
            raise ValueError("every training row has the same class")
        if rarest > 1:
            folds = StratifiedKFold(min(3, rarest), shuffle=True, random_state=seed)
            choices = {"logisticregression__C": list(_PENALTIES)}
            search = GridSearchCV(model, choices, scoring="f1_macro", cv=folds)
            model = search.fit(_texts(train), numbers).best_estimator_
        else:
            model.set_params(logisticregression__C=_PENALTIES[1]).fit(_texts(train), numbers)
    words, regression = (step for _, step in model.steps)
    shares = np.zeros((len(test), len(labels)))
    shares[:, regression.classes_] = model.predict_proba(_texts(test))
    facts = {
        "description": "logistic regression on TF-IDF weights of words and word pairs",
        "parameters": int(regression.coef_.size + regression.intercept_.size),
        "features": len(words.vocabulary_),
        "C": regression.C,
    }
    return Fitted(classes(shares, labels), facts)


def linear_classes(train: Rows, test: Rows, labels: Sequence[str], seed: int) -> Fitted:
    """A logistic regression a label on TF-IDF weights, one C for all: the best of three by micro-F1."""
    from sklearn.metrics import f1_score
    from sklearn.model_selection import KFold

    truth = membership(train, labels)
    words = _tfidf(train)
    with fitting("linear"):
        rows = words.fit_transform(_texts(train))
        scores = dict.fromkeys(_PENALTIES, 0.0)
        for kept, held in KFold(min(3, len(train)), shuffle=True, random_state=seed).split(rows):
            for penalty in _PENALTIES:
                said = _each_label(rows[kept], truth[kept], rows[held], penalty) >= 0.5
                scores[penalty] += f1_score(truth[held], said, average="micro", zero_division=0)
        best = max(scores, key=lambda penalty: scores[penalty])
        shares = _each_label(rows, truth, words.transform(_texts(test)), best)
    facts = {
        "description": "one logistic regression a label on TF-IDF weights of words and word pairs",
        "parameters": len(labels) * (rows.shape[1] + 1),
        "features": rows.shape[1],
        "C": best,
    }
    return Fitted(decided(shares.tolist(), labels, [0.5] * len(labels)), facts)


def _each_label(rows: Any, truth: NDArray[np.bool_], wanted: Any, penalty: float) -> NDArray[np.float64]:
    """The probability of each label, of shape [wanted, labels]; 0 or 1 for one that none or all rows have."""
    from sklearn.linear_model import LogisticRegression

    shares = np.zeros((wanted.shape[0], truth.shape[1]))
    for number, column in enumerate(truth.T):
        if column.all() or not column.any():
            shares[:, number] = float(column.all())
        else:
            model = LogisticRegression(C=penalty, max_iter=1000, class_weight="balanced").fit(rows, column)
            shares[:, number] = model.predict_proba(wanted)[:, 1]
    return shares


def linear_number(
    train: Rows,
    test: Rows,
    labels: Sequence[str],
    seed: int,
    solver: least_squares.Solver | None = None,
) -> Fitted:
    """Linear least squares on TF-IDF weights of words and word pairs, its ridge chosen by cross-validation.

    `solver` is by default closed_form, or gradient_descent where that would take too much memory. The ridge
    is the best of four on the first rows: its share of the error does not depend on how many there are.
    """
    words = _tfidf(train)
    with fitting("linear"):
        rows = words.fit_transform(_texts(train))
    targets = np.asarray(train.labels, dtype=np.float64)
    ridge = _ridge(rows[:_TUNED_ON], targets[:_TUNED_ON], seed)
    way = solver or ("closed_form" if min(rows.shape) <= _SOLVABLE else "gradient_descent")
    found = least_squares.solve(least_squares.problem(rows, targets, ridge / len(targets)), way, seed)
    facts = {
        "description": "linear least squares on TF-IDF weights of words and word pairs",
        "parameters": rows.shape[1] + 1,
        "features": rows.shape[1],
        "ridge": ridge,
        "solver": way,
    }
    values = found.predict(words.transform(_texts(test)))
    return Fitted([{"predicted": float(value)} for value in values], facts)


def _ridge(rows: Any, targets: NDArray[np.float64], seed: int) -> float:
    from sklearn.model_selection import KFold

    if len(targets) < 2:
        return _RIDGES[1]
    errors = dict.fromkeys(_RIDGES, 0.0)
    for kept, held in KFold(min(3, len(targets)), shuffle=True, random_state=seed).split(rows):
        for ridge in _RIDGES:
            given = least_squares.problem(rows[kept], targets[kept], ridge / len(kept))
            missed = least_squares.closed_form(given).predict(rows[held]) - targets[held]
            errors[ridge] += float(missed @ missed)
    return min(errors, key=lambda ridge: errors[ridge])


def linear_tags(train: Rows, test: Rows, labels: Sequence[str], seed: int) -> Fitted:
    """Logistic regression on each word, its parts and its neighbours, every word decided on its own.

    Ratnaparkhi, "A Maximum Entropy Model for Part-of-Speech Tagging", EMNLP 1996, without the tags before.
    """
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    features = DictVectorizer()
    model = LogisticRegression(C=_PENALTIES[1], max_iter=1000)
    with fitting("linear"):
        rows = features.fit_transform([f for words in train.texts for f in _word_features(words)])
        model.fit(rows, [tag for tags in train.labels for tag in tags])
    wanted = [f for words in test.texts for f in _word_features(words)]
    said = iter(model.predict(features.transform(wanted)).tolist() if wanted else [])
    facts = {
        "description": "logistic regression on each word, its ends, its shape and its neighbours",
        "parameters": int(model.coef_.size + model.intercept_.size),
        "features": rows.shape[1],
    }
    return Fitted([{"predicted": [next(said) for _ in words]} for words in test.texts], facts)


def _word_features(words: Sequence[str]) -> Iterator[dict[str, str]]:
    """Names and values of one word after the other."""
    lower = ["<start>", *(word.lower() for word in words), "<end>"]
    for number, word in enumerate(words, start=1):
        yield {
            "word": word,
            "lower": lower[number],
            "prefix": lower[number][:3],
            "suffix": lower[number][-3:],
            "shape": re.sub(r"(.)\1+", r"\1\1", "".join(map(_shape, word))),
            "previous": lower[number - 1],
            "next": lower[number + 1],
        }


def _shape(character: str) -> str:
    """Paris is Xxx, 1984 dd, l'été x'xx: runs are cut to two."""
    if character.isalpha():
        return "X" if character.isupper() else "x"
    return "d" if character.isdigit() else character


def _texts(rows: Rows) -> list[Any]:
    return rows.texts if rows.pairs is None else list(zip(rows.texts, rows.pairs, strict=True))


def _tfidf(train: Rows) -> Any:
    """Words and word pairs of a text; those of a second text are other features than those of the first."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    plain = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    if train.pairs is None:
        return plain
    terms = plain.build_analyzer()

    def both(pair: tuple[str, str]) -> list[str]:
        return [f"{side} {term}" for side, text in enumerate(pair, start=1) for term in terms(text)]

    return TfidfVectorizer(analyzer=both, sublinear_tf=True)

"""The words of figures in the languages of the card, and how each language writes numbers.

Terms are those of the card (stages/release/words_*.py), so that a figure and the text around it agree.
"""

from typing import Literal

Language = Literal["en", "fr"]

LANGUAGES: tuple[Language, ...] = ("en", "fr")  # in the order of the columns below

SPACE = "\u202f"  # narrow, and no line breaks at it: in French numbers, and before : ; and %
_FRENCH = str.maketrans({",": SPACE, ".": ","})

METRICS = {
    "accuracy": ("accuracy", "exactitude"),
    "f1_macro": ("macro F1", "macro-F1"),
    "f1_micro": ("micro F1", "micro-F1"),
    "f1_weighted": ("weighted F1", "F1 pondéré"),
    "f1_samples": ("F1 by row", "F1 par ligne"),
    "exact_match": ("exact match", "correspondance exacte"),
    "entity_f1": ("entity F1", "F1 des entités"),
    "entity_precision": ("entity precision", "précision des entités"),
    "entity_recall": ("entity recall", "rappel des entités"),
    "mse": ("mean squared error", "erreur quadratique moyenne"),
    "rmse": ("root mean squared error", "racine de l’erreur quadratique moyenne"),
    "mae": ("mean absolute error", "erreur absolue moyenne"),
    "pearson": ("Pearson correlation", "corrélation de Pearson"),
    "spearman": ("Spearman correlation", "corrélation de Spearman"),
    "r2": ("R²", "R²"),
    "chrf": ("chrF", "chrF"),
    "bleu": ("BLEU", "BLEU"),
    "rouge1": ("ROUGE-1", "ROUGE-1"),
    "rouge2": ("ROUGE-2", "ROUGE-2"),
    "rougeL": ("ROUGE-L", "ROUGE-L"),
    "perplexity": ("perplexity", "perplexité"),
    "loss": ("loss", "perte"),
    "pseudo_perplexity": ("pseudo-perplexity", "pseudo-perplexité"),
    "masked_accuracy": ("accuracy on masked tokens", "exactitude sur les jetons masqués"),
}
# Line ends are where a name at an axis is broken.
MODELS = {
    "this model": ("this model", "ce modèle"),
    "majority": ("majority guess", "prédiction majoritaire"),
    "mean": ("mean", "moyenne"),
    "most_frequent_tag": ("most frequent tag\nof each word", "étiquette la plus fréquente\nde chaque mot"),
    "linear": ("linear model", "modèle linéaire"),
    "feed_forward": ("feed-forward network", "réseau à propagation avant"),
    "rnn": ("recurrent network (RNN)", "réseau récurrent (RNN)"),
    "lstm": ("LSTM network", "réseau LSTM"),
    "transformer": ("Transformer\nfrom scratch", "Transformer\nentraîné de zéro"),
    "copy": ("source itself", "source elle-même"),
    "lead": ("source's first words", "premiers mots de la source"),
    "unigram": ("unigram model", "modèle unigramme"),
    "base": ("base model\nbefore fine-tuning", "modèle de base\navant ajustement"),
}
# The columns of slices that are the pipeline's own, and its verdicts on slices.
COLUMNS = {"length": ("characters", "caractères"), "label": ("true class", "classe réelle")}
VERDICTS = {
    "better": ("better", "mieux"),
    "worse": ("worse", "moins bien"),
    "no difference shown": ("no difference shown", "pas de différence établie"),
    "too few": ("too few rows", "trop peu de lignes"),
}
WORDS = {
    # results and ladder
    "results title": (
        "{metric} on {n} test rows, with {sure} intervals",
        "{metric} sur {n} lignes de test, avec intervalles à {sure}",
    ),
    "weights": ("weights", "nombre de poids"),
    "operations": (
        "floating-point operations in training",
        "opérations en virgule flottante à l’entraînement",
    ),
    # training and learning curves
    "step": ("step", "pas"),
    "loss": ("Loss", "Perte"),
    "training": ("training", "entraînement"),
    "validation": ("validation", "validation"),
    "validation score": ("{metric} on the validation rows", "{metric} sur le jeu de validation"),
    "learning rate": ("Learning rate", "Taux d’apprentissage"),
    "kept": ("weights kept", "poids retenus"),
    "on training": ("training rows", "jeu d’entraînement"),
    "on validation": ("validation rows", "jeu de validation"),
    "power law": ("power law", "loi de puissance"),
    "training rows": ("training rows", "lignes d’entraînement"),
    # reliability diagram
    "ece": (
        "Expected calibration error (ECE): {ece}",
        f"Erreur de calibration attendue (ECE){SPACE}: {{ece}}",
    ),
    "the model": ("the model", "le modèle"),
    "calibrated": ("{sure} of calibrated models", "{sure} des modèles calibrés"),
    "scaled": ("scaled, T = {temperature}", "après mise à l’échelle, T = {temperature}"),
    "confidence": ("confidence in the predicted class", "confiance dans la classe prédite"),
    "accuracy": ("accuracy", "exactitude"),
    "probability": ("probability of a label", "probabilité d’une étiquette"),
    "has it": ("share that has it", "part qui la porte"),
    "labels of rows": ("labels of rows", "étiquettes"),
    "test rows": ("test rows", "lignes de test"),
    # slices
    "slices title": (
        "{metric}, {sure} intervals, test rows in brackets",
        "{metric}, intervalles à {sure}, lignes de test entre parenthèses",
    ),
    "largest": (
        " ({shown} largest of {all} slices)",
        f"{SPACE}; les {{shown}} plus grands de {{all}} groupes",
    ),
    "all rows": ("all rows", "toutes les lignes"),
    "column": ("column {number}", "colonne {number}"),
    "slice": ("slice {number}", "groupe {number}"),
    "others": ("{n} other values together", "{n} autres valeurs réunies"),
    "empty": ("(empty)", "(vide)"),
    "nothing to score": ("nothing to score", "rien à évaluer"),
    # where the model errs
    "output": ("output {number}", "sortie {number}"),
    "predicted class": ("predicted class", "classe prédite"),
    "true class": ("true class", "classe réelle"),
    "share": ("share of the true class", "part de la classe réelle"),
    "scores title": (
        "F1 (dot), precision (bar) and recall (cross); support in brackets",
        f"F1 (point), précision (barre) et rappel (croix){SPACE}; support entre parenthèses",
    ),
    "values": ("Predicted against true values", "Valeurs prédites et valeurs réelles"),
    "true value": ("true value", "valeur réelle"),
    "predicted value": ("predicted value", "valeur prédite"),
    "chrf": ("chrF of a single text", "chrF d’un seul texte"),
    "row loss": ("loss of a row, nats by token", "perte d’une ligne, en nats par jeton"),
    "median": ("median {value}", f"médiane{SPACE}: {{value}}"),
}


def say(language: Language, key: str, **values: str) -> str:
    """The words that stand for `key`, with `values` in their places."""
    return _in(language, WORDS[key]).format(**values)


def named(language: Language, table: dict[str, tuple[str, str]], key: str, otherwise: str) -> str:
    """What `table` calls `key`; what it does not list is called `otherwise`."""
    return _in(language, table[key]) if key in table else otherwise


def title(language: Language, metric: str) -> str:
    """The metric's name with a capital first letter; chrF and its like stay as they are."""
    text = named(language, METRICS, metric, metric)
    first = text.replace("-", " ").split(" ")[0]
    return text if first[1:] != first[1:].lower() else text[:1].upper() + text[1:]


def number(language: Language, value: float, form: str = ",.3f") -> str:
    """A number in a format of Python: 2,935 and 0.942, in French 2 935 and 0,942."""
    return turned(language, format(value, form))


def percent(language: Language, share: float, form: str = ".4g") -> str:
    """A share of 1 as a percentage: 95% and, in French, 95 %."""
    return number(language, share * 100, form) + ("%" if language == "en" else f"{SPACE}%")


def turned(language: Language, written: str) -> str:
    """An English number as the language writes it."""
    return written if language == "en" else written.translate(_FRENCH)


def _in(language: Language, row: tuple[str, str]) -> str:
    return row[LANGUAGES.index(language)]

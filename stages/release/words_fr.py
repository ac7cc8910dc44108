"""The words of French cards, with the spaces of French typography: U+202F where a line may not break."""

from stages.release.words import Words

_BAR = "(seuil : {})"
_IGNORANT = "de celle d’un modèle qui ignore son entrée"

FRENCH = Words(
    metrics={
        "f1_macro": "macro-F1",
        "f1_weighted": "F1 pondéré",
        "f1_micro": "micro-F1",
        "f1_samples": "F1 par ligne",
        "accuracy": "exactitude",
        "exact_match": "correspondance exacte",
        "entity_f1": "F1 des entités",
        "entity_precision": "précision des entités",
        "entity_recall": "rappel des entités",
        "mse": "erreur quadratique moyenne",
        "rmse": "racine de l’erreur quadratique moyenne",
        "mae": "erreur absolue moyenne",
        "pearson": "corrélation de Pearson",
        "spearman": "corrélation de Spearman",
        "r2": "R²",
        "chrf": "chrF",
        "bleu": "BLEU",
        "rouge1": "ROUGE-1",
        "rouge2": "ROUGE-2",
        "rougeL": "ROUGE-L",
        "perplexity": "perplexité",
        "loss": "perte",
        "pseudo_perplexity": "pseudo-perplexité",
        "masked_accuracy": "exactitude sur les jetons masqués",
    },
    baselines={
        "majority": ("la ", "prédiction majoritaire"),
        "mean": ("la ", "moyenne"),
        "most_frequent_tag": ("l’", "étiquette la plus fréquente de chaque mot"),
        "linear": ("le ", "modèle linéaire"),
        "feed_forward": ("le ", "réseau à propagation avant"),
        "rnn": ("le ", "réseau récurrent (RNN)"),
        "lstm": ("le ", "réseau LSTM"),
        "transformer": ("le ", "Transformer entraîné de zéro"),
        "copy": ("la ", "source elle-même"),
        "lead": ("les ", "premiers mots de la source"),
        "unigram": ("le ", "modèle unigramme"),
        "base": ("le ", "modèle de base avant ajustement"),
    },
    examples={
        "text-classification": ["Un texte à classer."],
        "multi-label-classification": ["Un texte à classer."],
        "text-regression": ["Un texte à noter."],
        "token-classification": ["Un texte qui contient des noms, comme Marie Curie ou Paris."],
        "seq2seq": ["Un texte."],
        "causal-lm": ["Le début d’un texte"],
        "masked-lm": ["Un texte qui contient un {mask}."],
        "pairs": [["Un premier texte.", "Un second."]],
    },
    verdicts={
        "better": "meilleur",
        "worse": "moins bon",
        "same": "aussi bon",
        "inconclusive": "non départagé",
    },
    slices={"length": "caractères", "label": "classe réelle"},
    changes={
        "lower_case": "en minuscules",
        "upper_case": "en majuscules",
        "no_punctuation": "sans ponctuation",
        "typos": "avec des fautes de frappe",
    },
    headings={
        "intended_use": "Usages prévus",
        "out_of_scope": "Usages exclus",
        "limitations": "Limites",
        "ethics": "Éthique",
        "contact": "Contact",
    },
    splits={"train": "entraînement", "validation": "validation", "test": "test"},
    curves={
        "well_fitted": "Bon ajustement",
        "over_fitted": "Surapprentissage",
        "under_fitted": "Sous-apprentissage",
        "still_learning": "Apprentissage inachevé",
        "not_told": "Indéterminé",
    },
    rules={
        "enough_evaluations": ("il y a eu {} évaluations (il en faut plus de {})", "number"),
        "validation_loss_rises": (
            f"depuis son minimum, la perte de validation remonte de {{}} {_BAR}",
            "percent",
        ),
        "training_loss_falls_on": (
            f"dans le même temps, la perte d’entraînement baisse de {{}} {_BAR}",
            "percent",
        ),
        "score_drops": (
            f"le score de validation se dégrade de {{}} par rapport à son meilleur niveau {_BAR}",
            "number",
        ),
        "worse_than_trivial_loss": (f"la perte de validation finit à {{}} {_IGNORANT} {_BAR}", "percent"),
        "score_still_improves": (
            f"sur le dernier tiers, le score de validation s’améliore encore de {{}} {_BAR}",
            "number",
        ),
        "validation_loss_still_falls": (
            f"sur le dernier tiers, la perte de validation baisse encore de {{}} {_BAR}",
            "percent",
        ),
        "near_trivial_loss": (f"la perte d’entraînement finit à {{}} {_IGNORANT} {_BAR}", "percent"),
        "training_loss_fell": (f"la perte d’entraînement a baissé de {{}} {_BAR}", "percent"),
        "score_gained": (
            "entre la première évaluation et la meilleure, le score de validation s’est amélioré de {}"
            f" {_BAR}",
            "score",
        ),
        "training_loss_rises": (f"la perte d’entraînement remonte, de {{}} {_BAR}", "percent"),
    },
    advice={
        "early_stopping": "l’arrêt précoce (`train.early_stopping_patience`)",
        "fewer_epochs": "moins d’époques",
        "more_dropout": "plus de dropout (`train.dropout`)",
        "more_weight_decay": "une pénalisation des poids (weight decay) plus forte",
        "more_data": "plus de données",
        "more_epochs": "plus d’époques",
        "more_capacity": "un modèle de base plus grand",
        "raise_learning_rate": "un taux d’apprentissage plus élevé",
        "lower_learning_rate": "un taux d’apprentissage plus faible",
        "label_smoothing": "le lissage des étiquettes (`train.label_smoothing_factor`)",
        "log_more_often": "relever plus souvent la perte d’entraînement (`train.logging_steps`)",
        "evaluate_more_often": "des évaluations plus fréquentes (`train.eval_strategy: steps`)",
    },
    phrases={
        # stages/sources: what was done to every text
        "HTML entities are replaced by the characters that they stand for.": (
            "Les entités HTML sont remplacées par les caractères qu’elles représentent."
        ),
        "Line ends are LF.": "Les fins de ligne sont des LF.",
        "Characters are composed (Unicode normalisation form NFC).": (
            "Les caractères sont composés (forme de normalisation Unicode NFC)."
        ),
        "White space at both ends is removed.": "Les blancs de début et de fin sont supprimés.",
        "Tags are rewritten from {} to IOB2.": "Les étiquettes sont converties de {} en IOB2.",
        "Neighbouring entities of one type count as one: IO does not tell them apart.": (
            "Des entités voisines de même type comptent pour une seule : IO ne les distingue pas."
        ),
        "Entities that began with another tag than B- begin with B- ({}).": (
            "Les entités qui commençaient par une autre étiquette que B- commencent par B- ({})."
        ),
        # stages/sources: why rows were left out
        "no text": "sans texte",
        "no second text": "sans second texte",
        "no id": "sans identifiant",
        "empty word": "mot vide",
        "not one tag for each word": "pas une étiquette par mot",
        "duplicate": "doublon",
        "contradictory labels": "étiquettes contradictoires",
        "no label": "sans étiquette",
        "label is not a number": "étiquette qui n’est pas un nombre",
        "no label rule takes it": "étiquette que ne retient aucune règle",
        "label left out by data.label_map": "étiquette exclue par data.label_map",
        "label is neither 0 nor 1": "étiquette ni 0 ni 1",
        # stages/sources: kinds of damage and of personal data
        "mojibake": "mojibake",
        "replacement": "caractère de remplacement",
        "control": "caractère de contrôle",
        "email": "courriel",
        "phone": "téléphone",
        "iban": "IBAN",
        "card": "carte bancaire",
        "ip": "adresse IP",
        "nir": "NIR",
        # stages/training: what baselines do
        "always the most frequent class of the training rows": (
            "toujours la classe la plus fréquente du jeu d’entraînement"
        ),
        "always the labels that at least half of the training rows have": (
            "toujours les étiquettes que porte au moins la moitié du jeu d’entraînement"
        ),
        "always the mean of the training rows": "toujours la moyenne du jeu d’entraînement",
        "always the most frequent tag of the training rows": (
            "toujours l’étiquette la plus fréquente du jeu d’entraînement"
        ),
        "each word's most frequent tag in the training rows": (
            "l’étiquette la plus fréquente de chaque mot dans le jeu d’entraînement"
        ),
        "the source text itself": "le texte source, tel quel",
        "the first {} words of the source text": "les {} premiers mots du texte source",
        "logistic regression on TF-IDF weights of words and word pairs": (
            "régression logistique sur les poids TF-IDF des mots et des paires de mots"
        ),
        "one logistic regression a label on TF-IDF weights of words and word pairs": (
            "une régression logistique par étiquette sur les poids TF-IDF des mots et des paires de mots"
        ),
        "linear least squares on TF-IDF weights of words and word pairs": (
            "moindres carrés linéaires sur les poids TF-IDF des mots et des paires de mots"
        ),
        "logistic regression on each word, its ends, its shape and its neighbours": (
            "régression logistique sur chaque mot, ses extrémités, sa forme et ses voisins"
        ),
        "a feed-forward network (tanh) on word embeddings, trained from nothing": (
            "un réseau à propagation avant (tanh) sur des plongements de mots, entraîné de zéro"
        ),
        "a recurrent network on word embeddings, trained from nothing": (
            "un réseau récurrent sur des plongements de mots, entraîné de zéro"
        ),
        "an LSTM network on word embeddings, trained from nothing": (
            "un réseau LSTM sur des plongements de mots, entraîné de zéro"
        ),
        "the base's architecture with random weights, trained from nothing": (
            "l’architecture du modèle de base avec des poids aléatoires, entraînée de zéro"
        ),
        "each token by its frequency among the training tokens, whatever stands around it": (
            "chaque jeton selon sa fréquence parmi les jetons d’entraînement, quel que soit son contexte"
        ),
        "the model that was fine-tuned, as it was before": (
            "le modèle qui a été ajusté, tel qu’il était avant"
        ),
        # stages/training: the environment
        "processor": "processeur",
        "device": "matériel de calcul",
        # stages/evidence: the verdicts on slices
        "better": "mieux",
        "worse": "moins bien",
        "no difference shown": "pas de différence établie",
        "too few": "trop peu de lignes",
        "nothing to score": "rien à évaluer",
    },
)

"""The closed lists of the Hub's card metadata.

Licenses: https://huggingface.co/docs/hub/repositories-licenses. Tasks: the pipelines of huggingface.js.
"""

from __future__ import annotations

LICENSES: tuple[str, ...] = tuple(
    [
        "apache-2.0",
        "mit",
        "openrail",
        "bigscience-openrail-m",
        "creativeml-openrail-m",
        "bigscience-bloom-rail-1.0",
        "bigcode-openrail-m",
        "afl-3.0",
        "artistic-2.0",
        "bsl-1.0",
        "bsd",
        "bsd-2-clause",
        "bsd-3-clause",
        "bsd-3-clause-clear",
        "c-uda",
        "cc",
        "cc0-1.0",
        "cc-by-2.0",
        "cc-by-2.5",
        "cc-by-3.0",
        "cc-by-4.0",
        "cc-by-sa-3.0",
        "cc-by-sa-4.0",
        "cc-by-nc-2.0",
        "cc-by-nc-3.0",
        "cc-by-nc-4.0",
        "cc-by-nd-4.0",
        "cc-by-nc-nd-3.0",
        "cc-by-nc-nd-4.0",
        "cc-by-nc-sa-2.0",
        "cc-by-nc-sa-3.0",
        "cc-by-nc-sa-4.0",
        "cdla-sharing-1.0",
        "cdla-permissive-1.0",
        "cdla-permissive-2.0",
        "wtfpl",
        "ecl-2.0",
        "epl-1.0",
        "epl-2.0",
        "etalab-2.0",
        "eupl-1.1",
        "eupl-1.2",
        "agpl-3.0",
        "gfdl",
        "gpl",
        "gpl-2.0",
        "gpl-3.0",
        "lgpl",
        "lgpl-2.1",
        "lgpl-3.0",
        "isc",
        "h-research",
        "intel-research",
        "lppl-1.3c",
        "ms-pl",
        "apple-ascl",
        "apple-amlr",
        "mpl-2.0",
        "odc-by",
        "odbl",
        "openmdw-1.0",
        "openrail++",
        "osl-3.0",
        "postgresql",
        "ofl-1.1",
        "ncsa",
        "unlicense",
        "zlib",
        "pddl",
        "lgpl-lr",
        "deepfloyd-if-license",
        "fair-noncommercial-research-license",
        "llama2",
        "llama3",
        "llama3.1",
        "llama3.2",
        "llama3.3",
        "llama4",
        "grok2-community",
        "gemma",
        "unknown",
        "other",
    ]
)

TASKS: tuple[str, ...] = tuple(
    [
        "text-classification",
        "token-classification",
        "table-question-answering",
        "question-answering",
        "zero-shot-classification",
        "translation",
        "summarization",
        "feature-extraction",
        "text-generation",
        "fill-mask",
        "sentence-similarity",
        "text-to-speech",
        "text-to-audio",
        "automatic-speech-recognition",
        "audio-to-audio",
        "audio-classification",
        "audio-text-to-text",
        "voice-activity-detection",
        "depth-estimation",
        "image-classification",
        "object-detection",
        "image-segmentation",
        "text-to-image",
        "image-to-text",
        "image-to-image",
        "image-to-video",
        "unconditional-image-generation",
        "video-classification",
        "reinforcement-learning",
        "robotics",
        "tabular-classification",
        "tabular-regression",
        "tabular-to-text",
        "table-to-text",
        "multiple-choice",
        "text-ranking",
        "text-retrieval",
        "time-series-forecasting",
        "text-to-video",
        "image-text-to-text",
        "image-text-to-image",
        "image-text-to-video",
        "visual-question-answering",
        "document-question-answering",
        "zero-shot-image-classification",
        "graph-ml",
        "mask-generation",
        "zero-shot-object-detection",
        "text-to-3d",
        "image-to-3d",
        "image-feature-extraction",
        "video-text-to-text",
        "keypoint-detection",
        "visual-document-retrieval",
        "any-to-any",
        "video-to-video",
        "other",
    ]
)

RELATIONS = ("finetune", "adapter", "merge", "quantized")
LANGUAGE_WORDS = ("code", "multilingual")
# ISO 639-1, with its withdrawn bh and sh. Of three letters any code is taken.
_ISO_639_1 = """\
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz
ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik
io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml
mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd
se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve
vi vo wa wo xh yi yo za zh zu
"""
LANGUAGES = frozenset(_ISO_639_1.split())

# Finer than tasks, for data sets: the subtasks of the same pipelines of huggingface.js.
_SUBTASKS = """\
acceptability-classification entity-linking-classification fact-checking intent-classification
language-identification multi-class-classification multi-label-classification
multi-input-text-classification natural-language-inference semantic-similarity-classification
sentiment-classification topic-classification semantic-similarity-scoring sentiment-scoring
sentiment-analysis hate-speech-detection text-scoring named-entity-recognition part-of-speech parsing
lemmatization word-sense-disambiguation coreference-resolution extractive-qa open-domain-qa closed-domain-qa
news-articles-summarization news-articles-headline-generation dialogue-modeling dialogue-generation
conversational language-modeling text-simplification explanation-generation abstractive-qa
open-domain-abstractive-qa open-book-qa closed-book-qa slot-filling masked-language-modeling
keyword-spotting speaker-identification audio-intent-classification audio-emotion-recognition
audio-language-identification multi-label-image-classification multi-class-image-classification
face-detection vehicle-detection instance-segmentation semantic-segmentation panoptic-segmentation
image-captioning image-inpainting image-colorization super-resolution grasping task-planning
tabular-multi-class-classification tabular-multi-label-classification tabular-single-column-regression
rdf-to-text multiple-choice-qa multiple-choice-coreference-resolution document-retrieval
utterance-retrieval entity-linking-retrieval fact-checking-retrieval univariate-time-series-forecasting
multivariate-time-series-forecasting visual-question-answering document-question-answering
pose-estimation
"""
SUBTASKS = tuple(_SUBTASKS.split())

# What the fields of a data set's card may say: huggingface_hub/repocard_data.py, DatasetCardData.
DATASET_WORDS: dict[str, tuple[str, ...]] = {
    "annotations_creators": (
        "found",
        "crowdsourced",
        "expert-generated",
        "machine-generated",
        "no-annotation",
        "other",
    ),
    "language_creators": ("found", "crowdsourced", "expert-generated", "machine-generated", "other"),
    "multilinguality": ("monolingual", "multilingual", "translation", "other"),
    "size_categories": (
        "n<1K",
        "1K<n<10K",
        "10K<n<100K",
        "100K<n<1M",
        "1M<n<10M",
        "10M<n<100M",
        "100M<n<1B",
        "1B<n<10B",
        "10B<n<100B",
        "100B<n<1T",
        "n>1T",
        "other",
    ),
}

# Spaces: https://huggingface.co/docs/hub/spaces-config-reference
SDKS = ("gradio", "streamlit", "docker", "static")
COLORS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")

# Which task a transformers architecture serves, when the card does not say.
HEADS = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForMultipleChoice": "multiple-choice",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForImageClassification": "image-classification",
    "ForCTC": "automatic-speech-recognition",
}

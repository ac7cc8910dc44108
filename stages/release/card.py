"""Render the model card: a template in Jinja's sandbox, filled from records and from nothing else."""

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError

from stages.core import terms
from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.schema import Card, Hub
from stages.core.tasks import greater_is_better
from stages.release import blocks, fields
from stages.release.citations import bibliography
from stages.release.formats import worded
from stages.release.front_matter import front_matter
from stages.release.languages import LANGUAGES, Language
from stages.release.markdown import Markdown
from stages.release.measured import SPEED, TRAINING
from stages.release.templates import environment
from stages.release.traced import MarkdownText, join, keeping, stripped, trace
from stages.release.wording import TASKS

# The records that a card is made of, each with the stage that writes it.
RECORDS = {
    "data": "prepare",
    "baselines": "baselines",
    "train": "train",
    "eval": "evaluate",
    "curve": "curve",
    "snippet": "snippet",
}


_WRONG = (AttributeError, RecursionError)  # besides, what a template can run into


def render(
    templates: Path,
    card: Card,
    hub: Hub,
    known: Mapping[str, Record],
    prose: Mapping[str, str],
    mistaken: Sequence[str] | None = None,
) -> MarkdownText:
    """The whole card, ending with a newline; its spans say which record and key each value came from.

    `known` are the records by the names of RECORDS and, where there are such, of MEASURED, `prose` the user's
    own sections, `mistaken` the texts of the worst mistakes where they are to be shown. Raises PipelineError
    for a template that does not work.
    """
    params = trace({"card": card.model_dump(), "hub": hub.model_dump()}, "params.yaml")
    traced = {name: trace(record, f"reports/{name}.json") for name, record in known.items()}
    own = {"prose": {name: Markdown(text) for name, text in prose.items()}, "shown": mistaken}
    return _rendered(templates, params | own, traced)


def _rendered(templates: Path, given: Record, known: Record) -> MarkdownText:
    """`render`, of traced params and the user's texts, and of traced records by name."""
    evaluation, curve = known["eval"], known["curve"]
    name = str(given["card"]["language"])
    language = LANGUAGES[name]
    facts = {
        **given,
        "data": known["data"],
        "train": known["train"],
        "evaluation": evaluation,
        "snippet": known["snippet"],
        "speed": known.get(SPEED),
        "training": known.get(TRAINING),
        "task": TASKS[evaluation["task"]],
        "columns": _columns(evaluation),
        "less_is_better": not greater_is_better(evaluation["metric"]),
        "diagnosis": _diagnosis(evaluation.get("diagnosis"), language),
        "baselines": _ranked(known["baselines"], evaluation, language),
        "curve": curve if curve["enabled"] else None,
        "citations": _citations(given["card"], known["train"]),
        "licence": terms.of_model(given["card"], known["train"]["base"], known["data"]["source"]),
    }
    template = f"{name}/{evaluation['task']}.md"  # one a task, each over the common one
    try:
        body = environment(templates, name).get_template(template).render(facts)
    except TemplateNotFound as error:
        missing = templates / (error.name or template)
        raise PipelineError(f"{missing} is missing: restore it with git") from None
    except (TemplateError, ValueError, TypeError, LookupError, ArithmeticError, *_WRONG) as error:
        file, line = _place(error, templates, template)
        raise PipelineError(f"{file}:{line}: {' '.join(str(error).split())}") from error
    front = front_matter(given["card"], given["hub"], known)
    return join([front, "\n", _marked(stripped(body), front), "\n"])


def _marked(body: MarkdownText, front: str) -> MarkdownText:
    """The body in blocks, with digests of what was generated there and in the front matter."""
    return blocks.marked(body, fields.digests(blocks.read(front, "the front matter").front))


def _citations(card: Record, train: Record) -> str:
    made: str = keeping(bibliography)(card["citation"], card["data"]["citation"], train["method"])
    return made


def _place(error: Exception, templates: Path, template: str) -> tuple[Path, int]:
    """Where it went wrong: file and line. Jinja writes the templates' lines into the traceback."""
    if isinstance(error, TemplateSyntaxError):
        return templates / (error.name or template), error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(templates)]
    return (Path(ours[-1].filename), ours[-1].lineno or 1) if ours else (templates / template, 1)


def _diagnosis(found: Record | None, language: Language) -> Record | None:
    """What the training curves say, in words: the verdict, the reasons and the advice as Markdown."""
    if found is None:
        return None
    words = language.words
    formats = {format.__name__: keeping(format) for format in language.formats}
    reasons = []
    for rule in found["because"]:
        sentence, unit = words.rules[rule["name"]]
        reasons.append(worded(sentence, formats[unit](rule["value"]), formats[unit](rule["threshold"])))
    return {
        "verdict": words.curves[found["verdict"]],
        "because": reasons,
        "over_confident": found["over_confident"],
        "advice": [Markdown(words.advice[name]) for name in found["advice"]],
    }


def _columns(evaluation: Record) -> list[str]:
    """The scores that the table shows, the main one first: of the task's, those that these labels have."""
    main = evaluation["metric"]
    known = [name for name in TASKS[evaluation["task"]].columns if name in evaluation["metrics"]]
    return [main, *(name for name in known if name != main)]


def _ranked(baselines: Record, evaluation: Record, language: Language) -> list[Record]:
    """Every baseline with its name for readers, its description and its scores; the best one first.

    `title` is the name, `named` the name with its article.
    """
    main, names = evaluation["metric"], language.words.baselines
    found = []
    for name, scored in sorted(evaluation["baselines"].items()):
        article, title = names.get(name, ("", name))
        words = {"title": title, "named": article + title}
        found.append({**words, **baselines["models"][name], **scored})
    return sorted(found, key=lambda b: b["metrics"][main]["value"], reverse=greater_is_better(main))

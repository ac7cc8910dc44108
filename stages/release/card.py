"""Render the model card: a template in Jinja's sandbox, filled from records and from nothing else."""

import shlex
import traceback
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.schema import Card, Hub
from stages.release import markdown
from stages.release.formats import FORMATS
from stages.release.front_matter import front_matter
from stages.release.wording import BASELINES, METRICS, SPLITS, TASKS

TEMPLATE = "card.en.md"


def render(
    templates: Path, card: Card, hub: Hub, data: Record, baselines: Record, train: Record, evaluation: Record
) -> str:
    """The whole card, ending with a newline. Raises PipelineError for a template that does not work."""
    facts = {
        "card": card,
        "hub": hub,
        "data": data,
        "train": train,
        "evaluation": evaluation,
        "columns": _columns(evaluation),
        "baselines": _ranked(baselines, evaluation),
    }
    try:
        body = _environment(templates).get_template(TEMPLATE).render(facts)
    except TemplateNotFound:
        raise PipelineError(f"{templates / TEMPLATE} is missing: restore it with git") from None
    except (TemplateError, ValueError, TypeError) as error:
        text = " ".join(str(error).split())
        raise PipelineError(f"{templates / TEMPLATE}:{_template_line(error)}: {text}") from error
    return front_matter(card, hub, data, train, evaluation) + "\n" + body.strip() + "\n"


def _template_line(error: Exception) -> int:
    """Where in the template it went wrong; Jinja writes the template's lines into the traceback."""
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename.endswith(TEMPLATE)]
    return (lines or [1])[-1] or 1


def _environment(templates: Path) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        finalize=markdown.finalize,
        autoescape=False,  # for HTML, which this is not: `finalize` escapes for Markdown
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"link": markdown.link, "fence": markdown.fence}
    environment.globals |= {"metrics": METRICS, "splits": SPLITS}
    environment.filters |= {
        "code": markdown.code,
        "label": markdown.label,
        "literal": markdown.literal,
        "shell": shlex.quote,
        **{format.__name__: format for format in FORMATS},
    }
    return environment


def _columns(evaluation: Record) -> list[str]:
    """The scores that the table shows, the main one first."""
    main = evaluation["metric"]
    return [main, *(name for name in TASKS[evaluation["task"]].columns if name != main)]


def _ranked(baselines: Record, evaluation: Record) -> list[Record]:
    """Every baseline with its name for readers, its description and its scores; the best one first."""
    main = evaluation["metric"]
    found = [
        {"title": BASELINES.get(name, name), **baselines["models"][name], **scored}
        for name, scored in sorted(evaluation["baselines"].items())
    ]
    return sorted(found, key=lambda baseline: -baseline["metrics"][main]["value"])

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


def together(data: Record, baselines: Record, train: Record, evaluation: Record) -> None:
    """Raise PipelineError unless the records are about the same model and the same test rows."""
    if evaluation["model"]["sha256"] != train["model"]["sha256"]:
        raise PipelineError(
            "reports/eval.json scores another model than reports/train.json describes:"
            " run `dvc repro evaluate`"
        )
    prepared = data["splits"]["test"]["sha256"]
    for name, record, stage in (("baselines", baselines, "baselines"), ("eval", evaluation, "evaluate")):
        if record["test"]["sha256"] != prepared:
            raise PipelineError(
                f"reports/{name}.json is about other test rows than reports/data.json:"
                f" run `dvc repro {stage}`"
            )
    for split, used in sorted(train["data"].items()):
        if used != data["splits"][split]["sha256"]:
            raise PipelineError(
                f"reports/train.json used another {split} split than reports/data.json describes:"
                " run `dvc repro train`"
            )
    missing = evaluation["baselines"].keys() - baselines["models"].keys()
    if missing:
        raise PipelineError(
            f"reports/baselines.json does not describe {', '.join(sorted(missing))}: run `dvc repro evaluate`"
        )


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

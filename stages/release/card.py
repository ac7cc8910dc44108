"""Render the model card: a template in Jinja's sandbox, filled from records and from nothing else."""

import shlex
import traceback
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from stages.core.errors import PipelineError
from stages.core.records import Record
from stages.core.schema import Card, Hub
from stages.core.tasks import greater_is_better
from stages.release import markdown
from stages.release.curve_wording import ADVICE, RULES, VERDICTS
from stages.release.formats import FORMATS
from stages.release.front_matter import front_matter
from stages.release.wording import BASELINES, METRICS, SPLITS, TASKS

LANGUAGE = "en"  # the folder of its templates, one a task, each over the common one


def render(
    templates: Path,
    card: Card,
    hub: Hub,
    data: Record,
    baselines: Record,
    train: Record,
    evaluation: Record,
    curve: Record,
) -> str:
    """The whole card, ending with a newline. Raises PipelineError for a template that does not work."""
    facts = {
        "card": card,
        "hub": hub,
        "data": data,
        "train": train,
        "evaluation": evaluation,
        "task": TASKS[evaluation["task"]],
        "columns": _columns(evaluation),
        "diagnosis": _diagnosis(evaluation.get("diagnosis")),
        "baselines": _ranked(baselines, evaluation),
        "curve": curve if curve["enabled"] else None,
    }
    template = f"{LANGUAGE}/{evaluation['task']}.md"
    try:
        body = _environment(templates).get_template(template).render(facts)
    except TemplateNotFound as error:
        raise PipelineError(f"{templates / str(error)} is missing: restore it with git") from None
    except (TemplateError, ValueError, TypeError, KeyError) as error:
        file, line = _place(error, templates, template)
        raise PipelineError(f"{file}:{line}: {' '.join(str(error).split())}") from error
    return front_matter(card, hub, data, train, evaluation) + "\n" + body.strip() + "\n"


def _place(error: Exception, templates: Path, template: str) -> tuple[Path, int]:
    """Where it went wrong: file and line. Jinja writes the templates' lines into the traceback."""
    if isinstance(error, TemplateSyntaxError):
        return templates / (error.name or template), error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(templates)]
    return (Path(ours[-1].filename), ours[-1].lineno or 1) if ours else (templates / template, 1)


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
        "string": markdown.string,
        "shell": shlex.quote,
        **{format.__name__: format for format in FORMATS},
    }
    return environment


def _diagnosis(found: Record | None) -> Record | None:
    """What the training curves say, in words: the verdict, the reasons and the advice as Markdown."""
    if found is None:
        return None
    formats = {format.__name__: format for format in FORMATS}
    reasons = []
    for rule in found["because"]:
        sentence, unit = RULES[rule["name"]]
        said = sentence.format(formats[unit](rule["value"]), formats[unit](rule["threshold"]))
        reasons.append(markdown.Markdown(said))
    return {
        "verdict": VERDICTS[found["verdict"]],
        "because": reasons,
        "over_confident": found["over_confident"],
        "advice": [markdown.Markdown(ADVICE[name]) for name in found["advice"]],
    }


def _columns(evaluation: Record) -> list[str]:
    """The scores that the table shows, the main one first: of the task's, those that these labels have."""
    main = evaluation["metric"]
    known = [name for name in TASKS[evaluation["task"]].columns if name in evaluation["metrics"]]
    return [main, *(name for name in known if name != main)]


def _ranked(baselines: Record, evaluation: Record) -> list[Record]:
    """Every baseline with its name for readers, its description and its scores; the best one first."""
    main = evaluation["metric"]
    found = [
        {"title": BASELINES.get(name, name), **baselines["models"][name], **scored}
        for name, scored in sorted(evaluation["baselines"].items())
    ]
    return sorted(found, key=lambda b: b["metrics"][main]["value"], reverse=greater_is_better(main))

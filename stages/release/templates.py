"""The language of the card's templates: Jinja's sandbox, in which every value keeps its origins.

Filters, operators, `~`, methods and captured blocks all do, so that no template has to take care of it; and
`evaluate` does again what a template did, from a record, without the template.
"""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from stages.core.records import Record
from stages.release import markdown, traced
from stages.release.blocks import section
from stages.release.citations import bibliography
from stages.release.formats import said, worded
from stages.release.front_matter import FORMATS as FRONT_MATTER
from stages.release.languages import LANGUAGES
from stages.release.traced import Integer, Items, Real, Table, Text, keeping
from stages.release.wording import METRICS


class _Generator(CodeGenerator):
    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox with tracing in the places that it provides for hooks."""

    code_generator_class = _Generator
    concat = staticmethod(traced.join)
    joined = staticmethod(traced.joined)
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})
    intercepted_unops = frozenset({"-"})

    def call_binop(self, context: Context | None, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic."""
        return keeping(self.binop_table[operator], operator)(left, right)

    def call_unop(self, context: Context | None, operator: str, arg: Any) -> Any:
        """A sign."""
        return keeping(self.unop_table[operator], operator)(arg)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """A function or a method; those of traced values keep their origins."""
        made = super().call(__context, __obj, *args, **kwargs)
        owner = getattr(__obj, "__self__", None)
        if not isinstance(owner, Text | Integer | Real | Items | Table):
            return made
        # Jinja adds variables of loops and blocks by names that begin with an underscore.
        named = {name: value for name, value in kwargs.items() if not name.startswith("_")}
        return keeping(lambda *_, **__: made, f".{__obj.__name__}")(owner, *args, **named)


def environment(templates: Path | None = None, language: str = "en") -> Environment:
    """The filters, functions and words of the templates in this folder; without one, those alone.

    `language` is a key of LANGUAGES.
    """
    words, formats = LANGUAGES[language].words, LANGUAGES[language].formats
    made = Environment(
        loader=FileSystemLoader(templates) if templates else None,
        undefined=StrictUndefined,
        finalize=traced.finalize,
        autoescape=False,  # for HTML, which this is not: `finalize` escapes for Markdown
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals |= {"link": keeping(markdown.link), "fence": keeping(markdown.fence), "section": section}
    made.globals["metrics"] = {name: replace(METRICS[name], name=words.metrics[name]) for name in METRICS}
    for name in ("splits", "verdicts", "slices", "changes", "headings"):
        made.globals[name] = getattr(words, name)
    filters: dict[str, Callable[..., Any]] = {
        **made.filters,
        "code": markdown.code,
        "excerpt": markdown.excerpt,
        "label": markdown.label,
        "literal": markdown.literal,
        "string": markdown.string,
        "shell": shlex.quote,
        "said": partial(said, words.phrases),
        **{format.__name__: format for format in formats},
    }
    made.filters = {name: keeping(function, name) for name, function in filters.items()}
    return made


_TEXT: dict[str, Callable[..., Any]] = {
    "text": markdown.finalize,
    "link": markdown.link,
    "fence": markdown.fence,
    "worded": worded,
    "bibliography": bibliography,
    **{format.__name__: format for format in FRONT_MATTER},
}


def evaluate(within: Environment, expression: Any, records: Mapping[str, Record]) -> Any:
    """What the `expression` of a sidecar (see sidecar.py) comes to, from these records by path.

    Raises KeyError for a record or key that is not there, and what the formats raise.
    """
    if isinstance(expression, list):
        return [evaluate(within, part, records) for part in expression]
    if not isinstance(expression, dict):
        return expression
    if "record" in expression:
        return _found(expression, records)
    arguments = evaluate(within, expression["of"], records)
    named = {name: evaluate(within, part, records) for name, part in expression.get("with", {}).items()}
    return _applied(within, expression["format"], arguments, named)


def _applied(within: Environment, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    if name == "~":
        return traced.joined(arguments)
    if name == "concat":
        return traced.join(arguments)
    if name in _TEXT:
        return _TEXT[name](*arguments, **named)
    if name in within.intercepted_binops and len(arguments) == 2:
        return within.call_binop(None, name, *arguments)
    if name in within.intercepted_unops:
        return within.call_unop(None, name, *arguments)
    if name.startswith("."):
        method = within.getattr(arguments[0], name[1:])
        if not within.is_safe_callable(method):
            raise KeyError(name)
        return method(*arguments[1:], **named)
    return within.call_filter(name, arguments[0], arguments[1:], named)


def _found(source: Mapping[str, str], records: Mapping[str, Record]) -> Any:
    """The value that a JSON Pointer names, or the last name of the pointer itself."""
    value: Any = records[source["record"]]
    names = _names(source.get("key", source.get("name", "")))
    for name in names:
        value = value[int(name) if isinstance(value, list) else name]
    return names[-1] if "name" in source else value


def _names(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]

"""The shape of params.yaml: frozen pydantic models, unknown keys refused.

A section holds only what changes the result of the stages that declare it; `runtime` changes no result and
no stage declares it.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from stages.core import trainer_fields
from stages.core.data_section import Data, Package
from stages.core.hub_words import Language, Licence, LicenceLink, PipelineTag, WebAddress, Words
from stages.core.sections import Fraction, RepoId, Section, Version
from stages.core.task_section import Task


class BasePackage(Package):
    """A package that carries the files of the model `holds`; used while `base.repo_id` is that model."""

    holds: RepoId


class Base(Section):
    repo_id: RepoId
    revision: str | None = None
    license: Licence | None = None  # where its own card, README.md, does not state it
    package: BasePackage | None = None

    @property
    def from_package(self) -> BasePackage | None:
        """The package to take the files from, or None when they come from the Hub."""
        used = self.package and self.package.holds == self.repo_id and self.revision is None
        return self.package if used else None


class Lora(Section):
    """Arguments of `peft.LoraConfig`, under its names."""

    r: int = Field(default=8, ge=1)
    lora_alpha: int = Field(default=16, ge=1)
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)
    target_modules: Literal["all-linear"] | list[str] = "all-linear"
    use_rslora: bool = False


class Compute(Section):
    threads: int = Field(default=2, ge=1)
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"


class Evaluate(Section):
    confidence: Fraction = 0.95
    resamples: int = Field(default=2000, ge=100)
    robustness: bool = False  # score texts with changed case, punctuation and typing errors too


class Baselines(Section):
    """`train` is what network rungs are trained by, under the Trainer's names, over defaults of their own."""

    models: list[str] | None = None
    solver: Literal["closed_form", "gradient_descent", "sgd"] | None = None  # of `linear` for numbers
    hidden_size: int = Field(default=128, ge=1)
    train: Annotated[dict[str, Any], BeforeValidator(trainer_fields.checked_partly)] = Field(
        default_factory=dict
    )

    @field_validator("models")
    @classmethod
    def _each_once(cls, models: list[str] | None) -> list[str] | None:
        if models is not None and len(set(models)) < len(models):
            raise ValueError("should name each model once")
        return models


class Curve(Section):
    """The score against the number of training rows; costs a training for each of `shares` and `seeds`."""

    enabled: bool = False
    shares: list[Annotated[float, Field(gt=0, le=1)]] = Field(default=[0.125, 0.25, 0.5, 1.0])
    seeds: int = Field(default=3, ge=1)

    @field_validator("shares")
    @classmethod
    def _several(cls, shares: list[float]) -> list[float]:
        if len(set(shares)) < max(3, len(shares)):
            raise ValueError("should name three or more different shares of the training rows")
        if max(shares) < 1:
            raise ValueError("should hold 1.0: what twice the rows would bring is told from all of them")
        return sorted(shares)


class CardData(Section):
    """What the card says of the data, where no record can know it."""

    name: Words
    description: Words | None = None
    license: Licence | None = None
    url: WebAddress | None = None
    citation: Words | None = None


class Card(Section):
    title: Words
    language: Literal["en", "fr"]  # of the card; `languages` are the model's
    summary: Words | None = None
    languages: list[Language] = Field(default=[])
    license: Licence | None = None
    license_name: Words | None = None  # these two of `other`
    license_link: LicenceLink | None = None
    license_reason: Words | None = None  # why it holds although base or data ask for another
    tags: list[Words] = Field(default=[])
    pipeline_tag: PipelineTag | None = None
    repository: WebAddress | None = None
    benchmark: Words | None = None  # a task of the eval.yaml of a data set on the Hub
    citation: Words | None = None  # of the model itself, as BibTeX
    examples: list[str | Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(default=[])
    show_examples: bool = False  # the texts of the worst mistakes, too
    data: CardData

    @model_validator(mode="after")
    def _licence_in_full(self) -> Self:
        named = (self.license_name, self.license_link)
        if self.license == "other" and None in named:
            raise ValueError("`license: other` needs license_name, and license_link to its text")
        if self.license != "other" and named != (None, None):
            raise ValueError("license_name and license_link are for `license: other`: take them out")
        if self.license_reason and not self.license:
            raise ValueError("license_reason is for a `license` that is stated: state it, or take it out")
        return self


class Hub(Section):
    endpoint: str = "embedded"
    repo_id: RepoId
    version: Version
    private: bool = True
    publish: bool = False

    @field_validator("endpoint")
    @classmethod
    def _embedded_or_url(cls, value: str) -> str:
        if value != "embedded" and not re.fullmatch(r"https?://([\w.-]+|\[[\da-fA-F:.]+\])(:\d+)?/?", value):
            raise ValueError("should be `embedded` or a URL such as https://huggingface.co, without a path")
        return value.removesuffix("/")

    @field_validator("repo_id")
    @classmethod
    def _has_namespace(cls, value: str) -> str:
        if "/" not in value:
            raise ValueError("should be namespace/name: the account or organisation that will own the model")
        return value


class Runtime(Section):
    workers: int = Field(default=0, ge=0)
    progress: bool = True
    measure: bool = False  # what the training takes: seconds, memory and, with codecarbon, energy
    country: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")  # where it runs, which decides the CO2
    hub_port: int = Field(default=8420, ge=1024, le=65535)


class Params(Section):
    """All of params.yaml. Stages read sections off it by attribute and hand those on, never the whole.

    Every section that a stage declares is required, since DVC looks for it too; `{}` takes its defaults.
    """

    seed: int = Field(ge=0, lt=2**32)
    task: Task
    data: Data
    base: Base
    method: Literal["full", "lora"]
    lora: Lora
    train: Annotated[dict[str, Any], BeforeValidator(trainer_fields.checked)]
    compute: Compute
    evaluate: Evaluate
    baselines: Baselines
    curve: Curve
    card: Card
    hub: Hub
    runtime: Runtime = Runtime()

    @field_validator("train")
    @classmethod
    def _smoothed(cls, train: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if trainer_fields.smooths(train) and not _softmax(info):
            raise ValueError(f"label_smoothing_factor\0{_NOT_SMOOTHED}")
        return train

    @field_validator("card")
    @classmethod
    def _on_the_hub(cls, card: Card, info: ValidationInfo) -> Card:
        data: Data | None = info.data.get("data")
        if card.benchmark and data and data.source.type != "hub":
            raise ValueError("benchmark: is for a data set on the Hub (data.source.type: hub): take it out")
        return card

    @field_validator("baselines")
    @classmethod
    def _of_the_task(cls, baselines: Baselines, info: ValidationInfo) -> Baselines:
        task: Task | None = info.data.get("task")
        strangers = [m for m in baselines.models or [] if task and m not in task.kind.rungs]
        if task and strangers:
            raise ValueError(
                f"models: there is no {', '.join(strangers)} for {task.type}; it has"
                f" {', '.join(task.kind.rungs)}"
            )
        if trainer_fields.smooths(baselines.train) and not _softmax(info):
            raise ValueError(f"train.label_smoothing_factor: {_NOT_SMOOTHED}")
        return baselines


_NOT_SMOOTHED = "is for outputs that sum to 1, and this task's do not: take it out"


def _softmax(info: ValidationInfo) -> bool:
    """Whether the task's outputs are probabilities that sum to 1; yes while the task is not known."""
    task: Task | None = info.data.get("task")
    return task is None or task.kind.softmax

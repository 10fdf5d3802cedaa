"""The spec of an audit: everything that its results depend on, and nothing else."""

from __future__ import annotations

import difflib
import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from copycost.audit._fields import (
    AnswersText,
    ArchitectureText,
    Count,
    FoldsBy,
    ScheduleText,
    StrategyText,
    Strict,
    TargetOutput,
    TargetScale,
    TransferSpec,
    TransformSpec,
    each_once,
    from_pairs,
    from_text,
    several,
)
from copycost.datasets import medium_named
from copycost.errors import InvalidInput
from copycost.extraction import Shares
from copycost.networks import architecture
from copycost.oracle.targets import FILES, file_kind, form_of
from copycost.strategies import parse
from copycost.substitutes import Schedule

__all__ = [
    "AuditSpec",
    "CellSpec",
    "TransferSpec",
    "TransformSpec",
    "build_spec",
    "digest_of",
    "embedded_default",
]


class AuditSpec(Strict):
    """A grid of cells against one target.

    ``target`` is ``module:function``, an ONNX, skops or safetensors file (with ``target_arch``), ``ARCH@DATA`` (trained
    here, anew for each seed), or ``labels`` (the known labels themselves answer). Of a file, ``target_mean`` and
    ``target_deviation`` are those of its channels in units of [0, 1]; ``target_output`` is what an ONNX model ends in,
    where that cannot be found out; ``target_scale`` is "bytes" where the model takes pixels from 0 to 255. ``rounds``
    and ``seed_share`` are for strategies that look at the copy between rounds; ``validation_share`` of every budget
    tells which epoch was best. With ``target_folds`` F the target of seed s never sees fold s mod F of its training
    data, and its accuracy and loss on it are kept; ``target_folds_by: track`` keeps images of one video track in one
    fold. ``vectors`` are word vectors that a copy of a text classifier starts
    from. With ``compared: original`` strategies that compare images of the pool do so before the transform.
    With ``ceiling: false`` no second target is trained to tell how far two honest trainings agree.
    """

    target: str = Field(min_length=1)
    pool: str = Field(min_length=1)
    test: str = Field(min_length=1)
    transform: Annotated[TransformSpec, BeforeValidator(from_text)] = TransformSpec()
    skip_bad: bool = False
    compared: Literal["transformed", "original"] = "transformed"
    budgets: Annotated[tuple[int, ...], BeforeValidator(several)] = Field(default=(50, 150, 300, 600), min_length=1)
    strategies: tuple[StrategyText, ...] = Field(default=("random", "drmi"), min_length=1)
    answers: Annotated[tuple[AnswersText, ...], BeforeValidator(several)] = Field(default=("top1",), min_length=1)
    seeds: Count = Field(default=5, ge=1, le=10_000)
    substitute: ArchitectureText = "lenet5"
    schedule: ScheduleText = "steps:3000"
    rounds: Count = Field(default=10, ge=1, le=100_000)
    seed_share: float = Field(default=0.1, gt=0, lt=1)
    validation_share: float = Field(default=0.0, ge=0, lt=1)
    vectors: str | None = Field(default=None, min_length=1)
    target_arch: ArchitectureText | None = None
    target_mean: Annotated[tuple[float, ...], BeforeValidator(several)] = Field(default=(0.0,), min_length=1)
    target_deviation: Annotated[tuple[float, ...], BeforeValidator(several)] = Field(default=(1.0,), min_length=1)
    target_output: TargetOutput | None = None
    target_scale: TargetScale = "unit"
    target_schedule: ScheduleText = "epochs:10 batch=64"
    target_folds: Count = Field(default=0, ge=0, le=1000)
    target_folds_by: FoldsBy = "image"
    classes: Count | None = Field(default=None, ge=2, le=100_000)
    transfer: Annotated[TransferSpec, BeforeValidator(from_pairs)] = TransferSpec()
    uniform: Count = Field(default=1000, ge=0, le=1_000_000)
    robustness: Count = Field(default=0, ge=0, le=1_000_000)
    ceiling: bool = True
    explore: bool = False
    levels: Annotated[tuple[float, ...], BeforeValidator(several)] = Field(default=(0.8, 0.9, 0.95), min_length=1)

    @field_validator("budgets")
    @classmethod
    def _budgets(cls, budgets: tuple[int, ...]) -> tuple[int, ...]:
        if min(budgets) < 1:
            raise InvalidInput(f"a budget is {min(budgets)}; budgets are numbers of queries of 1 or more.")
        return tuple(sorted(each_once("budgets", budgets)))

    @field_validator("strategies", "answers")
    @classmethod
    def _unique(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return each_once("strategies and answers", values)

    @field_validator("levels")
    @classmethod
    def _levels(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < level <= 1 for level in levels):
            raise InvalidInput(f"levels are {levels}; shares above 0 and up to 1 are needed, such as 0.9.")
        return tuple(sorted(each_once("levels", levels)))

    @model_validator(mode="after")
    def _complete(self) -> AuditSpec:
        form = form_of(self.target)
        takes = file_kind(self.target).takes if form == "file" else ()
        for names in (("target_mean", "target_deviation"), ("target_output",), ("target_scale",)):
            if names[0] not in takes and any(getattr(self, name) != _default(name) for name in names):
                kinds = " targets and ".join(suffix[1:] for suffix, kind in FILES.items() if names[0] in kind.takes)
                verb, them = ("are", "them") if len(names) > 1 else ("is", "it")
                raise InvalidInput(f"{' and '.join(names)} {verb} for {kinds} targets; leave {them} out.")
        if not all(value > 0 for value in self.target_deviation):
            raise InvalidInput(f"target_deviation is {self.target_deviation}; every channel needs a number above 0.")
        if "target_arch" in takes and self.target_arch is None:
            raise InvalidInput(
                f"the target {self.target} holds weights alone; name its architecture with --target-arch."
            )
        if form == "trained":
            architecture(self.target.partition("@")[0])
        self._check_shares()
        self._check_folds(form)
        return self

    def _check_folds(self, form: str) -> None:
        if not self.target_folds:
            if self.target_folds_by != "image":
                raise InvalidInput(
                    f"target_folds_by is {self.target_folds_by!r} and target_folds 0, so there are no folds; set "
                    "target_folds to 2 or more, or leave target_folds_by out."
                )
            return
        kind = Schedule.parse(self.target_schedule).kind
        if self.target_folds == 1 or form != "trained" or kind != "epochs":
            raise InvalidInput(
                f"target_folds is {self.target_folds}, the target {self.target}, its schedule {self.target_schedule}; "
                "folds are 2 or more, for a target trained here by epochs:N. Otherwise leave target_folds out."
            )

    def _check_shares(self) -> None:
        schedule = Schedule.parse(self.schedule)
        if self.validation_share and schedule.kind != "early-stopping":
            raise InvalidInput(
                f"validation_share is {self.validation_share:g} and the schedule {self.schedule}, which looks at no "
                "validation; use early-stopping:EPOCHS, or leave validation_share out."
            )
        for strategy in self.strategies:
            for budget in self.budgets:
                self.shares().sizes(parse(strategy), budget)

    def shares(self) -> Shares:
        """Return how every budget is shared out."""
        return Shares(self.rounds, self.seed_share, self.validation_share)

    @property
    def trains_target(self) -> bool:
        """Whether the target is trained here."""
        return form_of(self.target) == "trained"

    @property
    def per_seed(self) -> bool:
        """Whether target, pool or test set differ between seeds."""
        return self.trains_target or any(text.startswith("embedded:") for text in (self.pool, self.test))

    def _rounds(self) -> dict[str, Any]:
        """Return what only iterative strategies depend on, so that one that asks at once keeps its key."""
        return {"rounds": self.rounds, "seed_share": self.seed_share}

    def cells(self) -> list[CellSpec]:
        """Return the cells of the grid, seed by seed."""
        return [
            CellSpec(
                target=self.target,
                pool=self.pool,
                test=self.test,
                transform=self.transform,
                skip_bad=self.skip_bad,
                compared=self.compared,
                strategy=strategy,
                answers=answers,
                budget=budget,
                seed=seed,
                substitute=self.substitute,
                schedule=self.schedule,
                **(self._rounds() if parse(strategy).iterative else {}),
                validation_share=self.validation_share,
                vectors=self.vectors,
                target_arch=self.target_arch,
                target_mean=self.target_mean,
                target_deviation=self.target_deviation,
                target_output=self.target_output,
                target_scale=self.target_scale,
                target_schedule=self.target_schedule,
                target_folds=self.target_folds,
                target_folds_by=self.target_folds_by,
                classes=self.classes,
                transfer=self.transfer,
                uniform=self.uniform,
                robustness=self.robustness,
            )
            for seed in range(self.seeds)
            for budget in reversed(self.budgets)
            for strategy in self.strategies
            for answers in self.answers
        ]


class CellSpec(Strict):
    """The spec of one cell; its key names its folder.

    What has its default is left out of the key, so that a later version with more settings finds the same cells.
    """

    target: str
    pool: str
    test: str
    transform: TransformSpec = TransformSpec()
    skip_bad: bool = False
    compared: Literal["transformed", "original"] = "transformed"
    strategy: StrategyText
    answers: AnswersText
    budget: int
    seed: int
    substitute: ArchitectureText
    schedule: ScheduleText
    rounds: int = 10
    seed_share: float = 0.1
    validation_share: float = 0.0
    vectors: str | None = None
    target_arch: ArchitectureText | None = None
    target_mean: tuple[float, ...] = (0.0,)
    target_deviation: tuple[float, ...] = (1.0,)
    target_output: TargetOutput | None = None
    target_scale: TargetScale = "unit"
    target_schedule: ScheduleText
    target_folds: int = 0
    target_folds_by: FoldsBy = "image"
    classes: int | None = None
    transfer: TransferSpec
    uniform: int
    robustness: int = 0

    @property
    def key(self) -> str:
        """16 hexadecimal digits of the SHA-256 of the spec."""
        return digest_of(self.model_dump(mode="json", exclude_defaults=True))


def digest_of(document: Any) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of a JSON document, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def _default(name: str) -> Any:
    return AuditSpec.model_fields[name].default


def embedded_default() -> dict[str, Any]:
    """Return the spec of the audit that needs no file and no network: 5,000 real MNIST digits, split by seed."""
    return {
        "target": "lenet5@embedded:train",
        "pool": "embedded:pool",
        "test": "embedded:test",
        "budgets": [50, 150, 300, 600],
        "strategies": ["random", "drmi"],
        "answers": ["top1"],
        "seeds": 5,
        "transfer": {"images": 36},
        "target_schedule": "epochs:15 batch=16",
    }


_TEXT_DEFAULTS: dict[str, Any] = {
    "strategies": ["random", "uncertainty", "k-center"],
    "substitute": "kim",
    "schedule": "epochs:20 batch=50",
}


def build_spec(values: dict[str, Any]) -> AuditSpec:
    """Check values and make a spec of them; a pool that is named as one of texts gets the defaults that suit texts.

    Raises
    ------
    InvalidInput
        Naming the key, the value and what is allowed; for an unknown key the nearest known one.
    """
    pool = values.get("pool")
    if isinstance(pool, str) and _names_texts(pool):
        values = _TEXT_DEFAULTS | values
    try:
        return AuditSpec(**values)
    except ValidationError as error:
        raise InvalidInput(_explain(error)) from None
    except TypeError as error:
        raise InvalidInput(f"the audit's settings cannot be read: {error}.") from None


def _names_texts(pool: str) -> bool:
    try:
        return medium_named(pool) == "text"
    except InvalidInput:
        return False  # said where it is loaded


def _explain(error: ValidationError) -> str:
    lines = []
    problems = error.errors()
    broken = {problem["loc"][0] for problem in problems if len(problem["loc"]) > 1}
    for problem in problems:
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "too_short" and where in broken:
            continue  # what makes a list too short is an entry that is named already
        if problem["type"] == "extra_forbidden":
            nested: dict[str, type[Strict]] = {"transfer": TransferSpec, "transform": TransformSpec}
            known = nested.get(where.partition(".")[0], AuditSpec).model_fields
            close = difflib.get_close_matches(str(problem["loc"][-1]), list(known), n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}."
            lines.append(f"unknown key {where!r}; {hint}")
        elif problem["type"] == "value_error":
            lines.append(f"{where}: {problem['ctx']['error']}" if where else str(problem["ctx"]["error"]))
        elif problem["type"] == "missing":
            lines.append(f"{where} is missing; give it on the command line or in the configuration file.")
        else:
            lines.append(f"{where} is {problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}.")
    return "\n".join(lines)

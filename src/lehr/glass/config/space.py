"""The state space of a config: axes, and a grid of their values or points scattered between their ends."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from lehr.config.section import Positive, Section
from lehr.errors import LehrError
from lehr.glass.space import SOBOL_LIMIT, Axis, ScatteredSpace, StateSpace
from lehr.glass.tnm import LN_REFERENCE_TIME

LnA = Annotated[float, Field(lt=LN_REFERENCE_TIME)]
Unit = Annotated[float, Field(gt=0, le=1)]
Beta = Annotated[float, Field(ge=0.1, le=1)]

AXIS_FORMS = "an axis is {start, stop, count}, {start, stop, step} or {values: [...]}"


class AxisConfig(Section):
    """Values of a parameter: {start, stop, count}, {start, stop, step} or {values: [...]}.

    Both ends are included. All ways to write the same values are dumped alike, and so have the same digest.
    """

    inline: ClassVar[bool] = True

    start: float | None = Field(None, description="first value")
    stop: float | None = Field(None, description="last value")
    count: int | None = Field(None, ge=1, description="number of evenly spaced values")
    step: Positive | None = Field(None, description="instead of count; must divide the range")
    values: tuple[float, ...] | None = Field(None, min_length=1, description="ascending values, instead of all others")

    @model_validator(mode="before")
    @classmethod
    def _a_mapping(cls, written: Any) -> Any:
        if not isinstance(written, (dict, AxisConfig)):
            raise ValueError(AXIS_FORMS)
        return written

    @model_validator(mode="after")
    def _one_way(self) -> AxisConfig:
        written = {name for name in self.model_fields_set if getattr(self, name) is not None}
        if {"count", "step"} <= written or ("values" in written and len(written) > 1):
            raise ValueError(AXIS_FORMS)
        if self.values is None:
            if self.start is None or self.stop is None or (self.count or self.step) is None:
                raise ValueError(AXIS_FORMS)
            if self.step is None and self.count == 1 and self.stop != self.start:
                raise ValueError("an axis of one value needs stop = start")
            if not (self.stop > self.start or (self.step is None and self.count == 1)):
                raise ValueError("stop must be greater than start")
        try:
            self.build()
        except LehrError as error:
            raise ValueError(error.what) from None
        return self

    def build(self) -> Axis:
        """Return the axis."""
        if self.values is not None:
            return Axis.of(self.values)
        start, stop = self.start or 0.0, self.stop or 0.0  # neither is None in an axis that was validated
        if self.step is None:
            return Axis(start, stop, self.count or 1)
        return Axis(start, stop, whole_steps(start, stop, self.step) + 1)

    @model_serializer
    def _normal_form(self) -> dict[str, Any]:
        return _written(self.build())


def _written(axis: Axis) -> dict[str, Any]:
    if axis.listed is not None:
        return {"values": list(axis.listed)}
    return {"start": axis.start, "stop": axis.stop, "count": axis.count}


def whole_steps(start: float, stop: float, step: float) -> int:
    """Return the number of steps from start to stop; raises `ValueError` if it is not a whole number."""
    steps = (stop - start) / step
    if abs(steps - round(steps)) > 1e-6:
        raise ValueError(f"step {step} does not divide the range from {start} to {stop}")
    return round(steps)


class DeltaHAxis(AxisConfig):
    """Activation energy, J/mol."""

    start: Positive | None = Field(2e5, description="first value, J/mol")
    stop: Positive | None = Field(12e5, description="last value, J/mol")
    count: int | None = Field(101, ge=1, description="number of evenly spaced values")
    values: tuple[Positive, ...] | None = Field(None, min_length=1, description="ascending values, J/mol")


class LnAAxis(AxisConfig):
    """ln A, A in s; tau must reach 100 s somewhere, so ln A < ln 100."""

    start: LnA | None = Field(None, description="first value")
    stop: LnA | None = Field(None, description="last value, below ln 100")
    values: tuple[LnA, ...] | None = Field(None, min_length=1, description="ascending values, below ln 100")


class UnitAxis(AxisConfig):
    """The non-linearity x."""

    start: Unit | None = Field(0.2, description="first value, above 0")
    stop: Unit | None = Field(1.0, description="last value, at most 1")
    count: int | None = Field(41, ge=1, description="number of evenly spaced values")
    values: tuple[Unit, ...] | None = Field(None, min_length=1, description="ascending values, above 0, at most 1")


class BetaAxis(UnitAxis):
    """The non-exponentiality beta."""

    start: Beta | None = Field(0.2, description="first value, at least 0.1")
    stop: Beta | None = Field(1.0, description="last value, at most 1")
    values: tuple[Beta, ...] | None = Field(None, min_length=1, description="ascending values, 0.1 to 1")


class ScatterConfig(Section):
    """Points drawn uniformly between the ends of the axes; a larger count keeps the points that were there."""

    method: Literal["random", "sobol"] = Field(
        description="independent points, or a Sobol sequence, which fills the space evenly (best with a power of two)"
    )
    count: int = Field(ge=1, description="number of points")
    seed: int = Field(0, ge=0, description="another seed draws other points")

    @model_validator(mode="after")
    def _enough(self) -> ScatterConfig:
        if self.method == "sobol" and self.count > SOBOL_LIMIT:
            raise ValueError(f"the Sobol sequence has {SOBOL_LIMIT} points; take random ones")
        return self


class StateSpaceConfig(Section):
    """Parameter quartets: a grid (Table 2 of the paper), or points scattered between the ends of its axes.

    For each activation energy, ln A takes evenly spaced values such that the temperature where tau = 100 s runs over
    `glass_transition`: ln A = ln 100 - delta_h / (R Tg). Or it takes the values of `ln_A`.
    """

    delta_h: DeltaHAxis = Field(DeltaHAxis(), description="activation energy, J/mol")
    glass_transition: tuple[Positive, Positive] = Field(
        (227.43, 1064.11), description="lowest and highest temperature where tau = 100 s, K; it sets the range of ln A"
    )
    ln_A_count: int = Field(81, ge=1, description="number of ln A values for each delta_h")
    ln_A: LnAAxis | None = Field(
        None, description="an axis: the same ln A for each delta_h, instead of glass_transition and ln_A_count"
    )
    x: UnitAxis = Field(UnitAxis(), description="non-linearity")
    beta: BetaAxis = Field(BetaAxis(), description="non-exponentiality")
    scatter: ScatterConfig | None = Field(
        None,
        description="{method: random or sobol, count: N, seed: 0}: points between the ends of the axes, not the grid",
    )

    @model_validator(mode="after")
    def _one_way(self) -> StateSpaceConfig:
        if not self.glass_transition[0] < self.glass_transition[1]:
            raise ValueError("glass_transition: the lower temperature must come first")
        if self.ln_A is not None and {"glass_transition", "ln_A_count"} & self.model_fields_set:
            raise ValueError("give ln_A, or glass_transition and ln_A_count")
        return self

    @model_serializer(mode="wrap")
    def _normal_form(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what decides nothing: the rule beside values of ln A, all but the ends of axes beside scatter."""
        content: dict[str, Any] = dump(self)
        if self.scatter is not None:
            content["ln_A_count"] = min(self.ln_A_count, 2)
            axes = {"delta_h": self.delta_h, "ln_A": self.ln_A, "x": self.x, "beta": self.beta}
            content |= {name: _ends(axis.build()) for name, axis in axes.items() if axis is not None}
        if self.ln_A is not None:
            del content["glass_transition"], content["ln_A_count"]
        return content

    def grid(self) -> StateSpace:
        """Return the grid of the axes."""
        return StateSpace(
            self.delta_h.build(),
            self.glass_transition,
            self.ln_A_count,
            self.x.build(),
            self.beta.build(),
            None if self.ln_A is None else self.ln_A.build(),
        )

    def build(self) -> StateSpace | ScatteredSpace:
        """Return the state space."""
        if self.scatter is None:
            return self.grid()
        return ScatteredSpace(self.grid(), self.scatter.method, self.scatter.count, self.scatter.seed)


def _ends(axis: Axis) -> dict[str, Any]:
    return _written(Axis(axis.start, axis.stop, min(axis.count, 2)))

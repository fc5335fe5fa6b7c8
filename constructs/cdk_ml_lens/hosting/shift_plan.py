"""ShiftPlan: in which steps, and how patiently, traffic moves from one production variant to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cdk_ml_lens.core.errors import Faults

Approach = Literal["blue_green", "canary", "linear", "ab"]

_DAY_MINUTES = 1440
_MAX_STEPS = 50
# An execution ends with an error at 25,000 events: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_MAX_EVENTS = 25_000
_EVENTS_PER_LOOK = 16
_EVENTS_PER_STEP = 300  # with some minutes until the endpoint has its weights
_EVENTS_AROUND = 1500  # the synthetic test, the start, the end
_LOOK_SECONDS = 60
_MAX_LOOKS = 30


@dataclass(frozen=True, kw_only=True)
class ShiftPlan:
    """Steps of a traffic shift. Make one with `blue_green`, `canary`, `linear` or `ab`.

    Parameters
    ----------
    approach : {"blue_green", "canary", "linear", "ab"}
        Name of the approach, shown in events.
    steps : tuple of float
        Share of the new variant after each step, in percent of what both variants get together. Rising, ends at 100.
    bake_minutes : float
        Watch after each step, in minutes; a whole number of seconds.
    extra_bakes : int
        How often the bake is repeated when too few requests came to judge by. Default: 2.
    retire_instances : int, optional
        Instances of the old variant once it gets no traffic any more. Default: as many as before, ready to switch back.

    Raises
    ------
    PropError
        When the steps do not rise to 100, or a number is out of range.

    Notes
    -----
    Weights are moved by ``UpdateEndpointWeightsAndCapacities``. Source:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpointWeightsAndCapacities.html. Lens best
    practice MLREL04-BP02.
    """

    approach: Approach
    steps: tuple[float, ...]
    bake_minutes: float
    extra_bakes: int = 2
    retire_instances: int | None = None

    def __post_init__(self) -> None:
        faults = Faults(f"{self.approach} shift")
        faults.unless(0 < len(self.steps) <= _MAX_STEPS, "steps", f"number 1 to {_MAX_STEPS}", len(self.steps))
        faults.unless(all(0 < step <= 100 for step in self.steps), "steps", "be over 0 and at most 100", self.steps)
        rising = all(before < after for before, after in zip(self.steps, self.steps[1:], strict=False))
        faults.unless(rising, "steps", "rise", self.steps)
        faults.unless(self.steps[-1:] == (100,), "steps", "end at 100", self.steps)
        faults.within("bake_minutes", self.bake_minutes, 1 / 60, _DAY_MINUTES)
        whole = abs(self.bake_minutes * 60 - round(self.bake_minutes * 60)) < 1e-6
        faults.unless(whole, "bake_minutes", "be a whole number of seconds", self.bake_minutes)
        faults.within("extra_bakes", self.extra_bakes, 0, 20)
        faults.unless(
            self._events <= _MAX_EVENTS,
            "steps",
            f"make at most {_MAX_EVENTS} events with their bakes",
            self._events,
            "take fewer steps or extra_bakes",
        )
        retired = self.retire_instances
        # 0 would need managed instance scaling: ProductionVariant's InitialInstanceCount is at least 1.
        faults.unless(retired is None or retired >= 1, "retire_instances", "be at least 1", retired)
        faults.raise_any()

    @staticmethod
    def blue_green(*, bake_minutes: float = 30, extra_bakes: int = 2, retire_instances: int | None = None) -> ShiftPlan:
        """Test the new variant at weight 0, switch everything, bake on live traffic, retire the old or switch back.

        Parameters
        ----------
        bake_minutes : float
            Watch after the switch, in minutes. Default: 30.
        extra_bakes : int
            Further bakes when there were too few requests. Default: 2.
        retire_instances : int, optional
            Instances that the old variant keeps. Default: all of them.
        """
        return ShiftPlan(
            approach="blue_green",
            steps=(100,),
            bake_minutes=bake_minutes,
            extra_bakes=extra_bakes,
            retire_instances=retire_instances,
        )

    @staticmethod
    def canary(*, steps: tuple[float, ...] = (5, 25, 100), bake_minutes: float = 15, extra_bakes: int = 2) -> ShiftPlan:
        """Give the new variant a small share first.

        Parameters
        ----------
        steps : tuple of float
            Shares, in percent. Default: 5, 25, 100.
        bake_minutes, extra_bakes
            As for `blue_green`. Default: 15 minutes, 2.
        """
        return ShiftPlan(approach="canary", steps=steps, bake_minutes=bake_minutes, extra_bakes=extra_bakes)

    @staticmethod
    def linear(*, step_percent: float = 20, bake_minutes: float = 10, extra_bakes: int = 2) -> ShiftPlan:
        """Move equal shares.

        Parameters
        ----------
        step_percent : float
            Size of a step, 2 to 100; the last one may be smaller. Default: 20.
        bake_minutes, extra_bakes
            As for `blue_green`. Default: 10 minutes, 2.
        """
        faults = Faults("linear shift")
        faults.within("step_percent", step_percent, 100 / _MAX_STEPS, 100)
        faults.raise_any()
        below = (step_percent * count for count in range(1, _MAX_STEPS + 1))
        steps = (*(step for step in below if step < 100 - 1e-9), 100)
        return ShiftPlan(approach="linear", steps=steps, bake_minutes=bake_minutes, extra_bakes=extra_bakes)

    @staticmethod
    def ab(
        *, steps: tuple[float, ...] = (50, 60, 80, 100), bake_minutes: float = 60, extra_bakes: int = 2
    ) -> ShiftPlan:
        """Start with an even split, then favour the new variant more and more.

        Parameters
        ----------
        steps : tuple of float
            Shares, in percent. Default: 50, 60, 80, 100.
        bake_minutes, extra_bakes
            As for `blue_green`. Default: 60 minutes, 2.
        """
        return ShiftPlan(approach="ab", steps=steps, bake_minutes=bake_minutes, extra_bakes=extra_bakes)

    @property
    def bake_seconds(self) -> int:
        """Length of one bake, in seconds."""
        return round(self.bake_minutes * 60)

    @property
    def look_seconds(self) -> int:
        """Time between two looks during a bake, in seconds: a minute, or a 30th of a long bake."""
        return min(self.bake_seconds, max(_LOOK_SECONDS, -(-self.bake_seconds // _MAX_LOOKS)))

    @property
    def looks(self) -> int:
        """Looks in one bake."""
        return -(-self.bake_seconds // self.look_seconds)

    @property
    def longest_seconds(self) -> int:
        """Time that all bakes may take together, in seconds."""
        return len(self.steps) * self.looks * self.look_seconds * (1 + self.extra_bakes)

    @property
    def _events(self) -> int:
        """Events of the longest history, when each bake is extended as often as it may be."""
        looks = self.looks * (1 + self.extra_bakes) if self.bake_seconds > 0 else 0
        return _EVENTS_AROUND + len(self.steps) * (_EVENTS_PER_STEP + looks * _EVENTS_PER_LOOK)

    @property
    def signature(self) -> str:
        """Text that tells two plans apart; an interrupted shift is only resumed by the plan that began it."""
        return f"{self.approach}:{','.join(f'{step:g}' for step in self.steps)}:{self.bake_seconds}"

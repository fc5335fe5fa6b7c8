"""What an A/B test is, from the environment of its three handlers; a bad variable fails with its name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from ml_lens_runtime.errors import ConfigurationError

METRICS = ("conversion", "total", "average")
POLICIES = ("fixed", "thompson")


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One test, as its construct renders it to the variable PLAN.

    Attributes
    ----------
    test : str
        Name of the test, salt of the assignment too.
    control, treatment : str
        Variant names.
    treatment_share : float
        Share of the users that start with the treatment.
    metric : {"conversion", "total", "average"}
        What a user counts for: 1 if any outcome is above 0, the sum of the outcomes, or their mean.
    minimum, maximum : float
        Bounds of one outcome's value, inclusive.
    window_seconds : int
        How long after the assignment a user's outcomes count.
    cohort_seconds : int
        Users are taken into the statistics by the interval of this length in which they came.
    grace_seconds : int
        How long after the window an outcome may still be in the queue.
    policy : {"fixed", "thompson"}
        Whether the shares stay, or follow the evidence.
    alpha : float
        Probability of declaring equal variants different.
    effect : float
        Difference at which the test is quickest, in the metric's unit.
    min_users : int
        Users of each variant before the first decision or change of shares.
    max_users : int
        Users of both variants together after which the test ends without a winner.
    max_step, floor : float
        Thompson: largest change of a share at a time, least share of a variant.
    """

    test: str
    control: str
    treatment: str
    treatment_share: float
    metric: str
    minimum: float
    maximum: float
    window_seconds: int
    cohort_seconds: int
    grace_seconds: int
    policy: str
    alpha: float
    effect: float
    min_users: int
    max_users: int
    max_step: float = 0.0
    floor: float = 0.0

    @property
    def binary(self) -> bool:
        """Whether a user's value is 0 or 1."""
        return self.metric == "conversion"

    def variant(self, *, treated: bool) -> str:
        """Return the name of a side's variant."""
        return self.treatment if treated else self.control

    def cohort(self, now: float) -> int:
        """Return the number of the interval in which a moment lies."""
        return int(now // self.cohort_seconds)

    def closes_at(self, cohort: int) -> float:
        """Return when the outcomes of a cohort are complete, in seconds since the epoch."""
        return (cohort + 1) * self.cohort_seconds + self.window_seconds + self.grace_seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """The plan, and the resources around it; an absent one is an empty string."""

    plan: Plan
    table: str
    endpoint_name: str
    dead_letter_queue_url: str
    shift_arn: str

    @classmethod
    def parse(cls, environ: Mapping[str, str]) -> Setup:
        """Parse the environment.

        Raises
        ------
        ConfigurationError
            A variable is missing or invalid; its name is the first word of the message.
        """
        return cls(
            plan=_plan(_text(environ, "PLAN")),
            table=_text(environ, "TABLE_NAME"),
            endpoint_name=_text(environ, "ENDPOINT_NAME"),
            dead_letter_queue_url=environ.get("DEAD_LETTER_QUEUE_URL", ""),
            shift_arn=environ.get("SHIFT_ARN", ""),
        )


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"{name} must be set")
    return value


def _plan(text: str) -> Plan:
    try:
        given: Any = json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"PLAN must be JSON, got {error}") from None
    known = {field.name: field for field in fields(Plan)}
    needed = {name for name, field in known.items() if field.default is MISSING}
    if not isinstance(given, dict) or not needed <= set(given) <= set(known):
        raise ConfigurationError(f"PLAN must be an object of {sorted(known)}")
    for name, value in given.items():
        _check(name, value, kind=str(known[name].type))
    if given["metric"] not in METRICS or given["policy"] not in POLICIES:
        raise ConfigurationError(f"PLAN must have a metric of {METRICS} and a policy of {POLICIES}")
    return Plan(**given)


def _check(name: str, value: Any, *, kind: str) -> None:
    fits = {"str": (str,), "int": (int,), "float": (int, float)}[kind]
    if type(value) not in fits or value == "":
        raise ConfigurationError(f"PLAN must give {name} as {kind}, got {value!r}")

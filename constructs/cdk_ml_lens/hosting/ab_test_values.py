"""AbVariants, BusinessMetric and AbPolicy: what an A/B test compares, what it counts, and how it decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cdk_ml_lens.core.errors import Faults

_ABSURD = 1e12  # no business value is beyond it; DynamoDB and floats still hold it exactly enough


@dataclass(frozen=True, kw_only=True)
class AbVariants:
    """The two production variants of a test.

    Parameters
    ----------
    control, treatment : str
        Variant names of the endpoint.
    treatment_share : float
        Share of the users that get the treatment, over 0 and below 1. A deployment that changes it is announced by
        the next evaluation. Default: 0.5.

    Raises
    ------
    PropError
        When the names are equal or empty, or the share is out of range.
    """

    control: str
    treatment: str
    treatment_share: float = 0.5

    def __post_init__(self) -> None:
        faults = Faults("A/B test")
        faults.unless(bool(self.control), "control", "name a variant", self.control)
        faults.unless(bool(self.treatment), "treatment", "name a variant", self.treatment)
        faults.unless(self.control != self.treatment, "treatment", "differ from the control", self.treatment)
        faults.unless(0 < self.treatment_share < 1, "treatment_share", "be between 0 and 1", self.treatment_share)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class BusinessMetric:
    """What a user counts for. Make one with the static factories.

    Parameters
    ----------
    kind : {"conversion", "total", "average"}
        See the factories.
    window_hours : float
        How long after their first assignment a user's outcomes count, in hours, one minute to 60 days.
    minimum, maximum : float
        Bounds of one outcome, inclusive; others are kept apart. A narrow range also makes the statistics of few
        users sounder, as one huge order cannot decide a test.

    Raises
    ------
    PropError
        When a value is out of range.
    """

    kind: Literal["conversion", "total", "average"]
    window_hours: float
    minimum: float
    maximum: float

    def __post_init__(self) -> None:
        faults = Faults("business metric")
        faults.unless(self.kind in ("conversion", "total", "average"), "kind", "come from a factory", self.kind)
        faults.within("window_hours", self.window_hours, 1 / 60, 24 * 60)
        faults.unless(self.minimum < self.maximum, "maximum", "be over the minimum", self.maximum)
        faults.unless(max(abs(self.minimum), abs(self.maximum)) <= _ABSURD, "maximum", "be at most 1e12", self.maximum)
        faults.raise_any()

    @staticmethod
    def conversion(*, window_hours: float = 24.0) -> BusinessMetric:
        """Return the share of users with an outcome of 1 in the window; no outcome is a 0."""
        return BusinessMetric(kind="conversion", window_hours=window_hours, minimum=0.0, maximum=1.0)

    @staticmethod
    def mean(
        *,
        per_user: Literal["total", "average"] = "total",
        window_hours: float = 24.0,
        minimum: float = 0.0,
        maximum: float,
    ) -> BusinessMetric:
        """Return the mean over users of the sum or the average of their outcomes.

        Parameters
        ----------
        per_user : {"total", "average"}
            ``total`` adds a user's outcomes, and no outcome is a 0 (revenue). ``average`` takes their mean, and a
            user without outcome is left out (ratings). Default: ``total``.
        window_hours : float
            See the class. Default: 24.
        minimum, maximum : float
            Bounds of one outcome. Default of the minimum: 0.
        """
        return BusinessMetric(kind=per_user, window_hours=window_hours, minimum=minimum, maximum=maximum)

    @property
    def window_seconds(self) -> int:
        """The window, in whole seconds."""
        return round(self.window_hours * 3600)


@dataclass(frozen=True, kw_only=True)
class AbPolicy:
    """How users are split and when the test ends. Make one with the static factories.

    Parameters
    ----------
    kind : {"fixed", "thompson"}
        See the factories.
    effect : float
        Difference that matters, in the metric's unit; the test is quickest near it.
    max_users : int
        Users of both variants together after which the test ends without a winner; see `users_for_conversion`.
    alpha : float
        Most probable share of tests on equal variants that declare a difference, however often one looks.
    min_users : int
        Users of each variant before the first decision or change of weights.
    evaluate_minutes : int
        Time between two looks, in minutes, 1 to 1440.
    max_step, floor : float
        Thompson: largest change of the treatment's share at a time, and least share of either variant.

    Raises
    ------
    PropError
        When a value is out of range.
    """

    kind: Literal["fixed", "thompson"]
    effect: float
    max_users: int
    alpha: float
    min_users: int
    evaluate_minutes: int
    max_step: float = 0.0
    floor: float = 0.0

    def __post_init__(self) -> None:
        faults = Faults("A/B policy")
        faults.unless(self.kind in ("fixed", "thompson"), "kind", "come from a factory", self.kind)
        faults.unless(self.effect > 0, "effect", "be over 0", self.effect)
        faults.within("alpha", self.alpha, 0.0001, 0.2)
        faults.unless(
            self.min_users >= 100, "min_users", "be at least 100", self.min_users, "the error rate is asymptotic"
        )
        faults.unless(self.max_users >= 2 * self.min_users, "max_users", "be twice min_users or more", self.max_users)
        faults.within("evaluate_minutes", self.evaluate_minutes, 1, 1440)
        if self.kind == "thompson":
            faults.within("max_step", self.max_step, 0.01, 0.5)
            faults.within("floor", self.floor, 0.01, 0.4, "a variant without users cannot be compared")
        faults.raise_any()

    @staticmethod
    def fixed_split(
        *, effect: float, max_users: int, alpha: float = 0.05, min_users: int = 200, evaluate_minutes: int = 60
    ) -> AbPolicy:
        """Keep the shares until the always-valid test (mSPRT) finds a difference or ``max_users`` is reached."""
        return AbPolicy(
            kind="fixed",
            effect=effect,
            max_users=max_users,
            alpha=alpha,
            min_users=min_users,
            evaluate_minutes=evaluate_minutes,
        )

    @staticmethod
    def thompson(
        *,
        effect: float,
        max_users: int,
        warm_up_users: int = 1000,
        max_step: float = 0.1,
        floor: float = 0.1,
        alpha: float = 0.05,
        evaluate_minutes: int = 60,
    ) -> AbPolicy:
        """Give the likelier winner more users (Beta-Bernoulli Thompson sampling), after a warm-up at half and half.

        Fewer users meet the worse variant; a decision of the same certainty takes more users than a fixed split.
        """
        return AbPolicy(
            kind="thompson",
            effect=effect,
            max_users=max_users,
            alpha=alpha,
            min_users=warm_up_users,
            evaluate_minutes=evaluate_minutes,
            max_step=max_step,
            floor=floor,
        )

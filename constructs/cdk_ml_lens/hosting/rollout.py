"""Rollout: SageMaker AI's own deployment guardrails as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from aws_cdk import aws_cloudwatch as cloudwatch

from cdk_ml_lens.core.errors import Faults

Strategy = Literal["ALL_AT_ONCE", "CANARY", "LINEAR", "ROLLING"]
_MAX_WAIT_MINUTES = 60  # WaitIntervalInSeconds and TerminationWaitInSeconds are at most 3600


@dataclass(frozen=True, kw_only=True)
class RollbackAlarms:
    """When an update is rolled back; one set of alarms is generated per variant.

    Parameters
    ----------
    server_error_rate : float
        Share of requests that the container fails, 0 to 1. Default: 0.01.
    client_error_rate : float, optional
        Share of requests that are refused, 0 to 1. Default: not watched, callers may be at fault.
    latency_p99_ms : float
        99th percentile of the container's time, in ms. Default: 1000.
    overhead_p99_ms : float, optional
        99th percentile of SageMaker AI's own time, in ms. Default: not watched.
    silence : bool
        Whether traffic that stops is a fault, too. Default: false, an idle endpoint is no fault.
    own : tuple of IAlarm
        Alarms of your own, for example on a business metric. Default: none.
    """

    server_error_rate: float = 0.01
    client_error_rate: float | None = None
    latency_p99_ms: float = 1000
    overhead_p99_ms: float | None = None
    silence: bool = False
    own: tuple[cloudwatch.IAlarm, ...] = field(default=())

    def __post_init__(self) -> None:
        faults = Faults("rollback alarms")
        faults.within("server_error_rate", self.server_error_rate, 0, 1)
        if self.client_error_rate is not None:
            faults.within("client_error_rate", self.client_error_rate, 0, 1)
        for prop, value in (("latency_p99_ms", self.latency_p99_ms), ("overhead_p99_ms", self.overhead_p99_ms)):
            faults.unless(value is None or value > 0, prop, "be over 0", value)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """How an update reaches the endpoint. Make one with `all_at_once`, `canary`, `linear` or `rolling`.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeploymentConfig.html,
    API_TrafficRoutingConfig, API_RollingUpdatePolicy. Lens best practice MLREL04-BP02.
    """

    strategy: Strategy
    percent: int
    bake_minutes: int
    timeout_minutes: int = 120
    alarms: RollbackAlarms = RollbackAlarms()
    replaces: tuple[str, ...] | None = None

    @staticmethod
    def all_at_once(
        *, bake_minutes: int = 10, alarms: RollbackAlarms | None = None, replaces: tuple[str, ...] | None = None
    ) -> Rollout:
        """Shift everything to the new fleet, then bake before the old one ends.

        Parameters
        ----------
        bake_minutes : int
            Watch after the shift, 0 to 60, in minutes. Default: 10.
        alarms : RollbackAlarms, optional
            When to roll back. Default: ``RollbackAlarms()``.
        replaces : tuple of str, optional
            Names of the variants that are live now; SageMaker AI excludes a rename from guardrails, and so does this
            prop. Default: unchecked at synth; `VerifiedRollout` fails the deployment.
        """
        return _checked("ALL_AT_ONCE", 100, bake_minutes, alarms, replaces, low=100, high=100)

    @staticmethod
    def canary(
        *,
        percent: int = 10,
        bake_minutes: int = 15,
        alarms: RollbackAlarms | None = None,
        replaces: tuple[str, ...] | None = None,
    ) -> Rollout:
        """Shift a small share, bake, then the rest.

        Parameters
        ----------
        percent : int
            Share of the new fleet's capacity in the first step, 1 to 50. Default: 10.
        bake_minutes : int
            Watch after each step, 0 to 60, in minutes. Default: 15.
        alarms : RollbackAlarms, optional
            When to roll back. Default: ``RollbackAlarms()``.
        replaces : tuple of str, optional
            Names of the variants that are live now; SageMaker AI excludes a rename from guardrails, and so does this
            prop. Default: unchecked at synth; `VerifiedRollout` fails the deployment.
        """
        return _checked("CANARY", percent, bake_minutes, alarms, replaces, low=1, high=50)

    @staticmethod
    def linear(
        *,
        percent: int = 20,
        bake_minutes: int = 10,
        alarms: RollbackAlarms | None = None,
        replaces: tuple[str, ...] | None = None,
    ) -> Rollout:
        """Shift in equal steps with a bake after each.

        Parameters
        ----------
        percent : int
            Size of a step, 10 to 50. Default: 20.
        bake_minutes, alarms, replaces
            As for `canary`.
        """
        return _checked("LINEAR", percent, bake_minutes, alarms, replaces, low=10, high=50)

    @staticmethod
    def rolling(
        *,
        percent: int = 20,
        bake_minutes: int = 10,
        alarms: RollbackAlarms | None = None,
        replaces: tuple[str, ...] | None = None,
    ) -> Rollout:
        """Replace the fleet batch by batch, without a second one; for large or scarce instances.

        Parameters
        ----------
        percent : int
            Size of a batch, 5 to 50. Default: 20.
        bake_minutes, alarms, replaces
            As for `canary`.
        """
        return _checked("ROLLING", percent, bake_minutes, alarms, replaces, low=5, high=50)


def _checked(
    strategy: Strategy,
    percent: int,
    bake_minutes: int,
    alarms: RollbackAlarms | None,
    replaces: tuple[str, ...] | None,
    *,
    low: int,
    high: int,
) -> Rollout:
    faults = Faults(f"rollout {strategy}")
    faults.within("percent", percent, low, high, "see API_TrafficRoutingConfig and API_RollingUpdatePolicy")
    faults.within("bake_minutes", bake_minutes, 0, _MAX_WAIT_MINUTES, "see API_TrafficRoutingConfig")
    faults.raise_any()
    return Rollout(
        strategy=strategy,
        percent=percent,
        bake_minutes=bake_minutes,
        alarms=RollbackAlarms() if alarms is None else alarms,
        replaces=replaces,
    )

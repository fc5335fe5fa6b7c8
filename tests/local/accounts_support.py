"""Accounts of a small run of the demo: five messages of one device, on a clock that a test moves."""

from __future__ import annotations

from collections.abc import Sequence

from cdk_ml_lens.local.demo_accounts import Accounts, DeadLetter, Prediction
from cdk_ml_lens.local.demo_plan import Outgoing, Plan, Window

GOOD = [Outgoing(device_id="d1", body=f"good {n}".encode(), key=f"d1#r{n}") for n in range(4)]
BAD = Outgoing(device_id="d1", body=b"\xff", key="d1#bad", reason="bad_encoding")


class FakeClock:
    """Seconds that pass only when told to; it does not measure anything."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def plan(outgoing: Sequence[Outgoing], *, mode: str = "simulated", windows: Sequence[Window] = ()) -> Plan:
    return Plan(
        title="test",
        mode=mode,
        features=("a",),
        training=[],
        rows=0,
        quantile=0.9,
        outgoing=outgoing,
        windows=windows,
    )


def prediction(key: str, *, anomaly: bool = False) -> Prediction:
    return Prediction(key=key, anomaly=anomaly, model_version="v1")


def run(*, mode: str = "simulated", window: Sequence[str] = ("d1#r0",)) -> tuple[Accounts, FakeClock]:
    """Return accounts of four good messages and a bad one, all published and acknowledged, none arrived yet."""
    clock = FakeClock()
    outgoing = [*GOOD, BAD]
    accounts = Accounts(plan(outgoing, mode=mode, windows=[Window(label="w", keys=frozenset(window))]), clock=clock)
    for message in outgoing:
        accounts.publishing(message)
        accounts.acknowledge()
    return accounts, clock


def finish(accounts: Accounts) -> None:
    """Let everything arrive as it should: r0 is an anomaly with its alert, the bad message is quarantined."""
    for number in range(4):
        accounts.predicted(prediction(f"d1#r{number}", anomaly=number == 0))
    accounts.died(DeadLetter(device_id="d1", body=b"\xff", reason="bad_encoding"))
    accounts.alerted(receiver="d1", device_id="d1", key="d1#r0")

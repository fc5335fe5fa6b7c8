"""The demo's accounts and summary: each message counted once, and every broken promise is a fault."""

from __future__ import annotations

import pytest

from cdk_ml_lens.local.demo_accounts import DeadLetter
from cdk_ml_lens.local.demo_summary import percentile, summarise
from tests.local.accounts_support import GOOD, finish, prediction, run


def test_a_run_in_which_everything_arrives_has_no_fault() -> None:
    accounts, _ = run()
    assert not accounts.settled
    finish(accounts)

    summary = summarise(accounts)
    assert accounts.settled
    assert summary.faults == []
    assert (summary.sent, summary.scored, summary.quarantined, summary.lost) == (5, 4, 1, 0)
    assert (summary.anomalies, summary.windows_hit, summary.windows_total) == (1, 1, 1)
    assert summary.reasons == {"bad_encoding": 1}


def test_the_latency_runs_from_the_first_publication_to_the_first_alert() -> None:
    accounts, clock = run()
    clock.now += 0.25
    accounts.publishing(GOOD[0])
    clock.now += 0.5
    finish(accounts)
    clock.now += 5
    accounts.alerted(receiver="d1", device_id="d1", key="d1#r0")

    summary = summarise(accounts)
    assert (summary.p50_ms, summary.p99_ms) == (750.0, 750.0)
    assert (summary.resent, summary.repeated_alerts, summary.alerts) == (1, 1, 1)


def test_a_second_record_or_dead_letter_is_a_duplicate_and_counts_once() -> None:
    accounts, _ = run()
    finish(accounts)
    accounts.predicted(prediction("d1#r1"))
    accounts.died(DeadLetter(device_id="d1", body=b"\xff", reason="bad_encoding"))

    summary = summarise(accounts)
    assert (summary.duplicates, summary.scored, summary.quarantined) == (2, 4, 1)


def test_a_message_in_neither_place_is_lost() -> None:
    accounts, _ = run()
    finish(accounts)
    del accounts.predictions["d1#r3"]

    assert accounts.lost == {"d1#r3"}
    assert not accounts.settled
    assert summarise(accounts).faults == ["1 messages are unaccounted for"]


def test_an_unacknowledged_publication_is_waited_for() -> None:
    accounts, _ = run()
    finish(accounts)
    accounts.publishing(GOOD[0])

    assert (accounts.waiting, accounts.settled) == (1, False)


@pytest.mark.parametrize(
    ("body", "reason"), [(b"good 1", "attempts_exhausted"), (b"\xff", "not_json")], ids=["good", "other reason"]
)
def test_a_message_quarantined_for_another_reason_than_its_own_is_a_fault(body: bytes, reason: str) -> None:
    accounts, _ = run()
    finish(accounts)
    accounts.dead.clear()
    accounts.died(DeadLetter(device_id="d1", body=body, reason=reason))

    assert "1 messages ended in the wrong place or for the wrong reason" in summarise(accounts).faults


def test_a_scored_poison_is_a_fault() -> None:
    accounts, _ = run()
    finish(accounts)
    accounts.dead.clear()
    accounts.predicted(prediction("d1#bad"))

    assert accounts.misfiled == {"d1#bad"}


def test_records_that_nobody_sent_are_a_fault() -> None:
    accounts, _ = run()
    finish(accounts)
    accounts.predicted(prediction("d9#r0"))
    accounts.died(DeadLetter(device_id="d2", body=b"\xff", reason="bad_encoding"))

    assert summarise(accounts).faults == ["2 records belong to no message that was sent"]


def test_an_alert_that_reaches_another_device_or_none_is_a_fault() -> None:
    accounts, _ = run()
    finish(accounts)
    accounts.predicted(prediction("d1#r0", anomaly=True))
    accounts.latencies.clear()
    accounts.alerted(receiver="d2", device_id="d1", key="d1#r0")

    assert summarise(accounts).faults == [
        "no alert arrived on a device's own command topic",
        "1 alerts did not arrive at their device",
        "1 alerts arrived at the wrong device",
    ]


@pytest.mark.parametrize(("mode", "failed"), [("simulated", True), ("series", False)])
def test_missed_injected_failures_are_a_fault_but_labels_of_a_real_series_are_not(mode: str, failed: bool) -> None:
    accounts, _ = run(mode=mode, window=("d1#r2",))
    finish(accounts)

    faults = summarise(accounts).faults
    assert faults == (["only 0 of 1 injected failures were found"] if failed else [])


def test_a_window_is_compared_with_the_rate_outside() -> None:
    accounts, _ = run(mode="series", window=("d1#r1", "d1#r2"))
    finish(accounts)

    (window,) = summarise(accounts).windows
    assert (window.readings, window.anomalies, window.expected) == (2, 0, 1.0)  # outside: 1 of 2


def test_percentiles_are_values_that_were_measured() -> None:
    hundred = [float(n) for n in range(1, 101)]

    assert (percentile(hundred, 0.5), percentile(hundred, 0.99), percentile([7.0], 0.99)) == (50.0, 99.0, 7.0)
    assert percentile([], 0.5) is None

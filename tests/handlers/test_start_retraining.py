"""start_retraining: one cause one run, cool-down, what waits, new rows, preparation, drift that passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ml_lens_runtime.retrain_events import UnknownEventError
from ml_lens_runtime.retrain_flow import REST_SECONDS
from ml_lens_runtime.retrain_outbox import NotDeliveredError
from ml_lens_runtime.retrain_setup import RetrainClients
from tests.handlers.fake_services import aws_error
from tests.handlers.retrain_account import (
    COOL_DOWN,
    LAKE,
    REGION,
    TRAINING,
    Account,
    created,
    mocked_account,
    scheduled,
)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with mocked_account(monkeypatch) as found:
        yield found


def test_new_data_starts_one_run_with_its_manifest_and_cause(account: Account) -> None:
    event = account.publish("v1", 1000)
    assert account.tell(event)["outcome"] == "started"
    (given,) = account.machines.started(TRAINING)
    uri = "s3://lake/datasets/v1/dataset.json"
    assert given == {"dataset": uri, "cause": f"new data {uri}"}
    ((type, detail),) = account.announced()
    assert (type, detail["causes"], detail["dataset"]["rows"]) == ("Retraining Started", [given["cause"]], 1000)


def test_a_cause_delivered_again_starts_nothing_not_even_after_its_run(account: Account) -> None:
    event = account.publish("v1", 1000)
    account.tell(event)
    assert account.tell(event) | {"run": None} == {"outcome": "running", "known": True, "run": None, "waiting": []}
    account.end()
    account.cool()
    assert account.tell(event)["known"]
    assert len(account.trained()) == 1


def test_new_data_through_cloudtrail_is_the_same_cause_when_delivered_twice(account: Account) -> None:
    account.publish("v1", 1000)
    asked = {"bucketName": "lake", "key": "datasets/v1/dataset.json"}
    detail = {"eventSource": "s3.amazonaws.com", "eventID": "11", "requestParameters": asked}
    event = {"source": "aws.s3", "detail-type": "AWS API Call via CloudTrail", "detail": detail}
    assert [account.tell(event)["known"] for _ in range(2)] == [False, True]
    assert account.trained() == ["s3://lake/datasets/v1/dataset.json"]


def test_the_newest_manifest_is_trained_on_by_its_versions_own_name(account: Account) -> None:
    account.publish("v1", 1000)
    account.publish("v2", 1100)
    account.tell(scheduled("2026-11-21T03:00:00Z"))
    assert account.trained() == ["s3://lake/datasets/v2/dataset.json"]


def test_an_arrival_of_the_newest_manifest_names_its_version(account: Account) -> None:
    account.publish("v1", 1000)
    account.tell(created("datasets/current.json", sequencer="7"))
    assert account.trained() == ["s3://lake/datasets/v1/dataset.json"]


def test_two_drift_events_within_the_cool_down_start_one_run(account: Account) -> None:
    account.publish("v1", 1000)
    account.tell(account.alarm("ALARM", at="1"))
    account.end()
    account.publish("v2", 2000)
    account.now += COOL_DOWN - 1
    again = account.tell(account.alarm("ALARM", at="2"))
    assert (again["outcome"], again["run"]) == ("waiting", None)
    account.look()
    account.alarm("OK")
    account.cool()
    assert account.look()["outcome"] == "idle"
    assert account.trained() == ["s3://lake/datasets/v1/dataset.json"]
    reasons = [detail["reason"] for type, detail in account.announced() if type == "Retraining Skipped"]
    assert reasons == ["the alarm is over"]


def test_a_second_drift_whose_alarm_stands_after_the_cool_down_runs_once_more(account: Account) -> None:
    account.publish("v1", 1000)
    account.tell(account.alarm("ALARM", at="1"))
    account.end()
    account.publish("v2", 2000)
    account.tell(account.alarm("ALARM", at="2"))
    account.cool()
    assert account.look()["outcome"] == "started"
    account.end()
    account.cool()
    assert account.look()["outcome"] == "idle"
    assert len(account.trained()) == 2


def test_a_cause_while_running_is_remembered_and_runs_once_after(account: Account) -> None:
    account.setup = replace(account.setup, cool_down_seconds=0)
    account.tell(account.publish("v1", 1000))
    for version, rows in (("v2", 1200), ("v3", 1400)):
        assert account.tell(account.publish(version, rows))["outcome"] == "running"
    assert len(account.trained()) == 1
    assert account.end()["outcome"] == "started"
    assert account.end()["outcome"] == "idle"
    assert account.trained() == ["s3://lake/datasets/v1/dataset.json", "s3://lake/datasets/v3/dataset.json"]
    assert account.machines.most_at_once == 1


def test_arrivals_told_out_of_order_end_with_the_newest_data(account: Account) -> None:
    account.setup = replace(account.setup, cool_down_seconds=0)
    account.tell(account.publish("v1", 1000))
    second, third = account.publish("v2", 2000), account.publish("v3", 3000)
    account.tell(third | {"time": "2026-11-21T08:00:02Z"})
    account.tell(second | {"time": "2026-11-21T08:00:01Z"})
    (waiting,) = account.state().waiting
    assert waiting.dataset.endswith("/v3/dataset.json")
    account.end()
    account.end()
    assert account.trained()[-1] == "s3://lake/datasets/v3/dataset.json"


def test_an_older_arrival_than_the_newest_manifest_starts_the_newest(account: Account) -> None:
    first = account.publish("v1", 1000)
    account.publish("v2", 2000)
    account.tell(first)
    assert account.trained() == ["s3://lake/datasets/v2/dataset.json"]


def test_datasets_made_by_hand_need_no_newest_manifest(account: Account) -> None:
    account.put("datasets/mine/dataset.json", '{"version": "mine", "rows": {"train": 5}}')
    account.tell(created("datasets/mine/dataset.json", sequencer="1"))
    assert account.trained() == ["s3://lake/datasets/mine/dataset.json"]


def test_what_is_remembered_waits_for_the_cool_down_too(account: Account) -> None:
    account.tell(account.publish("v1", 1000))
    account.tell(account.publish("v2", 1200))
    assert account.end()["outcome"] == "waiting"
    account.cool()
    assert account.look()["outcome"] == "started"


def test_causes_of_different_kinds_that_wait_share_one_run(account: Account) -> None:
    account.tell(account.publish("v1", 1000))
    account.tell(account.alarm("ALARM"))
    account.tell(scheduled("now"))
    account.tell(account.publish("v2", 1200))
    account.end()
    account.cool()
    account.look()
    assert account.machines.started(TRAINING)[1]["cause"].count(";") == 2
    account.end()
    account.cool()
    assert account.look()["outcome"] == "idle"


def test_too_few_new_rows_start_nothing_and_data_is_dropped(account: Account) -> None:
    account.tell(account.publish("v1", 1000))
    account.end()
    account.cool()
    assert account.tell(account.publish("v2", 1099))["outcome"] == "idle"
    (reason,) = [detail["reason"] for type, detail in account.announced() if type == "Retraining Skipped"]
    assert reason == "99 new rows in dataset v2, at least 100 are needed"
    assert account.tell(account.publish("v3", 1100))["outcome"] == "started"


def test_drift_waits_for_rows_while_its_alarm_stands_and_says_so_once(account: Account) -> None:
    account.tell(account.publish("v1", 1000))
    account.end()
    account.cool()
    account.announced()
    for _ in range(3):
        account.tell(account.alarm("ALARM"))
    assert account.look()["outcome"] == "waiting"
    assert len(account.announced()) == 1
    account.publish("v2", 1200)
    assert account.look()["outcome"] == "started"


@pytest.mark.parametrize(("status", "error", "again"), [
    ("SUCCEEDED", "", False), ("FAILED", "CandidateRefused", False), ("FAILED", "TrainFailed", True),
    ("TIMED_OUT", "", True), ("ABORTED", "", True),
])  # fmt: skip
def test_only_data_that_was_judged_counts_as_trained_on(status: str, error: str, again: bool, account: Account) -> None:
    account.tell(account.publish("v1", 1000))
    account.end(status, error)
    told = dict(account.announced())
    assert (told["Retraining Ended"]["status"], told["Retraining Ended"]["error"]) == (status, error)
    account.cool()
    outcome = account.tell(account.publish("v1", 1000, sequencer="2"))["outcome"]
    assert outcome == ("started" if again else "idle")


def test_a_person_needs_neither_rows_nor_the_cool_down(account: Account) -> None:
    account.tell(account.publish("v1", 1000))
    account.end()
    event = {"cause": "manual", "id": "ticket 7", "reason": "new hyperparameters"}
    assert account.tell(event)["outcome"] == "started"
    assert account.machines.started(TRAINING)[1]["cause"] == "by hand: new hyperparameters"
    account.end()
    assert account.tell(event)["known"]
    assert len(account.trained()) == 2


def test_an_alarm_that_returns_to_ok_is_no_cause(account: Account) -> None:
    account.publish("v1", 1000)
    assert account.tell(account.alarm("OK"))["outcome"] == "idle"
    assert account.trained() == []


def test_with_a_preparation_the_dataset_is_made_first(account: Account) -> None:
    account.prepare_first()
    assert account.tell(scheduled("now"))["outcome"] == "preparing"
    assert (account.machines.started(LAKE), account.trained()) == ([{}], [])
    account.publish("v1", 1000)
    assert account.end()["outcome"] == "running"
    assert account.trained() == ["s3://lake/datasets/v1/dataset.json"]
    account.end()
    assert account.state().trained is not None


def test_the_arrival_that_the_preparation_causes_starts_no_second_run(account: Account) -> None:
    account.prepare_first()
    account.setup = replace(account.setup, minimum_new_rows=0)
    account.tell(account.alarm("ALARM"))
    arrival = account.publish("v1", 1000)
    account.end()
    account.tell(arrival)
    account.end()
    account.cool()
    account.look()
    assert len(account.trained()) == len(account.machines.started(LAKE)) == 1
    assert account.state().waiting == ()


def test_new_data_needs_no_preparation(account: Account) -> None:
    account.prepare_first()
    assert account.tell(account.publish("v1", 1000))["outcome"] == "started"
    assert account.machines.started(LAKE) == []


@pytest.mark.parametrize(("status", "rows", "reason"), [
    ("FAILED", 2000, "the preparation ended as FAILED CleanRefused"),
    ("SUCCEEDED", 1050, "50 new rows in dataset v2, at least 100 are needed"),
])  # fmt: skip
def test_a_preparation_that_brings_nothing_lets_drift_try_again_after_the_cool_down(
    status: str, rows: int, reason: str, account: Account
) -> None:
    account.tell(account.publish("v1", 1000))
    account.end()
    account.cool()
    account.prepare_first()
    account.tell(account.alarm("ALARM"))
    account.tell(scheduled("now"))
    account.publish("v2", rows)
    account.announced()
    assert account.end(status, "CleanRefused" if status == "FAILED" else "")["outcome"] == "waiting"
    assert [detail["reason"] for _, detail in account.announced()] == [reason]
    account.look()
    assert len(account.machines.started(LAKE)) == 1
    account.cool()
    assert account.look()["outcome"] == "preparing"
    account.publish("v3", 3000)
    account.end()
    assert account.trained()[1:] == ["s3://lake/datasets/v3/dataset.json"]


def test_without_a_cool_down_drift_does_not_prepare_again_and_again_for_too_few_rows(account: Account) -> None:
    account.setup = replace(account.setup, cool_down_seconds=0)
    account.tell(account.publish("v1", 1000))
    account.end()
    account.prepare_first()
    account.tell(account.alarm("ALARM"))
    assert account.end()["outcome"] == "waiting"
    account.now += REST_SECONDS - 1
    assert account.look()["outcome"] == "waiting"
    assert len(account.machines.started(LAKE)) == 1
    account.now += 1
    assert account.look()["outcome"] == "preparing"


def test_drift_that_rests_joins_the_next_run(account: Account) -> None:
    account.setup = replace(account.setup, cool_down_seconds=0)
    account.tell(account.publish("v1", 1000))
    account.end()
    account.prepare_first()
    account.tell(account.alarm("ALARM"))
    account.end()
    assert account.tell(account.publish("v2", 2000))["outcome"] == "started"
    assert account.end()["outcome"] == "idle"


def test_a_lost_end_is_found_by_the_next_look(account: Account) -> None:
    account.setup = replace(account.setup, cool_down_seconds=0)
    account.tell(account.publish("v1", 1000))
    account.tell(account.publish("v2", 1200))
    account.machines.end()
    assert account.look()["outcome"] == "started"


def test_the_event_of_an_end_counts_though_a_look_still_shows_it_running(account: Account) -> None:
    account.tell(account.publish("v1", 1000))
    event = account.machines.end()
    (execution,) = account.machines.executions.values()
    execution["status"] = "RUNNING"
    assert account.tell(event)["outcome"] == "idle"


def test_an_end_of_somebody_elses_execution_changes_nothing(account: Account) -> None:
    account.tell(account.publish("v1", 1000))
    event = account.machines.end()
    (execution,) = account.machines.executions.values()
    execution["status"] = "RUNNING"
    event["detail"]["executionArn"] += "-other"
    assert account.tell(event)["outcome"] == "running"


def test_an_execution_that_cannot_be_found_is_waited_for_a_day(account: Account) -> None:
    account.tell(account.publish("v1", 1000))
    account.machines.executions.clear()
    assert account.look()["outcome"] == "running"
    account.now += 86_401
    assert account.look()["outcome"] == "idle"
    assert account.state().trained is None


NO_MANIFEST = "no manifest at s3://lake/datasets/current.json"
BAD_MANIFEST = "the manifest at s3://lake/datasets/current.json has no version or no rows by split"


@pytest.mark.parametrize(("text", "reason"), [
    (None, NO_MANIFEST),
    ("not JSON", BAD_MANIFEST),
    ('{"version": "v1", "rows": 7}', BAD_MANIFEST),
    ('{"version": "", "rows": {}}', BAD_MANIFEST),
    ('{"version": "v", "rows": {"train": 1.5}}', BAD_MANIFEST),
])  # fmt: skip
def test_without_a_usable_manifest_nothing_starts_and_the_reason_is_told(
    text: str | None, reason: str, account: Account
) -> None:
    if text is not None:
        account.put("datasets/current.json", text)
    assert account.tell(scheduled("now"))["outcome"] == "idle"
    assert [detail["reason"] for _, detail in account.announced()] == [reason]


def test_what_s3_hides_from_those_who_may_not_list_the_bucket_is_no_manifest_either(account: Account) -> None:
    clients = RetrainClients(region=REGION)
    clients.__dict__ |= account.clients.__dict__ | {"artifacts": FakeHiddenObjects(account.clients.artifacts)}
    account.tell(scheduled("now"), clients)
    assert [detail["reason"] for _, detail in account.announced()] == [NO_MANIFEST]
    account.publish("v1", 1000)
    with pytest.raises(ClientError, match="AccessDenied"):
        account.tell(scheduled("later"), clients)


class FakeHiddenObjects:
    """S3 for somebody who may list but not read. Everything else is that of the client."""

    def __init__(self, client: Any) -> None:
        self.list_objects_v2 = client.list_objects_v2

    def get_object(self, **_: Any) -> Any:
        raise aws_error("AccessDenied")


def test_a_manifest_that_lies_elsewhere_is_not_trained_on(account: Account) -> None:
    elsewhere = "s3://lake/other/dataset.json"
    account.put("other/dataset.json", '{"version": "v1", "rows": {"train": 1000}}')
    assert account.tell({"cause": "manual", "id": "1", "dataset": elsewhere})["outcome"] == "idle"
    assert [detail["reason"] for _, detail in account.announced()] == [f"{elsewhere} is not below s3://lake/datasets/"]


def test_what_the_bus_refuses_is_told_by_the_next_look(account: Account) -> None:
    clients = RetrainClients(region=REGION)
    clients.__dict__ |= account.clients.__dict__ | {"bus": FakeBusyBus()}
    with pytest.raises(NotDeliveredError, match="ThrottlingException"):
        account.tell(account.publish("v1", 1000), clients)
    assert account.announced() == []
    account.look()
    assert [type for type, _ in account.announced()] == ["Retraining Started"]


class FakeBusyBus:
    """A bus that takes nothing."""

    def put_events(self, **_: Any) -> dict[str, Any]:
        return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}


UNKNOWN: list[Any] = [
    None, [], {}, {"look": "yes"}, {"cause": "schedule"}, {"cause": "manual"}, {"cause": "manual", "id": ""},
    {"source": "aws.s3", "detail-type": "Object Created", "detail": {}},
    {"source": {}, "detail-type": "Object Created"},
    {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": None},
]  # fmt: skip


@pytest.mark.parametrize("event", UNKNOWN, ids=str)
def test_an_event_that_no_trigger_sends_fails_and_changes_nothing(event: Any, account: Account) -> None:
    with pytest.raises(UnknownEventError):
        account.tell(event)
    assert account.state().revision == 0

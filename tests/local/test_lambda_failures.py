"""Where failures of asynchronous invocations go: to a function, to dead letters, or nowhere, which the log tells."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Collected, Until
from tests.local.function_support import ACCOUNT, FAILING, TELLING, function, queue, role
from tests.local.server_probe import probe

pytestmark = pytest.mark.laptop_cloud


def failing(cloud: LaptopCloud, name: str, destination: str | None = None, **more: Any) -> str:
    """Make a function that fails at once and for good; return its name."""
    function(cloud, name, FAILING, **more)
    config = {} if destination is None else {"OnFailure": {"Destination": destination}}
    cloud.client("lambda").put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0, DestinationConfig=config
    )
    return name


def send(cloud: LaptopCloud, name: str, event: Any) -> None:
    cloud.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode())


def logged(cloud: LaptopCloud, text: str) -> bool:
    return text in cloud.log.read_text(errors="replace")


def test_a_function_as_destination_gets_the_record_of_the_failure(
    laptop_cloud: LaptopCloud, collected: Collected
) -> None:
    seen, _ = queue(laptop_cloud, "told-of-failure")
    listener = function(laptop_cloud, "listener", TELLING, seen=seen)
    send(laptop_cloud, failing(laptop_cloud, "told-to-function", listener), {"n": 1})
    (record,) = [json.loads(body) for body in collected(seen, 1)]
    assert record["requestPayload"] == {"n": 1}
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responsePayload"]["errorType"] == "ValueError"


def test_dead_letters_hold_the_event_as_it_came(laptop_cloud: LaptopCloud, collected: Collected) -> None:
    dead, arn = queue(laptop_cloud, "dead-events")
    send(laptop_cloud, failing(laptop_cloud, "with-dead-letters", DeadLetterConfig={"TargetArn": arn}), {"n": 2})
    assert [json.loads(body) for body in collected(dead, 1)] == [{"n": 2}]


@pytest.mark.parametrize(
    ("name", "arn"),
    [
        ("no-queue", f"arn:aws:sqs:us-east-1:{ACCOUNT}:none-such"),
        ("no-topic", f"arn:aws:sns:us-east-1:{ACCOUNT}:none-such"),
        ("no-function", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:none-such"),
        ("no-service", f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"),
        ("fifo", f"arn:aws:sns:us-east-1:{ACCOUNT}:in-order.fifo"),
    ],
)
def test_a_failure_that_nobody_can_take_is_told_in_the_log(
    name: str, arn: str, laptop_cloud: LaptopCloud, until: Until
) -> None:
    laptop_cloud.client("sns").create_topic(Name="in-order.fifo", Attributes={"FifoTopic": "true"})
    send(laptop_cloud, failing(laptop_cloud, f"lost-{name}", arn), {})
    until(lambda: logged(laptop_cloud, f"nothing delivered to {arn}"))


WORKER = """
    import queue
    lambda_queue, done = module("lambda_queue"), queue.SimpleQueue()
    def execute(record, event):
        if event == "broken":
            raise OSError("no worker can be started")
        done.put(event)
        return {}
    lambda_queue.lambda_svc._execute_function_with_config_scope = execute
    invocations = lambda_queue.Invocations(workers=1, retry_delays=(0.1,))
    for event in ("broken", "sound"):
        invocations.submit({}, event)
    answer(done.get(timeout=10))
"""


def test_a_fault_outside_of_the_function_does_not_end_the_worker() -> None:
    assert probe(WORKER) == "sound"


def test_a_failure_without_any_destination_is_told_with_its_function(laptop_cloud: LaptopCloud, until: Until) -> None:
    send(laptop_cloud, failing(laptop_cloud, "without-destination"), {})
    until(lambda: logged(laptop_cloud, "without-destination: RetriesExhausted, event given up"))


def test_an_event_for_a_function_that_is_gone_is_told_and_others_get_theirs(
    laptop_cloud: LaptopCloud, collected: Collected, until: Until
) -> None:
    events = laptop_cloud.client("events")
    seen, arn = queue(laptop_cloud, "events-for-gone")
    events.put_rule(Name="for-gone", EventPattern=json.dumps({"source": ["test.gone"]}))
    gone = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:long-gone"
    events.put_targets(Rule="for-gone", Targets=[{"Id": "f", "Arn": gone}, {"Id": "q", "Arn": arn}])
    events.put_events(Entries=[{"Source": "test.gone", "DetailType": "t", "Detail": "{}"}])
    assert len(collected(seen, 1)) == 1
    until(lambda: logged(laptop_cloud, "EventBridge target long-gone does not exist"))


def test_with_iam_enforced_a_failure_goes_only_where_the_functions_role_may_send(
    guarded: LaptopCloud, until: Until
) -> None:
    sqs = guarded.client("sqs")
    url, arn = queue(guarded, "failures")
    for name, allowed in (("may-not-send", []), ("may-send", [("sqs:SendMessage", arn)])):
        failing(guarded, name, arn, role=role(guarded, f"role-{name}", *allowed))
        send(guarded, name, {"from": name})
    until(lambda: logged(guarded, "role-may-not-send/may-not-send may not do sqs:SendMessage"))

    def arrived() -> list[Any]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"])["requestPayload"] for message in found]

    assert until(arrived) == [{"from": "may-send"}]


RAISING = """
    class Own(Exception):
        pass
    def handler(event, context):
        class Inner(Exception):
            pass
        class Broken(Exception):
            def __str__(self):
                raise OSError("no words")
        class Lines(Exception):
            def __str__(self):
                return "said\\nin two lines"
        if event == "note":
            error = Own("with a note")
            error.add_note("look here")
            raise error
        if event == "group":
            raise ExceptionGroup("many", [Own("one"), KeyError("two")])
        if event == "broken":
            raise Broken()
        if event == "exits":
            raise SystemExit(3)
        errors = {"own": Own("mine"), "inner": Inner("inside"), "lines": Lines(), "key": KeyError("k"), "empty": Own()}
        raise errors[event]
"""


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("own", "Own"), ("inner", "Inner"), ("lines", "Lines"), ("key", "KeyError"), ("empty", "Own"), ("note", "Own"),
        ("group", "ExceptionGroup"), ("broken", "Runtime.ExitError"), ("exits", "Runtime.ExitError"),
    ],
)  # fmt: skip
def test_a_failed_function_answers_with_the_name_of_its_exception(
    event: str, kind: str, laptop_cloud: LaptopCloud
) -> None:
    client = laptop_cloud.client("lambda")
    if "raising" not in {item["FunctionName"] for item in client.list_functions()["Functions"]}:
        function(laptop_cloud, "raising", RAISING)
    answer = client.invoke(FunctionName="raising", Payload=json.dumps(event).encode())
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorType"] == kind

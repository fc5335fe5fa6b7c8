"""What happens in each fault; a script sends the messages, does harm, and returns what it did in a few words."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from cdk_ml_lens.local.faults.performance import Performance
from cdk_ml_lens.local.faults.stage import ATTEMPTS, Refusal
from cdk_ml_lens.local.model_faults import ERROR_RATE
from cdk_ml_lens.local.redrive import Redrive, redrive

KILL_EACH_SECONDS = 2.0
OUTAGE_SECONDS = 300.0
"""Longest wait for the readings of the outage to be dead-lettered; those that are not are scored later."""


def nothing(on: Performance) -> str:
    """Send, no more: the messages are the fault."""
    on.send()
    return "every fifth reading broken, in seven ways"


def endpoint_errors(on: Performance) -> str:
    """Serve a model that fails."""
    with on.stage.model_variables({ERROR_RATE: "0.4"}):
        on.send()
        on.settle()
    return "the model answered 40% of the requests with 500"


def throttled_endpoint(on: Performance) -> str:
    """Throttle InvokeEndpoint."""
    return _refused(on, Refusal(service="sagemaker", operation="InvokeEndpoint", share=0.6))


def throttled_ledger(on: Performance) -> str:
    """Throttle the ledger."""
    code = "ProvisionedThroughputExceededException"
    return _refused(on, Refusal(service="dynamodb", operation="TransactWriteItems", share=0.6, code=code))


def throttled_log(on: Performance) -> str:
    """Throttle the prediction log."""
    code = "ServiceUnavailableException"
    return _refused(on, Refusal(service="firehose", operation="PutRecordBatch", share=0.6, code=code, status=503))


def throttled_queue(on: Performance) -> str:
    """Throttle dead letters and pauses, while there is something to dead-letter."""
    names = ("SendMessageBatch", "ChangeMessageVisibilityBatch")
    return _refused(on, *(Refusal(service="sqs", operation=name, share=0.6, code="RequestThrottled") for name in names))


def _refused(on: Performance, *refusals: Refusal) -> str:
    with on.stage.refusing(*refusals):
        on.send()
        on.settle()
    operations = " and ".join(refusal.operation for refusal in refusals)
    return f"{refusals[0].share:.0%} of {operations} refused with {refusals[0].code}"


def model_killed(on: Performance) -> str:
    """Kill the model server again and again while it works; the cloud starts a new one."""
    killed = _killing(on, on.stage.kill_models)
    return f"the model server killed {killed} times; a new one takes about a second"


def lambda_killed(on: Performance) -> str:
    """Kill the function's processes again and again while they work."""
    killed = _killing(on, on.stage.kill_functions)
    return f"{killed} function processes killed with SIGKILL"


def _killing(on: Performance, kill: Callable[[], int]) -> int:
    """Kill every two seconds while the readings come in, and a little longer; return how many processes died."""
    over, killed = threading.Event(), list[int]()

    def harm() -> None:
        while not over.wait(KILL_EACH_SECONDS):
            killed.append(kill())

    thread = threading.Thread(target=harm, name="killer", daemon=True)
    thread.start()
    on.send()
    until = time.monotonic() + 3 * KILL_EACH_SECONDS
    while time.monotonic() < until:
        on.look()
    over.set()
    thread.join()
    return sum(killed)


def duplicates(on: Performance) -> str:
    """Send every message three times, shuffled."""
    thrice = [message for message in on.messages for _ in range(3)]
    random.Random(1).shuffle(thrice)
    on.send(thrice)
    return "every message three times, shuffled"


def out_of_order(on: Performance) -> str:
    """Send the whole run shuffled."""
    shuffled = list(on.messages)
    random.Random(2).shuffle(shuffled)
    on.send(shuffled)
    return "shuffled over the whole run"


def endpoint_deleted(on: Performance) -> str:
    """Delete the endpoint, let half of the readings die, make it again and redrive them."""
    half = len(on.messages) // 2
    config = on.stage.delete_endpoint()
    on.send(on.messages[:half])
    until = time.monotonic() + OUTAGE_SECONDS
    while on.effects.waiting_letters() < half and time.monotonic() < until:
        on.look(letters=False)
    died = on.effects.waiting_letters()
    on.stage.create_endpoint(config)
    done = redrive(
        on.stage.cloud.client("sqs"),
        Redrive(dead_letters=on.stage.outputs["DeadLetterQueueUrl"], to=on.stage.queue_url),
    )
    on.send(on.messages[half:])
    return f"{died} readings dead-lettered after {ATTEMPTS} attempts, {done.moved} redriven when it was back"


def s3_refused(on: Performance) -> str:
    """Refuse every object of the prediction log for a while."""
    with on.stage.refusing(Refusal(service="s3", operation="PutObject", code="AccessDenied", status=403)):
        on.send()
        until = time.monotonic() + 10
        while time.monotonic() < until:
            on.look()
    return "PutObject refused while the readings came in and 10 s longer; Firehose tried again"


def clock_skew(on: Performance) -> str:
    """Send readings whose clocks are wrong."""
    on.send()
    return "devices' clocks off by decades, or no clocks"

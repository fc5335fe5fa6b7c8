"""Collects what the cloud made of the readings: prediction records from S3, dead letters from their queue."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

from cdk_ml_lens.local.demo_accounts import Accounts, DeadLetter, Prediction

PAUSE = 0.5
GZIP = b"\x1f\x8b"


class Collector:
    """Reads bucket and queue again and again on a thread of its own, until closed.

    Parameters
    ----------
    client
        Gives the boto3 client of a service.
    outputs
        Outputs of the flagship stack.
    accounts
        Where everything is noted.
    """

    def __init__(self, *, client: Callable[[str], Any], outputs: dict[str, str], accounts: Accounts) -> None:
        self._s3, self._sqs = client("s3"), client("sqs")
        self._outputs = outputs
        self._accounts = accounts
        self._read: set[str] = set()
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)

    def start(self) -> Collector:
        """Begin to collect."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop, and read everything a last time."""
        self._ended.set()
        self._thread.join()
        self.check()
        self.collect()

    def check(self) -> None:
        """Raise what ended the thread, if anything did."""
        if self._failure is not None:
            raise self._failure

    def collect(self) -> None:
        """Read what is new in bucket and queue."""
        for record in self._new_records():
            self._accounts.predicted(
                Prediction(
                    key=record["prediction_id"],
                    anomaly=record["anomaly"],
                    model_version=record["model_version"],
                )
            )
        for message in self._dead_letters():
            self._accounts.died(dead_letter(json.loads(message)))

    def _run(self) -> None:
        try:
            while not self._ended.wait(PAUSE):
                self.collect()
        except BaseException as error:
            self._failure = error

    def _new_records(self) -> Iterator[dict[str, Any]]:
        bucket = self._outputs["PredictionBucketName"]
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=f"{self._outputs['PredictionPrefix']}/"
        )
        names = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        for name in names:
            if name not in self._read:
                self._read.add(name)
                yield from records_of(self._s3.get_object(Bucket=bucket, Key=name)["Body"].read())

    def _dead_letters(self) -> Iterator[str]:
        url = self._outputs["DeadLetterQueueUrl"]
        while True:
            answer = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
            messages = answer.get("Messages", [])
            if not messages:
                return
            for message in messages:
                yield message["Body"]
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def records_of(content: bytes) -> Iterator[dict[str, Any]]:
    """Read the records of one object of the prediction log."""
    plain = gzip.decompress(content) if content.startswith(GZIP) else content
    yield from (json.loads(line) for line in plain.splitlines())


def dead_letter(document: dict[str, Any]) -> DeadLetter:
    """Read a dead letter of any of its writers: the scorer, IoT's error action, or SQS itself.

    Parameters
    ----------
    document
        The scorer's envelope, the document of a failed rule action, or a message that SQS moved unread.
    """
    if "reason" in document:
        encoded, text = document["payload_base64"], document["payload"]
        body = base64.b64decode(encoded) if text is None else text.encode()
        return DeadLetter(device_id=document["device_id"], body=body, reason=document["reason"])
    if "base64OriginalPayload" in document:
        device_id = document["topic"].split("/")[-2]
        body = base64.b64decode(document["base64OriginalPayload"])
        return DeadLetter(device_id=device_id, body=body, reason="rule_failed")
    return DeadLetter(
        device_id=document["device_id"], body=base64.b64decode(document["payload"]), reason="never_handled"
    )

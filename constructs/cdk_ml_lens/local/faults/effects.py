"""What the flagship made of the readings, from the effect side: the prediction log in S3 and the dead-letter queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cdk_ml_lens.local.cloud import LaptopCloud
from cdk_ml_lens.local.demo_accounts import Accounts, Prediction
from cdk_ml_lens.local.demo_collect import dead_letter, records_of


class Effects:
    """Reads every prediction record once, over all faults.

    Parameters
    ----------
    cloud, outputs
        Where the flagship runs, and its outputs.
    """

    def __init__(self, cloud: LaptopCloud, outputs: dict[str, str]) -> None:
        self._s3, self._sqs, self._outputs = cloud.client("s3"), cloud.client("sqs"), outputs
        self._read: set[str] = set()

    def collect(self, accounts: Accounts, *, letters: bool = True) -> None:
        """Note what is new; without ``letters``, the dead-letter queue is left as it is."""
        for record in self._records():
            accounts.predicted(
                Prediction(
                    key=record["prediction_id"], anomaly=record["anomaly"], model_version=record["model_version"]
                )
            )
        if letters:
            for body in self._letters():
                accounts.died(dead_letter(json.loads(body)))

    def waiting_letters(self) -> int:
        """Return how many messages the dead-letter queue holds."""
        name = "ApproximateNumberOfMessages"
        found = self._sqs.get_queue_attributes(QueueUrl=self._outputs["DeadLetterQueueUrl"], AttributeNames=[name])
        return int(found["Attributes"][name])

    def _records(self) -> Iterator[dict[str, Any]]:
        bucket, prefix = self._outputs["PredictionBucketName"], f"{self._outputs['PredictionPrefix']}/"
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        names = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        for name in names:
            if name not in self._read:
                self._read.add(name)
                yield from records_of(self._s3.get_object(Bucket=bucket, Key=name)["Body"].read())

    def _letters(self) -> Iterator[str]:
        url = self._outputs["DeadLetterQueueUrl"]
        while messages := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ]
            yield from (message["Body"] for message in messages)
            self._sqs.delete_message_batch(QueueUrl=url, Entries=entries)

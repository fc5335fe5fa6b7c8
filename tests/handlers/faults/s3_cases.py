"""S3 refused: replay of backed-up records, and registration of candidates, each repeated until it succeeds."""

# ruff: noqa: N803 (the argument names are boto3's)

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from handlers import judge_candidate, register_candidate, replay_records
from handlers.register_candidate import RegistryClients
from handlers.replay_records import ReplaySettings, Tools
from ml_lens_runtime.model_gate import Gate
from tests.handlers.fakes import aws_error
from tests.handlers.faults.accounts import Row
from tests.handlers.faults.trouble import FaultyClient
from tests.handlers.test_register_candidate import EVALUATION, EVENT, SETTINGS
from tests.handlers.test_replay_records import ENV, RANGE, record

REFUSALS = ("AccessDenied", "SlowDown", "ServiceUnavailable", "InternalError")
HOURS = ("2027/01/15/12", "2027/01/15/13")


class FakeS3:
    """Objects by key. Knows no buckets, versions, encryption or rights; lists everything on one page."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self.objects:
            raise aws_error("NoSuchKey", "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> None:
        self.objects[Key] = Body

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        self.objects.pop(Key, None)

    def get_paginator(self, operation: str) -> FakeS3:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Prefix: str, StartAfter: str = "", **_: Any) -> Iterator[dict[str, Any]]:
        found = sorted(key for key in self.objects if key.startswith(Prefix) and key > StartAfter)
        yield {"Contents": [{"Key": key} for key in found]}


class FakePackages:
    """Model packages by client token. Checks no field and has no states."""

    def __init__(self) -> None:
        self.packages: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, str] = {}
        self.made = 0

    def create_model_package(self, *, ClientToken: str, **request: Any) -> dict[str, str]:
        arn = self.tokens.get(ClientToken, "")
        if arn not in self.packages:
            self.made += 1
            arn = f"arn:aws:sagemaker:us-east-1:111122223333:model-package/turbines/{self.made}"
            self.packages[arn], self.tokens[ClientToken] = request, arn
        return {"ModelPackageArn": arn}

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        containers = [{"Image": SETTINGS.image, "ImageDigest": "sha256:0123"}]
        return {**self.packages[ModelPackageName], "InferenceSpecification": {"Containers": containers}}

    def delete_model_package(self, *, ModelPackageName: str) -> None:
        del self.packages[ModelPackageName]


class FakeStream:
    """Firehose that refuses some records. Delivers nowhere."""

    def __init__(self, dice: Random) -> None:
        self.taken: Counter[bytes] = Counter()
        self._dice = dice

    def put_record_batch(self, *, DeliveryStreamName: str, Records: list[dict[str, bytes]]) -> dict[str, Any]:
        answers: list[dict[str, str]] = []
        for given in Records:
            refused = self._dice.random() < 0.05
            answers.append({"ErrorCode": "ServiceUnavailableException"} if refused else {"RecordId": "r"})
            self.taken[given["Data"]] += not refused
        return {"RequestResponses": answers}


def _refusing(client: Any, dice: Random, *, share: float) -> FaultyClient:
    def maybe(name: str) -> BaseException | None:
        return aws_error(dice.choice(REFUSALS), name) if dice.random() < share else None

    return FaultyClient(client, before=maybe, after=maybe)


def replay(count: int) -> Row:
    """S3 and Firehose refuse; the machine tries the step again, and what was sent is sent again."""
    dice, s3 = Random(31), FakeS3()
    records = [record(number) for number in range(count)]
    objects = max(2, count // 50)
    for number in range(objects):
        body = b"".join(records[number::objects])
        s3.objects[f"telemetry/{HOURS[number % 2]}/{number:04d}"] = body
    stream = FakeStream(dice)
    tools = Tools(
        s3=_refusing(s3, dice, share=0.1),
        firehose=_refusing(stream, dice, share=0.05),
        time_left=lambda: 900.0,
        sleep=lambda seconds: None,
    )
    steps = replay_records.run(env=ENV, event=RANGE, tools=tools)["hours"]
    done = [_until_done(ENV, step, tools) for step in steps]
    total = replay_records.total(done)
    missing = sum(stream.taken[one] == 0 for one in records)
    assert total["complete"] is (missing == 0)
    return Row(
        fault="S3 refused: replay", sent=count, scored=count - missing, dead_lettered=0, duplicates_suppressed=0,
        repeated=stream.taken.total() - count, lost=missing, doubled=len(set(stream.taken) - set(records)),
        what="records fed into the stream by steps that S3 and Firehose refuse; the ETL drops what is there twice",
    )  # fmt: skip


def _until_done(env: ReplaySettings, step: dict[str, Any], tools: Tools) -> dict[str, Any]:
    while True:
        try:
            step = replay_records.run(env=env, event=step, tools=tools)
        except ClientError:
            continue
        if step["done"]:
            return step


def registration(count: int) -> Row:
    """S3 and SageMaker refuse before and after any call; the machine tries again until a candidate is registered."""
    dice, s3, registry = Random(32), FakeS3(), FakePackages()
    clients = RegistryClients(s3=_refusing(s3, dice, share=0.05), sagemaker=_refusing(registry, dice, share=0.05))
    for number in range(count):
        event = _candidate(number, s3)
        _retried(lambda event=event: judge_candidate.run(event, gate=GATE, s3=clients.s3))
        _retried(lambda event=event: register_candidate.run(event, settings=SETTINGS, clients=clients))
    manifests = [json.loads(body) for key, body in s3.objects.items() if key.startswith("manifests/")]
    named = Counter(manifest["model_package_arn"] for manifest in manifests)
    orphans = registry.packages.keys() ^ named.keys()
    return Row(
        fault="S3 refused: registration", sent=count, scored=len(named), dead_lettered=0, duplicates_suppressed=0,
        repeated=0, lost=count - len(manifests), doubled=len(orphans) + named.total() - len(named),
        what="candidates judged and registered: each has one model package and one manifest, and no package has none",
    )  # fmt: skip


_BOUND = {"metric": "recall", "bound": 0.5, "direction": "at_least"}
GATE = Gate.parse({"GATE": json.dumps({"bounds": [_BOUND], "margins": [], "minimum_rows": 100})})


def _candidate(number: int, s3: FakeS3) -> dict[str, Any]:
    folder = f"evaluations/run-{number}"
    s3.objects[f"{folder}/evaluation.json"] = json.dumps({**EVALUATION, "dataset_version": "7"}).encode()
    place = f"s3://artifacts/{folder}"
    return {
        **EVENT, "execution": f"run-{number}", "candidate_model": EVENT["model_data"], "dataset_version": "7",
        "evaluation": f"{place}/evaluation.json", "decision": f"{place}/decision.json",
    }  # fmt: skip


def _retried(call: Any) -> None:
    for _ in range(100):
        try:
            call()
        except ClientError:
            continue
        return
    raise AssertionError("a hundred attempts failed")

"""Handlers that state machines call: a named error or a result, the same result for the same event."""

# ruff: noqa: N803 (the argument names are boto3's)

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import strategies as st

from handlers import judge_candidate, prepare_deployment, record_deployment, register_candidate, replay_records
from handlers.judge_candidate import EvaluationMismatchError
from handlers.prepare_deployment import ArtifactChangedError
from handlers.register_candidate import NotPassedError, RegistryClients
from handlers.replay_records import Tools
from ml_lens_runtime.machine_events import EventError
from ml_lens_runtime.manifest import ManifestError
from ml_lens_runtime.model_versions import NotApprovedError, VersionMissingError
from ml_lens_runtime.s3_json import DocumentError
from tests.handlers import registry_account
from tests.handlers.fakes import aws_error
from tests.handlers.faults.s3_cases import GATE, FakePackages, FakeS3
from tests.handlers.fuzz.payloads import bodies, encoded, events, explore, mutated
from tests.handlers.test_register_candidate import DECISION, EVALUATION, EVENT, SETTINGS
from tests.handlers.test_replay_records import ENV, RANGE, record

URI = "s3://artifacts/evaluations/run-1/{}.json"
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/turbines/1"
MANIFEST = registry_account.manifest("v1", ARN)
MANIFEST_URI = registry_account.manifest_uri("v1")


class FakeRegistry:
    """One approved model package. Knows no other."""

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        if ModelPackageName != ARN:
            raise aws_error("ValidationException", "DescribeModelPackage")
        made = datetime.fromtimestamp(1_800_000_000, UTC)
        metadata = {"manifest": MANIFEST_URI}
        return {"ModelApprovalStatus": "Approved", "CreationTime": made, "CustomerMetadataProperties": metadata}

    def get_paginator(self, operation: str) -> Any:
        page = {"ModelPackageSummaryList": [{"ModelPackageArn": ARN}]}
        return SimpleNamespace(paginate=lambda **_: [page])


def outcome(call: Callable[[], Any], *named: type[Exception]) -> str:
    """Return the result or the named error of a call; every other error is a failure of the test."""
    try:
        return repr(call())
    except named as error:
        return f"{type(error).__name__}: {error}"


def twice(call: Callable[[], Any], store: FakeS3, *named: type[Exception]) -> None:
    first = outcome(call, *named)
    kept = dict(store.objects)
    assert outcome(call, *named) == first
    assert store.objects == kept


def _documents(evaluation: Any, decision: Any) -> FakeS3:
    store = FakeS3()
    for name, body in (("evaluation", evaluation), ("decision", decision)):
        store.objects[f"evaluations/run-1/{name}.json"] = body
    return store


JUDGED = {
    "evaluation": URI.format("evaluation"), "decision": URI.format("decision"), "dataset_version": "7",
    "candidate_model": EVENT["model_data"],
}  # fmt: skip
MEASURED = {**EVALUATION, "dataset_version": "7", "rows": 500, "champion": {"metrics": {"recall": 0.8}}}


def test_a_candidate_is_judged_or_refused_by_name() -> None:
    whole = st.just((JUDGED, encoded(MEASURED)))
    cases = st.one_of(
        whole, st.tuples(events(JUDGED), st.just(encoded(MEASURED))), st.tuples(st.just(JUDGED), bodies(MEASURED))
    )

    def check(batch: list[tuple[Any, bytes]]) -> None:
        for event, evaluation in batch:
            store = _documents(evaluation, b"")
            named = (EventError, DocumentError, EvaluationMismatchError, ClientError)
            twice(lambda e=event, s=store: judge_candidate.run(e, gate=GATE, s3=s), store, *named)  # type: ignore[misc]

    explore(cases, check)


def test_a_candidate_is_registered_whole_or_not_at_all() -> None:
    cases = st.one_of(
        st.tuples(events(EVENT), st.just(encoded(MEASURED)), st.just(encoded(DECISION))),
        st.tuples(st.just(EVENT), bodies(MEASURED), st.just(encoded(DECISION))),
        st.tuples(st.just(EVENT), st.just(encoded(MEASURED)), mutated(DECISION).map(encoded)),
    )

    def check(batch: list[tuple[Any, bytes, bytes]]) -> None:
        for event, evaluation, decision in batch:
            store, registry = _documents(evaluation, decision), FakePackages()
            clients = RegistryClients(s3=store, sagemaker=registry)
            named = (NotPassedError, EventError, DocumentError, ClientError)
            call = lambda e=event, c=clients: register_candidate.run(e, settings=SETTINGS, clients=c)  # noqa: E731
            twice(call, store, *named)
            manifests = [key for key in store.objects if key.startswith("manifests/")]
            assert len(manifests) == len(registry.packages) <= 1

    explore(cases, check)


def _registry(manifest: bytes) -> FakeS3:
    store = _Chunked()
    store.objects[MANIFEST_URI.removeprefix("s3://registry/")] = manifest
    store.objects["models/v1/model.tar.gz"] = registry_account.ARTIFACT
    return store


class _Chunked(FakeS3):
    """Objects by key, whose bodies can be read in parts."""

    exceptions = SimpleNamespace(NoSuchKey=ClientError)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        body = super().get_object(Bucket=Bucket, Key=Key)["Body"].read()
        return {"Body": SimpleNamespace(read=lambda: body, iter_chunks=lambda size: [body])}


def test_a_deployment_is_planned_or_refused_by_name() -> None:
    approved = {"mode": "approved", "execution": "e1", "request": {"model_package_arn": ARN}}
    rebuild = {"mode": "rebuild", "execution": "e1", "request": {"version": "v1"}}
    by_uri = {"mode": "rebuild", "execution": "e1", "request": {"manifest": MANIFEST_URI}}
    cases = st.one_of(
        st.tuples(events(approved, rebuild, by_uri), st.just(encoded(MANIFEST))),
        st.tuples(st.sampled_from([approved, rebuild, by_uri]), bodies(MANIFEST)),
    )
    named = (EventError, ManifestError, VersionMissingError, NotApprovedError, ArtifactChangedError, ClientError)

    def check(batch: list[tuple[Any, bytes]]) -> None:
        for event, manifest in batch:
            store = _registry(manifest)
            call = lambda e=event, s=store: prepare_deployment.run(  # noqa: E731
                e, settings=registry_account.SETTINGS, s3=s, sagemaker=FakeRegistry(), now=1_800_000_000.0
            )
            twice(call, store, *named)

    explore(cases, check)


def test_a_deployment_is_recorded_once_and_the_manifest_stays_readable() -> None:
    given = {"manifest": MANIFEST_URI, "approver": "arn:aws:iam::123456789012:user/x", "sha256": "abc"}
    cases = st.one_of(st.tuples(events(given), st.just(encoded(MANIFEST))), st.tuples(st.just(given), bodies(MANIFEST)))

    def check(batch: list[tuple[Any, bytes]]) -> None:
        for event, manifest in batch:
            store = _registry(manifest)
            call = lambda e=event, s=store: record_deployment.run(e, bucket="registry", s3=s)  # noqa: E731
            first = outcome(call, EventError, ManifestError, ClientError)
            kept = dict(store.objects)
            again = outcome(call, EventError, ManifestError, ClientError)
            assert again in (first, "{'written': False}")
            assert store.objects == kept

    explore(cases, check)


class FakeTaker:
    """A stream that takes everything. Delivers nowhere."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def put_record_batch(self, *, DeliveryStreamName: str, Records: list[dict[str, bytes]]) -> dict[str, Any]:
        self.taken += [given["Data"] for given in Records]
        return {"RequestResponses": [{"RecordId": "r"} for _ in Records]}


def _tools(store: FakeS3) -> Tools:
    return Tools(s3=store, firehose=FakeTaker(), time_left=lambda: 900.0, sleep=lambda seconds: None)


def test_a_step_of_a_replay_is_done_or_refused_by_name() -> None:
    hour = {"step": "hour", "hour": "2027/01/15/12", "after": "", "counts": {"sent": 1}, "from_ms": 0, "to_ms": 2**60}
    total = {"step": "sum", "hours": [{"counts": {"sent": 1, "listed": 1}}]}

    def check(batch: list[Any]) -> None:
        for event in batch:
            store = FakeS3()
            store.objects["telemetry/2027/01/15/12/a"] = record(1)
            tools = _tools(store)
            call = lambda e=event, t=tools: replay_records.run(env=ENV, event=e, tools=t)  # noqa: E731
            twice(call, store, ValueError)

    explore(events(dict(RANGE), hour, total), check)


def test_whatever_a_backup_holds_is_counted() -> None:
    hour = {"step": "hour", "hour": "2027/01/15/12", "after": "", "counts": {}, "from_ms": 0, "to_ms": 1_000}
    inner = {"payload": "e30=", "device_id": "d", "received_at": 500, "trace_id": "t"}

    def check(batch: list[bytes]) -> None:
        store = FakeS3()
        for number, body in enumerate(batch):
            store.objects[f"telemetry/2027/01/15/12/{number:03d}"] = body
        tools = _tools(store)
        counts = replay_records.run(env=ENV, event=hour, tools=tools)["counts"]
        assert counts["objects"] == len(batch)
        assert counts["sent"] + counts["outside"] + counts["failed"] == counts["listed"]
        assert counts["sent"] == len(tools.firehose.taken)

    explore(bodies(inner), check)

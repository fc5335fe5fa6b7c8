"""What Firehose makes of a function's answers: batches by size, tries, and a failure for each record without one."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

from cdk_ml_lens.local.server.firehose_items import Item, Refused
from cdk_ml_lens.local.server.firehose_lambda import transform

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:clean"
STREAM = {"arn": "arn:aws:firehose:us-east-1:000000000000:deliverystream/readings"}
Records = list[dict[str, Any]]


class FakeLambda:
    """Answers Invoke with what a function of the records gives; it has no other operation and no errors of its own."""

    def __init__(self, answer: Callable[[Records], Any]) -> None:
        self.batches: list[list[bytes]] = []
        self._answer = answer

    def invoke(self, **request: Any) -> dict[str, Any]:
        assert request["FunctionName"] == FUNCTION
        records = json.loads(request["Payload"])["records"]
        self.batches.append([base64.b64decode(record["data"]) for record in records])
        return {"Payload": io.BytesIO(json.dumps(self._answer(records)).encode())}


def config(**more: str) -> dict[str, Any]:
    given = {"LambdaArn": FUNCTION, **more}
    parameters = [{"ParameterName": name, "ParameterValue": value} for name, value in given.items()]
    processors = [{"Type": "AppendDelimiterToRecord"}, {"Type": "Lambda", "Parameters": parameters}]
    return {"ProcessingConfiguration": {"Enabled": True, "Processors": processors}}


def items(*bodies: bytes) -> list[Item]:
    return [Item(id=f"r{n}", source=body, data=body, arrived=1) for n, body in enumerate(bodies)]


def fine(records: Records) -> dict[str, Any]:
    return {"records": [{"recordId": record["recordId"], "result": "Ok", "data": record["data"]} for record in records]}


def codes(refused: list[Refused]) -> list[tuple[str, int]]:
    return [(item.document["errorCode"], item.document["attemptsMade"]) for item in refused]


def test_a_function_gets_no_more_than_its_buffer_size_at_once_and_no_record_is_cut() -> None:
    half, big = b"x" * 600_000, b"y" * 2_000_000
    fake = FakeLambda(fine)
    kept, refused = transform(fake, STREAM, config(BufferSizeInMBs="1"), items(half, b"s", half, big, b"t"))
    assert [[len(body) for body in batch] for batch in fake.batches] == [[600_000, 1], [600_000], [2_000_000], [1]]
    assert [item.id for item in kept] == ["r0", "r1", "r2", "r3", "r4"]
    assert refused == []


def test_no_record_makes_no_call() -> None:
    fake = FakeLambda(fine)
    assert transform(fake, STREAM, config(), []) == ([], [])
    assert fake.batches == []


def test_a_stream_without_a_function_passes_its_records_on() -> None:
    given = items(b"a")
    queried = {"ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "MetadataExtraction"}]}}
    for plain in ({}, queried, {"ProcessingConfiguration": {"Enabled": False}}):
        assert transform(None, STREAM, plain, given) == (given, [])


def test_a_record_that_the_answer_leaves_out_is_refused_alone() -> None:
    def but_the_first(records: Records) -> dict[str, Any]:
        return {"records": ["not a record", *fine(records[1:])["records"]]}

    kept, refused = transform(FakeLambda(but_the_first), STREAM, config(), items(b"a", b"b"))
    assert [item.data for item in kept] == [b"b"]
    assert codes(refused) == [("Lambda.MissingRecordId", 1)]
    assert base64.b64decode(refused[0].document["rawData"]) == b"a"


def test_data_that_is_not_base64_is_refused_alone() -> None:
    def half_encoded(records: Records) -> dict[str, Any]:
        answer = fine(records)
        answer["records"][0]["data"] = "abc"
        return answer

    kept, refused = transform(FakeLambda(half_encoded), STREAM, config(), items(b"a", b"b"))
    assert [item.data for item in kept] == [b"b"]
    assert codes(refused) == [("Lambda.JsonProcessingException", 1)]


def test_an_answer_without_records_is_asked_for_again_then_the_batch_is_refused() -> None:
    for wrong in ({"statusCode": 200}, [], None, {"records": "all"}):
        fake = FakeLambda(lambda _, wrong=wrong: wrong)
        kept, refused = transform(fake, STREAM, config(NumberOfRetries="2"), items(b"a", b"b"))
        assert len(fake.batches) == 3
        assert kept == []
        assert codes(refused) == [("Lambda.MissingRecordId", 3)] * 2


def test_a_function_that_recovers_costs_nothing() -> None:
    calls: list[int] = []

    def at_last(records: Records) -> Any:
        calls.append(1)
        return fine(records) if len(calls) == 3 else None

    kept, refused = transform(FakeLambda(at_last), STREAM, config(), items(b"a"))
    assert ([item.data for item in kept], refused) == ([b"a"], [])


def test_a_call_that_is_not_allowed_is_told_apart_from_one_that_is_throttled() -> None:
    def refusing(message: str) -> Callable[[Records], Any]:
        def answer(_: Records) -> Any:
            raise RuntimeError(message)

        return answer

    for message, code in (("AccessDeniedException", "InvokeAccessDenied"), ("Rate exceeded", "InvokeLimitExceeded")):
        _, refused = transform(FakeLambda(refusing(message)), STREAM, config(NumberOfRetries="1"), items(b"a"))
        assert codes(refused) == [(f"Lambda.{code}", 2)]
        assert refused[0].document["errorMessage"] == message

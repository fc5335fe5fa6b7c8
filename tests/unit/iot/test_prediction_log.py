"""PredictionLog: encrypted, date-partitioned, with a narrow role that exists first."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import PredictionLog, PropError
from tests.unit.templates import Template


def test_minimal_partitions_by_date_and_encrypts(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    PredictionLog(stack, "Log")
    template = synth(stack)
    stream = template.only("AWS::KinesisFirehose::DeliveryStream")
    target = stream["ExtendedS3DestinationConfiguration"]
    assert target["Prefix"].startswith("predictions/year=!{timestamp:yyyy}/month=")
    assert target["ErrorOutputPrefix"].startswith("predictions-errors/!{firehose:error-output-type}/")
    assert target["CompressionFormat"] == "GZIP"
    assert "KMSEncryptionConfig" in target["EncryptionConfiguration"]
    assert stream["DeliveryStreamEncryptionConfigurationInput"]["KeyType"] == "CUSTOMER_MANAGED_CMK"
    ((stream_id, _),) = template.of_type("AWS::KinesisFirehose::DeliveryStream").items()
    assert set(template.of_type("AWS::IAM::Policy")) <= template.depends_on(stream_id)


def test_full_uses_the_callers_bucket_key_and_prefix(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Mine", "my-bucket")
    key = kms.Key(stack, "Mykey")
    log = PredictionLog(stack, "Log", bucket=bucket, prefix="team/scores", buffer_seconds=0, encryption_key=key)
    role = iam.Role(stack, "Writer", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log.grant_write(role)
    template = synth(stack)
    assert template.of_type("AWS::S3::Bucket") == {}
    target = template.only("AWS::KinesisFirehose::DeliveryStream")["ExtendedS3DestinationConfiguration"]
    assert target["Prefix"].startswith("team/scores/year=")
    assert target["BufferingHints"]["IntervalInSeconds"] == 0
    assert template.actions("Writer") == {"firehose:PutRecordBatch"}


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"prefix": "/a"}, "prefix must be path levels .* for prediction log, got '/a'"),
        ({"prefix": "a/"}, "prefix must"),
        ({"buffer_seconds": 901}, "buffer_seconds must be between 0 and 900"),
    ],
)
def test_fails_out_of_range(stack: cdk.Stack, props: dict[str, object], message: str) -> None:
    with pytest.raises(PropError, match=message):
        PredictionLog(stack, "Log", **props)  # type: ignore[arg-type]


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    PredictionLog(stack, "Log")
    assert nag(stack) == []

"""LK14: streams land as columns, or at least compressed."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Resource, Template

_AT = "ExtendedS3DestinationConfiguration"


def check(template: Template) -> Iterator[Finding]:
    """Find delivery streams into S3 that write rows as they come, without compression."""
    for stream in template.of_type("AWS::KinesisFirehose::DeliveryStream"):
        rows = stream.get(_AT) is not None and _converts_nothing(stream)
        if rows and stream.get(f"{_AT}.CompressionFormat", "UNCOMPRESSED") == "UNCOMPRESSED":
            yield Finding(logical_id=stream.logical_id, message="rows are written neither as columns nor compressed")


def _converts_nothing(stream: Resource) -> bool:
    path = f"{_AT}.DataFormatConversionConfiguration"
    return stream.get(path) is None or stream.get(f"{path}.Enabled", True) in (False, "false")


RULE = Rule(
    id="LK14",
    title="Streams land as columns, or at least compressed",
    practices=("MLSUS03-BP03", "MLPERF03-BP01"),
    severity=Severity.WARNING,
    explanation="Plain JSON takes many times the space, and every query reads all of it.",
    fix="Set DataFormatConversionConfiguration to Parquet or ORC, or a CompressionFormat.",
    source="https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion.html",
    check=check,
)

"""Establishes, type by type, what each place does with a resource; the table of docs/compatibility.md."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cfnlint.schema._exceptions import ResourceNotFoundError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from moto.backends import get_backend

HEADER = ("resource type", "template check", "moto", "LocalStack free", "LocalStack with token", "laptop cloud")
NOT_RUN = "not run here"
# The operation of moto that makes a type, where its name is not create_<noun> of the service of the same name.
MADE_BY = {
    "AWS::CloudWatch::Alarm": ("cloudwatch", "put_metric_alarm"),
    "AWS::CloudWatch::Dashboard": ("cloudwatch", "put_dashboard"),
    "AWS::Athena::WorkGroup": ("athena", "create_work_group"),
    "AWS::Events::Rule": ("events", "put_rule"),
    "AWS::IAM::Policy": ("iam", "put_role_policy"),
    "AWS::IoT::ProvisioningTemplate": ("iot", "create_provisioning_template"),
    "AWS::KinesisFirehose::DeliveryStream": ("firehose", "create_delivery_stream"),
    "AWS::Lambda::EventInvokeConfig": ("lambda", "put_function_event_invoke_config"),
    "AWS::Lambda::Permission": ("lambda", "add_permission"),
    "AWS::S3::BucketPolicy": ("s3", "put_bucket_policy"),
    "AWS::SNS::TopicPolicy": ("sns", "set_topic_attribute"),
    "AWS::SQS::QueuePolicy": ("sqs", "set_queue_attributes"),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table."""

    type: str
    template: str
    moto: str
    free: str
    laptop: str

    def cells(self) -> tuple[str, ...]:
        """Return the line's cells in the order of `HEADER`."""
        return (self.type, self.template, self.moto, self.free, NOT_RUN, self.laptop)


def template_check(type: str) -> str:
    """Return ``real`` if cfn-lint has the schema of the type to check templates against."""
    try:
        PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type)
    except ResourceNotFoundError:
        return "unsupported"
    return "unsupported" if type.startswith("Custom::") else "real"


def on_moto(type: str) -> str:
    """Return ``real`` if moto has the operation that makes the type."""
    service, operation = MADE_BY.get(type, (type.split("::")[1].lower(), f"create_{_snake(type.split('::')[-1])}"))
    try:
        backends: Any = get_backend(service)  # type: ignore[call-overload]
    except (ImportError, KeyError, AttributeError):
        return "unsupported"
    account = backends["123456789012"]
    region = "us-east-1" if "us-east-1" in account else "aws"
    backend = account[region]
    return "real" if hasattr(backend, operation) else "unsupported"


def _snake(noun: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in noun).lstrip("_")


def stubs_of(python: Path) -> set[str]:
    """Return the types that our extension makes without an API behind them."""
    kinds = "import json; from ml_lens_localstack.kinds import KINDS"
    code = f"{kinds}; print(json.dumps([kind.type for kind in KINDS if kind.is_stub]))"
    return set(_asked(python, code))


def markdown(rows: Iterable[Row]) -> str:
    """Return the table."""
    lines = [HEADER, tuple("---" for _ in HEADER), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _asked(python: Path, code: str) -> list[str]:
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    answer: list[str] = json.loads(done.stdout.splitlines()[-1])
    return answer

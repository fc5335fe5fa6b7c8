"""Lines that acknowledge: which file and line, on which construct, without a call to the kernel."""

from __future__ import annotations

import inspect

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from cdk_ml_lens.core import grants, sources
from cdk_ml_lens.core.nag import acknowledge, explain


def here() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def test_acknowledgement_is_noted_with_file_and_line(app: cdk.App, stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Data")
    acknowledge(bucket, "S1", "holds no data of customers")
    line = here() - 1
    (noted,) = sources.noted(app)
    assert noted.path == "Test/Data"
    assert noted.rule == "AwsSolutions::AwsSolutions-S1"
    assert noted.line.endswith(f"test_sources.py:{line}")
    assert not noted.line.startswith("/")


def test_line_of_a_child_outlives_its_proxy(app: cdk.App, stack: cdk.Stack) -> None:
    resource = s3.Bucket(stack, "Data").node.default_child
    assert resource is not None
    explain(resource, {"S3BucketReplicationEnabled": "made again from its source"})
    del resource
    assert [(one.path, one.rule) for one in sources.noted(app)] == [
        ("Test/Data/Resource", "S3BucketReplicationEnabled")
    ]


def test_constructs_of_the_library_are_named_from_its_root(app: cdk.App, stack: cdk.Stack) -> None:
    from examples import secure_bucket

    secure_bucket.build(app)
    lines = {one.line.partition(":")[0] for one in sources.noted(app)}
    assert lines
    assert all(line.startswith("cdk_ml_lens/") for line in lines)


def test_a_note_costs_no_call_to_the_kernel(stack: cdk.Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3.Bucket(stack, "Data")
    monkeypatch.setattr(type(bucket), "node", property(lambda _: pytest.fail("the kernel was asked")))
    explain(bucket, {"S3BucketReplicationEnabled": "made again from its source"})


def test_apps_do_not_see_each_other(app: cdk.App, stack: cdk.Stack) -> None:
    other = cdk.Stack(cdk.App(), "Other")
    acknowledge(s3.Bucket(other, "Data"), "S1", "of the other app")
    assert sources.noted(app) == []


def test_the_line_of_a_grant_is_that_which_grants(app: cdk.App, stack: cdk.Stack) -> None:
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    grants.allow(role, ["sqs:SendMessage"], ["arn:aws:sqs:eu-west-1:111122223333:queue"])
    line = here() - 1
    (noted,) = sources.noted(app)
    assert (noted.path, noted.rule) == ("Test/Role", "IAMNoInlinePolicy")
    assert noted.line.endswith(f"test_sources.py:{line}")

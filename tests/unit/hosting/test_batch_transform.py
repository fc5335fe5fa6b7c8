"""BatchTransform: filter, join, a failure that is remembered, and a role that can do nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from cdk_ml_lens import BatchTransform, ModelSource, PropError, TransformOptions
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]


def states(template: Template) -> dict[str, Any]:
    """Return the states of the machine, tokens replaced by a word."""
    body = template.only("AWS::StepFunctions::StateMachine")["DefinitionString"]
    text = "".join(part if isinstance(part, str) else "token" for part in body["Fn::Join"][1])
    found: dict[str, Any] = json.loads(text)["States"]
    return found


def test_minimal_joins_each_answer_to_its_input(
    stack: cdk.Stack, bucket: s3.IBucket, model: ModelSource, synth: Synth
) -> None:
    BatchTransform(stack, "B", model=model, bucket=bucket)
    job = states(synth(stack))["Transform"]["Parameters"]
    assert job["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "Input"}
    assert job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri.$"] == (
        "States.Format('s3://models/input/{}/', $.folder)"
    )
    assert job["TransformOutput"]["KmsKeyId"] == job["TransformResources"]["VolumeKmsKeyId"] == "token"


def test_failure_is_remembered_with_its_cause_and_ends_the_execution_as_failed(
    stack: cdk.Stack, bucket: s3.IBucket, model: ModelSource, synth: Synth
) -> None:
    BatchTransform(stack, "B", model=model, bucket=bucket, alarm_topic=sns.Topic(stack, "Ops"))
    template = synth(stack)
    machine = states(template)
    assert machine["Transform"]["Catch"][0] == {
        "ErrorEquals": ["States.ALL"],
        "ResultPath": "$.failure",
        "Next": "Remember",
    }
    assert machine["Remember"]["Parameters"]["MessageBody"]["detail.$"] == "$.failure.Cause"
    assert machine["Failed"]["Type"] == "Fail"
    assert "sqs:SendMessage" in template.actions("Machine")
    alarms = [res["Properties"] for res in template.of_type("AWS::CloudWatch::Alarm").values()]
    assert {"ExecutionsFailed", "ApproximateNumberOfMessagesVisible"} <= {alarm["MetricName"] for alarm in alarms}
    assert all(alarm["AlarmActions"] for alarm in alarms)


def test_full_filters_columns(stack: cdk.Stack, bucket: s3.IBucket, model: ModelSource, synth: Synth) -> None:
    options = TransformOptions(
        input_filter="$[1:]", output_filter="$[0,-1]", strategy="SingleRecord", instance_count=3, join=True
    )
    BatchTransform(stack, "B", model=model, bucket=bucket, input_prefix="in", output_prefix="out/v1", options=options)
    job = states(synth(stack))["Transform"]["Parameters"]
    assert (job["DataProcessing"]["InputFilter"], job["DataProcessing"]["OutputFilter"]) == ("$[1:]", "$[0,-1]")
    assert job["TransformResources"]["InstanceCount"] == 3


def test_role_policies_exist_before_machine_and_model(
    stack: cdk.Stack, bucket: s3.IBucket, model: ModelSource, synth: Synth
) -> None:
    BatchTransform(stack, "B", model=model, bucket=bucket)
    template = synth(stack)
    for cfn_type in ("AWS::StepFunctions::StateMachine", "AWS::SageMaker::Model"):
        (logical_id,) = template.of_type(cfn_type)
        assert any(id in template.depends_on(logical_id) for id in template.of_type("AWS::IAM::Policy"))


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"input_prefix": "/in"}, "input_prefix must be path levels"),
        ({"input_prefix": "x", "output_prefix": "x"}, "output_prefix must differ from input_prefix"),
    ],
)
def test_fails_on_bad_prefixes(
    stack: cdk.Stack, bucket: s3.IBucket, model: ModelSource, props: dict[str, str], message: str
) -> None:
    with pytest.raises(PropError, match=message):
        BatchTransform(stack, "B", model=model, bucket=bucket, **props)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"input_filter": "1:"}, "input_filter must be a JSONPath"),
        ({"instance_count": 0}, "instance_count must be at least 1"),
        ({"max_hours": 0}, "max_hours must be"),
        ({"max_hours": 700}, "max_hours must be"),
        ({"content_type": "image/png"}, "join must be false for other content than CSV and JSON"),
    ],
)
def test_fails_on_bad_options(props: dict[str, object], message: str) -> None:
    with pytest.raises(PropError, match=message):
        TransformOptions(**props)  # type: ignore[arg-type]


def test_the_machine_may_tag_the_job_that_it_starts(
    stack: cdk.Stack, bucket: s3.IBucket, model: ModelSource, synth: Synth
) -> None:
    BatchTransform(stack, "B", model=model, bucket=bucket)
    jobs = ["AddTags", "CreateTransformJob", "DescribeTransformJob", "ListTags", "StopTransformJob"]
    allowed = [statement["Action"] for statement in synth(stack).statements("Machine")]
    assert [f"sagemaker:{action}" for action in jobs] in allowed


def test_nag_is_clean(
    stack: cdk.Stack, bucket: s3.IBucket, model: ModelSource, nag: Callable[[cdk.Stack], list[str]]
) -> None:
    BatchTransform(stack, "B", model=model, bucket=bucket)
    assert nag(stack) == []


def test_a_batch_ends_some_day_and_says_who_pays(
    stack: cdk.Stack, bucket: s3.IBucket, model: ModelSource, synth: Synth
) -> None:
    BatchTransform(stack, "B", model=model, bucket=bucket, options=TransformOptions(max_hours=2))
    transform = states(synth(stack))["Transform"]
    assert transform["TimeoutSeconds"] == 7200
    assert transform["Parameters"]["Tags"] == [{"Key": "ml-lens:construct", "Value": "Test/B"}]

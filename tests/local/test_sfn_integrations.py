"""Service integrations of state machines: SageMaker, its runtime, CloudWatch, events, with AWS's names and shapes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Deploy, Until
from tests.local.sagemaker_support import stack

pytestmark = pytest.mark.laptop_cloud
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(laptop_cloud: LaptopCloud, until: Until) -> Run:
    """Return a function that runs one task and returns its result, or its error."""
    states = laptop_cloud.client("stepfunctions")

    def execute(resource: str, **arguments: Any) -> dict[str, Any]:
        task = {
            "Type": "Task",
            "Resource": f"arn:aws:states:::{resource}",
            "Arguments": arguments,
            "Output": "{% {'result': $states.result} %}",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "Failed"}],
            "End": True,
        }
        definition = {
            "QueryLanguage": "JSONata",
            "StartAt": "Do",
            "States": {"Do": task, "Failed": {"Type": "Pass", "End": True}},
        }
        arn = states.create_state_machine(
            name=f"once-{len(states.list_state_machines()['stateMachines'])}",
            definition=json.dumps(definition),
            roleArn="arn:aws:iam::000000000000:role/any",
        )["stateMachineArn"]
        execution = states.start_execution(stateMachineArn=arn)["executionArn"]

        def ended() -> dict[str, Any] | None:
            described: dict[str, Any] = states.describe_execution(executionArn=execution)
            return None if described["status"] == "RUNNING" else described

        described = until(ended)
        assert described["status"] == "SUCCEEDED", described
        output: dict[str, Any] = json.loads(described["output"])
        return output

    return execute


@pytest.fixture
def endpoint(deploy_template: Deploy, model_artifact: Callable[..., str]) -> str:
    urls = {"Blue": model_artifact("sfn-blue", name="1.0"), "Green": model_artifact("sfn-green", name="2.0")}
    resources = stack("steered", urls, {"Blue": 1, "Green": 0})
    return deploy_template("Steered", resources, Name={"Fn::GetAtt": ["Endpoint", "EndpointName"]}).outputs["Name"]


def test_sagemaker_is_read_and_changed_and_refuses_by_its_own_exception(run: Run, endpoint: str) -> None:
    desired = [{"VariantName": "Green", "DesiredWeight": 3}]
    changed = run(
        "aws-sdk:sagemaker:updateEndpointWeightsAndCapacities",
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=desired,
    )
    assert changed["result"]["EndpointArn"].endswith(f"endpoint/{endpoint}")
    shown = run("aws-sdk:sagemaker:describeEndpoint", EndpointName=endpoint)["result"]
    assert {item["VariantName"]: item["DesiredWeight"] for item in shown["ProductionVariants"]} == {
        "Blue": 1,
        "Green": 3,
    }
    refused = run("aws-sdk:sagemaker:describeEndpoint", EndpointName="none")
    assert refused["Error"] == "SageMaker.SageMakerException"  # its model names no ValidationException


def test_the_runtime_answers_with_a_text_and_sends_json(run: Run, endpoint: str) -> None:
    request = {"EndpointName": endpoint, "ContentType": "text/csv", "Accept": "application/jsonlines"}
    answer = run("aws-sdk:sagemakerruntime:invokeEndpoint", **request, TargetVariant="Green", Body=5)["result"]
    assert answer["InvokedProductionVariant"] == "Green"
    scored = json.loads(answer["Body"])
    assert (scored["score"], scored["model_version"]) == (5.0, "2.0")
    quoted = run("aws-sdk:sagemakerruntime:invokeEndpoint", **request, TargetVariant="Green", Body="5,1")
    assert quoted["Error"].startswith("SageMakerRuntime.")  # the text arrived in quotation marks: no CSV
    missing = run("aws-sdk:sagemakerruntime:invokeEndpoint", **request, TargetVariant="Red", Body=5)
    assert missing["Error"] == "SageMakerRuntime.ValidationErrorException"
    failing = run("aws-sdk:sagemakerruntime:invokeEndpoint", **request, TargetVariant="Blue", Body=500)
    assert failing["Error"] == "SageMakerRuntime.ModelErrorException"


def test_cloudwatch_answers_with_numbers_and_lists(run: Run, laptop_cloud: LaptopCloud) -> None:
    cloudwatch = laptop_cloud.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="one", Namespace="N", MetricName="M", Threshold=1, EvaluationPeriods=1, Period=60,
        ComparisonOperator="GreaterThanThreshold", Statistic="Sum",
    )  # fmt: skip
    (alarm,) = run("aws-sdk:cloudwatch:describeAlarms", AlarmNames=["one"])["result"]["MetricAlarms"]
    assert alarm["AlarmName"] == "one"
    for value in (2, 5):
        cloudwatch.put_metric_data(Namespace="Sfn", MetricData=[{"MetricName": "M", "Value": value}])
    query = {"Id": "m", "MetricStat": {"Metric": {"Namespace": "Sfn", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}}
    (series,) = run(
        "aws-sdk:cloudwatch:getMetricData",
        MetricDataQueries=[query],
        StartTime="{% $fromMillis($millis() - 600000) %}",
        EndTime="{% $fromMillis($millis() + 60000) %}",
    )["result"]["MetricDataResults"]
    assert sum(series["Values"]) == 7


def test_objects_are_written_listed_copied_and_read(run: Run, laptop_cloud: LaptopCloud) -> None:
    laptop_cloud.client("s3").create_bucket(Bucket="sfn-objects")
    bucket = {"Bucket": "sfn-objects"}
    for key in ("in/a.json", "in/b.json"):
        assert "error" not in run("aws-sdk:s3:putObject", **bucket, Key=key, Body=[{"prefix": "s3://x/"}, "a"])
    page = run("aws-sdk:s3:listObjectsV2", **bucket, Prefix="in/", MaxKeys=1)["result"]
    assert (page["KeyCount"], page["IsTruncated"], page["Contents"][0]["Key"]) == (1, True, "in/a.json")
    token = page["NextContinuationToken"]
    rest = run("aws-sdk:s3:listObjectsV2", **bucket, Prefix="in/", ContinuationToken=token)["result"]
    assert [item["Key"] for item in rest["Contents"]] == ["in/b.json"]
    run("aws-sdk:s3:copyObject", **bucket, Key="current.json", CopySource="sfn-objects/in/a.json")
    assert json.loads(run("aws-sdk:s3:getObject", **bucket, Key="current.json")["result"]["Body"])[1] == "a"
    assert run("aws-sdk:s3:getObject", **bucket, Key="none")["Error"] == "S3.NoSuchKeyException"
    assert run("aws-sdk:s3:noSuchThing", **bucket)["Error"] == "States.Runtime"


def test_metrics_are_published(run: Run, laptop_cloud: LaptopCloud) -> None:
    dimensions = [{"Name": "Monitor", "Value": "m"}]
    data = [
        {"MetricName": name, "Value": value, "Dimensions": dimensions} for name, value in (("PSI", 0.25), ("Rows", 7))
    ]
    assert "result" in run("aws-sdk:cloudwatch:putMetricData", Namespace="SfnDrift", MetricData=data)
    (point,) = laptop_cloud.client("cloudwatch").get_metric_statistics(
        Namespace="SfnDrift", MetricName="PSI", Dimensions=dimensions, StartTime=time.time() - 600,
        EndTime=time.time() + 60, Period=3600, Statistics=["Maximum"],
    )["Datapoints"]  # fmt: skip
    assert point["Maximum"] == 0.25


def test_an_event_takes_an_object_as_detail(run: Run, laptop_cloud: LaptopCloud, collected: Callable[..., Any]) -> None:
    sqs, events = laptop_cloud.client("sqs"), laptop_cloud.client("events")
    queue = sqs.create_queue(QueueName="sfn-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="sfn-events", EventPattern=json.dumps({"source": ["sfn.test"], "detail": {"ok": [True]}}))
    events.put_targets(Rule="sfn-events", Targets=[{"Id": "q", "Arn": arn}])
    entry = {"Source": "sfn.test", "DetailType": "t", "Detail": {"ok": True, "n": 1}}
    assert run("events:putEvents", Entries=[entry])["result"]["FailedEntryCount"] == 0
    (body,) = collected(queue, 1)
    assert json.loads(body)["detail"] == {"ok": True, "n": 1}
    failed = run("events:putEvents", Entries=[{**entry, "Source": "aws.test"}])
    assert failed["Error"] == "EventBridge.FailedEntry"


def test_a_dead_execution_has_its_own_error(run: Run) -> None:
    arn = "arn:aws:states:us-east-1:000000000000:execution:none:none"
    assert run("aws-sdk:sfn:describeExecution", ExecutionArn=arn)["Error"] == "Sfn.ExecutionDoesNotExistException"


def test_an_execution_gives_the_output_of_its_succeed_state(laptop_cloud: LaptopCloud, until: Until) -> None:
    states = laptop_cloud.client("stepfunctions")
    end = {"Type": "Succeed", "Output": {"twice": "{% $states.input.n * 2 %}"}}
    definition = {"QueryLanguage": "JSONata", "StartAt": "End", "States": {"End": end}}
    arn = states.create_state_machine(
        name="succeeds", definition=json.dumps(definition), roleArn="arn:aws:iam::000000000000:role/any"
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=arn, input=json.dumps({"n": 2}))["executionArn"]
    described = until(
        lambda: (found := states.describe_execution(executionArn=execution))["status"] != "RUNNING" and found
    )
    assert json.loads(described["output"]) == {"twice": 4}


def test_the_executions_of_a_machine_go_with_its_stack(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, until: Until
) -> None:
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    properties = {"RoleArn": "arn:aws:iam::000000000000:role/any", "DefinitionString": definition}
    machine = {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}
    states = laptop_cloud.client("stepfunctions")
    for _ in range(2):  # a stack of the same name gets a machine of the same name
        arn = deploy_template("Executed", machine, Arn={"Ref": "Machine"}).outputs["Arn"]
        assert states.list_executions(stateMachineArn=arn)["executions"] == []
        states.start_execution(stateMachineArn=arn)
        until(lambda arn=arn: states.list_executions(stateMachineArn=arn, statusFilter="SUCCEEDED")["executions"])
        laptop_cloud.destroy("Executed")

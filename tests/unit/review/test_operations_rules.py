"""Rules of operations: budgets, tags, alarms, dead letters, approvals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.review.evaluation import evaluate
from cdk_ml_lens.review.rules import every_rule
from tests.unit.review.reports import findings

QUEUE_ARN = {"Fn::GetAtt": ["Failed", "Arn"]}


def endpoint(variant: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    one = {"InstanceType": "ml.m7g.large"} if variant is None else variant
    return {
        "Config": ("AWS::SageMaker::EndpointConfig", {"ProductionVariants": [one]}),
        "Endpoint": ("AWS::SageMaker::Endpoint", {"EndpointConfigName": {"Ref": "Config"}, **properties}),
    }


def test_an_endpoint_billed_by_the_hour_wants_a_budget_somewhere_in_the_app() -> None:
    budget: dict[str, Any] = {"Budget": ("AWS::Budgets::Budget", {})}
    assert findings("OPS1", endpoint()) == ["Endpoint"]
    assert findings("OPS1", {**endpoint(), **budget}) == []
    assert findings("OPS1", endpoint(), budget) == []


def test_an_endpoint_that_is_serverless_or_unknown_wants_none() -> None:
    assert findings("OPS1", endpoint({"ServerlessConfig": {"MaxConcurrency": 5}})) == []
    imported = {"Endpoint": ("AWS::SageMaker::Endpoint", {"EndpointConfigName": "made-by-hand"})}
    assert findings("OPS1", imported) == []


def machine(operation: str, arguments: Any, service: str = "sagemaker") -> dict[str, Any]:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{service}:{operation}.sync", "Parameters": arguments}
    definition = json.dumps({"States": {"Do": state}})
    return {"Machine": ("AWS::StepFunctions::StateMachine", {"DefinitionString": definition})}


@pytest.mark.parametrize("operation", ["createTrainingJob", "createProcessingJob", "createEndpoint"])
def test_a_job_of_a_state_machine_without_tags_is_found(operation: str) -> None:
    assert findings("OPS2", machine(operation, {"RoleArn": "r"})) == ["Machine[State::Do]"]
    assert findings("OPS2", machine(operation, {"RoleArn": "r", "Tags": []})) == []
    assert findings("OPS2", machine(operation, {"RoleArn": "r", "Tags.$": "$.tags"})) == []


def test_calls_that_cost_nothing_or_are_unknown_pass() -> None:
    assert findings("OPS2", machine("describeEndpoint", {"EndpointName": "e"})) == []
    assert findings("OPS2", machine("createTrainingJob", {})) == []
    assert findings("OPS2", machine("createCluster", {"Name": "n"}, service="elasticmapreduce")) == []


def test_an_endpoint_without_tags_is_found() -> None:
    assert findings("OPS2", endpoint()) == ["Endpoint"]
    assert findings("OPS2", endpoint(Tags=[{"Key": "product", "Value": "turbines"}])) == []


@pytest.mark.parametrize(("tags", "expected"), [({"product": "turbines"}, []), ({}, ["Endpoint"])])
def test_tags_of_the_stack_count(tmp_path: Path, tags: dict[str, str], expected: list[str]) -> None:
    resources = {id: {"Type": kind, "Properties": body} for id, (kind, body) in endpoint().items()}
    (tmp_path / "One.template.json").write_text(json.dumps({"Resources": resources}))
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "One.template.json", "tags": tags}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"One": stack, "Tree": {"type": "cdk:tree"}}}))
    rules = [rule for rule in every_rule() if rule.id == "OPS2"]
    hits = evaluate([tmp_path / "One.template.json"], rules)
    assert [hit.finding.logical_id for hit in hits] == expected


def alarm(**properties: Any) -> dict[str, Any]:
    return {"Alarm": ("AWS::CloudWatch::Alarm", properties)}


def test_an_alarm_that_reaches_nobody_is_found() -> None:
    dashboard = {"Board": ("AWS::CloudWatch::Dashboard", {"DashboardBody": {"Ref": "Alarm"}})}
    assert findings("OPS3", alarm()) == ["Alarm"]
    assert findings("OPS3", {**alarm(), **dashboard}) == ["Alarm"]
    assert findings("OPS3", alarm(AlarmActions=["arn"], ActionsEnabled=False)) == ["Alarm"]


def test_an_alarm_that_acts_or_is_used_passes() -> None:
    rollback = {"DeploymentConfig": {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": {"Ref": "Alarm"}}]}}}
    composite = {"AlarmRule": {"Fn::Sub": "ALARM(${Alarm})"}, "AlarmActions": ["arn"]}
    events = {"Rule": ("AWS::Events::Rule", {"EventPattern": {"source": ["aws.cloudwatch"]}})}
    assert findings("OPS3", alarm(AlarmActions=[{"Ref": "Topic"}])) == []
    assert findings("OPS3", {**alarm(), "Endpoint": ("AWS::SageMaker::Endpoint", rollback)}) == []
    assert findings("OPS3", {**alarm(), "Any": ("AWS::CloudWatch::CompositeAlarm", composite)}) == []
    assert findings("OPS3", alarm(), events) == []


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::SQS::Queue", {"RedrivePolicy": {"deadLetterTargetArn": QUEUE_ARN}}),
        ("AWS::Lambda::Function", {"DeadLetterConfig": {"TargetArn": QUEUE_ARN}}),
        ("AWS::Lambda::EventInvokeConfig", {"DestinationConfig": {"OnFailure": {"Destination": QUEUE_ARN}}}),
        ("AWS::Events::Rule", {"Targets": [{"DeadLetterConfig": {"Arn": QUEUE_ARN}}]}),
        ("AWS::IoT::TopicRule", {"TopicRulePayload": {"ErrorAction": {"Sqs": {"QueueUrl": {"Ref": "Failed"}}}}}),
    ],
)
def test_a_queue_of_failed_work_wants_an_alarm(kind: str, properties: dict[str, Any]) -> None:
    parts = {"Failed": ("AWS::SQS::Queue", {}), "Source": (kind, properties)}
    watch = alarm(Dimensions=[{"Name": "QueueName", "Value": {"Fn::GetAtt": ["Failed", "QueueName"]}}])
    assert findings("OPS4", parts) == ["Failed"]
    assert findings("OPS4", {**parts, **watch}) == []


def test_other_queues_and_failure_topics_pass() -> None:
    assert findings("OPS4", {"Work": ("AWS::SQS::Queue", {})}) == []
    topic = {"Source": ("AWS::Lambda::Function", {"DeadLetterConfig": {"TargetArn": {"Ref": "Topic"}}})}
    assert findings("OPS4", {"Topic": ("AWS::SNS::Topic", {}), **topic}) == []


def pipeline(*stages: tuple[str, str]) -> dict[str, Any]:
    written = [{"Name": name, "Actions": [{"ActionTypeId": {"Category": kind}}]} for name, kind in stages]
    return {"Release": ("AWS::CodePipeline::Pipeline", {"Stages": written})}


def test_production_without_approval_is_found() -> None:
    assert findings("OPS5", pipeline(("Source", "Source"), ("PROD", "Deploy"))) == ["Release[Stage::PROD]"]


def test_an_approval_before_production_or_no_production_passes() -> None:
    assert findings("OPS5", pipeline(("Look", "Approval"), ("Production", "Deploy"))) == []
    assert findings("OPS5", pipeline(("Source", "Source"), ("Test", "Deploy"))) == []
    perhaps = {"Fn::If": ["Prod", {"Name": "Production", "Actions": []}, {"Ref": "AWS::NoValue"}]}
    assert findings("OPS5", {"Release": ("AWS::CodePipeline::Pipeline", {"Stages": [perhaps]})}) == []
    chosen = {"Release": ("AWS::CodePipeline::Pipeline", {"Stages": {"Fn::If": ["Prod", [], []]}})}
    assert findings("OPS5", chosen) == []


def test_instances_of_a_previous_generation_are_found_in_resources_and_jobs() -> None:
    assert findings("OPS6", endpoint({"InstanceType": "ml.m4.xlarge"})) == ["Config[Type::ml.m4.xlarge]"]
    notebook = {"Notebook": ("AWS::SageMaker::NotebookInstance", {"InstanceType": "ml.t2.medium"})}
    assert findings("OPS6", notebook) == ["Notebook[Type::ml.t2.medium]"]
    cluster = {"ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.p3.2xlarge"}}}
    assert findings("OPS6", machine("createProcessingJob", cluster)) == ["Machine[Type::ml.p3.2xlarge]"]


@pytest.mark.parametrize("instance", ["ml.m5.large", "ml.g5.xlarge", "ml.t3.medium", {"Ref": "TypeOfAParameter"}])
def test_current_and_unknown_instances_pass(instance: object) -> None:
    assert findings("OPS6", endpoint({"InstanceType": instance})) == []


def test_a_type_that_several_variants_have_is_found_once() -> None:
    variants = [{"InstanceType": "ml.c4.large"}, {"InstanceType": "ml.c4.large"}]
    config = {"Config": ("AWS::SageMaker::EndpointConfig", {"ProductionVariants": variants})}
    assert findings("OPS6", config) == ["Config[Type::ml.c4.large]"]


def test_training_without_a_registry_is_found() -> None:
    assert findings("OPS7", machine("createTrainingJob", {"RoleArn": "r"})) == ["Machine"]
    assert findings("OPS7", machine("createProcessingJob", {"RoleArn": "r"})) == []


@pytest.mark.parametrize(
    "registry",
    [
        {"Group": ("AWS::SageMaker::ModelPackageGroup", {})},
        {"Runs": ("AWS::SageMaker::MlflowApp", {})},
        machine("createModelPackage", {"ModelPackageGroupName": "g"}),
        {
            "Register": (
                "AWS::IAM::Policy",
                {"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sagemaker:CreateModelPackage"}]}},
            )
        },
    ],
)
def test_a_registry_in_any_stack_is_enough(registry: dict[str, Any]) -> None:
    training = machine("createTrainingJob", {"RoleArn": "r"})
    assert findings("OPS7", training, registry) == []


def hosting(*roles: str) -> dict[str, Any]:
    parts: dict[str, Any] = {role: ("AWS::IAM::Role", {}) for role in roles}
    for number, role in enumerate(roles):
        parts[f"Model{number}"] = ("AWS::SageMaker::Model", {"ExecutionRoleArn": {"Fn::GetAtt": [role, "Arn"]}})
        variant = {"ModelName": {"Fn::GetAtt": [f"Model{number}", "ModelName"]}}
        parts[f"Config{number}"] = ("AWS::SageMaker::EndpointConfig", {"ProductionVariants": [variant]})
    return parts


def test_a_role_that_two_endpoints_share_is_found() -> None:
    assert findings("OPS8", hosting("Shared", "Shared")) == ["Shared"]
    assert findings("OPS8", hosting("One", "Two")) == []


def test_variants_of_one_endpoint_may_share_a_role() -> None:
    parts = hosting("Shared", "Shared")
    both = [{"ModelName": {"Ref": "Model0"}}, {"ModelName": {"Ref": "Model1"}}]
    parts["Config0"] = ("AWS::SageMaker::EndpointConfig", {"ProductionVariants": both})
    del parts["Config1"]
    assert findings("OPS8", parts) == []

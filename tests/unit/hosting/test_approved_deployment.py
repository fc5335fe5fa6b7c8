"""ApprovedDeployment and RebuildEndpoint: what the template holds, least privilege, refusals, events and alarms."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens import (
    AlarmRule,
    AnswerCheck,
    ApprovalPolicy,
    ApprovedDeployment,
    DataCapture,
    EndpointShape,
    InferenceImage,
    IsolatedNetwork,
    ModelRegistry,
    PropError,
    RebuildEndpoint,
    RollbackAlarms,
    Rollout,
    SyntheticRequest,
)
from cdk_ml_lens.hosting.deploy_machine import definition
from tests.unit.hosting import shift_graph as graph
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
REQUEST = SyntheticRequest(body={"features": [1, 2]}, expect=AnswerCheck(path="score", minimum=0))


def make(stack: cdk.Stack, **props: Any) -> ApprovedDeployment:
    registry = props.pop("registry", None) or ModelRegistry(stack, "Models", group_name="turbines")
    return ApprovedDeployment(stack, "Deploy", registry=registry, **{"verification": REQUEST, **props})


def settings(template: Template) -> dict[str, Any]:
    """Return the variables of the function that plans."""
    functions = template.of_type("AWS::Lambda::Function").values()
    (found,) = [item for item in functions if "prepare" in item["Properties"]["Handler"]]
    return dict(found["Properties"]["Environment"]["Variables"])


def flat(value: Any) -> str:
    """Return a value's text with words for its tokens."""
    if isinstance(value, dict) and "Fn::Join" in value:
        return "".join(part if isinstance(part, str) else "token" for part in value["Fn::Join"][1])
    return str(value)


def machine(template: Template, part: str = "Deploy") -> dict[str, Any]:
    machines = template.of_type("AWS::StepFunctions::StateMachine").items()
    (found,) = [item["Properties"] for id, item in machines if id.startswith(part)]
    return dict(found)


def test_minimal_watches_guards_and_waits_for_approvals(stack: cdk.Stack, synth: Synth) -> None:
    deployment = make(stack)
    template = synth(stack)
    rule = template.only("AWS::Events::Rule")
    assert rule["EventPattern"] == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": ["turbines"], "ModelApprovalStatus": ["Approved"]},
    }
    assert rule["Targets"][0]["InputTransformer"]["InputTemplate"] == '{"model_package_arn": <arn>}'
    assert len(deployment.rollback_alarms) == 2
    assert deployment.endpoint_name == deployment.endpoint_name.lower()  # as in the ARN
    config = json.loads(flat(machine(template)["DefinitionString"]))["States"]["Update"]["Arguments"]
    guards = config["DeploymentConfig"]
    assert len(guards["AutoRollbackConfiguration"]["Alarms"]) == 2
    routing = guards["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing == {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 900,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
    }
    assert not template.of_type("AWS::SageMaker::Endpoint")  # it lives at run time
    metrics = {item["Properties"]["MetricName"] for item in template.of_type("AWS::CloudWatch::Alarm").values()}
    assert metrics == {
        "ExecutionsAborted",
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "Invocation5XXErrors",
        "ModelLatency",
    }


def test_a_rebuild_makes_models_of_no_version(stack: cdk.Stack, synth: Synth) -> None:
    RebuildEndpoint(stack, "Rebuild", deployment=make(stack))
    template = synth(stack)
    named = {part: json.dumps(template.statements(part)) for part in ("DeployMachineRole", "RebuildMachineRole")}
    assert [":model-package/" in text for text in named.values()] == [True, False]


def test_minimal_and_rebuild_pass_nag(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    RebuildEndpoint(stack, "Rebuild", deployment=make(stack))
    assert nag(stack) == []


def test_full_hands_everything_to_the_planning_function(
    stack: cdk.Stack, synth: Synth, nag: Callable[[cdk.Stack], list[str]]
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Kept", "kept-traffic")
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:eu-west-1:111122223333:t")
    own = cloudwatch.Metric(namespace="N", metric_name="M").create_alarm(
        stack, "Own", threshold=1, evaluation_periods=1
    )
    deployment = make(
        stack,
        registry=ModelRegistry(stack, "Models", approval=ApprovalPolicy.automatic()),
        endpoint_name="scores",
        shape=EndpointShape(
            variant_name="only",
            instance_type="ml.c7i.xlarge",
            instance_count=2,
            images=[InferenceImage.pytorch()],
            capture=DataCapture(percent=20, bucket=bucket, prefix="seen"),
        ),
        rollout=Rollout.linear(alarms=RollbackAlarms(own=(own,))),
        encryption_key=kms.Key(stack, "Mine", enable_key_rotation=True),
        alarm_topic=topic,
    )
    assert nag(stack) == []
    template = synth(stack)
    given = settings(template)
    plain = {name: given[name] for name in ("VARIANT_NAME", "INSTANCE_TYPE", "INSTANCE_COUNT", "EXPIRE_DAYS")}
    assert plain == {
        "VARIANT_NAME": "only",
        "INSTANCE_TYPE": "ml.c7i.xlarge",
        "INSTANCE_COUNT": "2",
        "EXPIRE_DAYS": "",
    }
    capture = json.loads(flat(given["DATA_CAPTURE"]))
    assert (capture["InitialSamplingPercentage"], capture["DestinationS3Uri"]) == (20, "s3://kept-traffic/seen")
    assert deployment.capture_bucket is bucket
    assert deployment.endpoint_name == "scores"
    pulls = [item for item in template.statements("DeployExecution") if "ecr:BatchGetImage" in str(item["Action"])]
    assert "pytorch-inference" in json.dumps(pulls)
    log_groups = template.of_type("AWS::Logs::LogGroup").values()
    assert "/aws/sagemaker/Endpoints/scores" in [item["Properties"].get("LogGroupName") for item in log_groups]
    alarms = template.of_type("AWS::CloudWatch::Alarm").items()
    assert all(item["Properties"]["AlarmActions"] for id, item in alarms if id.startswith("Deploy"))


def test_a_network_is_handed_on_with_its_subnets(stack: cdk.Stack, synth: Synth) -> None:
    make(stack, shape=EndpointShape(network=IsolatedNetwork(stack, "Network")))
    template = synth(stack)
    network = json.loads(flat(settings(template)["VPC_CONFIG"]))
    assert set(network) == {"Subnets", "SecurityGroupIds"}
    assert "ec2:CreateNetworkInterface" in template.actions("DeployExecution")


def test_nothing_is_captured_on_demand(stack: cdk.Stack, synth: Synth) -> None:
    deployment = make(stack, shape=EndpointShape(capture=None))
    assert (deployment.capture_bucket, deployment.capture_prefix) == (None, None)
    assert settings(synth(stack))["DATA_CAPTURE"] == ""


@pytest.mark.parametrize("mode", ["approved", "rebuild"])
def test_the_machine_may_do_what_its_states_call_and_no_more(stack: cdk.Stack, synth: Synth, mode: str) -> None:
    RebuildEndpoint(stack, "Rebuild", deployment=make(stack))
    template = synth(stack)
    common: dict[str, Any] = {"guards": {}, "timeout_minutes": 1, "request": REQUEST}
    called = graph.service_actions(definition(mode, prepare_arn="p", record_arn=None, **common))  # type: ignore[arg-type]
    part = "Deploy" if mode == "approved" else "Rebuild"
    allowed = template.actions(f"{part}MachineRole") | template.actions(f"{part}LookAtOthers")
    allowed = {action for action in allowed if not action.startswith(("logs:", "xray:"))}
    renamed = {"lambda:Invoke": "lambda:InvokeFunction"}
    # Without a call of their own: a role is passed, a key used, and alarms are looked at on the caller's behalf.
    behind = {"iam:PassRole", "kms:CreateGrant", "kms:DescribeKey", "cloudwatch:DescribeAlarms"}
    assert allowed == {renamed.get(action, action) for action in called} | behind


def test_the_machine_reaches_this_endpoint_and_its_own_names_only(stack: cdk.Stack, synth: Synth) -> None:
    make(stack, endpoint_name="scores")
    statements = synth(stack).statements("DeployMachineRole")
    places = [
        json.dumps(item["Resource"])
        for item in statements
        if any(str(action).startswith("sagemaker:") for action in [item["Action"]])
        or "sagemaker:" in json.dumps(item["Action"])
    ]
    assert places
    for place in places:
        assert any(part in place for part in (":endpoint/scores", "endpoint-config/test-deploy-", "model/test-deploy-"))
    (passing,) = [item for item in statements if item["Action"] == "iam:PassRole"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert "DeployExecutionRole" in json.dumps(passing["Resource"])


def test_the_planning_function_reads_and_the_recording_one_writes_manifests_only(
    stack: cdk.Stack, synth: Synth
) -> None:
    make(stack)
    template = synth(stack)
    planning = {action for action in template.actions("DeployPrepareRole") if action.startswith(("s3:", "sagemaker:"))}
    assert planning == {
        "s3:GetObject",
        "s3:ListBucket",
        "sagemaker:DescribeModelPackage",
        "sagemaker:ListModelPackages",
    }
    writing = [item for item in template.statements("DeployRecordRole") if "s3:PutObject" in str(item["Action"])]
    assert [json.dumps(item["Resource"]).count("/manifests/*") for item in writing] == [1]


def test_the_machine_waits_for_its_alarms_role_and_log(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    template = synth(stack)
    (id,) = template.of_type("AWS::StepFunctions::StateMachine")
    awaited = template.depends_on(id)
    for part in ("DeployRollback", "DeployExecutionRole", "DeployLogs", "DeployMachineRoleDefaultPolicy"):
        assert any(name.startswith(part) for name in awaited), part


def test_outcomes_are_events_of_this_endpoint(stack: cdk.Stack, synth: Synth) -> None:
    deployment = make(stack, endpoint_name="scores")
    queue = sqs.Queue(stack, "Q")
    deployment.on_succeeded("Good", targets.SqsQueue(queue))
    deployment.on_failed("Bad", targets.SqsQueue(queue))
    rules = [item["Properties"]["EventPattern"] for item in synth(stack).of_type("AWS::Events::Rule").values()]
    told = {item["detail-type"][0]: item["detail"] for item in rules if item["source"] == ["cdk-ml-lens.deployment"]}
    assert told == {
        "Deployment Succeeded": {"endpoint": ["scores"]},
        "Deployment Failed": {"endpoint": ["scores"]},
    }


def test_grants_and_alarms_need_the_name_only(stack: cdk.Stack, synth: Synth) -> None:
    deployment = make(stack, endpoint_name="scores")
    rebuild = RebuildEndpoint(stack, "Rebuild", deployment=deployment)
    caller = iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    deployment.grant_invoke(caller)
    deployment.grant_start(caller)
    rebuild.grant_start(caller)
    deployment.alarm("Busy", AlarmRule(metric="Invocations", threshold=1000))
    template = synth(stack)
    assert template.actions("CallerDefaultPolicy") == {"sagemaker:InvokeEndpoint", "states:StartExecution"}
    busy = [item for id, item in template.of_type("AWS::CloudWatch::Alarm").items() if "Busy" in id]
    dimensions = {part["Name"]: part["Value"] for part in busy[0]["Properties"]["Dimensions"]}
    assert dimensions == {"EndpointName": "scores", "VariantName": "primary"}


def test_a_rebuild_uses_the_same_role_functions_and_guards(stack: cdk.Stack, synth: Synth) -> None:
    RebuildEndpoint(stack, "Rebuild", deployment=make(stack))
    template = synth(stack)
    both = [json.loads(flat(machine(template, part)["DefinitionString"]))["States"] for part in ("Deploy", "Rebuild")]
    assert both[0]["Update"] == both[1]["Update"]
    assert [part["Prepare"]["Arguments"]["Payload"]["mode"] for part in both] == ["approved", "rebuild"]
    assert len(template.of_type("AWS::Lambda::Function")) == 2


def test_a_registry_of_another_account_is_read_and_never_written(
    stack: cdk.Stack, synth: Synth, nag: Callable[[cdk.Stack], list[str]]
) -> None:
    shared = ModelRegistry.from_names(
        stack,
        group_name="turbines",
        bucket=s3.Bucket.from_bucket_name(stack, "B", "their-artifacts"),
        encryption_key=kms.Key.from_key_arn(stack, "K", "arn:aws:kms:eu-west-1:444455556666:key/k"),
        account="444455556666",
    )
    make(stack, registry=shared)
    assert nag(stack) == []
    template = synth(stack)
    assert "Record" not in json.loads(flat(machine(template)["DefinitionString"]))["States"]
    assert "s3:PutObject" not in template.actions("DeployPrepareRole")
    planning = json.dumps(template.statements("DeployPrepareRole"))
    assert ":444455556666:model-package/turbines/*" in planning
    assert "their-artifacts" in planning
    assert settings(template)["GROUP"]["Fn::Join"][1][-1].endswith(":444455556666:model-package-group/turbines")


@pytest.mark.parametrize("name", ["", "-a", "a_b", "a" * 64])
def test_endpoint_name_that_sagemaker_refuses_fails(stack: cdk.Stack, name: str) -> None:
    with pytest.raises(PropError, match="endpoint_name must be 1 to 63"):
        make(stack, endpoint_name=name)


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"variant_name": "a_b"}, "variant_name must be 1 to 63"),
        ({"instance_count": 0}, "instance_count must be at least 1"),
        ({"images": ()}, "images must name at least one image"),
        ({"instance_type": "m5.large"}, "instance_type must be a SageMaker AI instance type"),
        ({"instance_type": "ml.p2.xlarge"}, "P2 instances are retired"),
    ],
)
def test_shape_that_sagemaker_refuses_fails(props: dict[str, Any], message: str) -> None:
    with pytest.raises(PropError, match=message):
        EndpointShape(**props)


def test_more_rollback_alarms_than_sagemaker_takes_fail(stack: cdk.Stack) -> None:
    alarms = tuple(
        cloudwatch.Alarm.from_alarm_arn(stack, f"A{number}", f"arn:aws:cloudwatch:eu-west-1:1:alarm:{number}")
        for number in range(9)
    )
    with pytest.raises(PropError, match="alarms must number at most 10"):
        make(stack, rollout=Rollout.canary(alarms=RollbackAlarms(own=alarms)))

"""SecureWorkbench: no internet, no root, keys, the only way in, least privilege, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import IsolatedNetwork, PrivateService, PropError, SecureWorkbench, Workbench
from cdk_ml_lens.network.reference import NetworkReference
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
KINDS = ("notebook", "studio")


def network(stack: cdk.Stack, kind: str) -> IsolatedNetwork:
    return IsolatedNetwork(stack, "Network", services=PrivateService.for_workbench(kind))


def workbench(stack: cdk.Stack, kind: str, **props: Any) -> SecureWorkbench:
    value = Workbench.notebook() if kind == "notebook" else Workbench.studio()
    return SecureWorkbench(stack, "Bench", **{"workbench": value, "network": network(stack, kind), **props})


def visitor(stack: cdk.Stack) -> iam.Role:
    return iam.Role(stack, "Visitor", assumed_by=iam.AccountRootPrincipal())


def bucket(stack: cdk.Stack) -> s3.IBucket:
    key = kms.Key.from_key_arn(stack, "DataKey", "arn:aws:kms:eu-west-1:111122223333:key/data")
    return s3.Bucket.from_bucket_attributes(stack, "Data", bucket_name="turbines", encryption_key=key)


def test_minimal_notebook_has_no_internet_no_root_and_asks_for_imds_tokens(stack: cdk.Stack, synth: Synth) -> None:
    workbench(stack, "notebook")
    notebook = synth(stack).only("AWS::SageMaker::NotebookInstance")
    assert (notebook["DirectInternetAccess"], notebook["RootAccess"]) == ("Disabled", "Disabled")
    assert notebook["InstanceMetadataServiceConfiguration"] == {"MinimumInstanceMetadataServiceVersion": "2"}
    assert {"Ref", "Fn::GetAtt"} & set(notebook["KmsKeyId"])
    assert "NetworkSubnet1" in json.dumps(notebook["SubnetId"])
    assert "NetworkClients" in json.dumps(notebook["SecurityGroupIds"])
    assert notebook["PlatformIdentifier"] == "notebook-al2023-v1"


def test_minimal_studio_is_vpc_only_and_shuts_idle_apps_down(stack: cdk.Stack, synth: Synth) -> None:
    workbench(stack, "studio")
    domain = synth(stack).only("AWS::SageMaker::Domain")
    assert (domain["AppNetworkAccessType"], domain["AuthMode"]) == ("VpcOnly", "IAM")
    assert {"Ref", "Fn::GetAtt"} & set(domain["KmsKeyId"])
    users = domain["DefaultUserSettings"]
    for app in ("JupyterLabAppSettings", "CodeEditorAppSettings"):
        idle = users[app]["AppLifecycleManagement"]["IdleSettings"]
        assert (idle["LifecycleManagement"], idle["IdleTimeoutInMinutes"]) == ("ENABLED", 60)
        assert idle["MaxIdleTimeoutInMinutes"] == 60  # nobody may wait longer
    assert users["SharingSettings"] == {"NotebookOutputOption": "Disabled"}
    assert domain["DomainSettings"]["ExecutionRoleIdentityConfig"] == "USER_PROFILE_NAME"


def test_apps_of_studio_reach_each_other_and_nothing_else(stack: cdk.Stack, synth: Synth) -> None:
    workbench(stack, "studio")
    template = synth(stack)
    for noun, other in (("Ingress", "SourceSecurityGroupId"), ("Egress", "DestinationSecurityGroupId")):
        rules = [one["Properties"] for one in template.of_type(f"AWS::EC2::SecurityGroup{noun}").values()]
        assert {(rule["FromPort"], rule["ToPort"]) for rule in rules} == {(2049, 2049), (8192, 65535)}
        assert all(rule[other] == rule["GroupId"] for rule in rules)
    (apps,) = [one for id, one in template.of_type("AWS::EC2::SecurityGroup").items() if "Apps" in id]
    (nothing,) = apps["Properties"]["SecurityGroupEgress"]
    assert nothing["CidrIp"] == "255.255.255.255/32"


@pytest.mark.parametrize("kind", KINDS)
def test_the_work_is_retained_unless_prop_and_context_say_otherwise(kind: str, stack: cdk.Stack, synth: Synth) -> None:
    workbench(stack, kind)
    noun = "NotebookInstance" if kind == "notebook" else "Domain"
    (resource,) = synth(stack).of_type(f"AWS::SageMaker::{noun}").values()
    assert resource["DeletionPolicy"] == "Retain"


@pytest.mark.parametrize("kind", KINDS)
def test_a_presigned_url_is_made_and_used_through_the_endpoints_only(kind: str, stack: cdk.Stack, synth: Synth) -> None:
    bench, role = workbench(stack, kind), visitor(stack)
    if kind == "studio":
        bench.add_user("ana")
    bench.grant_open(role, user="ana" if kind == "studio" else None)
    template = synth(stack)
    call = "NotebookInstanceUrl" if kind == "notebook" else "DomainUrl"
    found = [one for one in template.statements("Visitor") if f"sagemaker:CreatePresigned{call}" in str(one["Action"])]
    effects = {one["Effect"]: one for one in found}
    ids = list(effects["Allow"]["Condition"]["StringEquals"]["aws:SourceVpce"])
    assert ids[0]["Ref"].startswith("NetworkSagemakerApi")
    assert kind.capitalize() in ids[1]["Ref"]
    assert effects["Deny"]["Condition"] == {"StringNotEquals": {"aws:SourceVpce": ids}}
    assert effects["Deny"]["Resource"] == effects["Allow"]["Resource"] != "*"


def test_data_is_named_and_its_key_comes_with_it(stack: cdk.Stack, synth: Synth) -> None:
    bench = workbench(stack, "notebook")
    bench.add_data(bucket(stack), prefix="features")
    before = synth(stack).actions("BenchInstanceExecution")
    assert {"s3:GetObject", "s3:ListBucket", "kms:Decrypt"} <= before
    assert not {"s3:PutObject", "kms:GenerateDataKey"} & before


def test_writing_is_asked_for(stack: cdk.Stack, synth: Synth) -> None:
    bench = workbench(stack, "notebook")
    bench.add_data(bucket(stack), prefix="results", writes=True)
    statements = synth(stack).statements("BenchInstanceExecution")
    (written,) = [one for one in statements if "s3:PutObject" in one["Action"]]
    assert json.dumps(written["Resource"]).endswith(':s3:::turbines/results/*"]]}')


def test_a_notebook_may_stop_itself_and_has_its_role_before_it_starts(stack: cdk.Stack, synth: Synth) -> None:
    workbench(stack, "notebook")
    template = synth(stack)
    (id,) = template.of_type("AWS::SageMaker::NotebookInstance")
    (stop,) = template.statements("StopItself")
    assert (stop["Action"], stop["Resource"]) == ("sagemaker:StopNotebookInstance", {"Ref": id})
    assert any("DefaultPolicy" in needed for needed in template.depends_on(id))


def test_each_user_of_studio_has_a_role_of_their_own(stack: cdk.Stack, synth: Synth) -> None:
    bench = workbench(stack, "studio")
    bench.add_user("ana").reach(bucket(stack), prefix="features", writes=False)
    bench.add_user("ben")
    template = synth(stack)
    profiles = [one["Properties"] for one in template.of_type("AWS::SageMaker::UserProfile").values()]
    roles = {profile["UserProfileName"]: json.dumps(profile["UserSettings"]) for profile in profiles}
    assert roles["ana"] != roles["ben"]
    assert "s3:GetObject" in template.actions("Userana")
    assert "s3:GetObject" not in template.actions("Userben") | template.actions("BenchStudioExecution")


def test_spaces_are_private_and_the_user_own(stack: cdk.Stack, synth: Synth) -> None:
    workbench(stack, "studio")
    statements = synth(stack).statements("BenchStudioExecution")
    makes = [one for one in statements if "sagemaker:CreateSpace" in one["Action"]]
    assert makes[0]["Condition"]["StringEquals"] == {"sagemaker:SpaceSharingType": "Private"}
    assert "UserProfileName" in json.dumps(makes[0]["Condition"]["ArnLike"])


@pytest.mark.parametrize("kind", KINDS)
def test_nag_finds_nothing(kind: str, stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    bench = workbench(stack, kind)
    bench.add_data(bucket(stack), prefix="features", writes=True)
    assert nag(stack) == []


@pytest.mark.parametrize("kind", KINDS)
def test_cfn_lint_finds_nothing_but_redundant_dependencies(kind: str, stack: cdk.Stack, synth: Synth) -> None:
    from cfnlint import lint
    from cfnlint.config import ManualArgs

    workbench(stack, kind)
    found = lint(synth(stack).text(), config=ManualArgs(regions=["us-east-1"]))
    assert [str(match) for match in found if match.rule.id != "W3005"] == []


def test_subnets_of_somebody_else_need_the_doors(stack: cdk.Stack, synth: Synth) -> None:
    own = network(stack, "notebook")
    theirs = NetworkReference(vpc=own.vpc, subnets=own.subnets, security_group=own.security_group)
    with pytest.raises(PropError, match="doors must be given for a network that is not an IsolatedNetwork"):
        SecureWorkbench(stack, "Bench", workbench=Workbench.notebook(), network=theirs)
    bench = SecureWorkbench(stack, "Bench", workbench=Workbench.notebook(), network=theirs, doors=["vpce-1", "vpce-2"])
    bench.grant_open(visitor(stack))
    assert "vpce-2" in json.dumps(synth(stack).statements("Visitor"))


def test_fails_without_the_pages_endpoint(stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match="network must have the endpoints sagemaker.api and studio"):
        SecureWorkbench(stack, "Bench", workbench=Workbench.studio(), network=network(stack, "notebook"))


@pytest.mark.parametrize("doors", [[], "vpce-1", [""]])
def test_fails_for_doors_that_are_no_ids(doors: Any, stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match="doors must be"):
        workbench(stack, "notebook", doors=doors)


def test_fails_for_users_that_cannot_be(stack: cdk.Stack) -> None:
    notebook = workbench(stack, "notebook")
    with pytest.raises(PropError, match="add_user must be for Studio"):
        notebook.add_user("ana")
    with pytest.raises(PropError, match="user must be for Studio only"):
        notebook.grant_open(visitor(stack), user="ana")


def test_fails_for_a_user_that_nobody_made(stack: cdk.Stack) -> None:
    studio = workbench(stack, "studio")
    studio.add_user("ana")
    with pytest.raises(PropError, match=r"user must be one of \['ana'\]"):
        studio.grant_open(visitor(stack))
    for name in ("ana", "a_b", "", "-a"):
        with pytest.raises(PropError, match="name must be 1 to 63"):
            studio.add_user(name)


@pytest.mark.parametrize("prefix", ["/features", "features/", "*"])
def test_fails_for_a_prefix_that_is_none(prefix: str, stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match="prefix must have no slash at an end"):
        workbench(stack, "notebook").add_data(bucket(stack), prefix=prefix)


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda: Workbench.notebook(instance_type="m5.large"), "instance_type must be like ml.t3.medium"),
        (lambda: Workbench.notebook(volume_gb=4), "volume_gb must be between 5 and 16384"),
        (lambda: Workbench.notebook(idle_minutes=9), "idle_minutes must be between 10"),
        (lambda: Workbench.studio(idle_minutes=59), "idle_minutes must be between 60"),
        (lambda: Workbench.notebook(on_start="x" * 20_000), "on_start must leave the whole script within 16384"),
    ],
)
def test_fails_for_values_that_sagemaker_refuses(make: Callable[[], Workbench], fault: str) -> None:
    with pytest.raises(PropError, match=fault):
        make()


def test_an_ec2_vpc_of_ones_own_serves_too(stack: cdk.Stack, synth: Synth) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Theirs",
        vpc_id="vpc-1",
        availability_zones=["a"],
        private_subnet_ids=["subnet-1"],
        private_subnet_route_table_ids=["rtb-1"],
    )
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    chosen = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    theirs = NetworkReference(vpc=vpc, subnets=chosen, security_group=group)
    SecureWorkbench(stack, "Bench", workbench=Workbench.notebook(), network=theirs, doors=["vpce-1"])
    assert synth(stack).only("AWS::SageMaker::NotebookInstance")["SubnetId"] == "subnet-1"

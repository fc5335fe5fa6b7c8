"""Deploy, update, roll back and destroy with change sets; failures name the resource and its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import DeployError, LaptopCloud
from cdk_ml_lens.local.cloud_assembly import AssemblyError, find_stack, zipped
from tests.local.support import write_assembly

pytestmark = pytest.mark.laptop_cloud
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30}}
URL = {"Url": {"Value": {"Ref": "Queue"}}}


def template(timeout: int = 30, **more: Any) -> dict[str, Any]:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": timeout}}
    return {"Resources": {"Queue": queue, **more}, "Outputs": URL}


def timeout_of(cloud: LaptopCloud, url: str) -> str:
    answer = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    return str(answer["Attributes"]["VisibilityTimeout"])


def test_a_stack_is_created_updated_left_alone_and_destroyed(laptop_cloud: LaptopCloud, tmp_path: Path) -> None:
    first = laptop_cloud.deploy(write_assembly(tmp_path, "Life", template()), "Life")
    assert (first.status, first.changed) == ("CREATE_COMPLETE", True)
    url = first.outputs["Url"]

    second = laptop_cloud.deploy(write_assembly(tmp_path, "Life", template(45)), "Life")
    assert (second.status, second.changed) == ("UPDATE_COMPLETE", True)
    assert second.outputs == first.outputs
    assert timeout_of(laptop_cloud, url) == "45"

    third = laptop_cloud.deploy(tmp_path, "Life")
    assert (third.status, third.changed) == ("UPDATE_COMPLETE", False)

    laptop_cloud.destroy("Life")
    assert url not in laptop_cloud.client("sqs").list_queues().get("QueueUrls", [])
    laptop_cloud.destroy("Life")


def test_a_property_that_names_another_resource_is_a_change(laptop_cloud: LaptopCloud, tmp_path: Path) -> None:
    def answering(source: Any) -> dict[str, Any]:
        queues = {name: {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}} for name in ("One", "Two")}
        parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/arn", "Value": source}}
        return {"Resources": {**queues, "Parameter": parameter}}

    def attribute(queue: str) -> dict[str, Any]:
        return {"Fn::GetAtt": [queue, "QueueName"]}

    def split(queue: str) -> dict[str, Any]:
        arn = {"Fn::GetAtt": [queue, "Arn"]}
        return {"Fn::Select": ["5", {"Fn::Split": [":", arn]}]}

    for number, (source, value) in enumerate(
        [(attribute("One"), "One"), (attribute("Two"), "Two"), (split("One"), "One"), (split("Two"), "Two")]
    ):
        made = laptop_cloud.deploy(write_assembly(tmp_path, "Named", answering(source)), "Named")
        assert (made.changed, made.status) == (True, "UPDATE_COMPLETE" if number else "CREATE_COMPLETE")
        assert laptop_cloud.client("ssm").get_parameter(Name="/arn")["Parameter"]["Value"] == value
        assert not laptop_cloud.deploy(tmp_path, "Named").changed


def test_a_failing_update_is_rolled_back_and_its_cause_named(laptop_cloud: LaptopCloud, tmp_path: Path) -> None:
    url = laptop_cloud.deploy(write_assembly(tmp_path, "Back", template()), "Back").outputs["Url"]
    endpoint = {"Type": "AWS::SageMaker::Endpoint", "Properties": {"EndpointConfigName": "none-such"}}
    broken = template(45, Endpoint={**endpoint, "DependsOn": "Queue"})
    with pytest.raises(DeployError, match=r"Endpoint \(AWS::SageMaker::Endpoint\): Could not find") as caught:
        laptop_cloud.deploy(write_assembly(tmp_path, "Back", broken), "Back")
    assert caught.value.status == "UPDATE_ROLLBACK_COMPLETE"
    assert [failure.logical_id for failure in caught.value.failures] == ["Endpoint"]
    assert timeout_of(laptop_cloud, url) == "30"


def test_a_failed_creation_does_not_stand_in_the_way(laptop_cloud: LaptopCloud, tmp_path: Path) -> None:
    endpoint = {"Type": "AWS::SageMaker::Endpoint", "Properties": {"EndpointConfigName": "none-such"}}
    with pytest.raises(DeployError) as caught:
        laptop_cloud.deploy(write_assembly(tmp_path, "Second", template(Endpoint=endpoint)), "Second")
    assert caught.value.status == "ROLLBACK_COMPLETE"
    assert laptop_cloud.deploy(write_assembly(tmp_path, "Second", template()), "Second").status == "CREATE_COMPLETE"


def test_an_unknown_resource_type_is_refused_before_anything_is_made(laptop_cloud: LaptopCloud, tmp_path: Path) -> None:
    odd = {"Type": "AWS::Nothing::Here", "Properties": {}}
    with pytest.raises(Exception, match="Unrecognized resource types"):
        laptop_cloud.deploy(write_assembly(tmp_path, "Odd", template(Odd=odd)), "Odd")


def test_a_missing_stack_is_named_with_those_there_are(tmp_path: Path) -> None:
    write_assembly(tmp_path, "Here", template())
    with pytest.raises(AssemblyError, match="got Elsewhere; it has: Here"):
        find_stack(tmp_path, "Elsewhere")


def test_container_images_are_refused_by_name(tmp_path: Path) -> None:
    write_assembly(tmp_path, "Image", template())
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["artifacts"]["Image"]["dependencies"] = ["Image.assets"]
    manifest["artifacts"]["Image.assets"] = {
        "type": "cdk:asset-manifest",
        "properties": {"file": "Image.assets.json"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "Image.assets.json").write_text(json.dumps({"dockerImages": {"one": {}}}))
    with pytest.raises(AssemblyError, match="runs without Docker"):
        find_stack(tmp_path, "Image")


def test_a_zipped_folder_has_the_same_bytes_whenever_it_was_written(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "package").mkdir(parents=True)
        (tmp_path / name / "package" / "code.py").write_text("x = 1\n")
        (tmp_path / name / "index.py").write_text("")
    assert zipped(tmp_path / "one") == zipped(tmp_path / "two")
    (tmp_path / "two" / "index.py").write_text("y = 2\n")
    assert zipped(tmp_path / "one") != zipped(tmp_path / "two")

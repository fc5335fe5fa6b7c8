"""Variant, DataCapture, images and artifacts: what SageMaker AI refuses is refused at synth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import DataCapture, InferenceImage, ModelArtifact, ModelEndpoint, ModelSource, PropError, Variant
from tests.unit.templates import Template


@pytest.fixture
def model(stack: cdk.Stack) -> ModelSource:
    bucket = s3.Bucket.from_bucket_name(stack, "Models", "models")
    return ModelSource.sklearn(ModelArtifact.from_bucket(bucket, "a/model.tar.gz"))


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"name": "a_b"}, "name must be 1 to 63 of A-Z a-z 0-9 - for variant 'a_b', got 'a_b'"),
        ({"instance_type": "m5.large"}, "instance_type must be a SageMaker AI instance type"),
        ({"instance_type": "ml.eia2.medium"}, "instance_type must be available .*; Elastic Inference ended"),
        ({"instance_count": 0}, "instance_count must be at least 1"),
        ({"weight": -0.1}, "weight must be at least 0"),
    ],
)
def test_fails_on_a_bad_variant(model: ModelSource, props: dict[str, object], message: str) -> None:
    with pytest.raises(PropError, match=message):
        Variant(**{"name": "primary", "model": model, **props})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"percent": 0}, "percent must be between 1 and 100 for data capture, got 0"),
        ({"prefix": "/"}, "prefix must not be empty"),
        ({"requests": False, "responses": False}, "requests must be true when responses is false"),
    ],
)
def test_fails_on_a_bad_capture(props: dict[str, object], message: str) -> None:
    with pytest.raises(PropError, match=message):
        DataCapture(**props)  # type: ignore[arg-type]


def test_fails_on_variants_that_form_no_endpoint(stack: cdk.Stack, model: ModelSource) -> None:
    blue = Variant(name="blue", model=model)
    with pytest.raises(PropError, match="variants must number 1 to 10 for model endpoint, got 0"):
        ModelEndpoint(stack, "None", variants=[])
    with pytest.raises(PropError, match="variants must have a name each"):
        ModelEndpoint(stack, "Twice", variants=[blue, blue])
    with pytest.raises(PropError, match="variants must have one weight over 0"):
        ModelEndpoint(stack, "Idle", variants=[Variant(name="blue", model=model, weight=0)])


def test_fails_on_a_mix_of_local_and_network_storage(stack: cdk.Stack, model: ModelSource) -> None:
    variants = [
        Variant(name="local", model=model, instance_type="ml.m5d.large"),
        Variant(name="ebs", model=model, instance_type="ml.m5.large"),
    ]
    with pytest.raises(PropError, match="variants must all have local storage or none of them"):
        ModelEndpoint(stack, "Mixed", variants=variants)


@pytest.mark.parametrize(
    ("instance_type", "has_key"),
    [
        ("ml.m5.large", True),
        ("ml.c6gd.xlarge", False),
        ("ml.g5.xlarge", False),
        ("ml.g4dn.xlarge", False),
        ("ml.inf2.xlarge", True),
    ],
)
def test_volume_key_is_left_out_where_disks_encrypt_themselves(
    instance_type: str, has_key: bool, stack: cdk.Stack, model: ModelSource, synth: Callable[[cdk.Stack], Template]
) -> None:
    ModelEndpoint(stack, "E", variants=[Variant(name="v", model=model, instance_type=instance_type)])
    assert ("KmsKeyId" in synth(stack).only("AWS::SageMaker::EndpointConfig")) is has_key


def test_image_is_looked_up_by_region_at_deployment(
    stack: cdk.Stack, model: ModelSource, synth: Callable[[cdk.Stack], Template]
) -> None:
    ModelEndpoint(stack, "E", variants=[Variant(name="v", model=model)])
    body = synth(stack).body
    ((_, mapping),) = body["Mappings"].items()
    assert mapping["eu-central-1"] == {"Account": "492215442770"}


def test_image_of_a_known_region_needs_no_mapping(app: cdk.App, synth: Callable[[cdk.Stack], Template]) -> None:
    stack = cdk.Stack(app, "Fixed", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    bucket = s3.Bucket.from_bucket_name(stack, "Models", "models")
    source = ModelSource.sklearn(ModelArtifact.from_bucket(bucket, "m.tar.gz"))
    ModelEndpoint(stack, "E", variants=[Variant(name="v", model=source)])
    template = synth(stack)
    assert "Mappings" not in template.body
    image = template.only("AWS::SageMaker::Model")["PrimaryContainer"]["Image"]
    assert "141502667606.dkr.ecr." in str(image)
    assert "sagemaker-scikit-learn:1.9-0-cpu-py3" in str(image)


def test_fails_in_a_region_without_the_image(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Far", env=cdk.Environment(account="111122223333", region="mars-north-1"))
    with pytest.raises(
        PropError, match="region must be one of .* for image sagemaker-scikit-learn, got 'mars-north-1'"
    ):
        InferenceImage.sklearn().uri(stack)


@pytest.mark.parametrize("tag", ["", "latest"])
def test_fails_on_an_image_without_a_version(tag: str) -> None:
    with pytest.raises(PropError, match="tag must"):
        InferenceImage(repository="mine", tag=tag)


def test_own_image_by_digest(stack: cdk.Stack) -> None:
    digest = "sha256:" + "0" * 64
    uri = cdk.Stack.of(stack).resolve(InferenceImage(repository="mine", tag=digest).uri(stack))
    assert f"/mine@{digest}" in str(uri)


def test_artifact_from_file_changes_its_key_with_its_bytes(stack: cdk.Stack, tmp_path: Path) -> None:
    def key(version: str) -> str:
        file = tmp_path / version / "model.tar.gz"
        file.parent.mkdir()
        file.write_bytes(version.encode())
        return ModelArtifact.from_file(stack, version, file).key

    assert key("one") != key("two")


def test_artifact_from_parameters_asks_at_deployment(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    artifact = ModelArtifact.from_parameters(stack, "Model")
    ModelEndpoint(stack, "E", variants=[Variant(name="v", model=ModelSource.sklearn(artifact))])
    parameters = synth(stack).body["Parameters"]
    assert "Default" not in parameters["ModelBucket"]
    assert "Default" not in parameters["ModelKey"]


def test_fails_without_an_artifact_file(stack: cdk.Stack, tmp_path: Path) -> None:
    with pytest.raises(PropError, match="path must be a file .*; make one with: ml-lens model build"):
        ModelArtifact.from_file(stack, "M", tmp_path / "model.tar.gz")
    with pytest.raises(PropError, match="path must end in .tar.gz"):
        ModelArtifact.from_file(stack, "M", tmp_path / "model.zip")
    with pytest.raises(PropError, match="key must end in .tar.gz for model artifact, got 'model.zip'"):
        ModelArtifact.from_bucket(s3.Bucket.from_bucket_name(stack, "B", "models"), "model.zip")


@pytest.mark.parametrize(
    ("image", "uri"),
    [
        (InferenceImage.xgboost(), "141502667606.dkr.ecr.eu-west-1.{suffix}/sagemaker-xgboost:3.2-0"),
        (InferenceImage.pytorch(gpu=True), "763104351884.dkr.ecr.eu-west-1.{suffix}/pytorch-inference:2.6.0-gpu-py312"),
        (InferenceImage.random_cut_forest(), "438346466558.dkr.ecr.eu-west-1.{suffix}/randomcutforest:1"),
    ],
)
def test_images_of_other_frameworks(app: cdk.App, image: InferenceImage, uri: str) -> None:
    stack = cdk.Stack(app, "Fixed", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    rendered = str(stack.resolve(image.uri(stack))).replace(" ", "")
    for part in uri.split("{suffix}"):
        for piece in part.split("eu-west-1"):
            assert piece.strip(".") in rendered

"""Models to serve, without a file or a network."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import ModelArtifact, ModelSource


@pytest.fixture
def bucket(stack: cdk.Stack) -> s3.IBucket:
    """A bucket that exists already."""
    return s3.Bucket.from_bucket_name(stack, "Models", "models")


@pytest.fixture
def model(bucket: s3.IBucket) -> ModelSource:
    """A scikit-learn model in it."""
    return ModelSource.sklearn(ModelArtifact.from_bucket(bucket, "a/model.tar.gz"))

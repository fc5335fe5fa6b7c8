"""MlflowTracking: a serverless MLflow of SageMaker AI, with a bucket of its own, for training scripts that log runs."""

from __future__ import annotations

import re

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.nag import acknowledge, finding_of

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")
_PREFIX = "mlflow"
_OBJECTS = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject")


class MlflowTracking(Construct):
    """An MLflow app. Give it to ``TrainingOptions(tracking=…)``: jobs find it as ``MLFLOW_TRACKING_URI``.

    Parameters
    ----------
    scope, id
        As for every construct.
    name : str, optional
        Name of the app. Default: made from the construct's path.
    register_models : bool
        Whether models that are logged to MLflow's registry appear in SageMaker AI's as well. Default: false, so that
        nothing is registered that passed no gate.
    encryption_key : IKey, optional
        Customer managed key of the artifacts. Default: a new one.
    removal_policy : RemovalPolicy, optional
        Of the artifacts. Default: retain. ``DESTROY`` also takes the context flag
        ``cdk-ml-lens:removeDataOnDestroy``.

    Attributes
    ----------
    app : CfnMlflowApp
    artifacts : SecureBucket

    Raises
    ------
    PropError
        When SageMaker AI would refuse the name.

    Notes
    -----
    The script's image must have ``mlflow`` and ``sagemaker-mlflow``; AWS's scikit-learn image has neither. Sources:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-mlflowapp.html,
    https://docs.aws.amazon.com/sagemaker/latest/dg/mlflow-app-setup-prerequisites-iam.html. Lens best practice
    MLOPS04-BP03.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str | None = None,
        register_models: bool = False,
        encryption_key: kms.IKey | None = None,
        removal_policy: cdk.RemovalPolicy | None = None,
    ) -> None:
        _check_name(name)
        super().__init__(scope, id)
        self._key = key_or_new(self, encryption_key, description="Encrypts MLflow's artifacts")
        self.artifacts = SecureBucket(self, "Artifacts", encryption_key=self._key, removal_policy=removal_policy)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        acknowledge(
            self.role,
            "IAM5[Service::sagemaker.amazonaws.com]",
            "AWS documents the condition for jobs and endpoints; an app that cannot take its role would not start.",
            pack="MlLens",
        )
        self._store(self.role)
        mode = "Enabled" if register_models else "Disabled"
        self.app = sagemaker.CfnMlflowApp(
            self,
            "App",
            name=cdk.Names.unique_resource_name(self, max_length=63, separator="-") if name is None else name,
            artifact_store_uri=self.artifacts.bucket.s3_url_for_object(_PREFIX),
            role_arn=self.role.role_arn,
            model_registration_mode=f"AutoModelRegistration{mode}",
        )
        self.app.node.add_dependency(self.role)

    @property
    def arn(self) -> str:
        """ARN of the app, which is MLflow's tracking URI as well."""
        return self.app.attr_arn

    def grant_log(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to log runs, and all else that MLflow's API does: IAM has one action for an app.

        Clients write artifacts to S3 themselves.
        """
        self._store(grantee)
        return grants.allow(grantee, ["sagemaker:CallMlflowAppApi"], [self.arn])

    def _store(self, grantee: iam.IGrantable) -> None:
        bucket = self.artifacts.bucket
        objects = bucket.arn_for_objects(f"{_PREFIX}/*")
        grants.allow(grantee, _OBJECTS, [objects])
        grants.allow(grantee, ["s3:ListBucket"], [bucket.bucket_arn])
        grants.use_key(grantee, self._key, "kms:Decrypt", "kms:GenerateDataKey")
        if isinstance(grantee, Construct):
            acknowledge(grantee, f"IAM5[{finding_of(self, objects)}]", "MLflow names the artifacts of its runs.")


def _check_name(name: str | None) -> None:
    if name is None or cdk.Token.is_unresolved(name):
        return
    faults = Faults("MLflow tracking")
    legal = _NAME.fullmatch(name) is not None
    faults.unless(legal, "name", "be 1 to 256 of A-Z a-z 0-9 - and no - at an end", name)
    faults.raise_any()

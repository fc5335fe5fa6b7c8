"""The lake's key by role: objects are decrypted for named roles only, whatever IAM policies say elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cdk_ml_lens.core.errors import Fault, Faults, PropError


def decrypt_objects_for(key: kms.IKey, *, roles: Sequence[iam.IRole], own: Sequence[str]) -> None:
    """Deny all but ``roles`` and the lake's ``own`` (ARNs) the decryption of S3 objects that ``key`` encrypts.

    A grant is still needed; this closes the key to policies such as ``kms:Decrypt`` on ``*``. Streams, queues and log
    groups that use the key are not concerned.

    Raises
    ------
    PropError
        When no role is named, or the key is imported, so that its policy is somebody else's.

    Notes
    -----
    Source: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service. The
    buckets cannot be named in the policy: they need the key first. Lens best practice MLSEC05-BP01.
    """
    faults = Faults("the lake's key")
    faults.unless(len(roles) > 0, "roles", "have at least one role", len(roles))
    faults.raise_any()
    stack = cdk.Stack.of(key)
    result = key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="ObjectsForNamedRolesOnly",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["kms:Decrypt"],
            resources=["*"],
            conditions={
                "StringEquals": {"kms:ViaService": f"s3.{stack.region}.{stack.url_suffix}"},
                "ArnNotEquals": {"aws:PrincipalArn": [*(role.role_arn for role in roles), *own]},
            },
        )
    )
    if not result.statement_added:
        raise PropError(Fault(prop="encryption_key", rule="be a key of this app to be restricted", value=key.key_arn))

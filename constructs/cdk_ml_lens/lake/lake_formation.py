"""LakeFormation: permissions on databases and tables by tag, next to those of IAM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lakeformation as lakeformation
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.errors import Fault, PropError
from cdk_ml_lens.lake.access import acknowledge_wildcard, construct_of
from cdk_ml_lens.lake.naming import query_name
from cdk_ml_lens.lake.refs import GovernedTable

_KIND = lakeformation.CfnPrincipalPermissions
_OBJECTS = ("GetObject", "PutObject", "DeleteObject")
_KEY = ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "DescribeKey")


@dataclass(frozen=True, kw_only=True)
class LakeFormation:
    """Lake Formation governs the lake: without its permission, Athena and Glue show a principal no table.

    Parameters
    ----------
    admins : sequence of IRole
        Roles to add to the account's data lake administrators. CloudFormation's role must be one of them, or be one
        already. Default: none.

    Notes
    -----
    Source: https://docs.aws.amazon.com/lake-formation/latest/dg/tag-based-access-control.html. Lens best practice
    MLSEC05-BP01.
    """

    admins: Sequence[iam.IRole] = ()


class LakeGovernance(Construct):
    """Registers buckets, tags databases by zone, and sets permissions; `DataLake` makes it.

    Parameters
    ----------
    scope, id
        As for every construct.
    settings : LakeFormation
        Who administers.
    zones : sequence of str
        Names of the zones, the values of the tag.
    encryption_key : IKey
        Key of the data.

    Attributes
    ----------
    tag : CfnTag
        The LF-tag ``<stack>_<lake>_zone``.
    role : Role
        Role by which Lake Formation reaches the objects.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: LakeFormation,
        zones: Sequence[str],
        encryption_key: kms.IKey,
    ) -> None:
        super().__init__(scope, id)
        self._account = cdk.Stack.of(self).account
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lakeformation.amazonaws.com"))
        grants.use_key(self.role, encryption_key, *(f"kms:{action}" for action in _KEY))
        self.tag = lakeformation.CfnTag(
            self, "Tag", tag_key=query_name(scope, "zone"), tag_values=list(zones), catalog_id=self._account
        )
        self._permissions: dict[str, tuple[lakeformation.CfnPrincipalPermissions, set[str]]] = {}
        self._zones: dict[str, lakeformation.CfnTagAssociation] = {}
        self._settings = self._administer(settings)

    def govern_zone(self, zone: str, database: glue.CfnDatabase, bucket: s3.IBucket) -> None:
        """Register a zone's bucket and tag its database; tables inherit the tag.

        Source: https://docs.aws.amazon.com/lake-formation/latest/dg/registration-role.html
        """
        objects = bucket.arn_for_objects("*")
        acknowledge_wildcard(self.role, objects, "Lake Formation hands out access to every object of the zone.")
        grants.allow(self.role, [f"s3:{action}" for action in _OBJECTS], [objects])
        grants.allow(self.role, ["s3:ListBucket"], [bucket.bucket_arn])
        registered = lakeformation.CfnResource(
            self,
            f"Location-{zone}",
            resource_arn=bucket.bucket_arn,
            use_service_linked_role=False,
            role_arn=self.role.role_arn,
        )
        registered.node.add_dependency(self.role)
        kind = lakeformation.CfnTagAssociation
        pair = kind.LFTagPairProperty(catalog_id=self._account, tag_key=self.tag.tag_key, tag_values=[zone])
        named = kind.DatabaseResourceProperty(catalog_id=self._account, name=database.ref)
        tagged = kind(self, f"Zone-{zone}", lf_tags=[pair], resource=kind.ResourceProperty(database=named))
        tagged.node.add_dependency(self.tag)
        self._zones[zone] = tagged
        self._after_settings(registered, self.tag)

    def allow_zone(self, zone: str, grantee: iam.IGrantable, permissions: Sequence[str]) -> None:
        """Give permissions on every table that has, or will have, the zone's tag."""
        for kind, wanted in (("DATABASE", ["DESCRIBE"]), ("TABLE", permissions)):
            expression = [_KIND.LFTagProperty(tag_key=self.tag.tag_key, tag_values=[zone])]
            policy = _KIND.LFTagPolicyResourceProperty(
                catalog_id=self._account, expression=expression, resource_type=kind
            )
            resource = _KIND.ResourceProperty(lf_tag_policy=policy)
            self._allow(f"{kind.title()}-{zone}", grantee, wanted, resource).node.add_dependency(self._zones[zone])

    def allow_table(self, table: GovernedTable, grantee: iam.IGrantable, permissions: Sequence[str]) -> IConstruct:
        """Give permissions on one table; who may alter it may also point it at another place of its bucket."""
        named = _KIND.TableResourceProperty(
            catalog_id=self._account, database_name=table.database_name, name=table.name
        )
        id = f"{table.zone_name}-{table.name}"
        granted = self._allow(f"Table-{id}", grantee, permissions, _KIND.ResourceProperty(table=named))
        granted.node.add_dependency(table.resource)
        if "ALTER" in permissions:
            place = _KIND.DataLocationResourceProperty(catalog_id=self._account, resource_arn=table.bucket.bucket_arn)
            resource = _KIND.ResourceProperty(data_location=place)
            located = self._allow(f"Location-{table.zone_name}", grantee, ["DATA_LOCATION_ACCESS"], resource)
            located.node.add_dependency(self.node.find_child(f"Location-{table.zone_name}"))
        return granted

    def _allow(
        self, what: str, grantee: iam.IGrantable, permissions: Sequence[str], resource: _KIND.ResourceProperty
    ) -> lakeformation.CfnPrincipalPermissions:
        """Make the permissions of a principal on a resource, or extend them: two of them would revoke each other's."""
        arn, principal = _identity(grantee)
        id = f"{what}-{cdk.Names.node_unique_id(principal.node)}"
        if id not in self._permissions:
            self._may_get_data(grantee)
            # beside the role: a role of another stack uses the lake, so the lake cannot name it
            elsewhere = cdk.Stack.of(principal).node.path != cdk.Stack.of(self).node.path
            made = _KIND(
                cdk.Stack.of(principal) if elsewhere else self,
                f"{cdk.Names.node_unique_id(self.node)}-{id}" if elsewhere else id,
                permissions=[],
                permissions_with_grant_option=[],
                principal=_KIND.DataLakePrincipalProperty(data_lake_principal_identifier=arn),
                resource=resource,
            )
            self._after_settings(made)
            self._permissions[id] = (made, set())
        made, all_of_them = self._permissions[id]
        all_of_them |= set(permissions)
        made.permissions = sorted(all_of_them)
        return made

    def _may_get_data(self, grantee: iam.IGrantable) -> None:
        """Source: https://docs.aws.amazon.com/lake-formation/latest/dg/access-control-underlying-data.html."""
        acknowledge_wildcard(grantee, "*", "lakeformation:GetDataAccess has no resource types.")
        grants.allow(grantee, ["lakeformation:GetDataAccess"], ["*"])

    def _administer(self, settings: LakeFormation) -> lakeformation.CfnDataLakeSettings | None:
        if not settings.admins:
            return None
        kind = lakeformation.CfnDataLakeSettings
        principals = [
            kind.DataLakePrincipalProperty(data_lake_principal_identifier=role.role_arn) for role in settings.admins
        ]
        return kind(self, "Settings", admins=principals, mutation_type="APPEND")

    def _after_settings(self, *resources: cdk.CfnResource) -> None:
        if self._settings is not None:
            for resource in resources:
                resource.node.add_dependency(self._settings)


def _identity(grantee: iam.IGrantable) -> tuple[str, IConstruct]:
    """Return the ARN of a role or user, and the construct."""
    principal = construct_of(grantee)
    arn: str | None = getattr(principal, "role_arn", None)
    if arn is None:
        arn = getattr(principal, "user_arn", None)
    if principal is None or arn is None:
        raise PropError(
            Fault(prop="grantee", rule="be a role or a user", value=type(grantee).__name__), which="the lake"
        )
    return arn, principal

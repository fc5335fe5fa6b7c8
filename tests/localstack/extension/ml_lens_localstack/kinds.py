"""Which API calls make, change and delete a resource type, as data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Properties = dict[str, Any]
Shape = Callable[[Properties], Properties]


def _same(properties: Properties) -> Properties:
    return properties


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A resource type on top of an API.

    Parameters
    ----------
    type
        CloudFormation's name of it.
    service
        boto3's name of the API; empty for a stub, which has an id and nothing behind it.
    create, delete
        Operations, in boto3's spelling.
    update
        Operation that changes it in place; empty: what changes is kept in the stack only.
    name
        Property that holds its name; generated if the template gives none.
    arn
        ARN after ``arn:aws:<service>:<region>:<account>:``, with the name for ``{}``.
    ref
        Property that ``Ref`` returns; default: the name.
    delete_by
        Arguments of ``delete`` by the property that gives their value; default: the name.
    given
        What the API wants that the template says otherwise.
    """

    type: str
    name: str
    arn: str
    service: str = ""
    create: str = ""
    update: str = ""
    delete: str = ""
    ref: str = ""
    delete_by: Mapping[str, str] = field(default_factory=dict)
    given: Shape = _same

    @property
    def is_stub(self) -> bool:
        """Return whether no API knows the resource."""
        return self.service == ""


def sagemaker(noun: str, arn: str, *, update: str = "") -> Kind:
    """Return a SageMaker type: Create, Delete and ``<noun>Name`` follow one pattern."""
    verb = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in noun)
    return Kind(
        type=f"AWS::SageMaker::{noun}",
        service="sagemaker",
        create=f"create{verb}",
        update=update,
        delete=f"delete{verb}",
        name=f"{noun}Name",
        arn=f"{arn}/{{}}",
        ref="Arn",
    )


def _policy(properties: Properties) -> Properties:
    document = properties["PolicyDocument"]
    return {**properties, "PolicyDocument": document if isinstance(document, str) else json.dumps(document)}


def _workgroup(properties: Properties) -> Properties:
    return {**properties, "Configuration": properties.get("WorkGroupConfiguration", {})}


def _inside(outer: str) -> Shape:
    """Return a shape that puts the name into the property ``outer`` too, where Glue looks for it."""

    def shape(properties: Properties) -> Properties:
        return {**properties, outer: {"Name": properties["Name"], **properties[outer]}}

    return shape


def _glue(noun: str, verb: str, arn: str, **other: Any) -> Kind:
    operations = {"create": f"create_{verb}", "update": f"update_{verb}", "delete": f"delete_{verb}"} | other
    return Kind(type=f"AWS::Glue::{noun}", service="glue", arn=arn, **{"name": "Name", **operations})


def _job_update(properties: Properties) -> Properties:
    return {"JobName": properties["Name"], "JobUpdate": properties, **properties}


KINDS = (
    sagemaker("Model", "model"),
    sagemaker("EndpointConfig", "endpoint-config"),
    sagemaker("Endpoint", "endpoint", update="update_endpoint"),
    sagemaker("ModelPackageGroup", "model-package-group"),
    _glue("Database", "database", "database/{}", given=_inside("DatabaseInput")),
    _glue(
        "Table",
        "table",
        "table/{}",
        given=_inside("TableInput"),
        delete_by={"DatabaseName": "DatabaseName", "Name": "Name"},
    ),
    _glue("Job", "job", "job/{}", given=_job_update, delete_by={"JobName": "Name"}),
    _glue("SecurityConfiguration", "security_configuration", "security-configuration/{}", update=""),
    Kind(
        type="AWS::Athena::WorkGroup",
        service="athena",
        create="create_work_group",
        delete="delete_work_group",
        name="Name",
        arn="workgroup/{}",
        delete_by={"WorkGroup": "Name"},
        given=_workgroup,
    ),
    Kind(
        type="AWS::IoT::Policy",
        service="iot",
        create="create_policy",
        delete="delete_policy",
        name="PolicyName",
        arn="policy/{}",
        given=_policy,
    ),
    Kind(
        type="AWS::IoT::ThingGroup",
        service="iot",
        create="create_thing_group",
        update="update_thing_group",
        delete="delete_thing_group",
        name="ThingGroupName",
        arn="thinggroup/{}",
    ),
    Kind(
        type="AWS::IoT::ThingType",
        service="iot",
        create="create_thing_type",
        delete="delete_thing_type",
        name="ThingTypeName",
        arn="thingtype/{}",
    ),
    Kind(
        type="AWS::IoT::TopicRule",
        service="iot",
        create="create_topic_rule",
        update="replace_topic_rule",
        delete="delete_topic_rule",
        name="RuleName",
        arn="rule/{}",
    ),
    Kind(type="AWS::IoT::ProvisioningTemplate", name="TemplateName", arn="provisioningtemplate/{}"),
    Kind(
        type="AWS::Pipes::Pipe",
        service="pipes",
        create="create_pipe",
        delete="delete_pipe",
        name="Name",
        arn="pipe/{}",
    ),
    Kind(
        type="AWS::CloudWatch::Dashboard",
        service="cloudwatch",
        create="put_dashboard",
        update="put_dashboard",
        delete="delete_dashboards",
        name="DashboardName",
        arn="dashboard/{}",
        delete_by={"DashboardNames": "Names"},
        given=lambda properties: {**properties, "Names": [properties["DashboardName"]]},
    ),
    Kind(type="AWS::CloudFormation::CustomResource", name="PhysicalResourceId", arn="custom/{}"),
)

"""Deploys a CDK assembly to the laptop cloud with boto3 alone: assets, change set, wait, outputs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdk_ml_lens.local import asset_upload, guard, stack_state
from cdk_ml_lens.local.cloud_assembly import StackArtifact, find_stack

if TYPE_CHECKING:
    from cdk_ml_lens.local.cloud import LaptopCloud

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A stack as it is after a deployment.

    Parameters
    ----------
    stack_name : str
        Name of the stack.
    outputs : dict
        Output values by output key.
    status : str
        CloudFormation's stack status.
    seconds : float
        How long the deployment took, assets included.
    changed : bool
        Whether there was anything to change.
    """

    stack_name: str
    outputs: dict[str, str]
    status: str
    seconds: float
    changed: bool


def deploy(cloud: LaptopCloud, assembly_dir: Path, stack_name: str, *, parameters: Mapping[str, str]) -> Deployment:
    """Create or update one stack and return it.

    Parameters
    ----------
    cloud
        Where to deploy; its endpoint must be on the loopback interface.
    assembly_dir
        A synthesized assembly (``cdk.out``).
    stack_name
        Stack name or artifact id. Stacks it depends on must be deployed before.
    parameters
        Values of the template's parameters.

    Raises
    ------
    DeployError
        If CloudFormation refuses or fails; it names the failing resources with their reasons.
    AssemblyError
        If the assembly has no such stack.
    """
    guard.require_loopback(cloud.endpoint_url)
    started = time.monotonic()
    artifact = find_stack(assembly_dir, stack_name)
    url = asset_upload.upload(cloud, artifact)
    cloudformation = cloud.client("cloudformation")
    _clear_failed(cloudformation, artifact.stack_name)
    changed = _apply(cloudformation, artifact, url, parameters)
    stack = stack_state.find(cloudformation, artifact.stack_name)
    assert stack is not None
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}
    return Deployment(
        stack_name=artifact.stack_name,
        outputs=outputs,
        status=stack["StackStatus"],
        seconds=time.monotonic() - started,
        changed=changed,
    )


def destroy(cloud: LaptopCloud, stack_name: str) -> None:
    """Delete a stack and return when it is gone; a stack that does not exist is no fault.

    Raises
    ------
    DeployError
        If a resource cannot be deleted.
    """
    cloudformation = cloud.client("cloudformation")
    stack = stack_state.find(cloudformation, stack_name)
    if stack is None:
        return
    seen = stack_state.events(cloudformation, stack["StackId"]).keys()
    cloudformation.delete_stack(StackName=stack_name)
    stack_state.wait(cloudformation, stack["StackId"], stack_name, frozenset(seen), good=("DELETE_COMPLETE",))


def _clear_failed(cloudformation: Any, stack_name: str) -> None:
    """Delete a stack whose creation was rolled back: CloudFormation cannot update it."""
    stack = stack_state.find(cloudformation, stack_name)
    if stack is not None and stack["StackStatus"] in (
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
        "CREATE_FAILED",
    ):
        cloudformation.delete_stack(StackName=stack_name)
        stack_state.wait(cloudformation, stack["StackId"], stack_name, frozenset(), good=("DELETE_COMPLETE",))


def _apply(cloudformation: Any, artifact: StackArtifact, url: str | None, parameters: Mapping[str, str]) -> bool:
    """Make and execute a change set; ``False`` if there was nothing to change."""
    name, stack_name = f"ml-lens-{uuid.uuid4().hex[:12]}", artifact.stack_name
    before = stack_state.find(cloudformation, stack_name)
    exists = before is not None and before["StackStatus"] != "REVIEW_IN_PROGRESS"
    source = {"TemplateURL": url} if url else {"TemplateBody": artifact.template.read_text()}
    cloudformation.create_change_set(
        StackName=stack_name,
        ChangeSetName=name,
        ChangeSetType="UPDATE" if exists else "CREATE",
        Capabilities=CAPABILITIES,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        **source,
    )
    if not stack_state.change_set_ready(cloudformation, stack_name, name):
        cloudformation.delete_change_set(StackName=stack_name, ChangeSetName=name)
        return False
    stack = stack_state.find(cloudformation, stack_name)
    assert stack is not None
    seen = frozenset(stack_state.events(cloudformation, stack["StackId"]))
    cloudformation.execute_change_set(StackName=stack_name, ChangeSetName=name)
    good = ("UPDATE_COMPLETE",) if exists else ("CREATE_COMPLETE",)
    stack_state.wait(cloudformation, stack["StackId"], stack_name, seen, good=good)
    return True

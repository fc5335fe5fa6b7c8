"""Every stack is created, updated in place and destroyed on LocalStack, and no resource of it is passed over."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from app import STACKS
from cdk_ml_lens.local import deployer
from tests.local.support import stack_resources
from tests.local.test_upgrade import parameters
from tests.localstack.engine import Emulator

IGNORED = "unknown"  # the physical id that LocalStack gives to what it cannot make
ADDED = {"Action": "sts:GetCallerIdentity", "Effect": "Allow", "Resource": "*"}


def second_version(assembly: Path, stack: str, folder: Path) -> tuple[Path, str]:
    """Copy the assembly; in the copy, a policy has one statement more.

    LocalStack has no update for log groups, alarms and keys: it reports success and keeps the old properties.
    It replaces topics without a name.
    """
    shutil.copytree(assembly, folder)
    path = folder / f"{stack}.template.json"
    document = json.loads(path.read_text())
    changed = next(name for name, item in document["Resources"].items() if item["Type"] == "AWS::IAM::Policy")
    document["Resources"][changed]["Properties"]["PolicyDocument"]["Statement"].append(ADDED)
    path.write_text(json.dumps(document))
    assets = folder / f"{stack}.assets.json"
    listed = json.loads(assets.read_text())
    for file in listed["files"].values():
        if file["source"]["path"] == path.name:
            for place in file["destinations"].values():
                place["objectKey"] = f"second-{place['objectKey']}"
    assets.write_text(json.dumps(listed))
    return folder, changed


@pytest.mark.parametrize("stack", sorted(STACKS))
def test_a_stack_is_created_updated_in_place_and_destroyed(
    stack: str, emulator: Emulator, today: Path, made: set[str], tmp_path: Path
) -> None:
    template: dict[str, Any] = json.loads((today / f"{stack}.template.json").read_text())
    given = parameters(template)
    started = time.monotonic()
    deployer.deploy(emulator, today, stack, parameters=given)
    created = stack_resources(emulator, stack)
    assert created.keys() == template["Resources"].keys()
    assert [name for name, (_, physical) in created.items() if physical == IGNORED] == []
    made |= {kind for kind, _ in created.values()}
    newer, changed = second_version(today, stack, tmp_path / "second")
    assert deployer.deploy(emulator, newer, stack, parameters=given).status == "UPDATE_COMPLETE"
    assert stack_resources(emulator, stack) == created
    properties = template["Resources"][changed]["Properties"]
    role = created[properties["Roles"][0]["Ref"]][1]
    policy = emulator.client("iam").get_role_policy(RoleName=role, PolicyName=properties["PolicyName"])
    assert ADDED in policy["PolicyDocument"]["Statement"]
    deployer.destroy(emulator, stack)
    with pytest.raises(emulator.client("cloudformation").exceptions.ClientError, match="does not exist"):
        emulator.client("cloudformation").describe_stacks(StackName=stack)
    print(f"{stack}: {len(created)} resources, {time.monotonic() - started:.0f} s")

"""What stops our templates in LocalStack's own providers: names that they make and then look for in the template."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from localstack.runtime import hooks
from localstack.services.cloudformation.provider_utils import generate_default_name
from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor
from localstack.services.s3 import provider

UNNAMED = {"AWS::KinesisFirehose::DeliveryStream": "DeliveryStreamName"}


@hooks.on_infra_start()
def name_the_unnamed() -> None:
    """Give resources of the types in `UNNAMED` a generated name before their provider sees them."""
    original = ResourceProviderExecutor.execute_action

    def execute_action(self: Any, resource_provider: Any, raw_payload: Any) -> Any:
        name = UNNAMED.get(raw_payload["resourceType"])
        data = raw_payload["requestData"]
        if name is not None and raw_payload["action"] == "Add":
            made = generate_default_name(self.stack_name, data["logicalResourceId"])
            data["resourceProperties"].setdefault(name, made)
        return original(self, resource_provider, raw_payload)

    ResourceProviderExecutor.execute_action = execute_action


@hooks.on_infra_start()
def keep_objects_in_the_private_folder() -> None:
    """Put S3's objects where everything else of this process is; LocalStack has a fixed path for them."""
    provider.DEFAULT_S3_TMP_DIR = str(Path(tempfile.gettempdir()) / "s3")

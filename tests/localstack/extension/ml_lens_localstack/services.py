"""APIs that LocalStack's free engine lacks, answered by the moto that LocalStack carries."""

from __future__ import annotations

from typing import Any

from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import _proxy_moto
from localstack.services.plugins import Service, aws_provider


def _on_moto(name: str, *, plugin: str = "default") -> Any:
    """Return the plugin of an API whose every operation goes to moto."""

    @aws_provider(api=name, name=plugin)
    def create() -> Service:
        model = load_service(name)
        return Service(name=name, skeleton=Skeleton(model, dict.fromkeys(model.operation_names, _proxy_moto)))

    return create


athena = _on_moto("athena")
# LocalStack's own download a database and a stream server when first used; a test run must not.
dynamodb = _on_moto("dynamodb", plugin="moto")
kinesis = _on_moto("kinesis", plugin="moto")
glue = _on_moto("glue")
iot = _on_moto("iot")
pipes = _on_moto("pipes")
sagemaker = _on_moto("sagemaker")

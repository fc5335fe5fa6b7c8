"""EndpointShape: what an environment decides about an endpoint, whatever model version it serves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cdk_ml_lens.core.container_image import ContainerImage
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.refs import PrivateNetwork
from cdk_ml_lens.hosting.capture import EVERYTHING, DataCapture
from cdk_ml_lens.hosting.images import InferenceImage
from cdk_ml_lens.hosting.variants import Variant

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,62})")


@dataclass(frozen=True, kw_only=True)
class EndpointShape:
    """Variant, instances, network and capture of an endpoint whose model comes from a registry.

    Parameters
    ----------
    variant_name : str
        The one variant; it stays for life, SageMaker AI guards no update that renames it. Default: ``primary``.
    instance_type : str, optional
        SageMaker AI instance type. Default: what the version's manifest says.
    instance_count : int, optional
        Instances. Default: what the version's manifest says.
    images : sequence of ContainerImage
        Images that versions may use: the endpoint's role may pull these only. Default: AWS's scikit-learn image.
    network : PrivateNetwork, optional
        VPC of the container, for example an `IsolatedNetwork`. Default: none; the container is isolated anyway.
    capture : DataCapture, optional
        Traffic to keep; ``None`` keeps nothing. Default: every request and answer.

    Raises
    ------
    PropError
        When SageMaker AI would refuse a value, or there is no image.
    """

    variant_name: str = "primary"
    instance_type: str | None = None
    instance_count: int | None = None
    images: Sequence[ContainerImage] = field(default_factory=lambda: (InferenceImage.sklearn(),))
    network: PrivateNetwork | None = None
    capture: DataCapture | None = EVERYTHING

    def __post_init__(self) -> None:
        faults = Faults("endpoint shape")
        legal = _NAME.fullmatch(self.variant_name) is not None
        faults.unless(legal, "variant_name", "be 1 to 63 of A-Z a-z 0-9 -", self.variant_name)
        count = self.instance_count
        faults.unless(count is None or count >= 1, "instance_count", "be at least 1", count)
        faults.unless(len(self.images) > 0, "images", "name at least one image", list(self.images))
        faults.raise_any()
        if self.instance_type is not None:
            Variant(name=self.variant_name, instance_type=self.instance_type)  # it knows the instance types

"""Registration: what is written down with a version, beside what was measured."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cdk_ml_lens.core.errors import Faults

_VARIANT = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@dataclass(frozen=True, kw_only=True)
class Registration:
    """The endpoint that a version is meant for; its manifest says so, and a rebuild reads it there.

    Parameters
    ----------
    variant_name : str
        Production variant. Default: ``champion``.
    instance_type : str
        Default: ``ml.m5.large``.
    instance_count : int
        Default: 1.

    Raises
    ------
    PropError
        When SageMaker AI would refuse a value.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html. Lens best practice
    MLREL05-BP01.
    """

    variant_name: str = "champion"
    instance_type: str = "ml.m5.large"
    instance_count: int = 1

    def __post_init__(self) -> None:
        faults = Faults("registration")
        legal = _VARIANT.fullmatch(self.variant_name) is not None
        faults.unless(legal, "variant_name", "be 1 to 63 of A-Z a-z 0-9 - and no - at an end", self.variant_name)
        faults.unless(self.instance_type.startswith("ml."), "instance_type", "begin with ml.", self.instance_type)
        faults.unless(self.instance_count >= 1, "instance_count", "be at least 1", self.instance_count)
        faults.raise_any()

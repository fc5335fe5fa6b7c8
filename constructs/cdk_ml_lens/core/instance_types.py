"""What the name of an ML instance type tells."""

from __future__ import annotations

import re

# Families with instance store: a "d" after the generation, and the accelerated ones that always have it.
_LOCAL_STORAGE = re.compile(r"ml\.([a-z]+[0-9]+[a-z]*d[a-z]*|g5|g6|g6e|p5|p5e|p5en|trn1|trn1n|trn2)\.")


def has_local_storage(instance_type: str) -> bool:
    """Tell whether disks inside the host, encrypted by its hardware, are all that a type stores on.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html, KmsKeyId: it must
    not be given when an instance type with local storage is used.
    """
    return _LOCAL_STORAGE.match(instance_type) is not None

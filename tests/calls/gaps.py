"""Operations that moto 5.2 lacks and the product calls: added to moto's own state, as little as the product needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.responses import SageMakerResponse

ADDED = frozenset({("sagemaker", "DeleteModelPackage")})


def _delete_model_package(response: SageMakerResponse) -> ActionResult:
    backend, given = response.sagemaker_backend, response._get_param("ModelPackageName")
    name = backend.model_package_name_mapping.get(given, given)
    del backend.model_packages[name]
    return EmptyResult()


@contextmanager
def closed() -> Iterator[None]:
    """Let moto know them; `test_moto_lacks_what_is_added` fails when moto has learned them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SageMakerResponse, "delete_model_package", _delete_model_package, raising=False)
        yield

"""The handlers of an A/B test: assigning, recording outcomes, evaluating."""

from __future__ import annotations

import itertools

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.iam_proof.conftest import Proven, Stage
from tests.local.iam_proof.harness import Proof
from tests.local.iam_proof.support import answered, logging, started_anew

pytestmark = pytest.mark.laptop_cloud
SETTING = "examples/ab_test.py"


@pytest.fixture(scope="module")
def outputs(stage: Stage) -> dict[str, str]:
    return stage(SETTING)


def test_assign_variant_needs_each_of_its_rights(guarded: LaptopCloud, outputs: dict[str, str], proven: Proven) -> None:
    function, users = outputs["AssignerName"], itertools.count()

    def assign() -> None:
        answered(guarded, function, {"user_id": f"user-{next(users)}"})

    def assign_first() -> None:
        started_anew(guarded, function)  # or the state of the test is a cached one
        assign()

    works = {"dynamodb:GetItem": assign_first, **logging(guarded, function, {"user_id": "anyone"})}
    proven(Proof(role="CheckoutAssignerRole", setting=SETTING, stack="AbTest", work=assign, works=works))

"""AbTest: what is refused, and how many users a test needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_ml_lens import (
    AbPolicy,
    AbTest,
    AbVariants,
    BusinessMetric,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    PropError,
    Variant,
    users_for_conversion,
    users_for_mean,
)
from tests.handlers.ab_support import FIXED, simulate


def make(stack: cdk.Stack, **props: Any) -> AbTest:
    given: dict[str, Any] = {
        "endpoint": ModelEndpoint.from_endpoint_name(stack, "shop"),
        "variants": AbVariants(control="blue", treatment="green"),
        "metric": BusinessMetric.conversion(),
    }
    return AbTest(stack, "Test", **given | props)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "one variant": (lambda: AbVariants(control="a", treatment="a"), "treatment must differ from the control"),
    "no share": (lambda: AbVariants(control="a", treatment="b", treatment_share=0), "treatment_share must be between"),
    "no window": (lambda: BusinessMetric.conversion(window_hours=0), "window_hours must be between"),
    "bounds": (lambda: BusinessMetric.mean(minimum=5, maximum=5), "maximum must be over the minimum"),
    "absurd": (lambda: BusinessMetric.mean(maximum=1e13), "maximum must be at most 1e12"),
    "no effect": (lambda: AbPolicy.fixed_split(effect=0, max_users=900), "effect must be over 0"),
    "alpha": (lambda: AbPolicy.fixed_split(effect=1, max_users=900, alpha=0.5), "alpha must be between"),
    "few": (lambda: AbPolicy.fixed_split(effect=1, max_users=900, min_users=10), "min_users must be at least 100"),
    "cap": (lambda: AbPolicy.fixed_split(effect=1, max_users=300), "max_users must be twice min_users"),
    "floor": (lambda: AbPolicy.thompson(effect=1, max_users=9_000, floor=0), "floor must be between"),
    "baseline": (lambda: users_for_conversion(baseline=0, effect=0.1), "baseline must be between"),
    "rate": (lambda: users_for_conversion(baseline=0.9, effect=0.2), "effect must lead to a rate"),
    "deviation": (lambda: users_for_mean(deviation=0, effect=1), "deviation must be over 0"),
    "power": (lambda: users_for_mean(deviation=1, effect=1, power=1), "power must be between"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_fails_on_values_that_make_no_test(case: str) -> None:
    build, message = REFUSED[case]
    with pytest.raises(PropError, match=message):
        build()


def test_fails_on_a_variant_that_the_endpoint_lacks(stack: cdk.Stack, model_file: Path) -> None:
    source = ModelSource.sklearn(ModelArtifact.from_file(stack, "Model", str(model_file)))
    endpoint = ModelEndpoint(stack, "Endpoint", variants=[Variant(name="blue", model=source)])
    with pytest.raises(PropError, match=r"variants must be among \['blue'\] for A/B test, got 'green'"):
        make(stack, endpoint=endpoint, policy=AbPolicy.fixed_split(effect=0.02, max_users=9_000))


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"metric": BusinessMetric.mean(maximum=9.0)}, "metric must be a conversion with Thompson sampling"),
        (
            {"variants": AbVariants(control="blue", treatment="green", treatment_share=0.1)},
            "treatment_share must be 0.5 with Thompson sampling",
        ),
    ],
)
def test_fails_on_thompson_sampling_of_something_else(stack: cdk.Stack, props: Any, message: str) -> None:
    with pytest.raises(PropError, match=message):
        make(stack, policy=AbPolicy.thompson(effect=0.01, max_users=50_000), **props)


def test_fails_when_the_smaller_variant_can_never_be_judged(stack: cdk.Stack) -> None:
    small = AbVariants(control="blue", treatment="green", treatment_share=0.01)
    with pytest.raises(PropError, match="max_users must give each variant min_users .* at least 20000"):
        make(stack, variants=small, policy=AbPolicy.fixed_split(effect=0.02, max_users=10_000))


def test_size_grows_with_power_and_shrinks_with_the_effect() -> None:
    sizes = [users_for_conversion(baseline=0.04, effect=0.02, power=power) for power in (0.8, 0.95, 0.99)]
    assert sizes == sorted(sizes)
    assert users_for_conversion(baseline=0.04, effect=0.01) > 3 * sizes[1]
    assert users_for_mean(deviation=10, effect=1) == users_for_mean(deviation=20, effect=2)
    assert users_for_mean(deviation=10, effect=1, share=0.1) > users_for_mean(deviation=10, effect=1)


def test_a_test_of_the_advised_size_has_the_power_that_was_asked_for() -> None:
    plan = replace(FIXED, max_users=users_for_conversion(baseline=0.04, effect=0.02, power=0.95))
    states = [simulate(plan, rates=(0.04, 0.06), run=run) for run in range(100)]
    assert sum(state.verdict is not None and state.verdict["winner"] == "green" for state in states) >= 95

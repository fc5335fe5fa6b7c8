"""What SageMaker AI excludes when variants, shapes and rollouts meet, refused at synth with the source."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.hosting.asynchronous import AsyncInference
from cdk_ml_lens.hosting.capture import EVERYTHING, DataCapture
from cdk_ml_lens.hosting.model import ModelSource
from cdk_ml_lens.hosting.rollout import Rollout
from cdk_ml_lens.hosting.variants import AnyVariant, ServerlessVariant, Variant

_GUARDRAILS = "https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html"
_SERVERLESS = "https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html#serverless-endpoints-how-it-works-exclusions"
_SHADOW = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html"
_ASYNC = "https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html"
_CONFIG = "see API_CreateEndpointConfig, ProductionVariants"
_MAX_VARIANTS = 10
_INF1 = re.compile(r"ml\.inf1\.")


def check_endpoint(
    variants: Sequence[AnyVariant],
    *,
    asynchronous: AsyncInference | None,
    rollout: Rollout | None,
    capture: DataCapture | None,
) -> None:
    """Raise a `PropError` with everything that AWS would refuse.

    Raises
    ------
    PropError
        One line per broken rule, with the source.
    """
    faults = Faults("model endpoint")
    _check_set(faults, variants)
    _check_shadow(faults, variants, asynchronous)
    _check_serverless(faults, variants, asynchronous=asynchronous, capture=capture)
    _check_async(faults, variants, asynchronous)
    if rollout is not None:
        _check_rollout(faults, variants, rollout)
    faults.raise_any()


def kept_traffic(variants: Sequence[AnyVariant], capture: DataCapture | None) -> DataCapture | None:
    """Return the capture; the default one falls away where SageMaker AI knows no capture."""
    return None if capture is EVERYTHING and _serverless(variants) else capture


def _serverless(variants: Sequence[AnyVariant]) -> list[ServerlessVariant]:
    return [variant for variant in variants if isinstance(variant, ServerlessVariant)]


def _instances(variants: Sequence[AnyVariant]) -> list[Variant]:
    return [variant for variant in variants if isinstance(variant, Variant)]


def _check_set(faults: Faults, variants: Sequence[AnyVariant]) -> None:
    names = [variant.name for variant in variants]
    faults.unless(1 <= len(names) <= _MAX_VARIANTS, "variants", f"number 1 to {_MAX_VARIANTS}", len(names), _CONFIG)
    faults.unless(len(set(names)) == len(names), "variants", "have a name each", names, _CONFIG)
    live = [variant for variant in _instances(variants) if not variant.shadow]
    weights = [variant.weight for variant in live]
    faults.unless(not live or sum(weights) > 0, "variants", "have one weight over 0", weights, _CONFIG)
    bare = [variant.name for variant in live if variant.model is None]
    faults.unless(len(bare) in (0, len(names)), "model", "be given for all variants or for none", bare)
    faults.unless(not bare or len(names) == 1, "variants", "number 1 when it hosts inference components", names)


def _check_shadow(faults: Faults, variants: Sequence[AnyVariant], asynchronous: AsyncInference | None) -> None:
    shadows = [variant.name for variant in _instances(variants) if variant.shadow]
    if not shadows:
        return
    faults.unless(
        len(shadows) == 1 and len(variants) == 2, "shadow", "be one variant beside one other", shadows, f"see {_SHADOW}"
    )
    faults.unless(
        asynchronous is None and not _serverless(variants),
        "shadow",
        "be on a real-time endpoint of instances",
        shadows,
        f"see {_SHADOW}",
    )


def _check_serverless(
    faults: Faults,
    variants: Sequence[AnyVariant],
    *,
    asynchronous: AsyncInference | None,
    capture: DataCapture | None,
) -> None:
    serverless = _serverless(variants)
    if not serverless:
        return
    names = [variant.name for variant in variants]
    hint = f"see {_SERVERLESS}"
    faults.unless(len(variants) == 1, "variants", "number 1 when serverless", names, hint)
    faults.unless(capture is None or capture is EVERYTHING, "capture", "be None when serverless", capture, hint)
    faults.unless(asynchronous is None, "asynchronous", "be None when serverless", asynchronous, hint)
    single = all(isinstance(variant.model, ModelSource) for variant in serverless)
    faults.unless(single, "model", "be one container when serverless", names, hint)
    private = [v.name for v in serverless if isinstance(v.model, ModelSource) and v.model.network is not None]
    faults.unless(not private, "network", "be None when serverless", private, hint)


def _check_async(faults: Faults, variants: Sequence[AnyVariant], asynchronous: AsyncInference | None) -> None:
    names = [variant.name for variant in variants]
    if asynchronous is not None:
        faults.unless(len(names) == 1, "variants", "number 1 when asynchronous", names, f"see {_ASYNC}")
        return
    idle = [
        variant.name
        for variant in variants
        if variant.autoscaling is not None
        and variant.autoscaling.min_capacity == 0
        and not (isinstance(variant, Variant) and variant.model is None)
    ]
    faults.unless(
        not idle,
        "min_capacity",
        "be at least 1 unless the endpoint is asynchronous or hosts inference components",
        idle,
        "see https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html",
    )


def _check_rollout(faults: Faults, variants: Sequence[AnyVariant], rollout: Rollout) -> None:
    names = [variant.name for variant in variants]
    hint = f"see {_GUARDRAILS}"
    old = [variant.instance_type for variant in _instances(variants) if _INF1.match(variant.instance_type)]
    faults.unless(not old, "rollout", "be None on Inf1 instances", old, hint)
    faults.unless(not _serverless(variants), "rollout", "be None when serverless", rollout.strategy, hint)
    market = [name for name, model in _models(variants) if model.image.marketplace]
    faults.unless(not market, "rollout", "be None for marketplace containers", market, hint)
    faults.unless(
        rollout.strategy != "ROLLING" or len(names) == 1, "rollout", "not be rolling with several variants", names, hint
    )
    replaced = rollout.replaces
    faults.unless(
        replaced is None or sorted(replaced) == sorted(names), "variants", f"keep their names {replaced}", names, hint
    )


def _models(variants: Sequence[AnyVariant]) -> list[tuple[str, ModelSource]]:
    return [(variant.name, variant.model) for variant in variants if isinstance(variant.model, ModelSource)]

"""Brings up the model servers of an endpoint configuration."""

from __future__ import annotations

import threading

from .endpoint_state import Fleet, Params, Variant
from .model_process import ModelProcesses
from .model_shapes import Serving, start


def bring_up(config: Params, *, processes: ModelProcesses, before: Fleet | None, retain: bool) -> Fleet:
    """Start what the configuration names and wait until it answers; servers of the same model are kept.

    Parameters
    ----------
    config
        Endpoint configuration.
    processes
        Starts model servers.
    before
        The fleet in service.
    retain
        Whether weights and counts of variants of the same name are kept.

    Raises
    ------
    ModelFailedError, ApiError
        If a model does not come into service; nothing of this fleet is left running.
    """
    running = {} if before is None else before.processes()
    started: dict[str, Serving] = {}
    items = [*config["ProductionVariants"], *(config.get("ShadowProductionVariants") or [])]
    try:
        for model_name in dict.fromkeys(item["ModelName"] for item in items if "ModelName" in item):
            started[model_name] = running.get(model_name) or start(model_name, processes)
        for process in started.values():
            process.wait_until_ready()
    except Exception:
        for name, process in started.items():
            if name not in running:
                process.stop()
        raise
    known = {variant.name: variant for variant in before.variants} if before is not None and retain else {}
    count = len(config["ProductionVariants"])
    variants = [_variant(item, started, known.get(item["VariantName"])) for item in items]
    return Fleet(config=config, variants=variants[:count], shadows=variants[count:])


def _variant(item: Params, processes: dict[str, Serving], known: Variant | None) -> Variant:
    serverless = item.get("ServerlessConfig")
    return Variant(
        name=item["VariantName"],
        process=processes.get(item.get("ModelName", "")),  # none: the variant hosts inference components
        weight=float(item.get("InitialVariantWeight", 1.0)) if known is None else known.weight,
        instances=int(item.get("InitialInstanceCount", 1)) if known is None else known.instances,
        slots=None if serverless is None else threading.BoundedSemaphore(int(serverless["MaxConcurrency"])),
    )

"""What a private name must look like: where it is, and its parameters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One private name: where it is, and its parameters (``None``: any value will do)."""

    module: str
    name: str
    parameters: tuple[str, ...] | None = None


def calls(module: str, **names: str) -> tuple[Expected, ...]:
    """Return functions of ``module``, each with the names of its parameters."""
    return tuple(
        Expected(module=module, name=name, parameters=tuple(parameters.split())) for name, parameters in names.items()
    )


def values(module: str, *names: str) -> tuple[Expected, ...]:
    """Return names of ``module`` whose value does not matter."""
    return tuple(Expected(module=module, name=name) for name in names)

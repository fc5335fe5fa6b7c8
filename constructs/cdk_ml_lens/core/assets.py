"""Finds the code that runs in AWS: inside the wheel, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parents[1]


def bundled(name: str) -> Path:
    """Return the directory of one bundled source tree.

    Parameters
    ----------
    name : str
        ``lambda_src``, ``model_src`` or ``etl_src``.

    Returns
    -------
    Path
        ``cdk_ml_lens/_bundled/<name>`` in an installed wheel, ``<checkout>/<name>`` otherwise.

    Raises
    ------
    FileNotFoundError
        When neither exists: the installation is broken.
    """
    for candidate in (_PACKAGE / "_bundled" / name, _CHECKOUT / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"{name} is neither in {_PACKAGE / '_bundled'} nor in {_CHECKOUT}: reinstall cdk-ml-lens")

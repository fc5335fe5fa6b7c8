"""Measures coverage in a Python process from its first import on, and in each process that it starts.

Python imports a module of this name at its start if its folder is in PYTHONPATH. The product hands PYTHONPATH to none
of its processes (the laptop cloud's server, Lambda workers, jobs, model servers), and some have an environment of their
own without the coverage package. So this module adds itself to what `subprocess.Popen` passes on, and takes its traces
out of its own process: the product and its tests see the environment that they would see without it.
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import json
import os
import subprocess
import sys
from typing import Any

STATE = "ML_LENS_COVERAGE"  # {"package": coverage's folder, "config": file, "data": file, "path": PYTHONPATH or null}
HERE = os.path.dirname(os.path.abspath(__file__))


def _start(state: dict[str, Any]) -> None:
    """Start coverage with the package of the environment that measures, whichever this one is."""
    package = state["package"]
    spec = importlib.util.spec_from_file_location(
        "coverage", os.path.join(package, "__init__.py"), submodule_search_locations=[package]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no coverage package in {package}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["coverage"] = module
    spec.loader.exec_module(module)
    measured = module.Coverage(config_file=state["config"], data_file=state["data"])
    measured.start()
    atexit.register(_save, measured)


def _save(measured: Any) -> None:
    measured.stop()
    measured.save()


def _clean(state: dict[str, Any]) -> None:
    """Give this process the environment and the import path that it would have without the hook."""
    del os.environ[STATE]
    if state["path"] is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = state["path"]
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != HERE]


def _hand_on(state: dict[str, Any]) -> None:
    """Let each process that this one starts measure itself as well."""
    plain: Any = subprocess.Popen.__init__

    @functools.wraps(plain)
    def measured(self: Any, *args: Any, env: Any = None, **kwargs: Any) -> None:
        given = dict(os.environ if env is None else env)
        if STATE not in given:  # else a measurement of its own
            path = given.get("PYTHONPATH")
            given[STATE] = json.dumps({**state, "path": path})
            given["PYTHONPATH"] = os.pathsep.join(filter(None, [HERE, path]))
        plain(self, *args, env=given, **kwargs)

    subprocess.Popen.__init__ = measured  # type: ignore[method-assign]


if STATE in os.environ:
    _state = json.loads(os.environ[STATE])
    _clean(_state)
    _hand_on(_state)
    _start(_state)

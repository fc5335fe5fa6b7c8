"""The two engines: the same function over the same tasks, in this process or on Spark's executors."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


class EngineError(RuntimeError):
    """The engine cannot run here."""


class Runner(Protocol):
    """Runs a function over tasks, in any order, and returns the results in the order of the tasks."""

    @property
    def name(self) -> str:
        """How a manifest names it."""
        ...

    def run(self, function: Callable[[_Task], _Result], tasks: Sequence[_Task]) -> list[_Result]:
        """Run it; the first exception of a task ends the run."""
        ...


@dataclass(frozen=True, kw_only=True)
class SingleNode:
    """This process: ``at_once`` devices are in memory, whatever the number of devices."""

    name: str = "single_node"
    at_once: int = 3

    def run(self, function: Callable[[_Task], _Result], tasks: Sequence[_Task]) -> list[_Result]:
        """Read and write of one device while another is computed."""
        with ThreadPoolExecutor(max_workers=self.at_once) as pool:
            return list(pool.map(function, tasks))


@dataclass(frozen=True, kw_only=True)
class Spark:
    """A Spark session: a task per partition, so that executors take the next one as they get free.

    Only tasks and their accounts travel; the rows are read and written by the executor that computes them.
    """

    name: str = "spark"

    def run(self, function: Callable[[_Task], _Result], tasks: Sequence[_Task]) -> list[_Result]:
        """Send the tasks, largest first as they come, and collect the results."""
        context = _session().sparkContext
        results: list[_Result] = context.parallelize(list(tasks), max(len(tasks), 1)).map(function).collect()
        return results


def engine_of(name: str) -> Runner:
    """Return the engine of a name.

    Raises
    ------
    EngineError
        There is no such engine.
    """
    engines: dict[str, Callable[[], Runner]] = {"single_node": SingleNode, "spark": Spark}
    if name not in engines:
        raise EngineError(f"an engine is one of {sorted(engines)}, got {name!r}")
    return engines[name]()


def _session() -> Any:
    """Return the session that Glue started, or a local one.

    Raises
    ------
    EngineError
        PySpark or Java is missing.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise EngineError(f"the Spark engine needs PySpark: {error}") from None
    # Local workers inherit this process's environment; on Glue the package is in --extra-py-files of every executor.
    here = str(Path(__file__).resolve().parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        return SparkSession.builder.appName("cdk-ml-lens").getOrCreate()
    except Exception as error:
        raise EngineError(f"no Spark session could be made, is there a Java of version 17? {error}") from error

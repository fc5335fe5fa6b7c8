"""The model's answers on rows that it was not trained on, by the code that its artifact carries."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from .captures import prediction_of
from .columns import Cell
from .profile import BaselineError


def answers(model: Path, rows: Sequence[dict[str, str]], names: Sequence[str], *, answer_field: str) -> list[Cell]:
    """Answer rows with a script-mode artifact (``code/inference.py`` with model_fn, input_fn, predict_fn, output_fn).

    Parameters
    ----------
    model
        ``model.tar.gz``.
    rows, names
        Rows of a split, and the columns that the model takes, in order.
    answer_field
        Field of the answer that is the prediction.

    Raises
    ------
    BaselineError
        When the artifact carries no such script.
    """
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(model) as archive:
            archive.extractall(folder, filter="data")
        script = Path(folder) / "code" / "inference.py"
        if not script.is_file():
            raise BaselineError("the model must carry code/inference.py for a baseline of predictions")
        served = _module(script)
        loaded = served.model_fn(folder)
        body, _ = served.output_fn(
            served.predict_fn(served.input_fn(_csv(rows, names), "text/csv"), loaded), "application/jsonlines"
        )
    return [prediction_of(json.loads(line), answer_field) for line in body.splitlines() if line.strip()]


def _csv(rows: Sequence[dict[str, str]], names: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([row[name] for name in names] for row in rows)
    return text.getvalue()


def _module(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("served_inference", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module

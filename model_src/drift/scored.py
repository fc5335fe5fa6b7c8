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
from .columns import Cell, number_of


class NoAnswersError(RuntimeError):
    """The artifact cannot be asked here: it brings no script, or its script needs what this image lacks."""


def answers(model: Path, rows: Sequence[dict[str, str]], names: Sequence[str], *, answer_field: str) -> list[Cell]:
    """Answer rows with a script-mode artifact (``code/inference.py`` with model_fn, input_fn, predict_fn, output_fn).

    Parameters
    ----------
    model
        ``model.tar.gz``.
    rows, names
        Rows of a split, and the columns that the model takes, in order; rows with a cell that is no number are left
        out.
    answer_field
        Field of the answer that is the prediction.

    Raises
    ------
    NoAnswersError
        When the artifact carries no such script (that of a built-in algorithm does not), or the script cannot be
        imported in this image.
    """
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(model) as archive:
            archive.extractall(folder, filter="data")
        script = Path(folder) / "code" / "inference.py"
        if not script.is_file():
            raise NoAnswersError("the artifact carries no code/inference.py")
        try:
            body = _asked(script, folder, _csv(rows, names))
        except ImportError as error:
            raise NoAnswersError(f"code/inference.py cannot be imported in this image: {error}") from error
    return [prediction_of(json.loads(line), answer_field) for line in body.splitlines() if line.strip()]


def _asked(script: Path, folder: str, rows: str) -> str:
    served = _module(script)
    values = served.input_fn(rows, "text/csv")
    body: str = served.output_fn(served.predict_fn(values, served.model_fn(folder)), "application/jsonlines")[0]
    return body


def _csv(rows: Sequence[dict[str, str]], names: Sequence[str]) -> str:
    text = io.StringIO()
    whole = ([row[name] for name in names] for row in rows)
    csv.writer(text).writerows(cells for cells in whole if all(number_of(cell) is not None for cell in cells))
    return text.getvalue()


def _module(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("served_inference", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    sys.path.insert(0, str(script.parent))  # where the container has the script's neighbours
    spec.loader.exec_module(module)
    return module

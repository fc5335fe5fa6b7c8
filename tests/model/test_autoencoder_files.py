"""What holds for the autoencoder also without PyTorch: its copies of shared files, its wire format, its refusal."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from model_src.anomaly import inference
from model_src.autoencoder import wire
from tests.model.training_jobs import MODEL_SRC, run_training


@pytest.mark.parametrize("name", ["checkpoints.py", "judging.py", "training_data.py"])
def test_files_that_both_trainings_need_are_the_same_in_both_folders(name: str) -> None:
    # a training job gets one folder, so each has its own copy
    assert (MODEL_SRC / "autoencoder" / name).read_bytes() == (MODEL_SRC / "anomaly" / name).read_bytes()


def outcome(module: ModuleType, body: bytes, content_type: str) -> tuple[str, Any]:
    try:
        return "rows", module.input_fn(body, content_type).tolist()
    except Exception as error:
        return type(error).__name__, (str(error), getattr(error, "code", None))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"1,2\n3,4\n", "text/csv"),
        (b'{"features": [1, 2.5]}\n\n{"features": [3, 4]}', "application/jsonlines; charset=utf-8"),
        (b"1,nan", "text/csv"),
        (b"1,2\n3", "text/csv"),
        (b"", "text/csv"),
        (b"\xff\xfe1", "text/csv"),
        (b'{"features": ["1"]}', "application/jsonlines"),
        (b"{", "application/jsonlines"),
        (b"x", "image/png"),
    ],
)
def test_requests_are_read_and_refused_as_by_the_anomaly_model(body: bytes, content_type: str) -> None:
    assert outcome(wire, body, content_type) == outcome(inference, body, content_type)


@pytest.mark.parametrize("accept", ["text/csv", "application/jsonlines", "", "*/*", "image/png"])
def test_answers_are_written_as_by_the_anomaly_model(accept: str) -> None:
    answers: list[Any] = []
    for module in (wire, inference):
        scored = module.Scored(scores=np.array([0.25, 3.5]), threshold=1.5, model_version="v")
        try:
            answers.append(module.output_fn(scored, accept))
        except Exception as error:
            answers.append((type(error).__name__, str(error)))

    assert answers[0] == answers[1]


def test_fails_with_the_reason_where_pytorch_cannot_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch on this machine')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = run_training(tmp_path, program="autoencoder/train.py")

    assert done.returncode == 1
    assert done.stderr == (
        "error: the autoencoder needs PyTorch, as SageMaker's PyTorch image has it: no torch on this machine\n"
    )

"""Fixtures of the model tests: one artifact, trained once by the real script in its own process."""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

import pytest

from cdk_ml_lens.local.model_build import build_artifact
from cdk_ml_lens.local.readings import write_csv
from cdk_ml_lens.local.simulator import FEATURES, training_set

QUANTILE = 0.999


@pytest.fixture(scope="session")
def training_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("training") / "healthy.csv"
    return write_csv(path, training_set(seed=900, rows=4000), features=FEATURES)


@pytest.fixture(scope="session")
def artifact(training_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("artifact") / "model.tar.gz"
    return build_artifact(training_csv, out, quantile=QUANTILE, seed=0, features=FEATURES, python=Path(sys.executable))


@pytest.fixture(scope="session")
def model_dir(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    with tarfile.open(artifact) as archive:
        archive.extractall(folder, filter="data")
    return folder

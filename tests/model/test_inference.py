"""The four serving functions: what they read, what they answer, and which artifacts they refuse."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn

from model_src.anomaly import inference

HEALTHY = "70.3,2.35,11.5,1490"
OVERHEATED = "115.0,2.35,11.5,1490"


@pytest.fixture(scope="module")
def model(model_dir: Path) -> inference.AnomalyModel:
    return inference.model_fn(str(model_dir))


def answer(model: inference.AnomalyModel, body: str, sent: str, wanted: str) -> list[str]:
    text, kind = inference.output_fn(inference.predict_fn(inference.input_fn(body, sent), model), wanted)
    assert kind == wanted
    return text.splitlines()


def edited(model_dir: Path, tmp_path: Path, **changes: str) -> str:
    folder = tmp_path / "model"
    shutil.copytree(model_dir, folder)
    metadata = json.loads((folder / "metadata.json").read_text())
    (folder / "metadata.json").write_text(json.dumps({**metadata, **changes}))
    return str(folder)


def test_csv_is_answered_line_by_line_in_order_with_the_model_version(model: inference.AnomalyModel) -> None:
    lines = answer(model, f"{HEALTHY}\n{OVERHEATED}\n{HEALTHY}\n", "text/csv", "application/jsonlines")

    rows = [json.loads(line) for line in lines]
    assert [row["anomaly"] for row in rows] == [False, True, False]
    assert all(row["model_version"] == model.model_version and row["threshold"] == model.threshold for row in rows)
    assert rows[1]["score"] > model.threshold > rows[0]["score"] == rows[2]["score"]


def test_json_lines_and_csv_bodies_give_the_same_scores(model: inference.AnomalyModel) -> None:
    numbers = [float(cell) for cell in OVERHEATED.split(",")]
    from_csv = answer(model, OVERHEATED, "text/csv; charset=utf-8", "text/csv")
    from_json = answer(model, json.dumps({"features": numbers}) + "\n\n", "application/jsonlines", "text/csv")

    assert from_csv == from_json
    score, threshold, version = from_csv[0].split(",")
    assert float(score) > float(threshold) == model.threshold
    assert version == model.model_version


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_an_open_accept_header_is_answered_with_json_lines(model: inference.AnomalyModel, accept: str) -> None:
    scored = inference.predict_fn(inference.input_fn(HEALTHY, "text/csv"), model)

    assert inference.output_fn(scored, accept)[1] == "application/jsonlines"


def test_an_absurd_but_finite_reading_is_scored_and_spoils_no_other_row(
    model: inference.AnomalyModel,
) -> None:
    alone = inference.predict_fn(inference.input_fn(HEALTHY, "text/csv"), model).scores[0]
    scores = inference.predict_fn(inference.input_fn(f"1e308,-1e308,1e200,-1e39\n{HEALTHY}", "text/csv"), model).scores

    assert np.isfinite(scores).all()
    assert scores[0] > model.threshold
    assert scores[1] == alone


@pytest.mark.parametrize(
    ("body", "content_type", "fault"),
    [
        (b"1,2,3,nan", "text/csv", "line 1 must hold finite numbers"),
        (b"1,2,3,4\n1,2,3,inf", "text/csv", "line 2 must hold finite numbers"),
        (b"1,2,3,4\n1,2,3", "text/csv", "line 2 must have 4 values like the first row, got 3"),
        (b"1,2,3,hot", "text/csv", "line 1 must hold numbers"),
        (b"", "text/csv", "at least one row"),
        (b"\xff\xfe1", "text/csv", "must be UTF-8"),
        (b'{"features": [1, 2', "application/jsonlines", "line 1 must be JSON"),
        (b'{"feature": [1]}', "application/jsonlines", "line 1 must be {"),
        (b'{"features": ["1", 2, 3, 4]}', "application/jsonlines", "line 1 must be {"),
        (b'{"features": [1, 2, 3, true]}', "application/jsonlines", "line 1 must be {"),
        (b'{"features": [1, 2, 3, null]}', "application/jsonlines", "line 1 must hold numbers"),
        (b'{"features": [1, 2, 3, NaN]}', "application/jsonlines", "line 1 must hold finite numbers"),
        (
            b'{"features": [1, 2, 3, 1' + b"0" * 400 + b"]}",
            "application/jsonlines",
            "line 1 must hold numbers",
        ),
    ],
)
def test_fails_with_status_400_and_the_line_for_an_unreadable_body(body: bytes, content_type: str, fault: str) -> None:
    with pytest.raises(inference.UnreadableInputError) as caught:
        inference.input_fn(body, content_type)

    assert fault in str(caught.value)
    assert caught.value.code == 400


def test_fails_with_status_400_for_another_number_of_features(model: inference.AnomalyModel) -> None:
    with pytest.raises(inference.UnreadableInputError, match=r"must hold 4 values \(temperature, .*got 3"):
        inference.predict_fn(inference.input_fn("1,2,3", "text/csv"), model)


def test_fails_with_status_415_and_406_for_other_types(model: inference.AnomalyModel) -> None:
    with pytest.raises(inference.UnsupportedContentTypeError) as sent:
        inference.input_fn(b"x", "image/png")
    with pytest.raises(inference.UnsupportedAcceptError) as wanted:
        inference.output_fn(inference.predict_fn(inference.input_fn(HEALTHY, "text/csv"), model), "image/png")

    assert (sent.value.code, wanted.value.code) == (415, 406)


@pytest.mark.parametrize(
    ("field", "made_with", "name"),
    [("scikit_learn", "1.4.2", "scikit-learn"), ("scikit_learn", "1.9.1", "scikit-learn"), ("numpy", "1.26.4", "numpy"),
     ("python", "2.7.18", "Python")],
)  # fmt: skip
def test_fails_to_load_an_artifact_of_other_versions_and_names_both(
    model_dir: Path, tmp_path: Path, field: str, made_with: str, name: str
) -> None:
    here = {"scikit_learn": sklearn.__version__, "numpy": np.__version__}.get(field, "3.")
    folder = edited(model_dir, tmp_path, **{field: made_with})
    (Path(folder) / "model.joblib").write_bytes(b"not a pickle: loading it would raise another error")

    with pytest.raises(inference.IncompatibleArtifactError) as caught:
        inference.model_fn(folder)

    message = str(caught.value)
    assert f"{name} {made_with} (here: {here}" in message
    assert "train it again" in message


@pytest.mark.parametrize(("field", "made_with"), [("python", "3.8.1"), ("numpy", "2.0.0")])
def test_an_artifact_of_another_minor_version_is_loaded(
    model_dir: Path, tmp_path: Path, field: str, made_with: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        inference.model_fn(edited(model_dir, tmp_path, **{field: made_with}))

    assert [record.message[:28] for record in caplog.records] == (
        ["artifact made on Python 3.8.1"[:28]] if field == "python" else []
    )


def test_errors_keep_their_status_without_werkzeug(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib
    import sys

    monkeypatch.setitem(sys.modules, "werkzeug.exceptions", None)
    monkeypatch.delitem(sys.modules, "model_src.anomaly.inference")
    bare: Any = importlib.import_module("model_src.anomaly.inference")

    assert issubclass(bare.UnreadableInputError, ValueError)
    with pytest.raises(bare.UnreadableInputError, match="line 1"):
        bare.input_fn(b"x", "text/csv")
    assert bare.UnreadableInputError.code == 400

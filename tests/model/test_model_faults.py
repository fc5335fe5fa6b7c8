"""The fault knobs of a model server: errors, delays and wrong answers, and none unless they are asked for."""

from __future__ import annotations

import http.client
import json
import threading
import time
from pathlib import Path

import pytest

from cdk_ml_lens.local import model_server
from cdk_ml_lens.local.model_faults import Faults

PROGRAM = """
def model_fn(model_dir): return model_dir
def input_fn(body, content_type): return body
def predict_fn(data, model): return '{"score": 0.25, "threshold": 1e-1, "model_version": "1.0", "anomaly": true}'
def output_fn(prediction, accept): return prediction, "application/json"
"""
ANSWER = {"score": 0.25, "threshold": 0.1, "model_version": "1.0", "anomaly": True}


def answers(tmp_path: Path, count: int) -> list[tuple[int, str]]:
    code = tmp_path / "code"
    code.mkdir()
    (code / "inference.py").write_text(PROGRAM)
    with model_server.serve(model_dir=tmp_path, port=0, program="inference.py") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)

        def ask(method: str, path: str) -> tuple[int, str]:
            connection.request(method, path, b"1" if method == "POST" else None)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

        while ask("GET", "/ping")[0] == 503:
            time.sleep(0.02)
        found = [ask("POST", "/invocations") for _ in range(count)]
        server.shutdown()
    return found


def test_without_settings_nothing_goes_wrong(tmp_path: Path) -> None:
    assert [(status, json.loads(body)) for status, body in answers(tmp_path, 5)] == [(200, ANSWER)] * 5


def test_the_error_rate_is_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_LENS_FAULT_ERROR_RATE", "0.3")
    statuses = [status for status, _ in answers(tmp_path, 400)]
    assert set(statuses) == {200, 500}
    assert 84 <= statuses.count(500) <= 156  # 120 expected, four standard deviations are 37; the dice are seeded


def test_every_answer_is_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_LENS_FAULT_LATENCY_MS", "60")
    started = time.monotonic()
    answers(tmp_path, 3)
    assert time.monotonic() - started >= 0.18


def test_wrong_answers_keep_their_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_LENS_FAULT_WRONG_RATE", "1")
    ((status, body),) = answers(tmp_path, 1)
    assert status == 200
    assert json.loads(body) == {**ANSWER, "score": -1000.25, "threshold": -1000.1}


@pytest.mark.parametrize(("body", "spoiled"), [(b"1,-2.5\n3", b"-1001.0,-997.5\n-1003.0"), (b"v1 ok", b"v1 ok")])
def test_numbers_of_csv_are_spoiled_and_words_are_not(body: bytes, spoiled: bytes) -> None:
    assert Faults(wrong_rate=1).spoiled(body) == spoiled


@pytest.mark.parametrize("name", ["ERROR_RATE", "WRONG_RATE"])
def test_a_rate_over_one_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"ML_LENS_FAULT_{name} must be between 0 and 1, got 1.5"):
        Faults.from_environment({f"ML_LENS_FAULT_{name}": "1.5"})
    with pytest.raises(ValueError, match="LATENCY_MS must be at least 0, got -1"):
        Faults.from_environment({"ML_LENS_FAULT_LATENCY_MS": "-1"})

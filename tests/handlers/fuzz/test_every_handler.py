"""No handler is left out of the tests with generated payloads."""

from __future__ import annotations

from pathlib import Path

HANDLERS = Path(__file__).resolve().parents[3] / "lambda_src" / "handlers"
TESTS = Path(__file__).parent
CALLS = {"score_readings": "Scorer(", "answer_request": "api_support.ask("}  # through the support of their own tests


def test_every_handler_meets_generated_payloads() -> None:
    texts = "\n".join(path.read_text() for path in TESTS.glob("test_*.py") if path != Path(__file__))
    names = sorted(path.stem for path in HANDLERS.glob("*.py") if path.stem != "__init__")
    missing = [
        name
        for name in names
        if CALLS.get(name, f"{name}.run(") not in texts and f"{name}.handler(" not in texts
    ]  # fmt: skip

    assert len(names) >= 13
    assert missing == []

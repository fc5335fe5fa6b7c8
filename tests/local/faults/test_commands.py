"""ml-lens faults and ml-lens redrive: their options, what they print, their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cdk_ml_lens.local import LaptopCloud, cli
from cdk_ml_lens.local.faults import Row, rows


def row(**changes: object) -> Row:
    given: dict[str, object] = {
        "fault": "duplicates", "sent": 300, "scored": 290, "dead_lettered": 10, "duplicates_suppressed": 600,
        "repeated": 0, "lost": 0, "doubled": 0, "seconds": 1.5, "what": "sent three times",
    }  # fmt: skip
    return Row(**{**given, **changes})  # type: ignore[arg-type]


def test_a_row_closes_only_if_every_reading_ended_once() -> None:
    assert row().closes
    assert not row(lost=1, scored=289).closes
    assert not row(doubled=1).closes
    assert not row(scored=291).closes


def test_evidence_keeps_the_rows_of_the_other_tier(tmp_path: Path) -> None:
    path = tmp_path / "evidence" / "faults.json"
    rows.write(path, [row()])
    document = json.loads(path.read_text())
    document["rows"].append({**document["rows"][0], "tier": "handlers"})
    path.write_text(json.dumps(document))

    rows.write(path, [row(scored=300, dead_lettered=0)])

    kept = json.loads(path.read_text())
    assert [(entry["tier"], entry["scored"]) for entry in kept["rows"]] == [("handlers", 290), ("laptop cloud", 300)]
    assert "| laptop cloud | duplicates | 300 | 300 | 0 | 600 | 0 | 0 | 1.5 |" in rows.markdown(kept)


def test_a_page_gets_the_table_of_the_evidence_and_keeps_its_text(tmp_path: Path) -> None:
    page, path = tmp_path / "faults.md", tmp_path / "faults.json"
    rows.write(path, [row()])
    page.write_text("Before\n\n| tier | fault | x |\n|---|---|---|\n| old | old | 1 |\n\nAfter\n| a | b |\n")

    for _ in range(2):
        rows.refresh(page, path)

    table = rows.markdown(json.loads(path.read_text()))
    assert page.read_text() == f"Before\n\n{table}\nAfter\n| a | b |\n"


def test_too_few_readings_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["faults", "--readings", "10"]) == cli.EXIT_FAILED
    assert "readings must be at least 50, got 10" in capsys.readouterr().err


@pytest.mark.laptop_cloud
def test_redrive_shows_first_and_moves_when_told(laptop_cloud: LaptopCloud, capsys: pytest.CaptureFixture[str]) -> None:
    sqs = laptop_cloud.client("sqs")
    dead, source = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("redrive-dead", "redrive-source"))
    for reason in ("attempts_exhausted", "attempts_exhausted", "wrong_type"):
        sqs.send_message(QueueUrl=dead, MessageBody=json.dumps({"reason": reason, "payload": "{}"}))
    sqs.send_message(QueueUrl=dead, MessageBody="no json")
    command = ["redrive", "--from", "redrive-dead", "--to", "redrive-source", "--endpoint-url"]
    command += [laptop_cloud.endpoint_url, "--reason", "attempts_exhausted"]

    assert cli.main(command) == 0
    assert "nothing was moved; --send moves them" in capsys.readouterr().out
    assert "Messages" not in sqs.receive_message(QueueUrl=source)

    assert cli.main([*command, "--send"]) == 0
    assert "unreadable" in capsys.readouterr().out
    assert len(sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10)["Messages"]) == 2
    assert len(sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10)["Messages"]) == 2

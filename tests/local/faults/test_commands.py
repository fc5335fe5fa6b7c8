"""ml-lens faults and ml-lens redrive: their options, what they print, their exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud, cli, cli_faults
from cdk_ml_lens.local.demo_accounts import Accounts
from cdk_ml_lens.local.faults import Row, rows
from tests.local.accounts_support import plan

PAGE = "| tier | fault |\n|---|---|\n"


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


class FakeSuite:
    """Gives the rows that it is told to; no cloud runs and nothing is sent."""

    def __init__(self, *given: Row) -> None:
        self._given, self.options = given, dict[str, Any]()

    def __call__(self, **options: Any) -> Iterator[Row]:
        self.options = options
        options["progress"](self._given[0].fault, Accounts(plan([])))
        yield from self._given


def faults(suite: FakeSuite, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the command on a fake suite; it may write evidence and a page into ``folder``."""
    (folder / "page.md").write_text(PAGE)
    monkeypatch.setattr(cli_faults, "run", suite)
    written = ["--write", str(folder / "faults.json"), "--page", str(folder / "page.md")]
    return cli.main(["faults", "--readings", "300", "--only", "duplicates", "--json", *written])


def test_closed_accounts_become_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = FakeSuite(row())
    assert faults(suite, tmp_path, monkeypatch) == 0
    assert (suite.options["count"], suite.options["only"]) == (300, ["duplicates"])
    shown = capsys.readouterr()
    assert json.loads(shown.out)["rows"] == json.loads((tmp_path / "faults.json").read_text())["rows"]
    assert "closed: 290 scored, 10 dead-lettered of 300" in shown.err
    assert "| laptop cloud | duplicates | 300 |" in (tmp_path / "page.md").read_text()


def test_an_open_account_fails_the_command_and_is_no_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert faults(FakeSuite(row(), row(lost=1, scored=289)), tmp_path, monkeypatch) == 1
    shown = capsys.readouterr()
    assert [entry["lost"] for entry in json.loads(shown.out)["rows"]] == [0, 1]
    assert "open: 289 scored" in shown.err
    assert not (tmp_path / "faults.json").exists()
    assert (tmp_path / "page.md").read_text() == PAGE


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

"""What the demo prints: a live table while it runs, the README's figures at the end, each broken promise by name."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from cdk_ml_lens.local.demo_summary import Summary, summarise
from cdk_ml_lens.local.demo_view import View
from tests.local.accounts_support import finish, run


def terminal(view: View) -> io.StringIO:
    """Let a view write to a terminal 120 wide; what it writes is in the buffer."""
    buffer = io.StringIO()
    view.console = Console(file=buffer, force_terminal=True, width=120, highlight=False, color_system=None)
    return buffer


def finished() -> Summary:
    accounts, clock = run()
    clock.now += 0.25
    finish(accounts)
    return summarise(accounts)


def test_the_live_table_counts_what_is_under_way() -> None:
    view = View(as_json=False)
    shown = terminal(view)
    accounts, clock = run()
    with view.live() as live:
        view.draw(live, accounts, final=True)
        before = shown.getvalue()
        clock.now += 0.25
        finish(accounts)
        view.draw(live, accounts)  # too early for the next picture
        assert shown.getvalue() == before
        view.draw(live, accounts, final=True)
    first, last = before.splitlines()[-2], shown.getvalue().removeprefix(before).splitlines()
    assert first.replace("│", " ").split() == ["5/5", "5", "0", "0", "5", "0", "0", "-"]
    assert ["5/5", "5", "4", "1", "0", "1", "1", "250", "ms"] in [line.replace("│", " ").split() for line in last]


def test_no_table_is_drawn_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    view = View(as_json=False)
    with view.live() as live:
        view.draw(live, run()[0], final=True)
    assert "published" not in capsys.readouterr().out


def test_the_summary_has_every_figure_and_the_windows() -> None:
    view = View(as_json=False)
    shown = terminal(view)
    view.summary(finished())
    lines = [" ".join(line.replace("│", " ").split()) for line in shown.getvalue().splitlines()]
    assert "sent 5 by 1 device(s), 0 of them twice" in lines
    assert "quarantined 1 (1 bad_encoding)" in lines
    assert "outside labelled windows 0 of 3 (0.0%)" in lines
    assert "labelled windows with an alert 1 of 1" in lines
    assert "publish to alert, median / p99 250.0 / 250.0 ms" in lines
    assert "w 1 of 1 (100.0%) 0.0" in lines
    assert "failed" not in shown.getvalue()


def test_nothing_that_broke_is_hidden_in_the_figures() -> None:
    view = View(as_json=False)
    shown = terminal(view)
    accounts, _ = run()
    finish(accounts)
    del accounts.predictions["d1#r3"]
    view.summary(summarise(accounts))
    assert "failed: 1 messages are unaccounted for" in shown.getvalue()


def test_json_alone_is_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    view = View(as_json=True)
    view.step("begun")
    view.summary(finished())
    shown = capsys.readouterr()
    assert json.loads(shown.out)["scored"] == 4
    assert "begun" in shown.err

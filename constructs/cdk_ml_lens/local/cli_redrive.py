"""Show what is in a dead-letter queue of the scorer, by reason; with --send, put it back into the rule's queue."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import boto3
from rich.console import Console
from rich.table import Table

from cdk_ml_lens.local import running
from cdk_ml_lens.local.cli_loadtest import client_settings
from cdk_ml_lens.local.redrive import LEFT, Outcome, Redrive, redrive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--from", required=True, dest="source", metavar="QUEUE", help="dead-letter queue, URL or name")
    parser.add_argument("--to", required=True, metavar="QUEUE", help="queue that the scorer reads, URL or name")
    parser.add_argument("--reason", action="append", help="only dead letters with this reason (default: all)")
    parser.add_argument("--send", action="store_true", help="move them; without it, they are only counted")
    parser.add_argument("--endpoint-url", help="URL of the API (default: the running laptop cloud, else AWS)")


def main(options: argparse.Namespace) -> int:
    """Look, or move; the exit code is 0 also when there was nothing."""
    url = options.endpoint_url
    if url is None:
        found = running.load(Path.cwd())
        url = None if found is None else found.endpoint_url
    make: Any = boto3.client
    sqs = make("sqs", **client_settings(url))
    outcome = redrive(
        sqs,
        Redrive(
            dead_letters=_url(sqs, options.source),
            to=_url(sqs, options.to),
            reasons=None if options.reason is None else frozenset(options.reason),
            send=options.send,
        ),
    )
    _show(outcome, sent=options.send)
    return 0


def _url(sqs: Any, queue: str) -> str:
    return queue if "://" in queue else str(sqs.get_queue_url(QueueName=queue)["QueueUrl"])


def _show(outcome: Outcome, *, sent: bool) -> None:
    table = Table(title="dead letters")
    for name in ("reason", "moved" if sent else "would move", "stay"):
        table.add_column(name, justify="left" if name == "reason" else "right")
    for reason in sorted(outcome.moving.keys() | outcome.staying.keys()):
        table.add_row(reason, str(outcome.moving[reason]), str(outcome.staying[reason]))
    console = Console()
    console.print(table)
    if any(outcome.staying[reason] for reason in LEFT):
        console.print("unreadable and truncated letters stay: nothing in them can be scored")
    if outcome.moved and not sent:
        console.print("nothing was moved; --send moves them")

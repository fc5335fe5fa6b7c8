"""``python -m drift baseline|report|quality``: what the processing jobs run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import report
from .captures import read_captures
from .columns import column
from .dataset import feature_names, manifest_features, profiles, read_rows
from .judge import Rules, judge
from .profile import Baseline, BaselineError, Profile, profile_of, read_baseline
from .quality_run import quality_arguments, run_quality, window_arguments
from .scored import NoAnswersError, answers
from .window import columns_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 1, with the reason on standard error, for data that is of no use."""
    options = _parser().parse_args(arguments)
    try:
        {"baseline": _baseline, "report": _report, "quality": run_quality}[options.command](options)
    except BaselineError as error:
        print(f"error: {error}", file=sys.stderr)
        if options.message is not None:
            options.message.parent.mkdir(parents=True, exist_ok=True)
            options.message.write_text(f"error: {error}\n", encoding="utf-8")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="drift", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("baseline", help="describe a data set as baseline.json")
    made.add_argument("--train", type=Path, required=True, help="folder of the training split")
    made.add_argument("--held-out", type=Path, help="folder of a split that the model did not see, with --model")
    made.add_argument("--model", type=Path, help="folder of model.tar.gz, whose answers are described too")
    made.add_argument("--features", type=_names, help="inputs of the model in order (default: every column)")
    made.add_argument("--dataset", type=Path, help="folder of the data set's manifest, which names the features too")
    made.add_argument("--categories", type=_names, default=[], help="features whose numbers are codes")
    made.add_argument("--version", required=True)
    made.add_argument("--made-from", required=True, help="version of the data set")
    _report_arguments(commands.add_parser("report", help="judge captured traffic against baseline.json"))
    quality_arguments(commands.add_parser("quality", help="judge answers by labels that arrived later"))
    for command in commands.choices.values():
        command.add_argument("--answer-field", default="score", help="field of a JSON answer that is the prediction")
        command.add_argument("--output", type=Path, required=True)
        command.add_argument("--message", type=Path, help="file for the reason of a failure, /opt/ml/output/message")
    return parser


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    defaults = Rules()
    window_arguments(parser)
    for name in ("ks", "psi", "js", "share"):
        parser.add_argument(f"--least-{name}", type=float, default=getattr(defaults, f"least_{name}"))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _baseline(options: argparse.Namespace) -> None:
    rows = read_rows(options.train)
    chosen = manifest_features(options.dataset) if options.features is None else options.features
    names = feature_names(rows, chosen)
    prediction, reason = None, None
    try:
        prediction = _prediction(options, names)
    except NoAnswersError as error:
        reason = str(error)
        print(f"predictions are not described: {reason}")
    made = Baseline(
        version=options.version,
        made_from=options.made_from,
        features=profiles(rows, names, frozenset(options.categories)),
        prediction=prediction,
        without_answers=reason,
    )
    made.write(options.output / "baseline.json")
    print(f"baseline {made.version}: {len(names)} features, {len(rows)} rows")


def _prediction(options: argparse.Namespace, names: Sequence[str]) -> Profile | None:
    if options.model is None:
        return None
    if options.held_out is None:
        raise BaselineError("--model takes --held-out: a model's answers on its own training rows are too good")
    rows = read_rows(options.held_out)
    cells = answers(options.model / "model.tar.gz", rows, names, answer_field=options.answer_field)
    return profile_of(column(cells, "number"))


def _report(options: argparse.Namespace) -> None:
    baseline = read_baseline(options.baseline / "baseline.json")
    rules = Rules(
        false_alarm_rate=options.false_alarm_rate,
        minimum_rows=options.minimum_rows,
        least_ks=options.least_ks,
        least_psi=options.least_psi,
        least_js=options.least_js,
        least_share=options.least_share,
    )
    window = columns_of(read_captures(options.captures, answer_field=options.answer_field), baseline)
    verdict = judge(baseline, window, rules)
    span = report.Span(monitor=options.monitor, start=options.start, end=options.end)
    report.write(options.output / "report.json", report.document(span, baseline, window, verdict, rules))
    report.write(options.output / "metrics.json", report.metrics(span, verdict))
    print(f"window {span.start} to {span.end}: {verdict.rows} rows, {len(verdict.violations)} violations")


if __name__ == "__main__":
    sys.exit(main())

"""`make bench`: runs every benchmark and prints its ratios."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from benchmarks import bench_api, bench_rollout, bench_scorer, bench_synth

MEANING = {
    "synth_of_the_stack_to_raw_l1s": "synth of the flagship ÷ the same resources as raw L1s (lower is better, floor 1)",
    "scorer_throughput_batched_over_single": "readings per second in batches ÷ one call per reading (higher is better)",
    "cold_import_handler_over_client": "cold import of the handler ÷ boto3 with one client (lower is better)",
    "cold_import_handler_and_clients_over_client": "the same with the four clients that every batch needs",
    "api_handler_overhead": "answer through the API's handler ÷ the bare invocation (lower is better, floor 1)",
    "bad_share_before_rollback": "share of requests that met a bad canary before it was rolled back (canary: 0.10)",
    "endpoint_calls_per_1000_readings": "endpoint calls per 1,000 readings, queued (lower is better)",
}


def main() -> None:
    """Measure and print."""
    console = Console()
    ratios: dict[str, float] = {}
    for bench in (bench_synth, bench_scorer, bench_api, bench_rollout):
        with console.status(f"{bench.__name__} …"):
            ratios |= bench.measure()
    table = Table(title="Ratios of this run")
    table.add_column("what")
    table.add_column("ratio", justify="right")
    for name, ratio in ratios.items():
        table.add_row(MEANING.get(name, name), f"{ratio:.2f}")
    console.print(table)


if __name__ == "__main__":
    main()

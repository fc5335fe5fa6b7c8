"""`make bench`: runs every benchmark and prints its ratios."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from benchmarks import bench_api, bench_etl, bench_review, bench_rollout, bench_scorer, bench_synth

MEANING = {
    "synth_of_the_stack_to_raw_l1s": "synth of the flagship ÷ the same resources as raw L1s (lower is better, floor 1)",
    "synth_with_our_checks_over_without": "synth of the largest stack with MlLensChecks ÷ without (goal ≤ 1.10)",
    "scorer_throughput_batched_over_single": "readings per second in batches ÷ one call per reading (higher is better)",
    "cold_import_handler_over_client": "cold import of the handler ÷ boto3 with one client (lower is better)",
    "cold_import_handler_and_clients_over_client": "the same with the four clients that every batch needs",
    "api_handler_overhead": "answer through the API's handler ÷ the bare invocation (lower is better, floor 1)",
    "bad_share_before_rollback": "share of requests that met a bad canary before it was rolled back (canary: 0.10)",
    "etl_single_node_over_polars": "feature job of 10 M rows, single node ÷ bare Polars, all at once (goal ≤ 1.3)",
    "etl_single_node_over_pandas": "the same ÷ pandas (goal ≤ 0.5)",
    "etl_spark_over_spark_windows": "the same job, Spark engine ÷ Spark's built-in windows (goal ≤ 0.5)",
    "etl_peak_memory_over_polars": "its peak memory, single node ÷ bare Polars (lower is better)",
    "etl_peak_memory_ten_times_the_devices": "its peak memory, 10 times the devices ÷ a tenth of them (goal 1)",
    "endpoint_calls_per_1000_readings": "endpoint calls per 1,000 readings, queued (lower is better)",
}


def main() -> None:
    """Measure and print."""
    console = Console()
    ratios: dict[str, float] = {}
    for bench in (bench_synth, bench_review, bench_scorer, bench_api, bench_rollout, bench_etl):
        with console.status(f"{bench.__name__} …"):
            ratios |= bench.measure()
    table = Table(title="Ratios of this run")
    table.add_column("what")
    table.add_column("ratio", justify="right")
    for name, ratio in ratios.items():
        table.add_row(_meaning(name), f"{ratio:.2f}")
    console.print(table)


def _meaning(name: str) -> str:
    if name.startswith("etl_exponent_of_"):
        side = name.removeprefix("etl_exponent_of_")
        return f"growth exponent of {side}: log(time of 10 M ÷ 1 M rows) ÷ log 10 (goal ≤ 1.05 for our engines)"
    return MEANING.get(name, name)


if __name__ == "__main__":
    main()

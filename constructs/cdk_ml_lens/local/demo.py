"""The demo: train, deploy the flagship on the laptop cloud, provision devices, stream and account for readings."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from cdk_ml_lens.local import cli_cloud, running, venvs
from cdk_ml_lens.local.app_synth import synthesize
from cdk_ml_lens.local.cloud import LaptopCloud
from cdk_ml_lens.local.demo_accounts import Accounts
from cdk_ml_lens.local.demo_collect import Collector
from cdk_ml_lens.local.demo_fleet import Fleet
from cdk_ml_lens.local.demo_plan import Plan, from_series, simulated
from cdk_ml_lens.local.demo_summary import Summary, summarise
from cdk_ml_lens.local.demo_view import View
from cdk_ml_lens.local.device import Broker
from cdk_ml_lens.local.model_build import build_artifact
from cdk_ml_lens.local.readings import write_csv

STACK = "IotInference"
PATIENCE_SECONDS = 45.0
"""How long nothing may happen before what is still missing counts as lost."""

QUIET_SECONDS = 3.0
"""How long nothing may happen before the run ends: a second delivery would show up within this time."""

SHOWS = ("flagship", "canary", "bluegreen", "ab", "lake", "loop")
SIMULATED_RATE = 40.0
SERIES_RATE = 150.0


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a run happens: the app's folder, a scratch folder, and whether the cloud stays up afterwards."""

    app_dir: Path
    work: Path
    keep: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the demo's options."""
    parser.add_argument("show", nargs="?", choices=SHOWS, default="flagship", help="what to show (default: flagship)")
    parser.add_argument("--devices", type=_positive, default=5, help="simulated devices (default: 5)")
    parser.add_argument("--readings", type=_positive, default=200, help="readings per device (default: 200)")
    parser.add_argument("--failures", type=_positive, default=10, help="injected failures (default: 10)")
    parser.add_argument("--seed", type=int, default=42, help="seed of the simulation (default: 42)")
    parser.add_argument("--rate", type=_positive, help="messages per second (default: 40; with --data 150)")
    parser.add_argument("--data", type=Path, help="stream this CSV (timestamp,value) instead of the simulation")
    parser.add_argument("--windows", type=Path, help="its labelled windows (default: *_windows.json beside it)")
    parser.add_argument("--json", action="store_true", help="print one JSON object, progress on standard error")
    parser.add_argument("--keep", action="store_true", help="keep the cloud; `ml-lens down` ends it")
    parser.add_argument("--app", type=Path, help="folder of the app with cdk.json (default: this checkout)")


def main(options: argparse.Namespace) -> int:
    """Run the demo; the exit code is 1 when a reading is unaccounted for or another promise is broken.

    Raises
    ------
    ValueError, OSError
        When an option or a file is not what it should be.
    RuntimeError
        When training, synthesis, the cloud or a device fails.
    """
    if options.show != "flagship":
        return _other(options)
    view = View(as_json=options.json)
    plan = _plan(options)
    default_rate = SIMULATED_RATE if options.data is None else SERIES_RATE
    with tempfile.TemporaryDirectory(prefix="ml-lens-demo-") as name, ExitStack() as ending:
        setting = Setting(app_dir=_app_dir(options.app), work=Path(name), keep=options.keep)
        cloud, assembly = _prepare(plan, setting, view)
        if not setting.keep:
            ending.enter_context(cloud)
        rate = default_rate if options.rate is None else float(options.rate)
        summary = _run(cloud, assembly, plan, setting=setting, rate=rate, view=view)
    view.summary(summary)
    if setting.keep:
        _keep(cloud, as_json=options.json)
    return 1 if summary.faults else 0


def _other(options: argparse.Namespace) -> int:
    """Show a rollout or the lake instead of the flagship."""
    from cdk_ml_lens.local import lake_demo, loop_demo, rollout_ab, rollout_bluegreen, rollout_canary

    if options.show == "ab":
        return rollout_ab.run(options)
    shows = {
        "canary": rollout_canary.run,
        "bluegreen": rollout_bluegreen.run,
        "lake": lake_demo.run,
        "loop": loop_demo.run,
    }
    return shows[options.show](options, _app_dir(options.app))


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


def _plan(options: argparse.Namespace) -> Plan:
    if options.data is not None:
        return from_series(options.data, windows=options.windows)
    return simulated(devices=options.devices, readings=options.readings, failures=options.failures, seed=options.seed)


def _app_dir(given: Path | None) -> Path:
    checkout = Path(__file__).resolve().parents[3]
    for candidate in [checkout, Path.cwd()] if given is None else [given]:
        if (candidate / "cdk.json").is_file():
            return candidate
    raise ValueError(f"app must be a folder with cdk.json, got {given}; run the demo in a checkout or give --app")


def _prepare(plan: Plan, setting: Setting, view: View) -> tuple[LaptopCloud, Path]:
    """Start the cloud; meanwhile train the model and synthesize the app with it."""
    if setting.keep and running.load(Path.cwd()) is not None:
        raise RuntimeError("a laptop cloud runs already for this folder: end it with `ml-lens down`")
    state_dir = (running.state_file(Path.cwd()).parent if setting.keep else setting.work) / "cloud"
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(LaptopCloud.start, state_dir=state_dir, detached=setting.keep, progress=view.step)
        try:
            assembly = _assembly(plan, setting, view)
        except BaseException:
            starting.result().stop()
            raise
    view.step("laptop cloud is up")
    return starting.result(), assembly


def _assembly(plan: Plan, setting: Setting, view: View) -> Path:
    python = venvs.ensure("model", progress=view.step)
    training = write_csv(setting.work / "training.csv", plan.training, features=plan.features)
    artifact = build_artifact(
        training,
        setting.work / "model.tar.gz",
        quantile=plan.quantile,
        seed=0,
        features=plan.features,
        python=python,
    )
    view.step(f"model trained on {len(plan.training)} rows, quantile {plan.quantile:.4f}")
    context = {"stacks": STACK, "nag": "false", "model_artifact": str(artifact), "features": ",".join(plan.features)}
    assembly = synthesize(app_dir=setting.app_dir, out=setting.work / "cdk.out", context=context)
    view.step("app synthesized")
    return assembly


def _run(cloud: LaptopCloud, assembly: Path, plan: Plan, *, setting: Setting, rate: float, view: View) -> Summary:
    deployment = cloud.deploy(assembly, STACK)
    view.step(f"{STACK} deployed in {deployment.seconds:.1f} s: {deployment.status}")
    accounts = Accounts(plan)
    collector = Collector(client=cloud.client, outputs=deployment.outputs, accounts=accounts)
    broker = Broker(host="localhost", port=cloud.mqtt_port, ca_path=cloud.ca_path)
    with Fleet(broker=broker, outputs=deployment.outputs, accounts=accounts) as fleet:
        fleet.provision(plan.devices, iot=cloud.client("iot"), folder=setting.work / "devices")
        view.step(f"{len(plan.devices)} device(s) provisioned by claim, connected with their own certificates")
        collector.start()
        with view.live() as live:

            def tick() -> None:
                collector.check()
                view.draw(live, accounts)

            fleet.stream(plan.outgoing, rate=rate, on_tick=tick)
            while accounts.idle_seconds < (QUIET_SECONDS if accounts.settled else PATIENCE_SECONDS):
                time.sleep(0.1)
                tick()
        collector.close()
    view.step(f"{accounts.publications} messages streamed at {rate:g} per second")
    return summarise(accounts)


def _keep(cloud: LaptopCloud, *, as_json: bool) -> None:
    found = running.save(
        Path.cwd(),
        pid=cloud.pid,
        endpoint_url=cloud.endpoint_url,
        mqtt_port=cloud.mqtt_port,
        state_dir=cloud.state_dir,
    )
    with redirect_stdout(sys.stderr if as_json else sys.stdout):
        cli_cloud.print_access(found)

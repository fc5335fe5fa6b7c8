"""The demo: train, deploy the flagship on the laptop cloud, provision devices, stream and account for readings."""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cdk_ml_lens.local import venvs
from cdk_ml_lens.local.app_synth import SynthError, synthesize
from cdk_ml_lens.local.cloud import ACCESS_KEY, REGION, SECRET_KEY, LaptopCloud
from cdk_ml_lens.local.demo_accounts import Accounts
from cdk_ml_lens.local.demo_collect import Collector
from cdk_ml_lens.local.demo_fleet import Fleet
from cdk_ml_lens.local.demo_plan import Plan, from_series, simulated
from cdk_ml_lens.local.demo_summary import Summary, summarise
from cdk_ml_lens.local.demo_view import View
from cdk_ml_lens.local.device import Broker, DeviceError
from cdk_ml_lens.local.model_build import TrainingError, build_artifact
from cdk_ml_lens.local.readings import write_csv
from cdk_ml_lens.local.server_process import CloudError
from cdk_ml_lens.local.stack_state import DeployError

STACK = "IotInference"
PATIENCE_SECONDS = 45.0
"""How long nothing may happen before what is still missing counts as lost."""

QUIET_SECONDS = 3.0
"""How long nothing may happen before the run ends: a second delivery would show up within this time."""

SIMULATED_RATE = 40.0
SERIES_RATE = 150.0

FAILURES = (CloudError, DeployError, DeviceError, SynthError, TrainingError, venvs.VenvError)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a run happens: the app's folder, and a folder of its own for everything it makes."""

    app_dir: Path
    work: Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the demo's options."""
    parser.add_argument("--devices", type=_positive, default=5, help="simulated devices (default: 5)")
    parser.add_argument("--readings", type=_positive, default=200, help="readings per device (default: 200)")
    parser.add_argument("--failures", type=_positive, default=10, help="injected failures (default: 10)")
    parser.add_argument("--seed", type=int, default=42, help="seed of the simulation (default: 42)")
    parser.add_argument("--rate", type=_positive, help="messages per second (default: 40; with --data 150)")
    parser.add_argument("--data", type=Path, help="stream this CSV (timestamp,value) instead of the simulation")
    parser.add_argument("--windows", type=Path, help="its labelled windows (default: *_windows.json beside it)")
    parser.add_argument("--json", action="store_true", help="print one JSON object, progress on standard error")
    parser.add_argument("--keep", action="store_true", help="keep the cloud up until Ctrl-C and say how to reach it")
    parser.add_argument("--app", type=Path, help="folder of the app with cdk.json (default: this checkout)")


def main(options: argparse.Namespace) -> int:
    """Run the demo; the exit code is 1 when a reading is unaccounted for or another promise is broken."""
    view = View(as_json=options.json)
    try:
        plan = _plan(options)
        app_dir = _app_dir(options.app)
    except (ValueError, OSError) as error:
        view.fail(str(error))
        return 2
    rate = options.rate if options.rate is not None else SERIES_RATE if options.data else SIMULATED_RATE
    try:
        with tempfile.TemporaryDirectory(prefix="ml-lens-demo-") as name:
            setting = Setting(app_dir=app_dir, work=Path(name))
            cloud, assembly = _prepare(plan, setting, view)
            with cloud:
                summary = _run(cloud, assembly, plan, setting=setting, rate=float(rate), view=view)
                view.summary(summary)
                if options.keep:
                    _keep(cloud, view)
    except FAILURES as error:
        view.fail(str(error))
        return 1
    return 1 if summary.faults else 0


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
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(LaptopCloud.start, state_dir=setting.work / "cloud", progress=view.step)
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


def _keep(cloud: LaptopCloud, view: View) -> None:
    view.console.print(
        f"The cloud stays up until Ctrl-C:\n  export AWS_ENDPOINT_URL={cloud.endpoint_url} AWS_REGION={REGION}"
        f" AWS_ACCESS_KEY_ID={ACCESS_KEY} AWS_SECRET_ACCESS_KEY={SECRET_KEY}\n  MQTT: localhost:{cloud.mqtt_port},"
        f" root certificate {cloud.ca_path}",
        soft_wrap=True,
    )
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        view.step("stopping")

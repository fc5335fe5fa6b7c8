"""The command ``ml-lens``: a laptop cloud up and down, stacks deployed to it, the demo, a model artifact, a review."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

EXIT_FAILED = 1
EXIT_USAGE = 2
_OWN_PARSERS = {
    "faults": "cli_faults",
    "redrive": "cli_redrive",
    "demo": "demo",
    "loadtest": "cli_loadtest",
    "new": "cli_new",
    "rebuild": "cli_rebuild",
    "review": "cli_review",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0 done, 1 failed, 2 called wrongly.

    Parameters
    ----------
    argv
        Arguments. Default: those of the process.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    own = _OWN_PARSERS.get(arguments[0]) if arguments else None
    options = parser().parse_args(arguments) if own is None else _own_parser(own).parse_args(arguments[1:])
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except KeyboardInterrupt:
        return EXIT_FAILED
    except (RuntimeError, ValueError, OSError) as error:
        _print_error(error)
        return EXIT_FAILED


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    root = argparse.ArgumentParser(prog="ml-lens", description="A cloud on this laptop for CDK stacks with models.")
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    _add_cloud_commands(commands)
    commands.add_parser("demo", add_help=False, help="run what the library builds: ml-lens demo --help")
    commands.add_parser("loadtest", add_help=False, help="drive an endpoint to its knee: ml-lens loadtest --help")
    commands.add_parser("new", add_help=False, help="write a small app that passes its tests: ml-lens new --help")
    commands.add_parser("rebuild", add_help=False, help="serve a model version again: ml-lens rebuild --help")
    commands.add_parser("faults", add_help=False, help="survive every fault, and account: ml-lens faults --help")
    commands.add_parser("redrive", add_help=False, help="dead letters back to the scorer: ml-lens redrive --help")
    commands.add_parser("review", add_help=False, help="review any cloud assembly: ml-lens review --help")
    _add_model_commands(commands)
    return root


def _own_parser(module: str) -> argparse.ArgumentParser:
    """Return the parser of a command that declares its own options; its module is imported only when it is called."""
    command = import_module(f"cdk_ml_lens.local.{module}")
    own = argparse.ArgumentParser(prog=f"ml-lens {module.removeprefix('cli_')}", description=command.__doc__)
    command.add_arguments(own)
    own.set_defaults(command=command.main)
    return own


def _add_cloud_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    up = commands.add_parser("up", help="start a cloud that keeps running; `ml-lens down` ends it")
    up.add_argument("--port", type=int, default=0, help="port of the endpoint (default: a free one)")
    up.add_argument("--auth", action="store_true", help="enforce IAM policies")
    up.set_defaults(command=_up)

    deploy = commands.add_parser("deploy", help="synthesize the app in this folder and deploy one stack")
    deploy.add_argument("stack", metavar="STACK")
    deploy.add_argument("--app", help="command of the app, or folder of an assembly (default: app of cdk.json)")
    deploy.add_argument("-c", "--context", action="append", default=[], metavar="KEY=VALUE")
    deploy.add_argument("--parameter", action="append", default=[], metavar="KEY=VALUE")
    deploy.add_argument("--keep", action="store_true", help="leave the cloud running if this command started it")
    deploy.set_defaults(command=_deploy)

    down = commands.add_parser("down", help="end the running cloud")
    down.set_defaults(command=_down)


def _add_model_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    model = commands.add_parser("model", help="make a model artifact").add_subparsers(required=True, metavar="build")
    build = model.add_parser("build", help="train on a CSV file, or on simulated readings, and pack model.tar.gz")
    source = build.add_mutually_exclusive_group(required=True)
    source.add_argument("--csv", type=Path, help="readings of normal operation, one column per feature")
    source.add_argument("--simulate", action="store_true", help="simulated readings of healthy turbines")
    build.add_argument("--out", type=Path, default=Path("model.tar.gz"), help="default: model.tar.gz")
    build.add_argument("--features", help="comma-separated columns (default: those of the simulated turbines)")
    build.add_argument("--quantile", type=float, default=0.999, help="quantile of normal scores (default: 0.999)")
    build.add_argument("--seed", type=int, default=7, help="default: 7")
    build.set_defaults(command=_build)


def _up(options: argparse.Namespace) -> int:
    from cdk_ml_lens.local import cli_cloud

    return cli_cloud.up(Path.cwd(), port=options.port, auth=options.auth)


def _deploy(options: argparse.Namespace) -> int:
    from cdk_ml_lens.local import cli_cloud

    return cli_cloud.deploy(
        Path.cwd(),
        options.stack,
        app=options.app,
        context=_pairs(options.context),
        parameters=_pairs(options.parameter),
        keep=options.keep,
    )


def _down(options: argparse.Namespace) -> int:
    del options
    from cdk_ml_lens.local import cli_cloud

    return cli_cloud.down(Path.cwd())


def _build(options: argparse.Namespace) -> int:
    from cdk_ml_lens.local import cli_model

    features = options.features.split(",") if options.features else None
    return cli_model.build(options.csv, options.out, features=features, quantile=options.quantile, seed=options.seed)


def _pairs(items: Sequence[str]) -> dict[str, str]:
    for item in items:
        if "=" not in item:
            raise ValueError(f"values must look like KEY=VALUE, got {item}")
    return {item.partition("=")[0]: item.partition("=")[2] for item in items}


def _print_error(error: Exception) -> None:
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True).print(Text.assemble(("error: ", "bold red"), str(error)), soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())

"""Starts the server from a plain path, under a package name of its own: ``python server SETTINGS.json``."""

import importlib.util
import sys
from pathlib import Path

PACKAGE = "laptop_cloud_server"


def _load() -> None:
    here = Path(__file__).parent
    spec = importlib.util.spec_from_file_location(PACKAGE, here / "__init__.py", submodule_search_locations=[str(here)])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    _load()
    sys.path.pop(0)  # the package's own folder must not offer top-level modules
    importlib.import_module(f"{PACKAGE}.entry").main(Path(sys.argv[1]))

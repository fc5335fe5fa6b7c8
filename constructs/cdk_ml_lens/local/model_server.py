"""A model server on SageMaker's container contract; runs alone, with the Python of the model environment."""

from __future__ import annotations

import argparse
import importlib.util
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

MAX_BODY = 25 * 1024 * 1024
"""Largest request body in bytes: SageMaker's own limit for a real-time endpoint."""

DEFAULT_TYPE = "application/json"
"""What SageMaker's container fills in for a missing Content-Type or Accept header."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status, body and content type of one HTTP answer."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


class Model:
    """The user's four functions and the model they loaded. Loads in the background, as the container does.

    Parameters
    ----------
    model_dir
        Folder of the unpacked ``model.tar.gz``.
    program
        File in ``code/`` that defines the functions.
    """

    def __init__(self, *, model_dir: Path, program: str) -> None:
        self.failure: str | None = None
        self._faults = _sibling("model_faults").Faults.from_environment(os.environ)
        self._model_dir, self._program = model_dir, program
        self._invoke: Callable[[bytes, str, str], tuple[bytes | str, str]] | None = None

    @property
    def ready(self) -> bool:
        """Tell whether the model can answer."""
        return self._invoke is not None

    def load(self) -> None:
        """Import the code and load the model; a failure is kept for /ping to show."""
        try:
            module = _import(self._model_dir / "code" / self._program)
            loaded = module.model_fn(str(self._model_dir))
            self._invoke = lambda body, sent, wanted: module.output_fn(
                module.predict_fn(module.input_fn(body, sent), loaded), wanted
            )
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
            traceback.print_exc()

    def invoke(self, body: bytes, content_type: str, accept: str) -> Answer:
        """Answer one request; errors that carry an HTTP ``code`` keep it, all others are a 500."""
        if self._invoke is None:
            return self.ping()
        if self._faults.fails():
            return Answer(status=500, body=b"a fault that ML_LENS_FAULT_ERROR_RATE asked for")
        try:
            result, kind = self._invoke(body, content_type, accept)
        except Exception as error:
            code = getattr(error, "code", None)
            status = code if isinstance(code, int) and 400 <= code < 600 else 500
            if status == 500:
                traceback.print_exc()
            return Answer(status=status, body=f"{type(error).__name__}: {error}".encode())
        content = result.encode() if isinstance(result, str) else result
        return Answer(status=200, body=self._faults.spoiled(content), content_type=kind)

    def ping(self) -> Answer:
        """Answer 200 when the model is loaded, 503 before, 500 when it could not be loaded."""
        if self.ready:
            return Answer(status=200, body=b"")
        if self.failure is not None:
            return Answer(status=500, body=self.failure.encode())
        return Answer(status=503, body=b"the model is still loading")


def _sibling(name: str) -> Any:
    """Return a module beside this file, which runs where the package is not installed."""
    return _load(Path(__file__).with_name(f"{name}.py"))


def _import(path: Path) -> ModuleType:
    sys.path.insert(0, str(path.parent))  # the program may import its neighbours, as in the container
    return _load(path)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError(f"SAGEMAKER_PROGRAM must name a Python file in code/, got {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive between requests."""

    protocol_version = "HTTP/1.1"
    model: Model  # set by `serve` on a subclass

    def do_GET(self) -> None:
        """Answer the health check."""
        known = self.path == "/ping"
        self._send(self.model.ping() if known else Answer(status=HTTPStatus.NOT_FOUND, body=b"no such path"))

    def do_POST(self) -> None:
        """Answer an invocation."""
        body = self._body()
        if isinstance(body, Answer):
            self.close_connection = True  # its body was not read: no other request can follow
            self._send(body)
        elif self.path != "/invocations":
            self._send(Answer(status=HTTPStatus.NOT_FOUND, body=b"no such path"))
        else:
            content_type = self.headers.get("Content-Type", DEFAULT_TYPE)
            self._send(self.model.invoke(body, content_type, self.headers.get("Accept", DEFAULT_TYPE)))

    def _body(self) -> bytes | Answer:
        text = self.headers.get("Content-Length", "")
        if not (text.isascii() and text.isdigit()):
            return Answer(status=HTTPStatus.LENGTH_REQUIRED, body=b"Content-Length is required")
        if int(text) > MAX_BODY:
            return Answer(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, body=f"limit is {MAX_BODY} bytes".encode())
        return self.rfile.read(int(text))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet about each request; errors are printed where they happen."""


class Server(ThreadingHTTPServer):
    """The listener: one daemon thread per connection, no delay for small answers."""

    daemon_threads = True
    request_queue_size = 128

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection and send its packets at once."""
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address


def serve(*, model_dir: Path, port: int, program: str) -> Server:
    """Listen on 127.0.0.1 while the model loads in the background; port 0 takes a free one."""
    model = Model(model_dir=model_dir, program=program)
    server = Server(("127.0.0.1", port), type("BoundHandler", (Handler,), {"model": model}))
    threading.Thread(target=model.load, name="load-model", daemon=True).start()
    return server


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def main() -> None:
    """Serve until stopped, or until the process that started it is gone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    threading.Thread(target=_end_with, args=[os.getppid()], name="end-with-parent", daemon=True).start()
    program = os.environ.get("SAGEMAKER_PROGRAM", "inference.py")
    with serve(model_dir=options.model_dir, port=options.port, program=program) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()

"""The model server keeps SageMaker's container contract: health, invocations, limits, errors."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cdk_ml_lens.local import model_server

SCRIPT = Path(model_server.__file__)
ECHO = """
class Refused(Exception):
    code = 418
def model_fn(model_dir): return model_dir
def input_fn(body, content_type): return body.decode(), content_type
def predict_fn(data, model):
    if data[0] == "refuse": raise Refused("no tea")
    if data[0] == "break": raise KeyError("temperature")
    return data
def output_fn(prediction, accept): return "|".join([*prediction, accept]), "text/x-echo"
"""
SLOW = "import time, pathlib\n" + ECHO.replace(
    "return model_dir", "exec('while not pathlib.Path(model_dir, \"go\").exists(): time.sleep(.01)')", 1
)


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


class Client:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str, str]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, names)
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers["Content-Type"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[[str], Client]]:
    """Serve a program and return a client; servers end with the test."""
    servers = []

    def start(program: str) -> Client:
        (tmp_path / "code").mkdir(exist_ok=True)
        (tmp_path / "code" / "program_under_test.py").write_text(program)
        server = model_server.serve(model_dir=tmp_path, port=0, program="program_under_test.py")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return Client(server.server_address[1])

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def ready(client: Client) -> Client:
    assert until(lambda: client.ask("GET", "/ping")[0] == 200)
    return client


def test_ping_is_200_only_when_the_model_is_loaded(served: Callable[[str], Client], tmp_path: Path) -> None:
    client = served(SLOW)

    assert client.ask("GET", "/ping")[0] == 503
    assert client.ask("POST", "/invocations", b"x")[0] == 503
    (tmp_path / "go").touch()
    assert ready(client).ask("POST", "/invocations", b"x")[0] == 200


def test_a_model_that_cannot_be_loaded_is_told_by_ping(served: Callable[[str], Client]) -> None:
    client = served("def model_fn(model_dir): raise RuntimeError('made with scikit-learn 1.4.2')")

    assert until(lambda: client.ask("GET", "/ping")[0] == 500)
    assert client.ask("GET", "/ping")[1] == "RuntimeError: made with scikit-learn 1.4.2"
    assert client.ask("POST", "/invocations", b"x")[0] == 500


def test_body_and_headers_reach_the_users_functions(served: Callable[[str], Client]) -> None:
    client = ready(served(ECHO))
    answer = client.ask("POST", "/invocations", b"1,2", Content_Type="text/csv", Accept="application/jsonlines")

    assert answer == (200, "1,2|text/csv|application/jsonlines", "text/x-echo")
    assert client.ask("POST", "/invocations", b"1")[1] == "1|application/json|application/json"


def test_errors_of_the_users_code_are_500_unless_they_carry_a_status(served: Callable[[str], Client]) -> None:
    client = ready(served(ECHO))

    assert client.ask("POST", "/invocations", b"break")[:2] == (500, "KeyError: 'temperature'")
    assert client.ask("POST", "/invocations", b"refuse")[:2] == (418, "Refused: no tea")
    assert client.ask("POST", "/invocations", b"fine")[0] == 200


def test_fails_with_413_for_a_body_over_the_limit_without_reading_it(served: Callable[[str], Client]) -> None:
    client = ready(served(ECHO))
    client.connection.putrequest("POST", "/invocations")
    client.connection.putheader("Content-Length", str(model_server.MAX_BODY + 1))
    client.connection.endheaders()
    answer = client.connection.getresponse()

    assert (answer.status, answer.headers["Connection"]) == (413, "close")


def test_fails_with_404_for_other_paths_and_411_without_length(served: Callable[[str], Client]) -> None:
    client = ready(served(ECHO))

    assert client.ask("GET", "/models")[0] == 404
    assert client.ask("POST", "/ping", b"x")[0] == 404
    client.connection.putrequest("POST", "/invocations")
    client.connection.endheaders()
    assert client.connection.getresponse().status == 411


def test_many_clients_get_their_own_answers(served: Callable[[str], Client]) -> None:
    port = ready(served(ECHO)).connection.port
    answers: dict[int, str] = {}

    def ask(number: int) -> None:
        client = Client(port)
        for _ in range(20):
            answers[number] = client.ask("POST", "/invocations", str(number).encode())[1].split("|")[0]

    threads = [threading.Thread(target=ask, args=[number]) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {number: str(number) for number in range(16)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        return Client(port).ask("GET", "/ping")[0] == 200
    except OSError:
        return False


def test_the_server_ends_when_its_parent_dies(model_dir: Path) -> None:
    port = free_port()
    command = '"$0" "$1" --model-dir "$2" --port "$3" & wait'
    arguments = ["sh", "-c", command, sys.executable, str(SCRIPT), str(model_dir), str(port)]
    with subprocess.Popen(arguments) as shell:
        assert until(lambda: answers(port), seconds=30)

        shell.kill()

    assert until(lambda: not answers(port))


def test_the_trained_model_is_served_with_statuses_of_its_own(model_dir: Path) -> None:
    server = model_server.serve(model_dir=model_dir, port=0, program="inference.py")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        client = ready(Client(server.server_address[1]))
        body = b"70.3,2.35,11.5,1490\n115.0,2.35,11.5,1490\n"
        status, text, kind = client.ask(
            "POST", "/invocations", body, Content_Type="text/csv", Accept="application/jsonlines"
        )

        assert (status, kind) == (200, "application/jsonlines")
        assert [json.loads(line)["anomaly"] for line in text.splitlines()] == [False, True]
        assert client.ask("POST", "/invocations", b"nan,1,1,1", Content_Type="text/csv")[0] == 400
        assert client.ask("POST", "/invocations", b"x", Content_Type="image/png")[0] == 415
    finally:
        server.shutdown()
        server.server_close()


def test_a_program_that_the_artifact_lacks_is_named_by_ping(tmp_path: Path) -> None:
    model = model_server.Model(model_dir=tmp_path, program="none.py")
    model.load()
    assert (model.ping().status, "none.py" in model.ping().body.decode()) == (500, True)

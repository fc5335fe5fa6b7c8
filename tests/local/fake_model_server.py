"""FakeModelServer: SageMaker's container contract without a model; it loads nothing, a score is the sum of the row.

Its model directory steers it: ``fail.txt`` ends it at start-up; ``name.txt`` is the model version it reports.
With ``FAKE_FAILS`` set every answer is a 500, with ``FAKE_DELAY`` it takes so many seconds, with ``FAKE_SCORE_ONLY`` it
is the bare score. A row whose first value is 400 or 500 gets that status as an answer; one of 666 ends the server.
"""

import argparse
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

THRESHOLD = 1000.0


def answer_for(row: list[float], version: str) -> dict[str, object]:
    score = sum(row)
    return {"score": score, "threshold": THRESHOLD, "model_version": version, "anomaly": score > THRESHOLD}


def handler_for(version: str) -> type[BaseHTTPRequestHandler]:
    class FakeHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            pass

        def answer(self, status: int, body: bytes, kind: str = "application/jsonlines") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer(200 if self.path == "/ping" else 404, b"")

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            rows = [[float(value) for value in line.split(",")] for line in text.splitlines()]
            time.sleep(float(os.environ.get("FAKE_DELAY", "0")))
            if os.environ.get("FAKE_FAILS"):
                self.answer(500, b"always")
                return
            if rows and rows[0][0] == 666:
                os._exit(1)
            if rows and rows[0][0] in (400, 500):
                self.answer(int(rows[0][0]), b"refused")
                return
            answers = [answer_for(row, version) for row in rows]
            lines, kind = [json.dumps(answer) for answer in answers], "application/jsonlines"
            if "FAKE_SCORE_ONLY" in os.environ:
                lines, kind = [str(answer["score"]) for answer in answers], "text/csv"
            elif self.headers.get("Accept") == "text/csv":
                kind = "text/csv"
                lines = [f"{answer['score']},{answer['threshold']},{answer['model_version']}" for answer in answers]
            self.answer(200, "\n".join(lines).encode(), kind)

    return FakeHandler


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model-dir", type=Path)
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    if (options.model_dir / "fail.txt").exists():
        sys.exit("the artifact was made with another version")
    name = options.model_dir / "name.txt"
    fake = handler_for(name.read_text() if name.exists() else "fake")
    ThreadingHTTPServer(("127.0.0.1", options.port), fake).serve_forever()

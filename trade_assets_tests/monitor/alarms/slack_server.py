"""A small HTTP server, a process of its own, that answers as told and notes what it was sent.

Arguments: port, file of notes, and the answers in order: a status, a status with a Retry-After
(`429:1`), `drop` for a closed connection, or `echo` for a 404 that repeats the path. After the last
it answers 200.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


def main(port: int, notes: Path, answers: list[str]) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            note = {
                "path": self.path,
                "type": self.headers["Content-Type"],
                "body": json.loads(body),
            }
            with notes.open("a") as file:
                file.write(json.dumps(note) + "\n")
            answer = answers.pop(0) if answers else "200"
            if answer == "drop":
                self.connection.close()
                return
            status, _, after = answer.replace("echo", "404").partition(":")
            said = b"ok" if status == "200" else b"no_service"
            if answer == "echo":
                said = b"x" * 180 + self.path.encode()
            self.send_response(int(status))
            if after:
                self.send_header("Retry-After", after)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    HTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])

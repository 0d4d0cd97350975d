"""A bare ASGI application that answers everything with one constant: `python -m benchmarks.peers.constant_answers`.

It serves as the API does (uvicorn, uvloop, httptools, several processes on one port) and does nothing else, so it shows
what the way there and back costs. `--answer FILE` is JSON: headers as pairs, and the body.
"""

import argparse
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.peers.serving import serve


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(description="Answer everything with one constant.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--answer", type=Path, required=True)
    asked = parser.parse_args()
    answer = msgspec.json.decode(asked.answer.read_bytes())
    headers = [(name.encode(), value.encode()) for name, value in answer["headers"]]
    body = answer["body"].encode()

    async def application(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - ASGI's signature
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    serve(application, "127.0.0.1", asked.port, lifespan="off")


if __name__ == "__main__":
    main()

"""A Hugging Face hub on the loopback interface: as much of its HTTP interface as fetching a tokenizer uses.

`GET /api/models/ID/revision/REV` answers with the commit and the files; `HEAD` and `GET /ID/resolve/REV/FILE`
with the files, their etag and commit. Errors carry `X-Error-Code`, as the hub's do.
"""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMIT = "3fa8c1d2" * 5
LATER = "77b0aa19" * 5


@dataclass
class LoopbackHub:
    """What the hub holds and what it was asked."""

    url: str = ""
    repositories: dict[str, Path] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=lambda: {"main": COMMIT, "v1": COMMIT})
    token: str | None = None
    """The token that gated repositories ask for."""
    gated: set[str] = field(default_factory=set)
    status: int | None = None
    """A status that every request is answered with."""
    stalled: threading.Event = field(default_factory=threading.Event)
    """Set by a file's request when `stalls` is; that request is never answered."""
    stalls: bool = False
    requests: list[str] = field(default_factory=list)

    def commit(self, revision: str) -> str | None:
        return revision if revision in self.revisions.values() else self.revisions.get(revision)


@contextmanager
def serve(hub: LoopbackHub) -> Iterator[LoopbackHub]:
    """Serve a hub for the time of a test."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.requests.append(f"{self.command} {self.path}")
            parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
            if hub.status is not None:
                self._answer(hub.status, {"X-Error-Message": f"bearer {hub.token}"})
            elif parts[:2] == ["api", "models"]:
                self._info("/".join(parts[2:4]), parts[5] if len(parts) > 5 else "main")
            else:
                self._file("/".join(parts[:2]), parts[3], "/".join(parts[4:]))

        do_HEAD = do_GET

        def _info(self, name: str, revision: str) -> None:
            folder, commit = hub.repositories.get(name), hub.commit(revision)
            if folder is None:
                self._answer(401 if hub.token is None else 404, {"X-Error-Code": "RepoNotFound"})
            elif commit is None:
                self._answer(404, {"X-Error-Code": "RevisionNotFound"})
            else:
                files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
                info = {"id": name, "modelId": name, "sha": commit, "siblings": [{"rfilename": one} for one in files]}
                self._answer(200, {"Content-Type": "application/json"}, json.dumps(info).encode())

        def _file(self, name: str, revision: str, path: str) -> None:
            commit = hub.commit(revision)
            if name in hub.gated and self.headers["Authorization"] != f"Bearer {hub.token}":
                status = 403 if self.headers["Authorization"] else 401
                self._answer(status, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"})
            elif commit is None:
                self._answer(404, {"X-Error-Code": "RevisionNotFound"})
            elif not (hub.repositories[name] / path).is_file():
                self._answer(404, {"X-Error-Code": "EntryNotFound"})
            else:
                if hub.stalls and self.command == "GET":
                    hub.stalled.set()
                    over.wait()
                content = (hub.repositories[name] / path).read_bytes()
                etag = f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"'
                self._answer(200, {"ETag": etag, "X-Repo-Commit": commit}, content)

        def _answer(self, status: int, headers: dict[str, str], content: bytes = b"") -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield hub
        finally:
            over.set()
            server.shutdown()
            thread.join()

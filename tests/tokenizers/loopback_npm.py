"""An npm registry on the loopback interface: package documents and tarballs, with their integrity."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def pack(files: Mapping[str, bytes], *, links: Mapping[str, str] | None = None) -> bytes:
    """Make a tarball with these files, and these symbolic links, under these very names."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return buffer.getvalue()


def integrity(content: bytes) -> str:
    """Return the integrity of a tarball as registries state it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


@contextmanager
def serve_registry(packages: Mapping[str, bytes], *, stated: str | None = None) -> Iterator[str]:
    """Serve tarballs as version 1.0.0 of packages, and give the registry's address; `stated` is a false integrity."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = unquote(self.path).strip("/")
            if name.endswith(".tgz"):
                self._answer(200, packages[name.removesuffix(".tgz")])
            elif name in packages:
                dist = {
                    "tarball": f"http://{self.headers['Host']}/{name}.tgz",
                    "integrity": stated or integrity(packages[name]),
                }
                version = {"name": name, "version": "1.0.0", "dist": dist}
                document = {"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
                self._answer(200, json.dumps(document).encode())
            else:
                self._answer(404, b"{}")

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()

"""A site on the loopback interface, served as good hosts do: compressed, typed, with its 404."""

import functools
import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".ipynb": "application/json",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".png": "image/png",
    ".py": "text/x-python; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
DENSE = {".ico", ".inv", ".png", ".woff2"}  # compressed already


@functools.cache
def compressed(file: Path, changed: int) -> bytes:
    """Compress a file as hosts do by default; once for as long as it does not change."""
    return gzip.compress(file.read_bytes(), compresslevel=6, mtime=0)


def rules(folder: Path) -> list[tuple[str, list[tuple[str, str]]]]:
    """Read `_headers`: a line with a path, then indented lines with the headers it gets."""
    file, found = folder / "_headers", []
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        if line.strip() and not line.lstrip().startswith("#"):
            if line[0].isspace():
                name, _, value = line.partition(":")
                found[-1][1].append((name.strip(), value.strip()))
            else:
                found.append((line.strip(), []))
    return found


class Host(BaseHTTPRequestHandler):
    """Answer from a folder, below a path; what else is asked for gets 404.html."""

    protocol_version = "HTTP/1.1"  # connections are kept, as they are everywhere else
    folder: ClassVar[Path]
    base: ClassVar[str]
    rules: ClassVar[list[tuple[str, list[tuple[str, str]]]]]

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if f"{path}/" == self.base:  # as GitHub Pages does for /gdla
            self.answer(HTTPStatus.MOVED_PERMANENTLY, b"", [("Location", self.base)])
            return
        file = self.found(path)
        status = HTTPStatus.OK if file else HTTPStatus.NOT_FOUND
        file = file or self.folder / "404.html"
        if not file.is_file():
            self.answer(status, b"Nothing here.", [("Content-Type", "text/plain")])
            return
        headers = [("Content-Type", TYPES.get(file.suffix, "application/octet-stream"))]
        below = "/" + path.removeprefix(self.base)
        headers += [pair for where, given in self.rules if fnmatch(below, where) for pair in given]
        headers += [("Cache-Control", "max-age=600")] if status == HTTPStatus.OK else []
        accepted = "gzip" in self.headers.get("Accept-Encoding", "")
        if accepted and file.suffix not in DENSE:
            headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
            self.answer(status, compressed(file, file.stat().st_mtime_ns), headers)
        else:
            self.answer(status, file.read_bytes(), headers)

    def found(self, path: str) -> Path | None:
        """Find the file for a path; a folder is its index.html."""
        if not path.startswith(self.base):
            return None
        file = (self.folder / path.removeprefix(self.base)).resolve()
        file = file / "index.html" if file.is_dir() else file
        return file if file.is_file() and file.is_relative_to(self.folder.resolve()) else None

    def answer(self, status: HTTPStatus, body: bytes, headers: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes away in the middle of an answer is no fault."""


@contextmanager
def served(folder: Path, base: str = "/", *, headers: bool = False) -> Iterator[str]:
    """Serve a folder below `base`, with the headers that it proposes if asked; give the address."""
    about = {"folder": folder, "base": base, "rules": rules(folder) if headers else []}
    server = Server(("127.0.0.1", 0), type("ThisHost", (Host,), about))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{base.rstrip('/')}"
    finally:
        server.shutdown()
        server.server_close()

"""A camera on the web that does what a test says."""

import base64
import hashlib
import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image


def jpeg(value: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (16, 16), value).save(file, "JPEG")
    return file.getvalue()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class WebCamera:
    """``behaviour``: what it answers; ``asked`` are the paths."""

    def __init__(self, port: int = 0, login: str | None = None) -> None:
        self.behaviour = "snapshot"
        self.login = login
        self.digest: tuple[str, str] | None = None
        self.moved: str | None = None
        self.asked: list[str] = []
        self.logins: list[str | None] = []
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer._answer(self)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: Any) -> None:
                """Its clients leave whenever they like."""

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        login = "" if self.login is None else f"{self.login}@"
        return f"http://{login}127.0.0.1:{self.port}"

    def close(self) -> None:
        self.behaviour = "gone"
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        login = None if self.login is None else base64.b64encode(self.login.encode()).decode()
        if login is not None and handler.headers.get("Authorization") != f"Basic {login}":
            handler.send_response(401)
            handler.send_header("WWW-Authenticate", 'Basic realm="camera"')
            handler.end_headers()
            return
        self.logins.append(handler.headers.get("Authorization"))
        if self.digest is not None and not self._proven(handler):
            handler.send_response(401)
            handler.send_header("WWW-Authenticate", 'Basic realm="camera"')
            handler.send_header("WWW-Authenticate", 'Digest realm="camera", nonce="n1", qop="auth"')
            handler.end_headers()
            return
        if self.moved is not None:
            handler.send_response(301)
            handler.send_header("Location", self.moved)
            handler.end_headers()
            return
        match self.behaviour:
            case "snapshot":
                self._send(handler, jpeg(50), "image/jpeg")
            case "page":
                self._send(handler, b"<html>log in</html>", "text/html")
            case "cut":
                self._send(handler, jpeg(50)[:-30], "image/jpeg")
            case "drip":
                self._send(handler, jpeg(50), "image/jpeg", 0.1)
            case "busy":
                handler.send_error(503, "Busy")
            case "elsewhere" | "round":
                handler.send_response(302)
                there = "/elsewhere" if self.behaviour == "round" else "/picture"
                self.behaviour = "round" if self.behaviour == "round" else "snapshot"
                handler.send_header("Location", there)
                handler.end_headers()
            case "file":
                handler.send_response(302)
                handler.send_header("Location", "file:///etc/passwd")
                handler.end_headers()
            case "hang":
                self.released.wait(20.0)
            case "stream":
                self._stream(handler)

    def _proven(self, handler: BaseHTTPRequestHandler) -> bool:
        """Return whether the login is proven without being told."""
        scheme, _, rest = handler.headers.get("Authorization", "").partition(" ")
        if scheme != "Digest" or self.digest is None:
            return False
        told = dict(re.findall(r'(\w+)="?([^",]*)"?', rest))
        user, password = self.digest
        first = _md5(f"{user}:camera:{password}")
        second = _md5(f"GET:{handler.path}")
        middle = f"n1:{told.get('nc')}:{told.get('cnonce')}:auth"
        return told.get("response") == _md5(f"{first}:{middle}:{second}")

    def _send(
        self, handler: BaseHTTPRequestHandler, body: bytes, kind: str, drip_s: float = 0.0
    ) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for at in range(len(body) if drip_s else 0):
            handler.wfile.write(body[at : at + 1])
            if self.released.wait(drip_s):
                return
        if not drip_s:
            handler.wfile.write(body)

    def _stream(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        handler.end_headers()
        for value in range(1, 250):
            if self.behaviour != "stream":
                return
            body = jpeg(value)
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
            handler.wfile.write(head.encode() + body + b"\r\n")
            self.released.wait(0.01)


@contextmanager
def web_camera(port: int = 0, login: str | None = None) -> Iterator[WebCamera]:
    camera = WebCamera(port, login)
    try:
        yield camera
    finally:
        camera.close()

"""An S3 that denies what is sent with an object, by the name of a header; it keeps one object and checks nothing."""

import http.server
import threading

DENIED = (b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message>"
          b"<RequestId>4442587FB7D0A2F9</RequestId></Error>")
LOCATION = b"<LocationConstraint>eu-west-1</LocationConstraint>"


class PickyS3:
    """Use as a context manager."""

    def __init__(self, *denied: str, required: str | None = None):
        """A PUT with one of the denied headers is refused, and one without the required header."""
        picky = self
        self._object: bytes | None = None

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                lacks = required is not None and required not in self.headers
                if lacks or any(name in self.headers for name in denied):
                    return self._answer(403, DENIED)
                picky._object = body
                self._answer(200, b"")

            def do_GET(self) -> None:
                if self.path.endswith("_sluice_test"):
                    found = picky._object is not None
                    return self._answer(200 if found else 403, picky._object if found else DENIED)
                self._answer(200, LOCATION if self.path.endswith("?location") else b"<List/>")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("x-amz-request-id", "4442587FB7D0A2F9")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "PickyS3":
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

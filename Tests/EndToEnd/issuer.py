"""Issues sessions as STS, an instance or a container's endpoint does, and fails as it is told."""

import datetime
import http.server
import json
import pathlib
import ssl
import threading
import urllib.parse

IMDS = "/latest/meta-data/iam/security-credentials/"


class Issuer:
    """A server in a thread of the test. Use as a context manager."""

    def __init__(self, certificate: pathlib.Path | None = None) -> None:
        self.lifetime = 3600
        """Of the sessions that are given from now on, in seconds."""
        self.code: str | None = None
        """With what STS refuses."""
        self.is_down = False
        """Whether connections are closed without an answer."""
        self.calls: list[dict[str, str]] = []
        """The parameters of each request to STS."""
        self.sessions = 0
        self.metadata_token = "metadata-token"
        """What the instance gives, and then wants to see."""
        self.container_token = "container-token"
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                issuer.calls.append(dict(urllib.parse.parse_qsl(body)))
                self._answer(*issuer._sts())

            def do_PUT(self) -> None:
                self._answer(200, issuer.metadata_token)

            def do_GET(self) -> None:
                if self.path.startswith("/latest/"):
                    if self.headers["X-aws-ec2-metadata-token"] != issuer.metadata_token:
                        self._answer(401, "")
                    elif self.path == IMDS:
                        self._answer(200, "role")
                    else:
                        self._answer(200, issuer._json(Code="Success"))
                elif self.headers["Authorization"] == issuer.container_token:
                    self._answer(200, issuer._json())
                else:
                    self._answer(403, "")

            def _answer(self, status: int, body: str) -> None:
                if issuer.is_down:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._scheme = "https" if certificate else "http"
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> "Issuer":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def _session(self) -> dict[str, str]:
        self.sessions += 1
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.lifetime)
        return {
            "AccessKeyId": f"ASIA{self.sessions:04}",
            "SecretAccessKey": f"issued-secret-{self.sessions:04}",
            "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    @property
    def session_token(self) -> str:
        """That of the last session, as long as those of AWS are."""
        return f"issued-token-{self.sessions:04}/" * 40

    def _json(self, **members: str) -> str:
        return json.dumps(self._session() | members | {"Token": self.session_token})

    def _sts(self) -> tuple[int, str]:
        if self.code:
            return 403, (
                f"<ErrorResponse><Error><Type>Sender</Type><Code>{self.code}</Code>"
                "<Message>not today</Message></Error><RequestId>sts-1</RequestId></ErrorResponse>")
        session = self._session() | {"SessionToken": self.session_token}
        members = "".join(f"<{name}>{value}</{name}>" for name, value in session.items())
        return 200, (
            "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
            f"{members}</Credentials></AssumeRoleResult></AssumeRoleResponse>")

"""An HTTP proxy that tunnels: CONNECT, and nothing else, wherever it is sent."""

import select
import socket
import socketserver
import threading


class Tunnel(socketserver.ThreadingTCPServer):
    """Listens on a port of its own until `close`; all names lead to `target`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, target: tuple[str, int]):
        super().__init__(("127.0.0.1", 0), _Client)
        self.target = target
        self.asked_for: list[str] = []
        """The host and port of each CONNECT."""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Client(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        words = self.rfile.readline().split()
        while self.rfile.readline().strip():
            pass
        if not words or words[0] != b"CONNECT":
            self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        self.server.asked_for.append(words[1].decode())
        with socket.create_connection(self.server.target) as there:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ways = {self.connection: there, there: self.connection}
            while True:
                for source in select.select(list(ways), [], [])[0]:
                    if not (data := source.recv(65_536)):
                        return
                    ways[source].sendall(data)

"""A loopback HTTP proxy that opens tunnels (CONNECT), as networks of organisations have them."""

from __future__ import annotations

import http.server
import select
import socket
import threading
from typing import Any


class TunnelProxy:
    """Use as a context manager. ``seen`` are the hosts asked for; ``login`` the header it wants; ``refuses`` a status
    that it answers instead of opening the tunnel.
    """

    def __init__(self, login: str = "", refuses: int = 0) -> None:
        self.seen: list[str] = []
        self.login = login
        self.refuses = refuses
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                outer.seen.append(self.path)
                if outer.login and self.headers.get("Proxy-Authorization") != outer.login:
                    self.send_error(407)
                elif outer.refuses:
                    self.send_error(outer.refuses)
                else:
                    host, _, port = self.path.partition(":")
                    with socket.create_connection((host, int(port))) as there:
                        self.send_response(200)
                        self.end_headers()
                        _relay(self.connection, there)
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> TunnelProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Bytes both ways until one side ends."""
    partner = {one: other, other: one}
    while True:
        for ready in select.select(list(partner), [], [])[0]:
            try:
                data = ready.recv(65536)
                partner[ready].sendall(data)
            except OSError:
                return
            if not data:
                return

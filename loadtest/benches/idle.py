# Connections that stay open and say nothing, each after one request, and what they weigh in a server.
import dataclasses
import resource
import selectors
import socket
import time

from benches.load import PROBE_SECONDS_MAX
from benches.yard import BenchFault

DESCRIPTORS_SPARE = 500
# One address cannot have more connections than it has ports, and a gateway bounds them.
SOURCES = 100
# Requests under way while the connections are opened.
WINDOW = 500
SETTLE_SECONDS = 1.0


@dataclasses.dataclass
class Footprint:
    connections: int
    before_bytes: int
    open_bytes: int

    @property
    def bytes_a_connection(self):
        return (self.open_bytes - self.before_bytes) / self.connections


class IdleCrowd:
    """Open connections, each with one request behind it, from many source addresses."""

    def __init__(self, port, count, path, token):
        self.sockets = []
        self.request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUsher-Place: {token}\r\n\r\n".encode()
        for start in range(0, count, WINDOW):
            self.open(port, range(start, min(start + WINDOW, count)))

    def open(self, port, numbers):
        opened = []
        for number in numbers:
            source = (f"127.0.1.{number % SOURCES + 1}", 0)
            visitor = socket.create_connection(("127.0.0.1", port), PROBE_SECONDS_MAX, source)
            visitor.sendall(self.request)
            opened.append(visitor)
        self.sockets += opened
        for visitor in opened:
            self.read_reply(visitor)

    @staticmethod
    def read_reply(visitor):
        received = b""
        while b"\r\n\r\n" not in received or not IdleCrowd.is_whole(received):
            piece = visitor.recv(65536)
            if not piece:
                raise BenchFault(f"an idle connection was cut off: {received[:100]!r}")
            received += piece
        if not received.startswith(b"HTTP/1.1 200"):
            raise BenchFault(f"an idle connection was answered {received.splitlines()[0].decode()}")

    @staticmethod
    def is_whole(received):
        head, _, body = received.partition(b"\r\n\r\n")
        length = head.lower().split(b"content-length:")[1].split(b"\r\n")[0]
        return len(body) >= int(length)

    def still_open(self):
        """Connections that the server has not ended."""
        with selectors.DefaultSelector() as selector:
            for visitor in self.sockets:
                selector.register(visitor, selectors.EVENT_READ)
            return len(self.sockets) - len(selector.select(0))

    def close(self):
        for visitor in self.sockets:
            visitor.close()


def connections_max():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(10_000, hard - DESCRIPTORS_SPARE)


def footprint(server, port, count, path, token):
    """Holds `count` idle connections open and weighs the server before and with them."""
    IdleCrowd(port, 1, path, token).close()
    time.sleep(SETTLE_SECONDS)
    before = server.resident_bytes()
    crowd = IdleCrowd(port, count, path, token)
    try:
        time.sleep(SETTLE_SECONDS)
        weight = server.resident_bytes()
        kept = crowd.still_open()
    finally:
        crowd.close()
    if kept != count:
        raise BenchFault(f"{server.name} ended {count - kept} of {count} idle connections while they were counted")
    return Footprint(count, before, weight)

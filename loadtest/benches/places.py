# Takes places by real joins over HTTP, many connections at once, as fast as one core can ask.
import json
import selectors
import socket
import time

from benches.gateway import ROOM
from benches.yard import BenchFault

CONNECTIONS = 256
STALL_SECONDS_MAX = 20


def join_request(number, room=ROOM):
    """The join of a visitor's device; the same number is the same visitor."""
    return (
        f"POST /v1/rooms/{room}/join HTTP/1.1\r\nHost: localhost\r\nUsher-Device: {number:032x}\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


class Joiner:
    """One connection, one join under way. The gateway may close after a reply; then a new one is opened."""

    def __init__(self, port, selector, room):
        self.port = port
        self.room = room
        self.selector = selector
        self.open()

    def open(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.selector.register(self.socket, selectors.EVENT_READ, self)

    def ask(self, number):
        self.number = number
        self.socket.sendall(join_request(number, self.room))

    def answer(self):
        """The body of the reply once it is whole, or None."""
        piece = self.socket.recv(65536)
        self.received += piece
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not piece:
            raise BenchFault(f"a join was cut off after {self.received[:200]!r}")
        if not end:
            return None
        fields = head.lower()
        start = fields.find(b"content-length:")
        length = int(fields[start + 15 :].split(b"\r\n", 1)[0])
        if len(body) < length:
            return None
        if not head.startswith((b"HTTP/1.1 201", b"HTTP/1.1 200")):
            raise BenchFault(f"a join was answered {head.splitlines()[0].decode()}: {body.decode(errors='replace')}")
        self.received = b""
        if b"connection: close" in fields:
            self.close()
            self.open()
        return body

    def close(self):
        self.selector.unregister(self.socket)
        self.socket.close()


def join(port, count, first=1, keep_tokens=True, room=ROOM):
    """Takes `count` places for new visitors. Returns their tokens (or none) and the seconds it took."""
    tokens = []
    answered = 0
    numbers = iter(range(first, first + count))
    started = time.monotonic()
    with selectors.DefaultSelector() as selector:
        joiners = [Joiner(port, selector, room) for _ in range(min(CONNECTIONS, count))]
        for joiner in joiners:
            joiner.ask(next(numbers))
        while answered < count:
            ready = selector.select(STALL_SECONDS_MAX)
            if not ready:
                raise BenchFault(f"joins stalled after {answered} of {count}")
            for key, _ in ready:
                body = key.data.answer()
                if body is None:
                    continue
                answered += 1
                if keep_tokens:
                    tokens.append(json.loads(body)["token"])
                following = next(numbers, None)
                if following is not None:
                    key.data.ask(following)
        for joiner in joiners:
            joiner.close()
    if keep_tokens and len(set(tokens)) != count:
        raise BenchFault(f"{count} joins gave {len(set(tokens))} distinct tokens")
    return tokens, time.monotonic() - started

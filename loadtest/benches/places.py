# Takes places by real joins over HTTP, many connections at once, as fast as one core can ask; and claims passes.
import json
import selectors
import socket
import time

from benches.gateway import ROOM
from benches.yard import BenchFault

CONNECTIONS = 256
STALL_SECONDS_MAX = 20
GIVEN = (b"HTTP/1.1 201", b"HTTP/1.1 200")


def join_request(number, room=ROOM):
    """The join of a visitor's device; the same number is the same visitor."""
    return (
        f"POST /v1/rooms/{room}/join HTTP/1.1\r\nHost: localhost\r\nUsher-Device: {number:032x}\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


def claim_request(token, room=ROOM):
    return (
        f"POST /v1/rooms/{room}/claim HTTP/1.1\r\nHost: localhost\r\nUsher-Place: {token}\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


class Asker:
    """One connection, one request under way. The gateway may close after a reply; then a new one is opened."""

    def __init__(self, port, selector):
        self.port = port
        self.selector = selector
        self.open()

    def open(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.selector.register(self.socket, selectors.EVENT_READ, self)

    def ask(self, request):
        self.socket.sendall(request)

    def answer(self):
        """Head and body of the reply once it is whole, or None."""
        piece = self.socket.recv(65536)
        self.received += piece
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not piece:
            raise BenchFault(f"a request was cut off after {self.received[:200]!r}")
        if not end:
            return None
        fields = head.lower()
        start = fields.find(b"content-length:")
        length = int(fields[start + 15 :].split(b"\r\n", 1)[0])
        if len(body) < length:
            return None
        self.received = b""
        if b"connection: close" in fields:
            self.close()
            self.open()
        return head, body

    def close(self):
        self.selector.unregister(self.socket)
        self.socket.close()


def exchange(port, requests, count, take):
    """Sends `count` requests and gives every reply's head and body to `take`, in any order."""
    requests = iter(requests)
    answered = 0
    with selectors.DefaultSelector() as selector:
        askers = [Asker(port, selector) for _ in range(min(CONNECTIONS, count))]
        for asker in askers:
            asker.ask(next(requests))
        while answered < count:
            ready = selector.select(STALL_SECONDS_MAX)
            if not ready:
                raise BenchFault(f"replies stalled after {answered} of {count}")
            for key, _ in ready:
                reply = key.data.answer()
                if reply is None:
                    continue
                answered += 1
                take(*reply)
                following = next(requests, None)
                if following is not None:
                    key.data.ask(following)
        for asker in askers:
            asker.close()


def join(port, count, first=1, keep_tokens=True, room=ROOM):
    """Takes `count` places for new visitors. Returns their tokens (or none) and the seconds it took."""
    tokens = []

    def take(head, body):
        if not head.startswith(GIVEN):
            raise BenchFault(f"a join was answered {head.splitlines()[0].decode()}: {body.decode(errors='replace')}")
        if keep_tokens:
            tokens.append(json.loads(body)["token"])

    started = time.monotonic()
    exchange(port, (join_request(number, room) for number in range(first, first + count)), count, take)
    if keep_tokens and len(set(tokens)) != count:
        raise BenchFault(f"{count} joins gave {len(set(tokens))} distinct tokens")
    return tokens, time.monotonic() - started


def claim(port, tokens, room=ROOM):
    """Asks for the passes of these places; how many were given. Who is not called yet is told so."""
    given = 0

    def take(head, body):
        nonlocal given
        if head.startswith(GIVEN):
            given += 1
        elif not head.startswith((b"HTTP/1.1 202", b"HTTP/1.1 4")):
            raise BenchFault(f"a claim was answered {head.splitlines()[0].decode()}: {body.decode(errors='replace')}")

    exchange(port, (claim_request(token, room) for token in tokens), len(tokens), take)
    return given

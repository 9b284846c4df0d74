# A whole Usher of its own, started by `usher up`: both stores, provider, booking, gateway, and a large venue on sale.
import glob
import http.client
import json
import os
import socket
import subprocess
import time

from benches.gateway import ROOT, WIDE_LIMITS
from benches.yard import BenchFault, Server, descendants, free_port

UP_SECONDS_MAX = 120
COMMAND_SECONDS_MAX = 600
CALL_SECONDS_MAX = 30
SETTLE_SECONDS = 60
# The room in front of all sessions: passes are checked, and given to the buyers beforehand.
ROOM = "arena"
PROCESSES = ["usher-gateway", "usher-booking", "usher-mock-payments", "redis", "postgresql"]
SHORT = {"usher-gateway": "gateway", "usher-booking": "booking", "usher-mock-payments": "provider"}


def short(name):
    return SHORT.get(name, name)


class Stack:
    """Runs on the whole machine, pinned to nothing: what is asked is what the machine can do."""

    def __init__(self, yard, programs, seats, sessions, buyers, say):
        self.yard = yard
        self.programs = programs
        self.seats = seats
        self.buyers = buyers
        self.data = yard.path("data")
        self.tokens = yard.path("buyers.jsonl")
        self.start()
        say(f"{sessions} sessions of {seats:,} seats, {buyers:,} buyers with passes")
        self.sessions = self.usher("demo", "venue", "--seats", str(seats), "--sessions", str(sessions), "--room", ROOM)
        self.sessions = self.sessions.split()
        self.usher("demo", "accounts", "--count", str(buyers), "--tokens", self.tokens, "--pass-of", ROOM)

    def start(self):
        names = ["gateway-port", "admin-port", "booking-port", "booking-operations-port", "payments-port"]
        self.ports = {name: free_port() for name in names}
        arguments = [self.program("usher"), "up", "--serve", "--data", self.data]
        arguments += ["--pages", os.path.join(ROOT, "Gateway/Pages")]
        arguments += [f"--{name}={port}" for name, port in self.ports.items()]
        environment = {"USHER_GATEWAY_" + name.upper().replace("-", "_"): value for name, value in WIDE_LIMITS.items()}
        environment["USHER_GATEWAY_CONNECTIONS_PER_ADDRESS_MAX"] = "20000"
        environment |= {f"USHER_{name}_LOG_LEVEL": "error" for name in ("GATEWAY", "BOOKING")}
        # The flow that only holds drops its holds, as nobody may who is no bench.
        environment["USHER_BOOKING_HOLD_COOL_DOWN"] = "false"
        self.yard.start("usher-up", arguments, core=None, port=self.ports["gateway-port"], environment=environment,
                        seconds_max=UP_SECONDS_MAX)
        end = time.monotonic() + UP_SECONDS_MAX
        while not os.path.exists(self.data + "/run.json"):
            if time.monotonic() > end:
                raise BenchFault(f"usher up did not get ready: see {self.data}/logs")
            time.sleep(0.05)
        with open(self.data + "/run.json") as file:
            self.facts = json.load(file)

    def program(self, name):
        return os.path.join(self.programs, name)

    @property
    def booking(self):
        return f"http://127.0.0.1:{self.ports['booking-port']}"

    @property
    def gateway(self):
        return f"http://127.0.0.1:{self.ports['gateway-port']}"

    def usher(self, *words):
        """What `usher …` prints; a status other than 0 ends the bench."""
        command = [self.program("usher"), *words, "--data", self.data]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX)
        if done.returncode != 0:
            raise BenchFault(f"usher {' '.join(words)}: {done.stdout[-2000:]} {done.stderr[-1000:]}")
        return done.stdout

    def check(self):
        """PostgreSQL, Redis and the provider's ledger agree on every promise."""
        self.usher("check", "--settle", str(SETTLE_SECONDS))

    def buy(self, url, session, **options):
        """One run of the load generator; its report, a dictionary."""
        command = [self.program("usher-loadtest"), "buy", "--url", url, "--session", session, "--tokens", self.tokens]
        command += [f"--{name}={value}" for name, value in options.items()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX)
        if done.returncode != 0:
            raise BenchFault(f"{' '.join(command)}: {done.stdout[-2000:]} {done.stderr[-1000:]}")
        return json.loads(done.stdout)

    def server(self, name):
        pid = self.facts["processes"][name]
        logs = glob.glob(f"{self.data}/logs/{name}*.log")
        return Server(name, Running(pid), logs[0] if logs else os.devnull)

    def cpu_seconds(self):
        """User and system time so far, by process."""
        return {name: self.server(name).cpu_seconds() for name in PROCESSES}

    def lose(self, session):
        """Redis forgets a session."""
        keys = self.redis("KEYS", "{s:" + session + "}*")
        if not keys:
            raise BenchFault(f"Redis has no keys of session {session}")
        self.redis("DEL", *keys)

    def redis(self, *words):
        path = self.facts["redis"].removeprefix("unix://").split("?")[0]
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(CALL_SECONDS_MAX)
            connection.connect(path)
            head = f"*{len(words)}\r\n"
            connection.sendall((head + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)).encode())
            with connection.makefile("rb") as reply:
                return read_reply(reply)

    def map_status(self, session):
        port = self.ports["booking-port"]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CALL_SECONDS_MAX)
        try:
            connection.request("GET", f"/v1/sessions/{session}/seats")
            reply = connection.getresponse()
            reply.read()
            return reply.status
        finally:
            connection.close()


class Running:
    """A process that another one started."""

    def __init__(self, pid):
        self.pid = pid

    def poll(self):
        return None if len(descendants(self.pid)) > 0 and os.path.exists(f"/proc/{self.pid}") else 1


def read_reply(stream):
    line = stream.readline().rstrip(b"\r\n").decode()
    kind, rest = line[:1], line[1:]
    if kind == "-":
        raise BenchFault(f"redis: {rest}")
    if kind == "*":
        return [read_reply(stream) for _ in range(int(rest))]
    if kind == "$":
        return stream.read(int(rest) + 2)[:-2].decode()
    return rest

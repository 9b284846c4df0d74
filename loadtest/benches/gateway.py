# Our gateway with a Redis of its own, and the few admin calls that a bench makes.
import http.client
import json
import os
import re
import socket
import subprocess
import time

from benches.yard import CLIENT_CORE, BenchFault, free_port

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
ROOM = "bench"
# Nobody is let in while the bench runs: it measures the wait.
POLICY = {
    "order": {"method": "first_come"},
    "admission": {"per_minute": 60, "active_max": 1, "ramp_seconds": 0, "adaptive": False},
    "identity": "device",
    "protects": [],
}
# Every limit is on. Load comes from one address, so that its allowance is as large as a setting can be.
WIDE_RATE = "1000000/1s,1000000"
WIDE_LIMITS = {
    "limit-address": WIDE_RATE,
    "limit-global": WIDE_RATE,
    "limit-poll-address": WIDE_RATE,
    "limit-join-address": WIDE_RATE,
    "limit-api-address": WIDE_RATE,
    # A banned address would not meet its limit.
    "ban-after": "off",
}
# One request a minute and no more: all the others are refused.
TIGHT_LIMITS = {**WIDE_LIMITS, "limit-address": "1/1m,1"}
CALL_SECONDS_MAX = 10
ACTS_WITHIN_SECONDS_MAX = 5
STILL_SECONDS = 0.1

def start_redis(yard, name="redis"):
    socket_path = yard.path(f"{name}.sock")
    arguments = ["redis-server", "--port", "0", "--unixsocket", socket_path, "--dir", yard.folder]
    arguments += ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]
    return yard.start(name, arguments, core=CLIENT_CORE, socket_path=socket_path)


def redis_figures(yard, section, name="redis"):
    """What the store says of itself (INFO), by name."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(CALL_SECONDS_MAX)
        connection.connect(yard.path(f"{name}.sock"))
        connection.sendall(f"INFO {section}\r\n".encode())
        with connection.makefile("rb") as reply:
            size = int(reply.readline()[1:])
            lines = reply.read(size).decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)

def settings_of(program):
    """The settings it knows: an older one, to compare with, knows fewer."""
    done = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=CALL_SECONDS_MAX)
    return set(re.findall(r"^  --([a-z-]+)", done.stdout, re.MULTILINE))

def older(limits):
    """Limits for a gateway from before there were classes of requests: a number a minute (in all: a second), a burst."""
    tight = limits["limit-address"] != WIDE_RATE
    return {
        "limit-address": 1 if tight else 1_000_000,
        "limit-address-burst": 1 if tight else 1_000_000,
        "limit-global": 1_000_000,
        "limit-global-burst": 1_000_000,
    }


class Gateway:
    """A running gateway: one event loop on the servers' core."""

    def __init__(self, yard, program, name="gateway", redis="redis", booking_port=None, limits=WIDE_LIMITS):
        self.yard = yard
        self.name = name
        self.port = free_port()
        self.admin_port = free_port()
        settings = {
            "port": self.port,
            "admin-port": self.admin_port,
            "redis": "unix://" + yard.path(f"{redis}.sock"),
            "booking": f"http://127.0.0.1:{booking_port or free_port()}",
            "booking-operations": f"http://127.0.0.1:{free_port()}",
            "keys": yard.path("keys"),
            "admin-token-file": yard.path("admin.token"),
            "rooms-file": yard.path(f"{name}-rooms.json"),
            "arrivals": yard.path(f"{name}-arrivals"),
            "pages": os.path.join(ROOT, "Gateway/Pages"),
            "event-loops": 1,
            "connections-per-address-max": 20_000,
            "log-level": "error",
            # It is loaded to the brim on purpose, and stopped without anybody to tell.
            "overload-lag": "10s",
            "drain-lead": "0s",
            # Opening thousands of connections takes a while; the first ones must not end before all are counted.
            "idle-time": "60s",
        }
        known = settings_of(program)
        settings.update(limits if "ban-after" in known else older(limits))
        arguments = [program] + [f"--{key}={value}" for key, value in settings.items() if key in known]
        self.server = yard.start(name, arguments, port=self.port)

    def call(self, method, path, body=None, headers=None):
        """One admin call; its decoded answer."""
        with open(self.yard.path("admin.token")) as file:
            fields = {"Authorization": f"Bearer {file.read().strip()}", **(headers or {})}
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=CALL_SECONDS_MAX)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, fields)
            reply = connection.getresponse()
            text = reply.read()
        finally:
            connection.close()
        if reply.status >= 300:
            raise BenchFault(f"{method} {path} answered {reply.status}: {text.decode(errors='replace')}")
        return json.loads(text) if text else None

    def make_room(self, name=ROOM, policy=POLICY):
        self.call("PUT", f"/admin/v1/rooms/{name}", policy, {"If-None-Match": "*"})
        # The event loops are told of it a moment later, on a busy machine a long one.
        end = time.monotonic() + CALL_SECONDS_MAX
        while status_of(self.port, f"/v1/rooms/{name}/snapshot") == 404:
            if time.monotonic() > end:
                raise BenchFault(f"room {name} was made, and the gateway does not know it")
            time.sleep(0.02)

    def room(self, name=ROOM):
        return self.call("GET", f"/admin/v1/rooms/{name}")

    def settled_room(self, name=ROOM):
        """The room once no join is on its way any more."""
        found = self.room(name)
        for _ in range(int(ACTS_WITHIN_SECONDS_MAX / STILL_SECONDS)):
            time.sleep(STILL_SECONDS)
            before, found = found, self.room(name)
            if before["numbers"]["places"] == found["numbers"]["places"]:
                return found
        raise BenchFault(f"room {name} takes joins that nobody asks for")

    def waiting(self, name=ROOM):
        return self.room(name)["numbers"]["waiting"]

    def set_phase(self, phase, name=ROOM):
        self.call("POST", f"/admin/v1/rooms/{name}/phase", {"phase": phase})

    def deny_loopback(self, denied):
        if denied:
            self.call("PUT", "/admin/v1/deny", {"entry": "127.0.0.1", "reason": "bench"})
        else:
            self.call("DELETE", "/admin/v1/deny?entry=127.0.0.1")
        end = time.monotonic() + ACTS_WITHIN_SECONDS_MAX
        while (status_of(self.port, "/v1/rooms/bench/place") == 403) != denied:
            if time.monotonic() > end:
                raise BenchFault("the deny list did not act")
            time.sleep(0.05)

def status_of(port, path, headers=None):
    """The status of one GET on a connection of its own."""
    return answer_of(port, path, headers)[0]

def answer_of(port, path, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CALL_SECONDS_MAX)
    try:
        connection.request("GET", path, headers=headers or {})
        reply = connection.getresponse()
        return reply.status, dict(reply.getheaders()), reply.read()
    finally:
        connection.close()

# Where a bench runs its servers: a temporary folder on loopback, every process pinned, all of it gone at the end.
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SERVER_CORE = 0
CLIENT_CORE = 1
START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 10
TICKS = os.sysconf("SC_CLK_TCK")


class BenchFault(Exception):
    """What stops a bench; its text is for the operator."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def descendants(pid):
    """The process and all processes under it."""
    found = [pid]
    for each in found:
        try:
            with open(f"/proc/{each}/task/{each}/children") as children:
                found += [int(child) for child in children.read().split()]
        except OSError:
            pass
    return found


class Server:
    """A running server. Figures are those of the process and its workers together."""

    def __init__(self, name, process, log):
        self.name = name
        self.process = process
        self.log = log

    def cpu_seconds(self):
        """User and system time so far."""
        total = 0
        for pid in descendants(self.process.pid):
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def resident_bytes(self):
        total = 0
        for pid in descendants(self.process.pid):
            with open(f"/proc/{pid}/status") as status:
                sizes = [line.split()[1] for line in status if line.startswith("VmRSS:")]
            total += int(sizes[0]) * 1024
        return total

    def check_alive(self):
        if self.process.poll() is not None:
            raise BenchFault(f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")

    def tail(self):
        with open(self.log, errors="replace") as log:
            return "".join(log.readlines()[-15:])

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def take_turn():
    """Two benches at once would measure each other. The lock is for all users, and ends with its process."""
    path = os.path.join(tempfile.gettempdir(), "usher-bench.lock")
    if not os.path.exists(path):
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o644))
    lock = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise BenchFault("another bench is running on this machine") from None
    return lock


def interrupt(*_):
    raise KeyboardInterrupt


class Yard:
    """`with Yard() as yard`: its servers are stopped and its folder is removed however the block ends."""

    def __enter__(self):
        self.lock = take_turn()
        self.folder = tempfile.mkdtemp(prefix="usher-bench-")
        os.chmod(self.folder, 0o755)
        self.servers = []
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, interrupt)
        return self

    def __exit__(self, *_):
        for server in reversed(self.servers):
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self.lock)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def start(self, name, arguments, core=SERVER_CORE, port=None, socket_path=None, environment=None,
              seconds_max=START_SECONDS_MAX):
        """Starts a server on its core (None: on all), and waits until it takes connections. It dies with the bench."""
        log = self.path(f"{name}.log")
        pin = ["taskset", "-c", str(core)] if core is not None else []
        pinned = ["setpriv", "--pdeathsig", "TERM", "--", *pin, *arguments]
        variables = {**os.environ, **(environment or {})}
        with open(log, "ab") as output:
            process = subprocess.Popen(pinned, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=variables)
        server = Server(name, process, log)
        self.servers.append(server)
        self._wait_until_open(server, port, socket_path, seconds_max)
        return server

    def _wait_until_open(self, server, port, socket_path, seconds_max):
        end = time.monotonic() + seconds_max
        while time.monotonic() < end:
            server.check_alive()
            try:
                with socket.socket(socket.AF_UNIX if socket_path else socket.AF_INET) as probe:
                    probe.connect(socket_path or ("127.0.0.1", port))
                    return
            except OSError:
                time.sleep(0.02)
        raise BenchFault(f"{server.name} took no connection within {seconds_max} s:\n{server.tail()}")

    def stop(self, *servers):
        for server in servers:
            server.stop()
            self.servers.remove(server)

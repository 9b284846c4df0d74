# What the figures were taken on, and whether it is fit for taking them.
import contextlib
import os
import platform
import re
import resource
import subprocess

from benches.yard import BenchFault

# Package from Debian, and the program that shows it is there.
PACKAGES = {
    "haproxy": "haproxy",
    "nginx": "nginx-light",
    "wrk": "wrk",
    "redis-server": "redis-server",
    "openssl": "openssl",
    "setpriv": "util-linux",
}


def facts():
    return {
        "cpu": field("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_kib": int(field("/proc/meminfo", "MemTotal").split()[0]),
        "kernel": platform.release(),
        "nginx": version(["nginx", "-v"]),
        "haproxy": version(["haproxy", "-v"]),
        "wrk": version(["wrk", "-v"]),
        "redis": version(["redis-server", "--version"]),
        "load_before": os.getloadavg()[0],
        "descriptors_max": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    }


def field(path, name):
    with open(path) as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return "unknown"


def version(command):
    """The first thing in a program's answer that looks like a version."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return found.group() if found else "unknown"


def check():
    if len(os.sched_getaffinity(0)) < 2:
        raise BenchFault("two cores are needed: one for the server, one for the load")


def raise_descriptor_limit():
    """To the hard limit; servers started afterwards have it, too."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


@contextlib.contextmanager
def precedence(is_realtime):
    """Before everything else that runs here, as far as that is allowed; the servers and the load inherit it."""
    autogroup = raise_autogroup()
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -19)
        if is_realtime:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        if is_realtime:
            raise BenchFault("--realtime is not permitted to this user") from None
    try:
        yield
    finally:
        if autogroup is not None:
            raise_autogroup(autogroup)


def raise_autogroup(nice="-19"):
    """A kernel with autogroups weighs sessions first, and niceness only within one. Returns what was set before."""
    try:
        with open("/proc/self/autogroup", "r+") as file:
            before = file.read().split()[-1]
            file.seek(0)
            file.write(nice)
        return before
    except (OSError, IndexError):
        return None

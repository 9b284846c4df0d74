# Runs of `usher-loadtest buy` against a whole Usher: what was sold, how fast, and what each process spent on it.
import dataclasses
import os
import statistics
import time

from benches.rows import plain
from benches.stack import PROCESSES, short
from benches.yard import BenchFault

GENERATOR = "load generator"
# What purchases leave to be done: webhooks, seats to be shown as sold. It is over when hardly anything is done any more.
REST_SECONDS_MAX = 60
LOOK_SECONDS = 0.5
QUIET = 0.1


@dataclasses.dataclass
class Run:
    count: int
    seconds: float
    per_second: float
    # µs of CPU for each purchase (or hold, or look), by process.
    cpu_us: dict
    p50_ms: dict
    p99_ms: dict
    refused: dict
    load: float

    @property
    def all_us(self):
        return sum(self.cpu_us.values())


def take(stack, url, session, per, **options):
    """One run; `per` is the step that is counted (a paid order: `pay`)."""
    before = stack.cpu_seconds()
    report = stack.buy(url, session, **options)
    rest(stack)
    spent = {short(name): after - before[name] for name, after in stack.cpu_seconds().items()}
    spent[GENERATOR] = report["cpu_seconds"]
    steps = {step["step"]: step for step in report["steps"]}
    count = report["orders"] if per == "pay" else steps.get(per, {"count": 0})["count"]
    if count == 0:
        raise BenchFault(f"nothing was done in a run: {report}")
    return report, Run(
        count=count,
        seconds=report["seconds"],
        per_second=count / report["seconds"],
        cpu_us={name: seconds * 1e6 / count for name, seconds in spent.items()},
        p50_ms={name: step["p50_ms"] for name, step in steps.items()},
        p99_ms={name: step["p99_ms"] for name, step in steps.items()},
        refused=report["refused"],
        load=os.getloadavg()[0],
    )


def rest(stack):
    """Waits until the processes rest, so that all work is counted."""
    last, end = sum(stack.cpu_seconds().values()), time.monotonic() + REST_SECONDS_MAX
    while time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
        now = sum(stack.cpu_seconds().values())
        if now - last < QUIET * LOOK_SECONDS:
            return
        last = now
    raise BenchFault(f"{REST_SECONDS_MAX} s after the last purchase there was still work")


def line(name, run):
    parts = ", ".join(f"{who} {us:.0f}" for who, us in run.cpu_us.items() if us >= 0.5)
    waits = ", ".join(f"{step} {run.p50_ms[step]:.1f}/{run.p99_ms[step]:.1f}" for step in run.p50_ms)
    refused = f", refused {run.refused}" if run.refused else ""
    return (
        f"  {name:24} {run.per_second:8.0f}/s in {run.seconds:5.1f} s, {run.all_us:6.0f} µs CPU ({parts});"
        f" p50/p99 ms: {waits}; load {run.load:.1f}{refused}"
    )


def middle(runs, field):
    return statistics.median(field(run) for run in runs)


def rows_of(id, what, unit, runs, steps):
    """CPU by process and waits by step; the rate is the caller's, as it has the goal."""
    cores = os.cpu_count()
    found = [plain(id, f"{what}, CPU of all processes", middle(runs, lambda run: run.all_us), f"µs CPU/{unit}")]
    for name in [short(each) for each in PROCESSES] + [GENERATOR]:
        found.append(plain(id, f"{what}, {name}", middle(runs, lambda run: run.cpu_us[name]), f"µs CPU/{unit}"))
    enough = middle(runs, lambda run: cores * 1e6 / run.all_us)
    found.append(plain(id, f"{what}: so many the CPU time of {cores} cores is enough for", enough, f"{unit}s/s"))
    for step in steps:
        found.append(plain(id, f"{step}, p50", middle(runs, lambda run: run.p50_ms[step]), "ms"))
        found.append(plain(id, f"{step}, p99", middle(runs, lambda run: run.p99_ms[step]), "ms"))
    return found

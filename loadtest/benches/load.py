# One timed run of wrk against one server: what came back, and what it cost the server.
import dataclasses
import http.client
import json
import os
import statistics
import subprocess

from benches.yard import CLIENT_CORE, BenchFault

CONNECTIONS = 64
SCRIPT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "requests.lua")
# Beyond the run itself: reading the requests, and the last replies.
GRACE_SECONDS = 30
LET_THROUGH_MAX = 3
PROBE_SECONDS_MAX = 10


@dataclasses.dataclass
class Contender:
    """A server with the work it is given."""

    name: str
    server: object
    port: int
    path: str
    tokens: str = None
    # What every answer must be: 200, or a refusal.
    status: int = 200
    # Called before and after each run.
    before: object = None
    after: object = None

    def sample(self, seconds):
        return run(self, seconds)


@dataclasses.dataclass
class Sample:
    cpu_us: float
    per_second: float
    mean_ms: float
    p50_ms: float
    p99_ms: float
    server_busy: float
    generator_busy: float

    @classmethod
    def of(cls, result, spent_seconds, **more):
        """What wrk found, and the CPU time the server spent on it."""
        return cls(
            cpu_us=spent_seconds * 1e6 / result["requests"],
            per_second=result["requests"] / result["seconds"],
            mean_ms=result["mean_ms"],
            p50_ms=result["p50_ms"],
            p99_ms=result["p99_ms"],
            server_busy=spent_seconds / result["seconds"],
            generator_busy=result["busy_seconds"] / result["seconds"],
            **more,
        )


def run(contender, seconds):
    """Loads a contender, and refuses a run in which an answer was not the one that is measured."""
    if contender.before:
        contender.before()
    try:
        probe(contender)
        before = contender.server.cpu_seconds()
        result = wrk(contender.port, contender.path, contender.tokens, seconds)
        spent = contender.server.cpu_seconds() - before
    finally:
        if contender.after:
            contender.after()
    contender.server.check_alive()
    check(contender, result)
    return Sample.of(result, spent)


def probe(contender):
    """Two requests on one connection: the second is answered as it should be (a limit lets the first one through)."""
    fields = {}
    if contender.tokens:
        with open(contender.tokens) as file:
            fields["Usher-Place"] = file.readline().strip()
    connection = http.client.HTTPConnection("127.0.0.1", contender.port, timeout=PROBE_SECONDS_MAX)
    try:
        for _ in range(2):
            connection.request("GET", contender.path, headers=fields)
            reply = connection.getresponse()
            reply.read()
            if reply.will_close:
                raise BenchFault(f"{contender.name} closes the connection after its answer")
    finally:
        connection.close()
    if reply.status != contender.status:
        raise BenchFault(f"{contender.name} answers {reply.status} instead of {contender.status}")


def wrk(port, path, shown, seconds, connections=CONNECTIONS):
    """`shown` is a file of place tokens, `join:` and the stem of new visitors' device ids, or nothing."""
    arguments = ["taskset", "-c", str(CLIENT_CORE), "wrk", "--threads", "1", "--connections", str(connections)]
    arguments += ["--duration", f"{seconds}s", "--latency", "--script", SCRIPT]
    arguments += [f"http://127.0.0.1:{port}", "--", path] + ([shown] if shown else [])
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=seconds + GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        raise BenchFault(f"wrk did not end within {seconds + GRACE_SECONDS} s") from None
    lines = [line for line in done.stdout.splitlines() if line.startswith("BENCH ")]
    if done.returncode != 0 or not lines:
        raise BenchFault(f"wrk failed: {done.stdout[-500:]} {done.stderr[-500:]}")
    return json.loads(lines[0].removeprefix("BENCH "))


def check(contender, result):
    """A limit lets one request a minute through, so of refusals a few may be missing; of answers none."""
    requests, refused = result["requests"], result["refused"]
    is_right = refused == 0 if contender.status == 200 else requests - refused <= LET_THROUGH_MAX
    if requests == 0 or result["broken"] or not is_right:
        raise BenchFault(
            f"{contender.name}: {requests} replies should all be {contender.status}, but {refused} were refusals,"
            f" and {result['broken']} connections broke"
        )


def interleave(contenders, rounds, seconds, say):
    """All contenders in turn, `rounds` times, after a short warm-up each. Samples by name, in the order of rounds."""
    for contender in contenders:
        contender.sample(1)
    samples = {contender.name: [] for contender in contenders}
    for number in range(1, rounds + 1):
        for contender in contenders:
            sample = contender.sample(seconds)
            samples[contender.name].append(sample)
            say(
                f"  {number}/{rounds} {contender.name:38} {sample.cpu_us:7.2f} µs {sample.per_second:9.0f}/s"
                f"  mean {sample.mean_ms:6.2f} p50 {sample.p50_ms:6.2f} p99 {sample.p99_ms:6.2f} ms"
                f"  server {sample.server_busy:4.0%} generator {sample.generator_busy:4.0%}"
            )
    return samples


def median(samples, field):
    return statistics.median(getattr(sample, field) for sample in samples)


def median_ratio(samples, peers, field="cpu_us"):
    """The median of the rounds' own ratios: a round's noise meets both."""
    return statistics.median(getattr(a, field) / getattr(b, field) for a, b in zip(samples, peers))

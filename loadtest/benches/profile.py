# Where the gateway's time goes during a part of a bench, by perf's samples.
import collections
import os
import shutil
import subprocess

from benches import peers, places
from benches.gateway import ROOT, TIGHT_LIMITS, Gateway, start_redis
from benches.load import Contender
from benches.polls import PLACE_PATH, SHOP_PATH
from benches.yard import BenchFault, descendants

SAMPLES_PER_SECOND = 1999
SHOWN = 40
NAME_LENGTH_MAX = 150
# What nearly every sample is under says nothing: the thread, the event loop.
EVERYWHERE = 0.9
TOOL_SECONDS_MAX = 300
FOLDED = os.path.join(ROOT, ".build/bench-profile.folded")


def take(yard, program, part, count, seconds, say):
    """A listing of where the time of a part's requests goes."""
    upstream_port = peers.start_upstream(yard).ports["UPSTREAM_PORT"]
    start_redis(yard)
    gateway = Gateway(yard, program, booking_port=upstream_port)
    gateway.make_room()
    tokens = yard.write("tokens", "\n".join(places.join(gateway.port, count)[0]))
    settings = {"booking_port": upstream_port}
    path, status = PLACE_PATH, 200
    if part == "P2":
        settings["limits"], status = TIGHT_LIMITS, 429
    elif part == "P4":
        path, tokens = SHOP_PATH, None
    yard.stop(gateway.server)
    gateway = Gateway(yard, program, name="profiled", **settings)
    work = Contender("gateway", gateway.server, gateway.port, path, tokens, status)
    return sampled(work, seconds, say)


def sampled(work, seconds, say, folded_path=FOLDED):
    """Samples the server while it is loaded; the stacks are kept, folded, for flame graphs."""
    if not shutil.which("perf"):
        raise BenchFault("--profile needs perf (Debian: apt-get install linux-perf)")
    os.makedirs(os.path.dirname(folded_path), exist_ok=True)
    record = ["perf", "record", "-q", "-F", str(SAMPLES_PER_SECOND), "-g", "-o", folded_path + ".perf"]
    pids = ",".join(str(pid) for pid in descendants(work.server.process.pid))
    record += ["-p", pids, "--", "sleep", str(seconds)]
    recorder = subprocess.Popen(record, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    sample = work.sample(seconds + 1)
    _, complaint = recorder.communicate(timeout=TOOL_SECONDS_MAX)
    if recorder.returncode != 0:
        raise BenchFault(f"perf is not permitted: {complaint.strip()[-300:]}")
    script = ["perf", "script", "-i", folded_path + ".perf", "-F", "comm,ip,sym"]
    done = subprocess.run(script, capture_output=True, text=True, errors="replace", timeout=TOOL_SECONDS_MAX)
    os.unlink(folded_path + ".perf")
    stacks = folded(done.stdout)
    write_folded(stacks, folded_path)
    say(f"{sample.per_second:,.0f} requests/s, {sample.cpu_us:.2f} µs CPU/request; stacks in {folded_path}")
    return listing(stacks, sample.cpu_us)


def plain_names(names):
    """Swift's names as people write them, through `swift demangle`."""
    if not shutil.which("swift"):
        return names
    command = ["swift", "demangle", "--compact", "--simplified"]
    text = "\n".join(names) + "\n"
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=TOOL_SECONDS_MAX)
    lines = done.stdout.splitlines()
    return lines if len(lines) == len(names) else names


def folded(text, plain_names=plain_names):
    """perf's samples as stacks from the root on, each with its count."""
    stacks = []
    for block in text.split("\n\n"):
        frames = []
        for line in block.splitlines()[1:]:
            _, _, name = line.strip().partition(" ")
            frames.append(name.strip() or "[unknown]")
        if frames:
            stacks.append(frames[::-1])
    names = sorted({name for frames in stacks for name in frames})
    readable = dict(zip(names, plain_names(names)))
    return collections.Counter(tuple(readable[name] for name in frames) for frames in stacks)


def write_folded(stacks, path):
    with open(path, "w") as file:
        for stack, count in stacks.most_common():
            file.write(";".join(name.replace(";", ",") for name in stack) + f" {count}\n")


def listing(stacks, cpu_us=None):
    """The top symbols, by their own share and with all they call."""
    total = sum(stacks.values())
    own = collections.Counter()
    inclusive = collections.Counter()
    for stack, count in stacks.items():
        own[stack[-1]] += count
        for name in set(stack):
            inclusive[name] += count
    inclusive = collections.Counter({name: n for name, n in inclusive.items() if n < total * EVERYWHERE})
    text = [f"{total} samples"]
    for title, counts in (("self", own), ("inclusive", inclusive)):
        text += ["", f"top {SHOWN}, {title}"]
        for name, count in counts.most_common(SHOWN):
            cost = f" {count / total * cpu_us:6.2f} µs" if cpu_us else ""
            text.append(f"{count / total:7.2%}{cost}  {name[:NAME_LENGTH_MAX]}")
    return "\n".join(text)

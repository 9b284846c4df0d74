# What a bench found: rows with their goals, as a table for people and as JSON for programs.
import dataclasses
import json

from benches.load import median


@dataclasses.dataclass
class Row:
    id: str
    what: str
    value: float
    unit: str
    peer: str = None
    peer_value: float = None
    ratio: float = None
    goal: str = None
    # None where the row is only there to compare.
    holds: bool = None


def plain(id, what, value, unit):
    return Row(id, what, value, unit)


def at_most(id, what, value, unit, most):
    return Row(id, what, value, unit, goal=f"≤ {most:g} {unit}", holds=value <= most)


def at_least(id, what, value, unit, least):
    return Row(id, what, value, unit, goal=f"≥ {least:g} {unit}", holds=value >= least)


def beside(id, what, value, unit, peer, peer_value, ratio, most=None):
    goal = None if most is None else f"≤ {most:g} ×"
    return Row(id, what, value, unit, peer, peer_value, ratio, goal, None if most is None else ratio <= most)


def number(value):
    if value is None:
        return ""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}"


def table(rows):
    heads = ["id", "what", "value", "unit", "peer", "peer value", "ratio", "goal", "holds"]
    lines = []
    for row in rows:
        holds = {None: "", True: "yes", False: "NO"}[row.holds]
        cells = [row.id, row.what, number(row.value), row.unit, row.peer or "", number(row.peer_value)]
        lines.append(cells + [number(row.ratio), row.goal or "", holds])
    return aligned(heads, lines, numeric=(2, 5, 6))


def servers_table(samples):
    """Every server's medians at saturation, where latency is mostly waiting, and the CPU of its quietest round."""
    heads = ["work and server", "µs CPU", "best µs", "requests/s", "mean ms", "p50 ms", "p99 ms"]
    heads += ["server busy", "load busy"]
    fields = ["cpu_us", "per_second", "mean_ms", "p50_ms", "p99_ms"]
    lines = []
    for name, found in samples.items():
        cells = [number(median(found, field)) for field in fields]
        cells.insert(1, number(min(one.cpu_us for one in found)))
        busy = [f"{median(found, field):.0%}" for field in ("server_busy", "generator_busy")]
        lines.append([name, *cells, *busy])
    return aligned(heads, lines, numeric=range(1, len(heads)))


def aligned(heads, lines, numeric):
    """A Markdown table that can be read as it is."""
    widths = [max(len(line[column]) for line in [heads, *lines]) for column in range(len(heads))]
    lines = [heads, ["-" * width for width in widths], *lines]
    padded = [
        [cell.rjust(width) if column in numeric else cell.ljust(width)
         for column, (cell, width) in enumerate(zip(line, widths))]
        for line in lines
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def document(bench, machine, settings, rows, samples):
    return json.dumps(
        {
            "bench": bench,
            "machine": machine,
            "settings": settings,
            "rows": [dataclasses.asdict(row) for row in rows],
            "samples": {name: [dataclasses.asdict(one) for one in found] for name, found in samples.items()},
        },
        ensure_ascii=False,
        indent=2,
    )

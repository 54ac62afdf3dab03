"""What the benchmarks say: figures made of measured numbers, and the tables that show them.

Nothing here measures. bench.py hands over, by name, what each round has measured; a figure is the
median of its rounds with the least and the most, and a ratio is taken within each round before it
is summed up, because a machine that was slow in a round was slow for both.
"""
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Rounds = list[float]
# By name: a number a round, or, where many were taken in a round, all of them.
Measured = Mapping[str, Sequence[float] | Sequence[Sequence[float]]]
# Raises KeyError where what it needs was not measured.
Taken = Callable[[Measured], Rounds]

RATES = ("1000", "10000", "100000", "max")
LATENCY_RATES = ("500", "5000", "50000")
KINDS = ("book", "trade", "ticker", "mixed")
STAGES = ("step", "decode", "admit", "strategy", "gate", "encode")
LEVELS = (("book5", 5), ("book10", 10), ("book", 20))
COUNT = "(1) nats.c that counts"
NUMBERS = "(2) and simdjson, every number"
ECHO = "(3) nats.c that echoes"
STORE = "(4) and stores it first"
REPLAY = "`replay`, one after the other"
VELOCITY = "ticker_velocity alone, on tickers"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent are not above (nearest rank)."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100 - 1e-9) - 1)]


def ratios(of: Rounds, to: Rounds) -> Rounds:
    """Round by round."""
    if len(of) != len(to):
        raise ValueError(f"{len(of)} rounds beside {len(to)}")
    return [a / b for a, b in zip(of, to)]


# --- How figures are taken from what was measured -------------------------------------------------

def value(name: str, factor: float = 1) -> Taken:
    return lambda measured: [v * factor for v in measured[name]]


def share_of(name: str, percent: float) -> Taken:
    return lambda measured: [percentile(v, percent) for v in measured[name]]


def difference(name: str, less: str) -> Taken:
    return lambda measured: [a - b for a, b in zip(measured[name], measured[less])]


def millicores(rate: str, subject: str) -> Taken:
    def taken(measured: Measured) -> Rounds:
        pairs = zip(measured[f"cpu/{rate}/{subject}"], measured[f"rate/{rate}/{subject}"])
        return [us * frames / 1000 for us, frames in pairs]
    return taken


# --- What figures there are -----------------------------------------------------------------------

@dataclass(frozen=True)
class Target:
    most: float = math.inf
    least: float = -math.inf

    def met(self, figure: float) -> bool:
        return self.least <= figure <= self.most

    def __str__(self) -> str:
        return f"<= {self.most:g}" if self.least == -math.inf else f">= {self.least:,.0f}"


@dataclass(frozen=True)
class Wanted:
    """One figure, and maybe a reference beside it."""
    section: str
    label: str
    unit: str
    taken: Taken
    target: Target | None = None
    beside: str = ""
    reference: Taken | None = None
    ratio_target: Target | None = None
    # Left out where it was not measured: its peer comes from PyPI, and may not be there.
    is_optional: bool = False


SECTIONS = {
    "engine": "The engine alone, for one frame, on warm caches",
    "levels": "Growth with the levels of a book",
    "cost": "The service: CPU time a frame, and memory",
    "latency": "From publishing a frame to the arrival of its order",
    "stream": "The same by way of the order log (`ORDER_DELIVERY=jetstream`)",
    "other": "Start, scrape, symbols, replay",
    "sweep": "`sweep`: events × settings a second of CPU time, from start to exit",
}


def at(rate: str) -> str:
    return "as fast as it goes" if rate == "max" else f"at {int(rate):,} frames/s"


def engine_figures() -> list[Wanted]:
    figures = []
    for kind in KINDS:
        for stage in STAGES:
            name = f"{kind}, {stage}"
            figures += [
                Wanted("engine", f"{name}: time", "ns", value(f"ns/{kind}/{stage}")),
                Wanted("engine", f"{name}: instructions", "",
                       value(f"instructions/{kind}/{stage}")),
                Wanted("engine", f"{name}: allocations", "", value(f"allocations/{kind}/{stage}"),
                       Target(most=0)),
            ]
    for kind, levels in LEVELS:
        for stage in ("step", "decode"):
            name = f"book of {levels} levels, {stage}"
            figures += [
                Wanted("levels", f"{name}: time", "ns", value(f"ns/{kind}/{stage}")),
                Wanted("levels", f"{name}: instructions", "",
                       value(f"instructions/{kind}/{stage}")),
            ]
    return figures


def cost_figures() -> list[Wanted]:
    figures = []
    for rate in RATES:
        for subject, beside, most in (("count", COUNT, 1.6), ("numbers", NUMBERS, 1.15)):
            figures.append(Wanted(
                "cost", f"CPU a frame, {at(rate)}", "us", value(f"cpu/{rate}/service"), None,
                beside, value(f"cpu/{rate}/{subject}"),
                Target(most=most) if rate == "max" else None))
    figures.append(Wanted("cost", "CPU, at 1,000 frames/s", "m", millicores("1000", "service"),
                          Target(most=10), COUNT, millicores("1000", "count")))
    figures.append(Wanted("cost", "Frames a second, one core", "1/s", value("rate/max/service"),
                          Target(least=300_000), COUNT, value("rate/max/count")))
    for rate in RATES:
        target = {"1000": Target(most=16), "max": Target(most=24)}.get(rate)
        figures.append(Wanted("cost", f"Resident memory, {at(rate)}", "MiB",
                              value(f"rss/{rate}/service"), target, COUNT,
                              value(f"rss/{rate}/count")))
    for rate in RATES[:-1]:
        figures.append(Wanted("cost", f"Really reached, {at(rate)}", "1/s",
                              value(f"rate/{rate}/service"), None, COUNT,
                              value(f"rate/{rate}/count")))
    return figures


def latency_figures(section: str, beside: str, reference: str, most: float) -> list[Wanted]:
    figures = []
    for rate in LATENCY_RATES:
        for percent in (50, 90, 99, 99.9):
            promised = percent in (50, 99) and rate in ("500", "5000")
            figures.append(Wanted(
                section, f"p{percent:g}, {at(rate)}", "us",
                share_of(f"{section}/{rate}/service", percent), None, beside,
                share_of(f"{section}/{rate}/{reference}", percent),
                Target(most=most) if promised else None))
    return figures


def stream_figures() -> list[Wanted]:
    return [
        *latency_figures("stream", STORE, "store", 1.2),
        Wanted("stream", "Ready after start, with an empty log", "ms", value("ready_stream"),
               Target(most=30), "without", value("ready")),
        Wanted("stream", "Resident memory it adds", "MiB", difference("stream_rss/service",
                                                                      "latency_rss/service"),
               Target(most=2)),
    ]


def other_figures() -> list[Wanted]:
    figures = [
        Wanted("other", "Ready after start", "ms", value("ready"), Target(most=100)),
        Wanted("other", "Scrape at 10,000 frames/s: time", "us", share_of("scrape_time", 50)),
        Wanted("other", "Scrape at 10,000 frames/s: CPU it adds", "us", value("scrape_cpu")),
    ]
    for symbols in (3, 50, 500):
        beside = ("", None) if symbols == 3 else ("3 symbols", value("cpu/symbols/3"))
        figures.append(Wanted("other", f"{symbols} symbols: CPU a frame", "us",
                              value(f"cpu/symbols/{symbols}"), None, *beside))
    for symbols in (3, 50, 500):
        beside = ("", None) if symbols == 3 else ("3 symbols", value("rss/symbols/3"))
        figures.append(Wanted("other", f"{symbols} symbols: resident memory", "MiB",
                              value(f"rss/symbols/{symbols}"), None, *beside))
    figures.append(Wanted("other", "Replay from plain NDJSON", "frames/s", value("replay"),
                          Target(least=600_000)))
    return figures


def sweep_figures() -> list[Wanted]:
    """500 settings, which is said once, where the method is."""
    figures = [Wanted("sweep", label, "M/s", value(f"sweep/{name}"), None, REPLAY,
                      value(f"replay/{name}"))
               for name, label in (("grid", "All strategies, a grid"),
                                   ("thresholds", "All strategies, all thresholds differ"),
                               ("apart", "All strategies, next to nothing shared"),
                                   ("tickers", VELOCITY))]
    for name, beside in (("signals", "vectorbt compiled, signals only"),
                         ("portfolios", "vectorbt compiled, with portfolios"),
                         ("whole", "vectorbt from start to end")):
        figures.append(Wanted("sweep", VELOCITY, "M/s", value("sweep/tickers"), None, beside,
                              value(f"vectorbt/{name}"), is_optional=True))
    return figures


WANTED = [*engine_figures(), *cost_figures(), *latency_figures("latency", ECHO, "count", 1.15),
          *stream_figures(), *other_figures(), *sweep_figures()]


# --- Figures as values of JSON --------------------------------------------------------------------

def summed_up(rounds: Rounds, target: Target | None) -> dict:
    median = statistics.median(rounds)
    summary = {"median": median, "least": min(rounds), "most": max(rounds), "rounds": rounds}
    if target:
        summary |= {"target": str(target), "met": target.met(median)}
    return summary


def figure(wanted: Wanted, measured: Measured) -> dict:
    rounds = wanted.taken(measured)
    made = {"section": wanted.section, "figure": wanted.label, "unit": wanted.unit}
    made |= summed_up(rounds, wanted.target)
    if wanted.reference:
        reference = wanted.reference(measured)
        made["reference"] = {"name": wanted.beside} | summed_up(reference, None)
        made["ratio"] = summed_up(ratios(rounds, reference), wanted.ratio_target)
    return made


def figures(measured: Measured, *, partial: bool = False) -> list[dict]:
    """All that are wanted but what is optional; with `partial` those whose numbers are there."""
    made = []
    for wanted in WANTED:
        try:
            made.append(figure(wanted, measured))
        except KeyError:
            if not (partial or wanted.is_optional):
                raise
    return made


# --- Tables ---------------------------------------------------------------------------------------

def number(n: float) -> str:
    """Three digits that count, or all before the point."""
    if n == 0:
        return "0"
    magnitude = int(f"{n:.2e}".partition("e")[2])
    return f"{n:,.{max(0, 2 - magnitude)}f}"


def spread(summary: dict) -> str:
    if len(summary["rounds"]) == 1:
        return ""
    return f"{number(summary['least'])} … {number(summary['most'])}"


def verdict(summary: dict) -> str:
    if "target" not in summary:
        return ""
    return f"{summary['target']} {'met' if summary['met'] else 'MISSED'}"


SERVICE_HEAD = ("figure", "median", "least … most", "", "beside", "median", "ratio",
                "least … most", "target")


def service_row(made: dict) -> tuple[str, ...]:
    row = (made["figure"], number(made["median"]), spread(made), made["unit"])
    if "reference" not in made:
        return *row, "", "", "", "", verdict(made)
    ratio = made["ratio"]
    target = verdict(made) or (verdict(ratio) and f"ratio {verdict(ratio)}")
    return (*row, made["reference"]["name"], number(made["reference"]["median"]),
            number(ratio["median"]), spread(ratio), target)


ENGINE_HEAD = ("frame, stage", "ns", "least … most", "instructions", "allocations", "target")


def engine_rows(made: list[dict]) -> list[tuple[str, ...]]:
    """Time, instructions and allocations of a stage in one row."""
    by_name: dict[str, dict[str, dict]] = {}
    for one in made:
        name, what = one["figure"].split(": ")
        by_name.setdefault(name, {})[what] = one
    return [(name, number(row["time"]["median"]), spread(row["time"]),
             f"{row['instructions']['median']:,.0f}" if "instructions" in row else "",
             number(row["allocations"]["median"]) if "allocations" in row else "",
             verdict(row["allocations"]) if "allocations" in row else "")
            for name, row in by_name.items() if "time" in row]


def section_table(section: str, made: list[dict]) -> list[tuple[str, ...]]:
    """Its rows, the head first; none where nothing was measured."""
    made = [one for one in made if one["section"] == section]
    if section in ("engine", "levels"):
        rows = engine_rows(made)
        head = ENGINE_HEAD
    else:
        rows = [service_row(one) for one in made]
        head = SERVICE_HEAD
    return [head, *rows] if rows else []


def targets_table(made: list[dict]) -> list[tuple[str, ...]]:
    rows = [("figure", "target", "measured", "least … most", "")]
    allocations = [one for one in made if one["figure"].endswith(": allocations")]
    if allocations:
        most = max(allocations, key=lambda one: one["median"])
        rows.append(("Allocations a frame, any kind and stage", most["target"],
                     number(most["median"]), spread(most), "met" if most["met"] else "**missed**"))
    for one in made:
        if one in allocations:
            continue
        for summary, of in ((one, ""), (one.get("ratio", {}), "over ")):
            if "target" in summary:
                what = f" {of}{one['reference']['name']}" if of else ""
                unit = "" if of else f" {one['unit']}"
                rows.append((one["figure"] + what, summary["target"] + unit,
                             number(summary["median"]), spread(summary),
                             "met" if summary["met"] else "**missed**"))
    return rows


def text_table(rows: list[tuple[str, ...]]) -> str:
    """For a terminal: the first column to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    left = [i == 0 or rows[0][i] in ("", "beside", "target") for i in range(len(widths))]
    lines = []
    for row in rows:
        cells = [c.ljust(w) if to_left else c.rjust(w)
                 for c, w, to_left in zip(row, widths, left)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown_table(rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return "Not measured yet."
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)


def printed(report: dict) -> str:
    """The one table of `make bench`."""
    blocks = [machine_text(report)]
    for section, title in SECTIONS.items():
        rows = section_table(section, report["figures"])
        if rows:
            blocks.append(f"{title}\n{text_table(rows)}")
    verdicts = [s for one in report["figures"] for s in (one, one.get("ratio", {})) if "met" in s]
    met = sum(s["met"] for s in verdicts)
    blocks.append(f"{met} of {len(verdicts)} targets met")
    return "\n\n".join(blocks)


def machine_text(report: dict) -> str:
    machine = report["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return (f"{report['date']}, {report['commit']}: {machine['cores']} cores of "
            f"{machine['cpu']}, Linux {machine['kernel']}; {versions}. "
            f"{report['rounds']} rounds, {report['effort']}: median, least … most.")


# --- The page -------------------------------------------------------------------------------------

def begin(name: str) -> str:
    return f"<!-- made from performance.json: {name} -->"


END = "<!-- end -->"


def page_parts(report: dict) -> dict[str, str]:
    parts = {"machine": machine_text(report),
             "targets": markdown_table(targets_table(report["figures"]))}
    for section in SECTIONS:
        parts[section] = markdown_table(section_table(section, report["figures"]))
    return parts


def page(text: str, report: dict) -> str:
    """The page with what stands between its marks made anew; what people wrote stays."""
    for name, part in page_parts(report).items():
        before, mark, rest = text.partition(begin(name))
        _, end, after = rest.partition(END)
        if not mark or not end:
            raise ValueError(f"the page has no place for {name}")
        text = f"{before}{mark}\n{part}\n{end}{after}"
    return text

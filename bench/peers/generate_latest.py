"""Renders the series of scrape.bench.ts once for every line it reads, and answers with a line."""

import sys

from prometheus_client import CollectorRegistry, Counter, generate_latest

SERIES = int(sys.argv[1])

registry = CollectorRegistry()
counter = Counter("requests", "Requests.", ["pid", "comm", "cgroup"], registry=registry)
for series in range(SERIES):
    labels = (
        str(1000 + series),
        f"worker-{series % 97}",
        f"/system.slice/unit-{series % 31}.service",
    )
    counter.labels(*labels).inc(series * 7919)

print("ready", flush=True)
for _ in sys.stdin:
    print(generate_latest(registry).count(b"\n"), flush=True)

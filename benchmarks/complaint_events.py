"""Events for the complaint flow of the benchmarks: the same lines for the same number, on every machine."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def history(number: int, rng: random.Random) -> Iterator[tuple[str, datetime, dict[str, object]]]:
    """One complaint from its arrival to its end: (event, instant, data)."""
    now = START + timedelta(minutes=7 * number)
    severity = rng.choices(["low", "high"], [4, 1])[0]
    yield (
        "complaint_received",
        now,
        {"complaint.severity": severity, "customer.tier": rng.choices(["standard", "gold"], [5, 1])[0]},
    )
    now += timedelta(minutes=rng.randint(5, 300))
    yield "acknowledged", now, {}
    if rng.random() < 0.3:
        now += timedelta(minutes=rng.randint(5, 600))
        yield "info_asked", now, {}
        now += timedelta(minutes=rng.randint(60, 6000))
        yield "customer_wrote", now, {}
    now += timedelta(minutes=rng.randint(5, 900))
    yield "assessed", now, {"complaint.severity": severity}
    now += timedelta(minutes=rng.randint(30, 4000))
    amount = rng.randint(5, 300)
    yield "decided", now, {"complaint.amount": amount}
    if severity == "high" or amount > 100:
        now += timedelta(minutes=rng.randint(5, 900))
        yield "approved", now, {}
    now += timedelta(minutes=rng.randint(60, 3000))
    yield "remedy_done", now, {}


def _nested(data: dict[str, object]) -> dict[str, object]:
    found: dict[str, dict[str, object]] = {}
    for name, value in data.items():
        of, _, fact = name.partition(".")
        found.setdefault(of, {})[fact] = value
    return dict(found)


def lines(count: int, seed: int = 7, every: bool = False, nested: bool = False) -> list[bytes]:
    """``count`` CloudEvents as lines of JSON, in the order of time.

    With ``every`` all of them bring data, not only those that must; ``nested`` says how it is written, as
    ``{"customer":{"tier":"gold"}}`` or as ``{"customer.tier":"gold"}``.
    """
    rng = random.Random(seed)
    events: list[tuple[datetime, str, str, dict[str, object]]] = []
    number = 0
    while len(events) < count:
        subject = f"complaint-{number:06}"
        tier: dict[str, object] = {}
        for kind, at, data in history(number, rng):
            if every:
                tier = tier or {"customer.tier": data["customer.tier"]}
                data = {**tier, **data}
            events.append((at, subject, kind, _nested(data) if nested else data))
        number += 1
    events = events[:count]
    events.sort(key=lambda each: each[:2])
    return [
        json.dumps(
            {
                "specversion": "1.0",
                "id": f"e-{index}",
                "source": "/benchmark",
                "type": kind,
                "subject": subject,
                "time": at.isoformat(),
                **({"data": data} if data else {}),
            },
            separators=(",", ":"),
        ).encode()
        + b"\n"
        for index, (at, subject, kind, data) in enumerate(events)
    ]

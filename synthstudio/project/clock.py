"""The time as it is stored: UTC, ISO 8601, to the millisecond."""

from datetime import UTC, datetime


def now() -> str:
    """Return the present moment, for example `2026-11-21T10:32:05.123Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

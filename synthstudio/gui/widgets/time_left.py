"""How long something still takes, from how fast it went lately."""

from __future__ import annotations

from collections import deque

WINDOW_S = 20.0
MIN_OBSERVED_S = 1.0


class TimeLeft:
    """Estimates from the rate over the last `WINDOW_S` seconds, so that a slow start does not spoil it."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()
        self._total = 0

    def add(self, done: int, total: int, *, now_s: float) -> None:
        """Note that `done` of `total` steps are made. A smaller `done` or another total begins anew."""
        if total != self._total or (self._seen and done < self._seen[-1][1]):
            self._seen.clear()
            self._total = total
        self._seen.append((now_s, done))
        while len(self._seen) > 2 and now_s - self._seen[1][0] > WINDOW_S:
            self._seen.popleft()

    def remaining_s(self) -> float | None:
        """Seconds left, or None while too little was seen."""
        if len(self._seen) < 2:
            return None
        (start_s, start), (end_s, end) = self._seen[0], self._seen[-1]
        if end_s - start_s < MIN_OBSERVED_S or end <= start:
            return None
        return max(0.0, (self._total - end) * (end_s - start_s) / (end - start))


def duration_text(seconds: float) -> str:
    """Seconds in words, coarse enough not to flicker: "40 s", "3 min", "2 h 10 min"."""
    if seconds < 55:
        return f"{max(1, round(seconds / 5) * 5 if seconds > 10 else round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"

"""Memory and time in the words of tables."""

from __future__ import annotations

from collections.abc import Collection

from convonet.allowance import Allowance


def megabytes(kib: int | None) -> str:
    """`84.2`; three digits and more go without a fraction. `–` for what is not known."""
    if kib is None:
        return "–"
    value = kib / 1024
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.1f}"


def growth(kib: int | None) -> str:
    """With its sign; `–` for a process that has not settled."""
    if kib is None:
        return "–"
    told = megabytes(abs(kib))
    if told == "0.0":
        return told
    return f"{'+' if kib > 0 else '−'}{told}"


def age(seconds: float) -> str:
    """`42 s`, `12 min`, `3 h 05`, `4 d 02 h`."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86_400)
    if minutes < 1:
        return f"{max(0, int(seconds))} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60:02}"
    return f"{days} d {hours % 24:02} h"


def oom_kills(sources: Collection[str]) -> str:
    """Of which processes the kernel's count tells, by the sources of the machines' allowances."""
    if "machine" in sources:
        return "Processes of the whole machine, others' too, killed for want of memory"
    return "Processes of our control group killed for want of memory"


def allowed(allowance: Allowance) -> str:
    """A sentence's worth: `28 % of 24,105 MB used (machine)`."""
    share, limit = allowance.share, allowance.limit_kib
    if limit is None:
        return f"no limit known ({allowance.source})"
    used = f"{100 * share:.0f} % of " if share is not None else ""
    return f"{used}{megabytes(limit)} MB used ({allowance.source})"

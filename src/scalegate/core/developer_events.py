"""What is said of a developer: how large its business is, and where it operates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeveloperDescribed:
    """Somebody says how large the developer's business is, and where it operates.

    That a policy does not bind follows only from what a role says that the policy keeps independent of the developer,
    and only until it expires. That one binds follows from anybody's last word, which does not age.

    Attributes:
        revenue_low: yearly revenue in whole USD is at least this; 0 where nobody said.
        revenue_high: and at most this; null where nobody said.
        places: jurisdictions that the developer operates in, such as `us-ca`.
        absent: jurisdictions that it does not operate in.
        expires: when it ends as a reason for not being bound, seconds since 1970.
    """

    revenue_low: int
    revenue_high: int | None
    places: tuple[str, ...]
    absent: tuple[str, ...]
    expires: int
    by: str
    role: str

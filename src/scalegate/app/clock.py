"""The one clock of the program."""

from __future__ import annotations

import time


class SystemClock:
    """The machine's clock. It may be wrong: `Book.now` never lets it run behind the history."""

    def now(self) -> int:
        """Return seconds since 1970 UTC."""
        return int(time.time())  # noqa: TID251 - this is the adapter behind the Clock port

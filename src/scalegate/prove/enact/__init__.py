"""A situation turned into a history: entries from which the whole gate decides as the situation says."""

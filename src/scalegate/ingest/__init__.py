"""Readers of other tools' logs: hostile bytes in, exact scores and every objection out."""

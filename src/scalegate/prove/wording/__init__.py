"""Situations in short English clauses, and clauses as the situations that they describe."""

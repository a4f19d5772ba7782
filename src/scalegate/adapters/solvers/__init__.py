"""Solvers behind the port of `scalegate.core.ports.Solver`: both read the same SMT-LIB text."""

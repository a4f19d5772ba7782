"""Tests, one folder per room; a regular package so that no installed `tests` can shadow it."""

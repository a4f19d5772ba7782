"""Lint: the sharpest critic of a policy. One rule a file, one page a rule, and the page's examples are its tests.

An attacker who changes this can hide a fault of a policy from its readers, and cannot make the gate permit anything.
"""

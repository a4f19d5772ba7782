"""The policy language: text to tree to kernel, and back."""

from scalegate.policy.load import check, check_bytes, load, load_bytes

__all__ = ["check", "check_bytes", "load", "load_bytes"]

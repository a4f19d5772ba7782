"""Public sentences about a policy in controlled English: proved, or refuted by a situation."""

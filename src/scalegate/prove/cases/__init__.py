"""Cases: situations with the answer, and the reasons, that a policy is expected to give."""

"""What the notes on published frameworks say that each rule should find there, typed as facts.

Only plain statements are here: a framework that the notes name beside a rule as flagged, or as passing. Where they
hedge ("partly", "ok-ish"), or say nothing, nothing is asserted.
"""

A1, A2, A3 = "anthropic-rsp-1.0", "anthropic-rsp-2.2", "anthropic-rsp-3.4"
O1, O2 = "openai-preparedness-beta", "openai-preparedness-2"
G1, G2, G31 = "deepmind-fsf-1.0", "deepmind-fsf-2.0", "deepmind-fsf-3.1"
M1, M2 = "meta-faf-1.1", "meta-aasf-2"
X1, MS1, AZ1 = "xai-rmf-2025-08", "microsoft-fgf-1", "amazon-fmsf-2025-02"
EU, SB, NY = "eu-gpai-code-safety", "us-ca-sb53", "us-ny-raise"
SEO, FLI = "seoul-commitments", "fli-letter"

LABS = (A1, A2, A3, O1, O2, G1, G2, G31, M1, M2, X1, MS1, AZ1)


def but(*left_out: str) -> tuple[str, ...]:
    """All frameworks of developers but these."""
    return tuple(name for name in LABS if name not in left_out)


# Rule, frameworks that the notes flag, frameworks that they say pass.
TABLE: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("THR-001", (A2, A3, O1, O2, G1, G2, G31, M1, M2, MS1, AZ1, SEO), (A1, X1)),
    ("THR-002", (O2, G31), ()),
    ("THR-003", (O1,), ()),
    ("THR-004", (A2, A3, O2, G31, M2, MS1, AZ1), ()),
    ("THR-005", (G31, M1, M2), (O2, G2)),
    ("THR-006", (X1,), ()),
    ("THR-008", (X1,), ()),
    ("THR-009", (A2, O2, A3), ()),
    ("THR-010", (A3, O2), ()),
    ("EVA-001", (G2, G31, AZ1, X1, M2), (A1, A2, O1, G1, MS1)),
    ("EVA-002", (O1, MS1), ()),
    ("EVA-003", (), (A1,)),
    ("EVA-004", (A2, A3, O2, MS1, AZ1, M1, X1), (EU,)),
    ("EVA-005", (X1, AZ1, M2, G31), (A1, A2, O1)),
    ("EVA-006", (A3, X1, AZ1, M1, G31), (A1, A2, EU, MS1)),
    ("EVA-007", (A1, A2, A3, G1, G2, M1, MS1, AZ1, X1), (EU,)),
    ("EVA-008", but(A1), (A1, EU)),
    ("EVA-009", (G31, MS1, AZ1, O2, X1, M1), (A2,)),
    ("EVA-010", (A2,), ()),
    ("EVA-011", (O2, M2), ()),
    ("EVA-012", (X1, A2), ()),
    ("EVA-013", (AZ1, X1, G31), ()),
    ("RSP-001", (A3, O2), ()),
    ("RSP-002", (A3, G31, AZ1, X1), (A1, A2, O1, O2, M1, EU)),
    ("RSP-003", (M1, O2, FLI, A3), ()),
    ("RSP-004", (G1, G2, X1), ()),
    ("RSP-005", (A2,), ()),
    ("RSP-006", (A1,), ()),
    ("RSP-007", (A2,), ()),
    ("RSP-008", (A3, G31, MS1), (O2, A1)),
    ("RSP-010", (O2, A2), ()),
    ("UND-001", LABS, ()),
    ("UND-002", (A3, G31), ()),
    ("SAF-001", (O2, MS1, M1, G31), ()),
    ("SAF-002", LABS, ()),
    ("SAF-003", (A2,), ()),
    ("SAF-004", (A3, G2, G31, M1), ()),
    ("SAF-005", (G2, G31, A3), ()),
    ("DEP-001", (AZ1, SEO), (A2, O2, G31)),
    ("DEP-002", (AZ1, X1, O2, G31), (A1, A2)),
    ("DEP-003", (M2, G31, AZ1, X1), ()),
    ("DEP-004", LABS, ()),
    ("DEP-005", but(A1), (A1,)),
    ("RAC-001", (A1, A2, A3, O2, G2, G31), (O1,)),
    ("RAC-002", (A2, G31), (O2,)),
    ("RAC-003", (A2, G31), (O2,)),
    ("RAC-004", (G31,), (A1, O2)),
    ("RAC-005", (O2, G31), (A2, A3)),
    ("RAC-006", (A3, SEO), ()),
    ("EXT-001", (A2, O2, G31, M1, M2, MS1, AZ1, X1), (EU,)),
    ("EXT-002", (A2, A3), ()),
    ("EXT-003", but(A3), (A3, EU)),
    ("EXT-004", (A2, O2, G31, X1), (EU,)),
    ("EXT-005", LABS, ()),
    ("GOV-001", (G31,), (A1, A2, A3, O1, O2, M2)),
    ("GOV-002", (A3, G31, X1, AZ1), ()),
    ("GOV-003", (X1,), ()),
    ("GOV-005", (A1, A2), ()),
    ("GOV-006", (A2, A3, O2), ()),
    ("GOV-007", (AZ1, G31), (A3,)),
    ("GOV-008", (O2,), (A1,)),
    ("DIS-001", (O2, AZ1, X1, M1, MS1), ()),
    ("DIS-002", (SB,), (NY,)),
    ("DIS-003", (A1, A2), (A3,)),
    ("LEX-001", (X1, G1, G2, G31, M2), ()),
    ("LEX-002", (M1, O2, G31, MS1), ()),
    ("LEX-003", (O2, M1, A2), ()),
)

_ARGUED = (
    "the text postpones no safeguard: it says that it cannot detail those of later levels (p. 4, appendix B) and "
    "asks for a strong argument in their place, which the encoding holds as a safeguard and not as a hole"
)
_READ_SINCE = "whoever encoded the text read more of it than the notes, and found what they miss"

# Where our rules and the notes differ, each with the reason. A line here that no longer differs fails its test.
EXPLAINED: dict[tuple[str, str], str] = {
    (
        "THR-001",
        A1,
    ): "the notes pass it for its one number, the share of autonomy tasks, which is not flagged here; the "
    "misuse threshold of the same text has none",
    ("EVA-005", M2): _READ_SINCE,
    ("EVA-008", M2): _READ_SINCE,
    ("RSP-008", A3): _ARGUED,
    ("UND-002", A3): _ARGUED,
    ("DEP-001", SEO): "the encoding says that nobody read what the text says of contexts: a note, and no flag",
    (
        "DEP-002",
        O2,
    ): "the notes mean biology alone; the text holds internal use of models that reach its cyber threshold",
    (
        "RAC-006",
        SEO,
    ): "the encoding has the number of signatories, and nothing that would make one of them wait for others",
    ("GOV-005", A2): "the notes remember when version 2.2 was published; no text says that of itself",
}

# Consecutive versions, and rules that the notes (or their source) say find a weakening there.
PAIRS: tuple[tuple[str, str, str], ...] = (
    (A1, A2, "RSP-009"),
    (A2, A3, "RSP-009"),
    (M1, M2, "RSP-009"),
    (G1, G2, "RSP-009"),
    (A1, A2, "RAC-007"),
    (O1, O2, "RAC-007"),
    (G2, G31, "RAC-007"),
    (A2, A3, "THR-010"),
    (O1, O2, "THR-010"),
)

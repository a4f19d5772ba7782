#!/usr/bin/env python3
# fmt: off
"""A second verifier of exported logs, in the standard library alone: python3 verify_ledger.py DIR --trust FILE.

Written from the formats (C2SP tlog-tiles, checkpoint, signed-note, cosignature, tlog-policy; DSSE; in-toto; RFC 6962,
8032; FIPS 186-5), to disagree with the first verifier where either is wrong. Exit code: 0 all holds, 3 some could not
be checked, 1 something does not hold, 4 something is not to be trusted, such as what is not understood here.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
import time
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace as Record
from typing import Any

DAY, FOREVER, UNBOUNDED, GRID, MOST = 86_400, 1 << 62, 1 << 400, 1_000_000, 2_048
EXITS = {"passed": 0, "impossible": 3, "failed": 1, "untrusted": 4}  # from the best to the worst
GRANTED = ("action", "subject", "context", "limit", "expires")  # what a claim repeats of its permit
COUNTS = ("successes", "failures", "missing")
KEYWORDS = ("log", "witness", "group", "quorum", "fresh", "include", "replaces", "key")
# What the log says itself, by its gate.
OWN = ("trust-adopted", "head-witnessed", "order-drawn", "decision-made", "permit-claimed", "job-reported")
TAGS = "|".join(OWN) + ("|policy-(adopted|withdrawn|compared)|hole-filled|statement|subject-declared|"
        "run-(registered|voided)|result-(reported|refused)|defect-retracted|method-published|stop-(ordered|lifted)|"
        "exception-invoked|permit-revoked|key-(rotated|revoked)|multiplier-stated|developer-described")
DER = {"ed": "302a300506032b6570032100", "ec": "", "ml": "30820532300b06096086480165030403110382052100"}  # before a key
UNITS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
LEAF = ["payload payloadType signatures", "_type predicate predicateType subject", "at event log number",
        "application/vnd.in-toto+json", "https://in-toto.io/Statement/v1"]

def need(condition: object, message: str) -> None:
    if not condition:
        raise ValueError(message)
def sha(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
def read_json(data: bytes) -> Any:
    """JSON of which each value has one form: no key twice, no needless escape or space, no float."""
    value = json.loads(data, parse_float=lambda text: [text], parse_constant=lambda text: [text])
    need(canonical(value) == data, f"this is not JSON in canonical form: {data!r:.80}")
    return value
def unbase64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    need(data and base64.b64encode(data).decode() == text, f"{text!a:.40} is not canonical base64")
    return data
def named(key: str) -> str:  # as signatures name it: the digest of its SubjectPublicKeyInfo
    return sha(bytes.fromhex(DER[key[:2]]) + unbase64(key.partition(":")[2]))
def ladder(add: Any, points: list[Any], s: int, k: int) -> Any:
    """s times one point plus k times another; the points are the neutral one, and the two."""
    table, found = [*points, add(points[1], points[2])], points[0]
    for place in reversed(range(256)):
        which = (s >> place & 1) + 2 * (k >> place & 1)
        found = add(add(found, found), table[which]) if which else add(found, found)
    return found
# ------------------------------- Ed25519: A and R canonical, not of small order, S < L, the equation without cofactor
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, LOW = -121665 * pow(121666, -1, P) % P, 2**255 - 1
Y8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022
SMALL = {0, 1, P - 1, Y8, P - Y8}  # y of the points whose order divides 8
def plus(one: Any, other: Any) -> Any:  # x, y, z, t: extended coordinates
    (x, y, z, t), (u, v, w, s) = one, other
    a, b, c, d = (y - x) * (v - u) % P, (y + x) * (v + u) % P, 2 * D * t * s % P, 2 * z * w % P
    return (b - a) * (d - c) % P, (d + c) * (b + a) % P, (d - c) * (d + c) % P, (b - a) * (b + a) % P
def decoded(data: bytes) -> Any:
    number, y = int.from_bytes(data, "little"), int.from_bytes(data, "little") & LOW
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    x = x if x & 1 == number >> 255 else P - x
    return None if len(data) != 32 or y >= P or y in SMALL or x * x % P != square else (x, y, 1, x * y % P)
def ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    key, base, r = decoded(public), decoded((4 * pow(5, -1, P) % P).to_bytes(32, "little")), signature[:32]
    s, y = int.from_bytes(signature[32:], "little"), int.from_bytes(r, "little") & LOW
    if key is None or len(signature) != 64 or s >= L or y >= P or y in SMALL:
        return False
    k = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % L
    x, y, z, _ = ladder(plus, [(0, 1, 1, 0), base, (P - key[0], key[1], 1, P - key[3])], s, k)
    inverse = pow(z, -1, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(32, "little") == r
# ------------------------------- ECDSA P-256 with SHA-256, signatures in canonical DER or as `r || s`
Q, N = 2**256 - 2**224 + 2**192 + 2**96 - 1, 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
def sum_of(one: Any, other: Any) -> Any:
    if not one or not other or (one[0] == other[0] and one != other):
        return None if one and other else one or other  # None: the neutral point
    (x, y), (u, v) = one, other
    slope = (3 * x * x - 3) * pow(2 * y, -1, Q) if one == other else (v - y) * pow(u - x, -1, Q)
    w = (slope * slope - x - u) % Q
    return w, (slope * (x - w) - y) % Q
def on_curve(public: bytes) -> bool:
    x, y = (int.from_bytes(public[at:at + 32], "big") for at in (27, 59))
    return len(public) == 91 and public[:27] == SPKI and max(x, y) < Q and (y * y - x**3 + 3 * x - B) % Q == 0
def p256(public: bytes, signature: bytes, message: bytes) -> bool:
    (x, y), raw = (int.from_bytes(public[at:at + 32], "big") for at in (27, 59)), len(signature) == 64
    end = 32 if raw else 4 + (signature + bytes(4))[3]
    halves = signature[0 if raw else 4:end], signature[end if raw else end + 2:]
    r, s = (int.from_bytes(half, "big") for half in halves)
    if not on_curve(public) or not 0 < r < N or not 0 < s < N:
        return False
    parts = b"".join(bytes([2, n.bit_length() // 8 + 1]) + n.to_bytes(n.bit_length() // 8 + 1, "big") for n in (r, s))
    e, inverse = int.from_bytes(hashlib.sha256(message).digest(), "big"), pow(s, -1, N)
    point = ladder(sum_of, [None, G, (x, y)], e * inverse % N, r * inverse % N)
    return (raw or bytes([48, len(parts)]) + parts == signature) and point is not None and point[0] % N == r
# ------------------------------- the trust file and notes under it; the directory and its tree
class Trust:
    def __init__(self, data: bytes, report: dict[str, str]) -> None:
        self.digest, self.report, lines = sha(data), report, {keyword: [] for keyword in KEYWORDS}
        for line in data.decode().split("\n"):
            found = re.findall(r'"([^"]*)"(?![^ \t])|(#.*)|([^ \t]+)', line)
            if words := [quoted or plain for quoted, comment, plain in found if not comment]:
                lines[words[0]].append(words[1:])
        self.logs = [self.note_key(words[0]) for words in lines["log"]]
        self.witnesses = {name: self.note_key(key) for name, key, *_ in lines["witness"]}
        self.groups = {name: ({"all": len(more), "any": 1}.get(n) or int(n), more) for name, n, *more in lines["group"]}
        self.speakers = {name: (roles.split(","), key) for name, roles, key, *_ in lines["key"]}
        self.replaces, [[self.quorum]] = {mark for [mark] in lines["replaces"]}, lines["quorum"]
        [[fresh, unit]], [[include, other]] = lines["fresh"] or [["1", "day"]], lines["include"] or [["3", "days"]]
        self.fresh, self.include = (int(n) * UNITS[one.rstrip("s")] for n, one in ((fresh, unit), (include, other)))
        notes = [(key.key, f"{key.names[0]} {key.cosigns} ") for key in (*self.logs, *self.witnesses.values())]
        self.owners = [*notes, *((key, name) for name, (_, key) in self.speakers.items())]
    @staticmethod
    def note_key(text: str) -> Record:
        name, number, data = *text.split("+", 2)[:2], unbase64(text.split("+", 2)[2])
        mark = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        need(mark.hex() == number, f"{text!a:.80} is not a verifier key")
        kind = {1: "ed25519", 4: "ed25519", 6: "ml-dsa-44"}[data[0]]  # 4 and 6 are of cosignatures
        return Record(names=(name, mark), cosigns=data[0] != 1, key=f"{kind}:{base64.b64encode(data[1:]).decode()}")
    def good(self, key: str, signature: bytes, message: bytes) -> bool:
        """Whether a key, written `algorithm:base64`, signed. What cannot be checked here counts, and is told."""
        kind, _, text = key.partition(":")
        if kind == "ml-dsa-44":
            self.report["signatures with ML-DSA-44: the standard library has nothing for them"] = "impossible"
        return kind == "ml-dsa-44" or {"ed25519": ed25519, "ecdsa-p256": p256}[kind](unbase64(text), signature, message)
    def time_of(self, name: str, times: dict[str, int]) -> int | None:
        """The latest instant such that those who cosigned then or later meet a quorum."""
        if name == "none" or name in self.witnesses:
            return times.get(name) if name != "none" else max(times.values(), default=None)
        count, members = self.groups[name]
        known = sorted((at for at in (self.time_of(item, times) for item in members) if at is not None), reverse=True)
        return known[count - 1] if 0 < count <= len(known) else None
    def open_head(self, data: bytes) -> list[Any]:
        """Size, root, cosigned time and mark of a checkpoint; a bad signature of a key that is known refuses it."""
        head, _, tail = data.decode().rpartition("\n\n")
        need(tail.endswith("\n") and not re.search(r"[\x00-\x09\x0b-\x1f]", head + tail), "there is no signed note")
        text, marks, by_log, times = f"{head}\n".encode(), [], False, {}
        for dash, name, body in (line.split(" ") for line in tail[:-1].split("\n")):
            mark, signature = unbase64(body)[:4], unbase64(body)[4:]
            need(dash == "\u2014" and signature, "a signature line has another form")
            for place, (title, key) in enumerate([*(("", key) for key in self.logs), *self.witnesses.items()]):
                if key.names == (name, mark):
                    at, bare = int.from_bytes(signature[:8], "big"), signature[8 if key.cosigns else 0:]
                    message = b"cosignature/v1\ntime %d\n%b" % (at, text) if key.cosigns else text
                    need(self.good(key.key, bare, message), f"{name!a:.80} did not sign it")
                    by_log = by_log or not title
                    times |= {title: max(at, times.get(title, 0))} if title and at else {}
                    marks += [sha(signature)] if place == len(self.logs) else []
        origin, size, root, *_ = head.split("\n")
        need(by_log and origin == self.logs[0].names[0] and str(abs(int(size))) == size, "it is no head of this log")
        return [int(size), unbase64(root).hex(), self.time_of(self.quorum, times), marks[0] if len(marks) == 1 else ""]
def root_of(hashes: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, level by level: a node without a neighbor rises as it is."""
    while len(hashes) > 1:
        pairs = [hashlib.sha256(b"\1" + hashes[at] + hashes[at + 1]).digest() for at in range(0, len(hashes) - 1, 2)]
        hashes = pairs + hashes[2 * len(pairs):]
    return hashes[0] if hashes else hashlib.sha256(b"").digest()
class Folder:
    """A directory that somebody else may have made: no links, and every document has the digest that is its name."""
    def __init__(self, path: Path) -> None:
        self.path, items = path, list(path.rglob("*"))
        need(not any(item.is_symlink() or not (item.is_dir() or item.is_file()) for item in items), "there is a link")
        self.names = {item.relative_to(path).as_posix() for item in items if item.is_file()}
        for name in self.names:
            need(not name.startswith("blobs/") or self.blob(sha(self.read(name))), f"{name} has another digest")
    def read(self, name: str) -> bytes:
        need(name in self.names, f"{name} is not there")
        return (self.path / name).read_bytes()
    def blob(self, mark: str) -> bytes | None:
        name = f"blobs/sha256/{mark[7:9]}/{mark[7:]}"
        return self.read(name) if name in self.names else None
    def tile(self, kind: str | int, index: int, width: int) -> bytes:
        name = f"tile/{kind}/" + re.sub(r"(\d{3})(?=\d)", r"x\1/", f"{index:0{-(-len(str(index)) // 3) * 3}d}")
        return self.read(name if width == 256 or f"{name}.p/{width}" not in self.names else f"{name}.p/{width}")
    def leaves(self, size: int) -> list[bytes]:
        """The entries, once every tile was compared with what they come to; a full one may stand for a partial one."""
        found, level = [], 0
        for start in range(0, size, 256):
            wanted, bundle = min(256, size - start), []
            data = self.tile("entries", start // 256, wanted)
            while data and (length := int.from_bytes(data[:2], "big") + 2) <= len(data):
                bundle, data = [*bundle, data[2:length]], data[length:]
            need(not data and len(bundle) in (wanted, 256), "an entry bundle is cut short, or too long")
            found += bundle[:wanted]
        hashes = [hashlib.sha256(b"\0" + leaf).digest() for leaf in found]
        while hashes:
            rows = [hashes[at:at + 256] for at in range(0, len(hashes), 256)]
            for index, row in enumerate(rows):
                data, ours = self.tile(level, index, len(row)), b"".join(row)
                need(data[:len(ours)] == ours and len(data) in (len(ours), 8_192), f"a tile of level {level} differs")
            hashes, level = [root_of(row) for row in rows if len(row) == 256], level + 1
        return found
# ------------------------------- leaves: whose they are, and whether they may come next
class Log:
    def __init__(self, mine: Trust) -> None:
        self.mine, self.trust, self.answers, self.heads, self.entries, self.hashes = mine, mine, 0, {""}, [], []
        self.keys, self.owners, self.numbers, self.models, self.runs = {}, {}, {}, {}, {}
        self.revoked, self.seen, self.claims, self.jobs, self.hosts = set(), set(), {}, {}, {}
    def of(self, *tags: str, end: int | None = None) -> list[Record]:
        return [entry for entry in self.entries[:end] if entry.tag in tags]
    def sight(self, end: int) -> tuple[int, list[Any]]:  # where the last trust file stands, and the heads behind it
        since = self.of("trust-adopted", end=end)[-1].index
        return since, [one.event for one in self.of("head-witnessed", end=end) if one.index > since]
    def admit(self, data: bytes) -> None:
        payload = unbase64((envelope := read_json(data))["payload"])
        signed = [(unbase64(item["sig"]), item.get("keyid")) for item in envelope["signatures"]]
        statement, digest, predicate = read_json(payload), sha(payload), read_json(payload)["predicate"]
        tag = re.fullmatch(f"urn:scalegate:({TAGS}):v1", statement["predicateType"])[1]
        event, number, said = (predicate[key] for key in ("event", "number", "at"))
        forms = [" ".join(sorted(form)) for form in (envelope, statement, predicate, *envelope["signatures"])]
        right = {*forms[3:]} <= {"sig", "keyid sig"} and type(number) is type(said) is int and 0 <= said < 1 << 53
        need(right and [*forms[:3], envelope["payloadType"], statement["_type"]] == LEAF, "a leaf has another form")
        need(self.entries or tag == "trust-adopted", "the first entry adopts a trust file")
        new = self.adopted(event) if tag == "trust-adopted" else self.trust
        self.trust = self.trust if self.entries else new
        message = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload)
        authors = [name for name, keys in self.authors(tag, event, [hint for _, hint in signed]) if all(
            any(self.trust.good(key, signature, message) for signature, _ in signed) for key in keys)]
        need(authors, "it is not signed by whom it names")
        need(number == self.numbers.get(authors[0], 0) + 1 and digest not in self.seen, "it is not its author's next")
        told, name = (predicate["log"], self.trust.logs[0].names[0], statement["subject"]), self.mine.logs[0].names[0]
        need(told == (name, name, self.subject(tag, event)), "it is of another log, or another subject")
        at = max(said, self.entries[-1].at if self.entries else 0, event["time"] if tag == "head-witnessed" else 0)
        self.check(tag, event, new, at)
        self.numbers[authors[0]], self.trust, place = number, new, len(self.entries)
        self.heads = {digest} | (self.heads if tag == "decision-made" else set())
        self.entries.append(Record(index=place, at=at, said=said, digest=digest, tag=tag, event=event, trust=new))
        self.hashes.append(hashlib.sha256(b"\0" + data).digest())
        self.seen.add(digest)
        if tag == "run-registered":
            self.runs.setdefault(event["run"], self.entries[-1])
    def adopted(self, event: Any) -> Trust:
        new, old = Trust(event["text"].encode(), self.mine.report), self.trust if self.entries else None
        need(event["digest"] == new.digest and new.digest in {self.mine.digest, *self.mine.replaces}, "it is not yours")
        need(not old or old.digest in new.replaces, "it does not replace the one in force")
        for key, name in new.owners:
            need(self.owners.setdefault(key, name) == name and named(key), f"{name!a:.80} has the key of another")
        return new
    def key_of(self, name: str) -> str:
        return self.keys.get(name) or self.trust.speakers[name][1]
    def authors(self, tag: str, event: Any, hints: list[str | None]) -> list[tuple[str, list[str]]]:
        """Who may have made a statement, each with the keys that all have to sign."""
        name, role, speakers = event.get("by", ""), event.get("role", ""), self.trust.speakers
        spoken = role in speakers.get(name, ((), ""))[0] and (role != "gate" or tag in ("key-rotated", "key-revoked"))
        need(tag in OWN or spoken, f"{name!a:.80} may not speak as {role!a:.80}")
        may = {"gate", "trustee"} if tag == "trust-adopted" and self.entries else {"gate"}
        names = [name] if tag not in OWN else [  # what the log says itself has one signature, which names its key
            who for who, (roles, _) in speakers.items() if may & {*roles} and [named(self.key_of(who))] == hints]
        found = [(who, [self.key_of(who)]) for who in names if self.key_of(who) not in self.revoked]
        if tag == "key-rotated":
            need(event["old"] == self.key_of(name) and event["new"] not in self.owners, "the keys are others")
            self.owners[event["new"]], found = name, [(who, [*keys, event["new"]]) for who, keys in found]
        if tag == "key-revoked":
            mine = event["name"] == name or role == "trustee"
            need(mine and self.key_of(event["name"]) == event["key"], "that key is not for them to revoke")
        return found
    def subject(self, tag: str, event: Any) -> list[Any]:
        name, run = event.get("subject", ""), self.runs.get(event.get("run", "")) if tag != "run-registered" else None
        if tag == "subject-declared":
            plain = re.fullmatch("(?:sha256:)?[0-9a-f]{64}", name["digest"])
            mark = name["digest"][-64:] if plain else sha(canonical(name["digest"]))[7:]
            return [{"digest": {"sha256": mark}, "name": name["name"]}]
        known = self.models.get(run.event["subject"] if run else name)
        return [known or {"digest": {"sha256": sha(canonical(event))[7:]}, "name": "event"}]
    def claim(self, event: Any, at: int) -> None:
        """Take a claim of a permit that stands, by one job on one host for each key, which is one to sign with."""
        given, same = [one.event for one in self.of("decision-made")], ("decision", *GRANTED)
        there = [one for one in given if one["answer"] == "permit" and all(one[key] == event[key] for key in same)]
        gone, (kind, text) = {one.event["decision"] for one in self.of("permit-revoked")}, event["key"].split(":", 1)
        need(there and event["decision"] not in {*self.claims, *gone}, "there is no such permit, or it is gone")
        counted = ratio(event["factor"]) >= 1 and number(event["spent"]) >= 0
        need(number(event["expires"]) > at and counted, "it has ended, or a claim counts less than there is")
        fit = {"ed25519": decoded, "ecdsa-p256": on_curve, "ml-dsa-44": lambda data: len(data) == 1_312}[kind]
        who, before = [event["job"], event["host"]], self.claims.get(event["follows"], {"key": ""})["key"]
        need(fit(unbase64(text)) and self.hosts.setdefault(event["key"], who) == who, "no key of a job, or of another")
        need(not event["follows"] or before == event["key"], "it follows a permit that this job does not have")
        self.claims[event["decision"]] = event
    def check(self, tag: str, event: Any, new: Trust, at: int) -> None:
        """Check what an event says of the log, and take over what it changes."""
        if tag == "head-witnessed":
            told = self.trust.open_head(event["note"].encode())
            need(told[0] <= len(self.hashes) and root_of(self.hashes[:told[0]]).hex() == told[1], "another history")
            need([event[key] for key in ("size", "root", "time", "mark")] == told and told[2] < 1 << 53, "it says more")
        elif tag == "decision-made":
            self.answers += 1
            told = event["number"], event["trust"], event["head"] in self.heads
            need(told == (self.answers, self.trust.digest, True), "the answer is not the next one, on this history")
        elif tag == "run-registered":
            need(self.trust.quorum == "none" or not (event["sampling"] or {"seed": ""})["seed"], "witnesses draw it")
        elif tag == "permit-claimed":
            self.claim(event, at)
        elif tag == "job-reported":
            claim, told = self.claims[event["decision"]], canonical({**event, "signature": ""})
            due, message = self.jobs.get(claim["key"], [1, ""]), b"scalegate/job-report/v1\n" + told
            right = [event["number"], event["before"], event["job"]] == [*due, claim["job"]]
            need(right and self.trust.good(claim["key"], unbase64(event["signature"]), message), "not its job's")
            self.jobs[claim["key"]] = [event["number"] + 1, sha(message)]
        elif tag == "subject-declared":
            self.models.setdefault(event["subject"]["name"], self.subject(tag, event)[0])
        elif tag == "trust-adopted":  # a rotated key stays where the line of the file has the same one
            old, lines = self.trust.speakers, new.speakers
            self.keys = {name: key for name, key in self.keys.items() if lines.get(name, "")[1:] == old[name][1:]}
        elif tag in ("key-rotated", "key-revoked"):
            self.keys |= {event["by"]: event["new"]} if tag == "key-rotated" else {}
            self.revoked.add(event["old" if tag == "key-rotated" else "key"])
# ------------------------------- answers: the conditions of each policy, over the facts that it was shown
def number(value: int | str) -> int:
    return FOREVER if value == "never" else UNBOUNDED if value == "unbounded" else int(value)
def ratio(text: str) -> Fraction:
    """A rational as exports have it: `1e999999999` is one to Python, and takes forever."""
    need(re.fullmatch("-?[0-9]{1,400}(/[0-9]{1,400})?", text), f"{text!a:.40} is no rational")
    return Fraction(text)
class Policy:
    """A policy over its facts, seen from the side of the permit: 1 stands for it, -1 against it, 0 is unknown."""
    def __init__(self, kernel: Any, shown: Any, now: int) -> None:
        self.kernel, self.shown, self.facts, self.now = kernel, shown, shown["facts"], now
        self.to, actions, self.held = number(shown["to"]), {*shown["actions"]}, []
        stand, end = self.weigh(kernel["scope"], False)
        self.binds, self.ends = stand != 1, [end] if stand == 1 else []
        for item in kernel["commitments"] if self.binds else ():
            if actions & {*item["actions"]}:
                sides = self.weigh(item["when"], False), self.weigh(item["until"], True)
                ends = [end for stand, end in sides if stand == 1] or self.escape(item["id"], actions)
                (self.ends if ends else self.held).append(max(ends) if ends else (kernel["id"], item["id"]))
    def escape(self, commitment: str, actions: set[str]) -> list[int]:
        """When the first exception in use that stands in for a commitment ends; none does for what is final."""
        for item in () if actions & {"release.weights", "delete.weights"} else self.kernel["exceptions"]:
            parts, use = [self.weigh(part, True) for part in item["parts"]], number(self.shown["uses"][item["id"]])
            if item["instead_of"] == commitment and use > self.now and all(stand == 1 for stand, _ in parts):
                return [min([use, *(end for _, end in parts)])]
        return []
    def compare(self, leaf: Any, permissive: Any) -> int:
        bound, rising, worst, bearing = ratio(leaf["bound"]), leaf["above"] is permissive, 1, False
        bottom, top, end = ("rise_low", "rise_high", "high") if rising else ("low", "high", "low")
        def above(end: str | None, otherwise: Any) -> Any:
            return otherwise if end is None else ratio(end) > bound or (leaf["edge"] and ratio(end) == bound)
        for fact in self.facts[leaf["term"]]:
            low, high = above(fact[bottom], False), above(fact[top], True)
            if low if not rising else not high:
                return -1
            bars = self.now >= number(fact["until"]) or self.to > number(fact["reach"]) or fact["gaps"] or any(
                self.to >= number(item["at"]) and above(item[end], rising) is not rising for item in fact["elsewhere"])
            bearing = bearing or not fact["adverse_only"]
            worst = worst if (low if rising else not high) and (fact["adverse_only"] or not bars) else 0
        return worst if bearing else 0
    def weigh(self, part: Any, permissive: Any) -> tuple[int, int]:
        """How a condition stands to a permit, and until when: every connective does as its n-th best part."""
        if "not" in part:
            return self.weigh(part["not"], not permissive)
        if "constant" in part:
            return (1 if part["constant"] is permissive else -1), FOREVER
        if "term" in part:
            end = min((number(fact["until"]) for fact in self.facts[part["term"]]), default=self.now)
            if self.kernel["terms"][part["term"]]["kind"] in ("clock", "elapsed"):  # their values only grow
                left = int(ratio(part["bound"]) - ratio(self.facts[part["term"]][0]["high"] or "0"))
                end = FOREVER if part["above"] is permissive else self.now + left
            return self.compare(part, permissive), end
        kind, parts = next((key, part[key]) for key in ("all", "any", "of") if key in part)
        count = {"all": len(parts), "any": 1, "of": part.get("at_least")}[kind]
        found, place = [self.weigh(item, permissive) for item in parts], count - 1 if permissive else len(parts) - count
        ends = sorted((end for stand, end in found if stand == 1), reverse=True) + [self.now] * len(parts)
        return sorted((stand for stand, _ in found), reverse=True)[place], ends[place]
def is_bound(bound: Fraction, successes: int, trials: int, error: Fraction) -> bool:
    """Whether a bound is the largest t of the grid with P(X >= successes) <= error, X binomial (trials, t): exactly."""
    def shown(part: int) -> bool:
        if trials * part >= successes * GRID:
            return part == 0
        below, term = 0, (GRID - part)**trials
        for at in range(successes):
            below, term = below + term, term * (trials - at) * part // ((at + 1) * (GRID - part))
        return (GRID**trials - below) * error.denominator <= error.numerator * GRID**trials
    part = bound * GRID if 0 <= bound <= 1 else Fraction(1, 2)
    return part.denominator == 1 and (not part or shown(int(part))) and (not successes or not shown(int(part) + 1))
class Audit:
    def __init__(self, folder: Folder, log: Log, now: int) -> None:
        self.folder, self.log, self.report, self.now = folder, log, log.mine.report, max(now, log.entries[-1].at)
        self.here, self.exact, self.given = any(name.startswith("derived/") for name in folder.names), 0, 0
        self.drawn = {entry.event["run"]: entry.event for entry in log.of("order-drawn")}
        self.results = {entry.event["run"]: entry.event for entry in reversed(log.of("result-reported"))}
    def fact(self, policy: Policy, term: Any, fact: Any) -> bool:
        """Compute again what follows from the date, the compute of the question, or the counts of a single run."""
        ends = [fact[side] and ratio(fact[side]) for side in ("low", "high", "rise_low", "rise_high")]
        if term["kind"] in ("clock", "compute"):
            return ends == [policy.now] * 4 if term["kind"] == "clock" else ends[1] in (policy.to, None)
        exact, adverse = fact["exact"], fact["adverse_only"]
        s, f, m = (self.results[exact["run"]][count] if exact else MOST for count in COUNTS)
        self.exact, self.given = self.exact + (s + f + m <= MOST), self.given + (s + f + m > MOST)
        if s + f + m > MOST:
            return True
        run, error = self.log.runs[exact["run"]], ratio(exact["error"])
        spec = policy.kernel["evaluations"][term["evaluation"]]
        most = ratio(spec["wrongly_stopped" if adverse else "wrongly_cleared"]) * Fraction(9, 10)
        signs, counts = ([1, 1, -1, -1], [s, s + m, f + m, f]) if adverse else ([0, -1, 1, 0], [0, f, s, 0])
        return run.event["evaluation"] == spec["digest"] and run.digest in fact["evidence"] and 0 < error <= most and (
            adverse or error == most) and all(is_bound(end if sign > 0 else 1 - end, count, s + f + m, error)
            for sign, end, count in zip(signs, ends, counts, strict=True) if sign)
    def stale(self, entry: Record, now: int) -> bool:  # where the heads are old, or anything that none of them covers
        heads = self.log.sight(entry.index)[1]
        rest = self.log.entries[max((head["size"] for head in heads), default=0):entry.index]
        ends = [one.at for one in rest if one.tag not in ("decision-made", "head-witnessed")]
        ends += [max((head["time"] for head in heads), default=-FOREVER)]
        return entry.trust.quorum != "none" and now - min(ends) > entry.trust.fresh
    def differs(self, entry: Record, record: Any, shown: Any) -> list[str]:
        """What of an answer does not follow from what its policies were shown."""
        event, now, loose = entry.event, shown["now"], [(item["policy"], item["kind"]) for item in shown["loose"]]
        of, end, blob, named = self.log.of, entry.index, self.folder.blob, event["policies"]
        adopted = {one.event["digest"]: one.event for one in of("policy-adopted", end=end)}
        gone = {one.event["policy"] for one in of("policy-withdrawn", end=end)} | {
            one["replaces"] for one in adopted.values()}
        policies, fine = [], now <= entry.at
        for item in shown["policies"]:
            page = self.folder.read(f"derived/kernels/{item['kernel'][7:]}.json")
            policies.append(policy := Policy(kernel := read_json(page), item, now))
            fine &= sha(page) == item["kernel"] and (kernel["digest"] in adopted or blob(kernel["digest"]) is not None)
            fine &= not policy.binds or kernel["kind"] != "reference" or (kernel["id"], "error") in loose
            for term, strata in zip(kernel["terms"], policy.facts, strict=True):
                fine = all([fine, *(self.fact(policy, term, fact) for fact in strata)])
        held, marks = {mark for one in policies for mark in one.held}, [one.kernel["digest"] for one in policies]
        permit, free = not held and not loose, event["action"] in ("evaluate", "elicit", "study")
        binding = {mark for mark, one in adopted.items() if one["effective"] <= now and not one["replaces"]}
        others = any(adopted[mark]["policy"] not in gone for mark in binding - gone - {*marks})
        fine &= free or not permit or (marks != [] and not self.stale(entry, now) and not others)
        end = min([now + 30 * DAY, *map(number, shown["ends"]), *(end for one in policies for end in one.ends)])
        reasons, limits = record["reasons"], record["limits"] or {"effective_compute": None, "expires": None}
        dates = [date and datetime.fromisoformat(date).timestamp() for date in (record["as_of"], limits["expires"])]
        to, three = None if shown["to"] in (None, "unbounded") else shown["to"], ("action", "subject", "context")
        return [name for name, (one, other) in {
            "facts": (fine, True), "place": ([shown["number"], shown["entry"]], [event["number"], entry.index]),
            "question": ([[one[key] for key in three] for one in (shown, record)], [[event[key] for key in three]] * 2),
            "policies": ([[item["digest"] for item in record["policies"]], marks or named], [named] * 2),
            "answer": ([event["answer"], record["answer"]], ["permit" if permit else "hold"] * 2),
            "held": ({(item["policy"], item["commitment"]) for item in reasons if item["commitment"]}, held),
            "other reasons": ([(item["policy"], item["kind"]) for item in reasons if not item["commitment"]], loose),
            "time": ([dates[0], record["head"]], [now, event["head"]]),
            "end": ([event["expires"], dates[1]], [end, end] if permit else [0, None]),
            "compute": ([record["to"], limits["effective_compute"], number(event["limit"])], [
                to, to if permit else None, number(shown["to"] or 0) if permit else 0]),
        }.items() if one != other]
    def counts(self, table: Any, entry: Record) -> bool:
        event, plan = entry.event, self.log.runs[entry.event["run"]].event
        items, sampling = [item for item, _ in table["items"]], self.drawn.get(event["run"], plan["sampling"])
        outcomes = "".join(outcome for _, outcome in table["items"])
        page = self.folder.blob(sampling["order"] if sampling else plan["item_ids"])
        names = [str(item) for unit in json.loads(page) for item in (unit if sampling else [unit])] if page else items
        path = event["outcomes"].ljust(len(items), "-") if sampling else outcomes
        right = [entry.index, event["run"], event["log"], outcomes.count("1"), outcomes.count("0"), event["missing"]]
        return [table[key] for key in ("entry", "run", "log", *COUNTS)] == right and outcomes == path and (
            items == (names if sampling else sorted({*names}))) and right[3:] == [event[count] for count in COUNTS]
    def draws(self, run: Record, entry: Record) -> bool:
        plan, drawn, (since, heads) = run.event["sampling"], entry.event, self.log.sight(entry.index)
        mark = next((head["mark"] for head in heads if head["mark"] and head["size"] == run.index + 1 > since + 1), "")
        units = {unit[0]: unit for unit in json.loads(self.folder.blob(plan["order"]) or b"[]")}
        seed, told = sha(canonical([run.digest, mark])), dict(zip(units, plan["reported"], strict=False))
        first = sorted(units, key=lambda item: hashlib.sha256(f"{seed}\n{item}".encode()).digest())[:plan["units"]]
        rows, told = [units[item] for item in first], "".join(told.get(item, "") for item in first)
        same = (drawn["order"], drawn["items"], drawn["reported"]) == (sha(canonical(rows)), sum(map(len, rows)), told)
        return mark != "" and drawn["seed"] == seed and (same or not units)
    def everything(self) -> None:
        heads, mine, runs, say = self.log.of("head-witnessed"), self.log.mine, self.log.runs, self.report.__setitem__
        late = [entry.index for entry in self.log.entries if entry.at - entry.said > mine.include or any(
            entry.index < head.event["size"] and entry.at > head.event["time"] + 300 for head in heads)]
        if late or (mine.quorum != "none" and not heads):
            say(f"entries {late} waited too long or are dated after witnesses saw them, or none saw any", "failed")
        for entry in self.log.of("result-reported"):
            name, event, log = f"derived/scores/{entry.index}.json", entry.event, self.folder.blob(entry.event["log"])
            due = self.here and log and event["evidence_class"] == "samples" and event["successes"] + event["failures"]
            verdict = "failed" if due or event["run"] not in runs else "impossible"
            if name in self.folder.names and log is not None and event["run"] in runs:
                verdict = "passed" if self.counts(read_json(self.folder.read(name)), entry) else "failed"
            say(f"scores by item, and what entry {entry.index} says of them: {verdict}", verdict)
        done = {entry.event["run"] for entry in self.log.of("result-reported", "run-voided")}
        wrong = {name for one in self.log.of("order-drawn") if not self.draws(runs[name := one.event["run"]], one)}
        for name, run in runs.items():
            if (name not in done and run.event["report_by"] < self.now) or name in wrong:
                say(f"run {name!a:.80} has no result, which was due, or an order that its seed does not draw", "failed")
        for entry in self.log.of("decision-made"):
            record, name = self.folder.blob(entry.event["decision"]), f"derived/decisions/{entry.event['number']}.json"
            known = record is not None and self.here
            wrong = self.differs(entry, json.loads(record), read_json(self.folder.read(name))) if known else []
            verdict = "failed" if wrong else "passed" if known else "impossible"
            say(f"answer {entry.event['number']}, from the facts of its policies: {wrong or verdict}", verdict)
        say(f"{self.exact} facts are the exact bounds of a run", "passed")
        say(f"{self.given} other facts, and that policies mean their conditions: taken as given", "impossible")
        say("if scores are those of logs, mandated roles there, statements kept out, or another log seen", "impossible")
        for told, words in ((self.log.of("policy-compared"), "what comparisons of policies say"),
                            (self.log.claims, "what claims say of their subjects, and if a permit covers each model")):
            say(f"{words}: {len(told)} entries", "impossible" if told else "passed")

def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check an exported log.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trust", type=Path, required=True)
    parser.add_argument("--at", type=int, default=int(time.time()))  # noqa: TID251 - nobody passes a clock to a script
    given, report = parser.parse_args(arguments), {}
    try:
        trust, folder = Trust(given.trust.read_bytes(), report), Folder(given.folder)
        log, (size, root, *_) = Log(trust), trust.open_head(folder.read("checkpoint"))
        for leaf in folder.leaves(size):
            log.admit(leaf)
        need((root_of(log.hashes).hex(), log.trust.digest) == (root, trust.digest), "another root, or trust file")
        report[f"{size} entries have the root that the log signed, and are signed by whom they name"] = "passed"
        Audit(folder, log, given.at).everything()
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, nothing is trusted
        report[f"{type(error).__name__}: {error!s:.200}"] = "untrusted"
    worst = max(report.values(), key=[*EXITS].index)
    print(*(f"{verdict} {message}" for message, verdict in report.items()), f"verdict {worst}", sep="\n")
    return EXITS[worst]

if __name__ == "__main__":
    sys.exit(main())

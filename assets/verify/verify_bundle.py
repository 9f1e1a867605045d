#!/usr/bin/env python3
"""Checks a case bundle from its bytes alone, by sync-core/src/bundle/FORMAT.md and nothing else.

    python3 verify_bundle.py FOLDER ...

Prints one JSON line a folder, as `xunzheng verify --json` does: what was checked, or the item at
which the bundle fails and why. Exit status 1 if one fails. Needs Python 3.9 and the package
`cryptography` for Ed25519; no part of the program that makes bundles.
"""

import base64
import binascii
import hashlib
import json
import os
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

P = 2**255 - 19
SMALL_ORDER = {  # the eight points whose order divides eight, in their one encoding
    bytes.fromhex(text)
    for text in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
}
MIB8, KIB256, SMALL = 8 * 1024 * 1024, 256 * 1024, 4096


class Wrong(Exception):
    """The first step that does not hold."""

    def __init__(self, item, why):
        super().__init__(f"{item}: {why}")
        self.item = item


class Malformed(Exception):
    """Bytes that are not what they should be."""


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# ---- section 1: CBOR in its one form -------------------------------------------------------


class Cbor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Malformed("cbor ends early")
        self.at += count
        return self.data[self.at - count : self.at]

    def head(self):
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        if info < 24:
            return major, info
        if info > 27:
            raise Malformed("indefinite or reserved length")
        if major == 7:
            raise Malformed("float or simple value")
        width = 1 << (info - 24)
        value = int.from_bytes(self.take(width), "big")
        if value < (24 if width == 1 else 1 << (4 * width)):
            raise Malformed("not in shortest form")
        return major, value

    def item(self, depth=0):
        if depth > 16:
            raise Malformed("nested too deep")
        major, value = self.head()
        if major == 0:
            return value
        if major == 1:
            return -1 - value
        if major == 2:
            return self.take(value)
        if major == 3:
            try:
                return self.take(value).decode("utf-8")
            except UnicodeDecodeError as error:
                raise Malformed("text is not utf-8") from error
        if major == 4:
            items = []
            for _ in range(value):  # ends at the first item that the bytes do not hold
                items.append(self.item(depth + 1))
            return items
        if major == 5:
            return self.map(value, depth)
        if major == 7 and value in (20, 21, 22):
            return {20: False, 21: True, 22: None}[value]
        raise Malformed("tag or simple value")

    def map(self, count, depth):
        found, before = {}, None
        for _ in range(count):
            start = self.at
            key = self.item(depth + 1)
            encoded = self.data[start : self.at]
            if before is not None and encoded <= before:
                raise Malformed("map keys are not sorted and unique")
            before = encoded
            value = self.item(depth + 1)
            if isinstance(key, (str, bytes)) or (isinstance(key, int) and not isinstance(key, bool)):
                found[key] = value
            else:
                found[("other", encoded)] = value
        return found


def decode(data, limit):
    if len(data) > limit:
        raise Malformed("too large")
    cursor = Cbor(data)
    value = cursor.item()
    if cursor.at != len(data):
        raise Malformed("trailing bytes")
    return value


# ---- section 1: forms -----------------------------------------------------------------------


def is_int(value):
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def is_uint(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64


def is_text(value):
    return isinstance(value, str)


def is_bytes(value):
    return isinstance(value, bytes)


def sized(size):
    return lambda value: isinstance(value, bytes) and len(value) == size


HASH, KEY, ID = sized(32), sized(32), sized(16)


def many(form):
    return lambda value: isinstance(value, list) and all(form(one) for one in value)


def maybe(form):
    return lambda value: value is None or form(value)


class Map:
    """A map with at least these fields; `optional` ones may be absent."""

    def __init__(self, optional=(), **fields):
        self.fields, self.optional = fields, optional

    def __call__(self, value):
        return isinstance(value, dict) and all(
            form(value[name]) if name in value else name in self.optional
            for name, form in self.fields.items()
        )


def anything(_):
    return True


BLOB = Map(sha256=HASH, bytes=is_uint, media=is_text, role=is_text)
MANIFEST = Map(
    version=is_uint,
    device=ID,
    inspection=ID,
    exported_at=is_int,
    files=many(Map(path=is_text, label=is_text, sha256=HASH, bytes=is_uint)),
)
TRUST = Map(log_origin=is_text, log_key=KEY, issuer_key=KEY, feed_key=KEY)
DEVICE = Map(device=ID, name=is_text, authority=is_text, key=KEY, issued_at=is_int)
RECORD = Map(
    optional=("hq_seen", "rulebook", "inspection", "visit_previous", "case"),
    version=is_uint,
    record=ID,
    device=ID,
    seq=is_uint,
    previous=HASH,
    recorded=Map(wall_at=is_int, mono_ms=is_uint, boot=ID, quality=is_text),
    hq_seen=maybe(Map(size=is_uint, root=HASH)),
    rulebook=maybe(HASH),
    inspection=maybe(ID),
    visit_previous=maybe(HASH),
    case=maybe(ID),
    officers=many(ID),
    blobs=many(BLOB),
    salt=sized(16),
    act=Map(kind=is_text, body=anything),
)
RECEIPT = Map(checkpoint=is_text, log_index=is_uint, proof=many(HASH), received_at=is_int)
SIGNATURES = many(Map(officer=ID, statement=is_bytes))
STATEMENT = Map(document=ID, revision=is_uint, content=HASH, pages=many(HASH))
ACTS = {
    "transcript_locked": Map(content=HASH, pages=many(HASH), officer_signatures=SIGNATURES),
    "decision_issued": Map(
        content=BLOB, pages=many(HASH), document=ID, officer_signatures=SIGNATURES
    ),
}


def is_credential(value):
    forms = [ID, is_text, is_uint, is_text, is_text, is_text]
    forms += [is_int, is_int, is_uint, is_int, KEY]
    return (
        isinstance(value, list)
        and len(value) == len(forms)
        and all(form(one) for form, one in zip(forms, value))
        and value[2] <= 1
        and value[8] <= 3
    )


def shaped(data, limit, form):
    value = decode(data, limit)
    if not form(value):
        raise Malformed("not of the wanted shape")
    return value


# ---- section 1: signatures ------------------------------------------------------------------


def ed25519(key, message, signature):
    """Strict: one form of key and R, neither of small order, no cofactor (OpenSSL has none)."""
    for point in (key, signature[:32]):
        if int.from_bytes(point, "little") & (2**255 - 1) >= P or point in SMALL_ORDER:
            return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False


def text_head(major, length):
    if length < 24:
        return bytes([major << 5 | length])
    width = next(w for w in (1, 2, 4, 8) if length < 1 << (8 * w))
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + length.to_bytes(width, "big")


def parse_signed(data):
    """Returns protected bytes, kid, payload and signature of a signed object."""
    value = decode(data, 16 * 1024 * 1024)
    if not (isinstance(value, list) and len(value) == 4):
        raise Malformed("not a signed object")
    protected, unprotected, payload, signature = value
    if not (is_bytes(protected) and unprotected == {} and isinstance(unprotected, dict)):
        raise Malformed("headers")
    header = decode(protected, 64)
    if not (isinstance(header, dict) and set(header) == {1, 4} and header[1] == -8):
        raise Malformed("protected header")
    if not (is_int(header[1]) and sized(8)(header[4])):
        raise Malformed("protected header")
    if not (is_bytes(payload) and is_bytes(signature)):
        raise Malformed("payload or signature")
    return protected, header[4], payload, signature


def open_signed(data, context, key):
    protected, kid, payload, signature = parse_signed(data)
    if kid != sha256(key)[:8]:
        raise Malformed("signed by another key")
    signed = b"\x84" + text_head(3, 10) + b"Signature1"
    for part in (protected, b"xunzheng/v1/" + context, payload):
        signed += text_head(2, len(part)) + part
    if len(signature) != 64 or not ed25519(key, signed, signature):
        raise Malformed("signature does not verify")
    return payload


# ---- section 2: checkpoint and log ----------------------------------------------------------


def open_checkpoint(note, origin, key):
    """Returns size and root that the log key vouches for."""
    text, gap, signatures = note.partition("\n\n")
    lines = text.split("\n")
    if not gap or len(lines) != 3 or lines[0] != origin or not signatures.endswith("\n"):
        raise Malformed("checkpoint")
    text += "\n"
    root = strict_base64(lines[2])
    if not lines[1].isascii() or not lines[1].isdigit() or str(int(lines[1])) != lines[1]:
        raise Malformed("checkpoint size")
    if int(lines[1]) >= 2**64 or len(root) != 32:
        raise Malformed("checkpoint")
    wanted, vouched = sha256(origin.encode(), b"\n\x01", key)[:4], False
    for line in signatures[:-1].split("\n"):
        if not line.startswith("\u2014 "):
            raise Malformed("checkpoint signature line")
        if not line.startswith(f"\u2014 {origin} "):
            continue
        encoded = strict_base64(line[len(origin) + 3 :])
        if len(encoded) < 4:
            raise Malformed("checkpoint signature line")
        if encoded[:4] != wanted:
            continue
        if len(encoded) != 68 or not ed25519(key, text.encode(), encoded[4:]):
            raise Malformed("checkpoint signature")
        vouched = True
    if not vouched:
        raise Malformed("no signature of the log key")
    return int(lines[1]), root


def strict_base64(text):
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("base64") from error
    if base64.b64encode(decoded).decode() != text:
        raise Malformed("base64 in another form")
    return decoded


def root_from_proof(leaf, index, size, proof):
    """RFC 9162 section 2.1.3.2."""
    if index >= size or len(proof) > 64:
        return None
    node, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if node & 1 or node == last:
            found = sha256(b"\x01", sibling, found)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            found = sha256(b"\x01", found, sibling)
        node, last = node >> 1, last >> 1
    return found if last == 0 else None


# ---- section 3: the steps -------------------------------------------------------------------


class Bundle:
    def __init__(self, folder):
        self.folder, self.files = folder, {}
        self.done = {"records": 0, "receipts": 0, "blobs": 0, "officer_signatures": 0}

    def verify(self):
        manifest_bytes, manifest = self.manifest()  # step 1
        self.entries = manifest["files"]
        self.trust = self.at("trust.cbor", lambda data: shaped(data, MIB8, TRUST))  # step 2
        issuer = self.trust["issuer_key"]
        self.device = self.at(  # step 3
            "device.cose",
            lambda data: shaped(open_signed(data, b"device-cert", issuer), SMALL, DEVICE),
        )
        self.step("manifest.cose", lambda: open_signed(manifest_bytes, b"bundle", self.device["key"]))
        if manifest["device"] != self.device["device"]:  # step 4
            raise Wrong("manifest.cose", "names another device")
        self.load()
        self.keys = {}
        for path in self.below("credentials/"):  # step 7
            found = self.step(path, lambda path=path: self.credential(path, issuer))
            self.keys[found[0]] = found[10]
        self.records()
        self.links()
        self.receipts()
        self.documents()
        self.done["issuer_fingerprint"] = sha256(issuer).hex()
        return self.done

    def step(self, item, work):
        try:
            return work()
        except Malformed as error:
            raise Wrong(item, str(error)) from error

    def read(self, path):
        try:
            with open(os.path.join(self.folder, path), "rb") as file:
                return file.read()
        except (OSError, ValueError) as error:
            raise Wrong(path, str(error)) from error

    def manifest(self):
        data = self.read("manifest.cose")
        work = lambda: shaped(parse_signed(data)[2], MIB8, MANIFEST)
        manifest = self.step("manifest.cose", work)
        if manifest["version"] != 1:
            raise Wrong("manifest.cose", "format of a later program")
        return data, manifest

    def listed(self, path):
        entry = next((one for one in self.entries if one["path"] == path), None)
        if entry is None:
            raise Wrong(path, "not in the manifest")
        data = self.read(path)
        if sha256(data) != entry["sha256"]:
            raise Wrong(path, "bytes differ from the manifest")
        return data

    def at(self, path, form):
        data = self.listed(path)
        return self.step(path, lambda: form(data))

    def load(self):
        for entry in self.entries:  # step 5
            path = entry["path"]
            if any(part in ("", ".", "..") for part in path.split("/")) or path in self.files:
                raise Wrong("manifest.cose", f"names {path!r}")
            self.files[path] = self.listed(path)
        found = []
        for folder, _, names in os.walk(self.folder):  # step 6
            below = os.path.relpath(folder, self.folder)
            found += [name if below == "." else f"{below}/{name}" for name in names]
        for path in sorted(found, key=str.encode):
            if path != "manifest.cose" and path not in self.files:
                raise Wrong(path, "is in no manifest")

    def below(self, folder):
        return sorted((path for path in self.files if path.startswith(folder)), key=str.encode)

    def credential(self, path, issuer):
        payload = open_signed(self.files[path], b"credential", issuer)
        return shaped(payload, SMALL, is_credential)

    def records(self):
        self.opened, cited = [], set()
        for path in self.below("records/"):  # step 8
            data = self.files[path]
            work = lambda: shaped(open_signed(data, b"record", self.device["key"]), KIB256, RECORD)
            record = self.step(path, work)
            if record["version"] != 1:
                raise Wrong(path, "record of a later program")
            if record["device"] != self.device["device"]:
                raise Wrong(path, "record of another device")
            if path != f"records/{record['seq']:06}.cose":
                raise Wrong(path, "record of another place")
            for blob in record["blobs"]:
                file = f"blobs/{blob['sha256'].hex()}"
                data_of = self.files.get(file)
                if data_of is None or sha256(data_of) != blob["sha256"] or len(data_of) != blob["bytes"]:
                    raise Wrong(path, f"cited file {file} differs or is missing")
                cited.add(file)
            self.opened.append((path, sha256(data), record))
        for path in self.below("blobs/"):  # step 9
            if path not in cited:
                raise Wrong(path, "no record cites this file")
        if not self.opened:
            raise Wrong("records", "the bundle holds no record")
        self.opened.sort(key=lambda one: one[2]["seq"])
        self.done["records"], self.done["blobs"] = len(self.opened), len(cited)

    def links(self):
        before, visit = None, None  # step 10
        for path, digest, record in self.opened:
            seq = record["seq"]
            if seq == 1 and record["previous"] != sha256(self.files["device.cose"]):
                raise Wrong(path, "does not follow the device certificate")
            if before and seq == before[0] + 1 and record["previous"] != before[1]:
                raise Wrong(path, "does not follow the record before it")
            if record.get("inspection") is not None:
                if record.get("visit_previous") != visit:
                    raise Wrong(path, "a record of this visit is missing before it")
                visit = digest
            before = (seq, digest)

    def receipts(self):
        of_record = {f"receipts/{one[2]['seq']:06}.cbor": one for one in self.opened}  # step 11
        for path in self.below("receipts/"):
            if path not in of_record:
                raise Wrong(path, "belongs to no record of this bundle")
        for receipt_path, (path, digest, record) in of_record.items():
            if receipt_path not in self.files:
                continue
            receipt = self.step(
                receipt_path, lambda: shaped(self.files[receipt_path], MIB8, RECEIPT)
            )
            origin, key = self.trust["log_origin"], self.trust["log_key"]
            size, root = self.step(
                receipt_path, lambda: open_checkpoint(receipt["checkpoint"], origin, key)
            )
            tag = sha256(b"xunzheng/device-tag", record["device"])[:8]
            leaf = sha256(b"\x00\x01", digest, tag, record["seq"].to_bytes(8, "big"))
            if root_from_proof(leaf, receipt["log_index"], size, receipt["proof"]) != root:
                raise Wrong(path, "inclusion proof does not lead to HQ's root")
            self.done["receipts"] += 1

    def documents(self):
        for path, _, record in self.opened:  # step 12
            kind, body = record["act"]["kind"], record["act"]["body"]
            if kind not in ACTS or not ACTS[kind](body):
                continue
            content = body["content"] if kind == "transcript_locked" else body["content"]["sha256"]
            signatures = body["officer_signatures"]
            if len({one["officer"] for one in signatures}) < 2:
                raise Wrong(path, "fewer than two officers signed")
            for one in signatures:
                key = self.keys.get(one["officer"])
                if key is None:
                    raise Wrong(path, "credential of a signing officer is missing")
                said = self.step(
                    path,
                    lambda: shaped(open_signed(one["statement"], b"officer-act", key), MIB8, STATEMENT),
                )
                same = said["content"] == content and said["pages"] == body["pages"]
                if not same or said["document"] != body.get("document", said["document"]):
                    raise Wrong(path, "an officer signed another content")
                self.done["officer_signatures"] += 1


def verdict(folder):
    """Returns what was checked, or the item that fails and why."""
    try:
        return Bundle(folder).verify()
    except Wrong as error:
        return {"item": error.item, "error": str(error)}


def main(folders):
    if not folders:
        sys.exit(__doc__.strip())
    whole = True
    for folder in folders:
        found = verdict(folder)
        whole &= "error" not in found
        print(json.dumps(found, ensure_ascii=False))
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main(sys.argv[1:])

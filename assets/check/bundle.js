// Checks a case bundle by `sync-core/src/bundle/FORMAT.md`: the same steps in the same order as the
// handheld's own verifier, so that both name the same first item. No page and no network in here.
//
// Hashes are the browser's (a bundle holds photographs); signatures are checked by `check.js` under
// the one strict rule.

import { Refused, fromCbor, holds, toHex } from "./check.js";

const MIB8 = 8 * 1024 * 1024;
const MIB16 = 2 * MIB8;
const KIB256 = 256 * 1024;
const SMALL = 4096;
const PROTECTED = [0xa2, 0x01, 0x27, 0x04, 0x48];
const encoder = new TextEncoder();

/** The first step that does not hold. */
class Wrong extends Error {
  constructor(item, why) {
    super(`${item}: ${why}`);
    this.item = item;
  }
}

export class Malformed extends Error {}

const demand = (holds, why) => {
  if (!holds) throw new Malformed(why);
};

// --- Bytes and hashes

const joined = (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};
const same = (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index]);
const digest = async (name, ...parts) => new Uint8Array(await crypto.subtle.digest(name, joined(...parts)));
export const sha256 = (...parts) => digest("SHA-256", ...parts);
const big = (value) => Uint8Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(56 - 8 * i)) & 255n));

/** Orders texts by their bytes. */
const byBytes = (left, right) => {
  const [a, b] = [encoder.encode(left), encoder.encode(right)];
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at < 0 ? a.length - b.length : (a[at] ?? -1) - (b[at] ?? -1);
};

// --- Forms (section 1 of the format)

export const isInt = (value) => typeof value === "bigint" && value >= -(1n << 63n) && value < 1n << 63n;
const isUint = (value) => typeof value === "bigint" && value >= 0n && value < 1n << 64n;
export const isText = (value) => typeof value === "string";
const isBytes = (value) => value instanceof Uint8Array;
const sized = (size) => (value) => isBytes(value) && value.length === size;
const [HASH, KEY, ID] = [sized(32), sized(32), sized(16)];
const many = (form) => (value) => Array.isArray(value) && value.every(form);
const maybe = (form) => (value) => value === null || form(value);
const isMap = (value) => Array.isArray(value?.map);

/** Returns a map's field, `undefined` if it has none. */
export const field = (value, name) => value.map.find(([key]) => key === name)?.[1];
export const fields = (forms, optional = []) => (value) =>
  isMap(value) &&
  Object.entries(forms).every(([name, form]) => {
    const found = field(value, name);
    return found === undefined ? optional.includes(name) : form(found);
  });

const BLOB = fields({ sha256: HASH, bytes: isUint, media: isText, role: isText });
const MANIFEST = fields({
  version: isUint,
  device: ID,
  inspection: ID,
  exported_at: isInt,
  files: many(fields({ path: isText, label: isText, sha256: HASH, bytes: isUint })),
});
const TRUST = fields({ log_origin: isText, log_key: KEY, issuer_key: KEY, feed_key: KEY });
const DEVICE = fields({ device: ID, name: isText, authority: isText, key: KEY, issued_at: isInt });
const RECORD = fields(
  {
    version: isUint,
    record: ID,
    device: ID,
    seq: isUint,
    previous: HASH,
    recorded: fields({ wall_at: isInt, mono_ms: isUint, boot: ID, quality: isText }),
    hq_seen: maybe(fields({ size: isUint, root: HASH })),
    rulebook: maybe(HASH),
    inspection: maybe(ID),
    visit_previous: maybe(HASH),
    case: maybe(ID),
    officers: many(ID),
    blobs: many(BLOB),
    salt: sized(16),
    act: fields({ kind: isText, body: () => true }),
  },
  ["hq_seen", "rulebook", "inspection", "visit_previous", "case"],
);
const RECEIPT = fields({ checkpoint: isText, log_index: isUint, proof: many(HASH), received_at: isInt });
const SIGNATURES = many(fields({ officer: ID, statement: isBytes }));
const STATEMENT = fields({ document: ID, revision: isUint, content: HASH, pages: many(HASH) });
const ACTS = {
  transcript_locked: fields({ content: HASH, pages: many(HASH), officer_signatures: SIGNATURES }),
  decision_issued: fields({ content: BLOB, pages: many(HASH), document: ID, officer_signatures: SIGNATURES }),
};
const POSITIONS = [ID, isText, isUint, isText, isText, isText, isInt, isInt, isUint, isInt, KEY];
const CREDENTIAL = (value) =>
  Array.isArray(value) &&
  value.length === POSITIONS.length &&
  POSITIONS.every((form, index) => form(value[index])) &&
  value[2] <= 1n &&
  value[8] <= 3n;

const decode = (bytes, max) => {
  try {
    return fromCbor(bytes, max);
  } catch (error) {
    if (error instanceof Refused) throw new Malformed("not canonical CBOR");
    throw error;
  }
};

const shaped = (bytes, max, form) => {
  const value = decode(bytes, max);
  demand(form(value), "not of the wanted shape");
  return value;
};

// --- Signed objects and checkpoints

const head = (major, length) => {
  if (length < 24) return Uint8Array.of((major << 5) | length);
  if (length < 1 << 8) return Uint8Array.of((major << 5) | 24, length);
  if (length < 1 << 16) return Uint8Array.of((major << 5) | 25, length >> 8, length & 255);
  return Uint8Array.of((major << 5) | 26, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255);
};

const signs = async (key, message, signature) => {
  demand(signature.length === 64, "signature");
  const k = await digest("SHA-512", signature.subarray(0, 32), key, message);
  demand(holds(key, k, signature), "signature does not verify");
};

const parseSigned = (bytes) => {
  const value = decode(bytes, MIB16);
  demand(Array.isArray(value) && value.length === 4, "not a signed object");
  const [header, unprotected, payload, signature] = value;
  demand(sized(13)(header) && same(header.subarray(0, 5), PROTECTED), "protected header");
  demand(isMap(unprotected) && unprotected.map.length === 0, "unprotected header");
  demand(isBytes(payload) && isBytes(signature), "payload or signature");
  return { header, kid: header.subarray(5), payload, signature };
};

export const openSigned = async (bytes, context, key) => {
  const { header, kid, payload, signature } = parseSigned(bytes);
  demand(same(kid, (await sha256(key)).subarray(0, 8)), "signed by another key");
  const parts = [header, encoder.encode(`xunzheng/v1/${context}`), payload];
  const message = joined(
    [0x84],
    head(3, 10),
    encoder.encode("Signature1"),
    ...parts.flatMap((part) => [head(2, part.length), part]),
  );
  await signs(key, message, signature);
  return payload;
};

/** Returns the bytes of base64 in its one form. */
const fromBase64 = (text) => {
  let decoded;
  try {
    decoded = atob(text);
  } catch {
    throw new Malformed("base64");
  }
  demand(btoa(decoded) === text, "base64 in another form");
  return Uint8Array.from(decoded, (letter) => letter.charCodeAt(0));
};

export const openCheckpoint = async (note, origin, key) => {
  const gap = note.indexOf("\n\n");
  demand(gap >= 0 && note.endsWith("\n"), "checkpoint");
  const lines = note.slice(0, gap).split("\n");
  demand(lines.length === 3 && lines[0] === origin && /^(0|[1-9][0-9]*)$/.test(lines[1]), "checkpoint");
  const [size, root] = [BigInt(lines[1]), fromBase64(lines[2])];
  demand(size < 1n << 64n && root.length === 32, "checkpoint");
  const text = encoder.encode(note.slice(0, gap + 1));
  const wanted = (await sha256(encoder.encode(`${origin}\n\x01`), key)).subarray(0, 4);
  const signatures = note.slice(gap + 2);
  demand(signatures.endsWith("\n"), "checkpoint");
  let vouched = false;
  for (const line of signatures.slice(0, -1).split("\n")) {
    demand(line.startsWith("\u2014 "), "checkpoint signature line");
    if (!line.startsWith(`\u2014 ${origin} `)) continue;
    const bytes = fromBase64(line.slice(origin.length + 3));
    demand(bytes.length >= 4, "checkpoint signature line");
    if (!same(bytes.subarray(0, 4), wanted)) continue;
    await signs(key, text, bytes.subarray(4));
    vouched = true;
  }
  demand(vouched, "no signature of the log key");
  return { size, root };
};

/** Returns the root that an inclusion proof leads to (RFC 9162 §2.1.3.2), or null. */
export const rootFromProof = async (leaf, index, size, proof) => {
  if (index >= size || proof.length > 64) return null;
  let [node, last, found] = [index, size - 1n, leaf];
  for (const sibling of proof) {
    if (last === 0n) return null;
    if (node & 1n || node === last) {
      found = await sha256([1], sibling, found);
      while (node && !(node & 1n)) [node, last] = [node >> 1n, last >> 1n];
    } else {
      found = await sha256([1], found, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  return last === 0n ? found : null;
};

// --- The steps (section 3 of the format)

const at = async (item, work) => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Malformed) throw new Wrong(item, error.message);
    throw error;
  }
};

/** Reads and compares the files of the manifest; `given` is a Map of path → function to its bytes. */
class Bundle {
  constructor(given) {
    this.given = given;
    this.files = new Map();
  }

  async read(path) {
    const give = this.given.get(path);
    if (!give) throw new Wrong(path, "cannot be read");
    return give();
  }

  async listed(path) {
    const entry = this.entries.find((one) => field(one, "path") === path);
    if (!entry) throw new Wrong(path, "not in the manifest");
    const bytes = await this.read(path);
    if (!same(await sha256(bytes), field(entry, "sha256"))) throw new Wrong(path, "bytes differ from the manifest");
    return bytes;
  }

  /** Keeps small files; of others, which may be large, only what later steps ask. */
  async load() {
    for (const entry of this.entries) {
      const path = field(entry, "path");
      const bad = path.split("/").some((part) => ["", ".", ".."].includes(part));
      if (bad || this.files.has(path)) throw new Wrong("manifest.cose", `names ${path}`);
      const bytes = await this.listed(path);
      const kept = path.startsWith("blobs/") ? null : bytes;
      this.files.set(path, { bytes: kept, length: BigInt(bytes.length), sha256: field(entry, "sha256") });
    }
    const stray = [...this.given.keys()].sort(byBytes).find((path) => path !== "manifest.cose" && !this.files.has(path));
    if (stray !== undefined) throw new Wrong(stray, "is in no manifest");
  }

  below(folder) {
    return [...this.files.keys()].filter((path) => path.startsWith(folder)).sort(byBytes);
  }
}

const openRecords = async (bundle, device, key) => {
  const [records, cited] = [[], new Set()];
  for (const path of bundle.below("records/")) {
    const { bytes } = bundle.files.get(path);
    const it = await at(path, async () => shaped(await openSigned(bytes, "record", key), KIB256, RECORD));
    const seq = field(it, "seq");
    if (field(it, "version") !== 1n) throw new Wrong(path, "record of a later program");
    if (!same(field(it, "device"), device)) throw new Wrong(path, "record of another device");
    if (path !== `records/${String(seq).padStart(6, "0")}.cose`) throw new Wrong(path, "record of another place");
    for (const blob of field(it, "blobs")) {
      const name = `blobs/${toHex(field(blob, "sha256"))}`;
      const file = bundle.files.get(name);
      if (!file || !same(file.sha256, field(blob, "sha256")) || file.length !== field(blob, "bytes")) {
        throw new Wrong(path, `cited file ${name} differs or is missing`);
      }
      cited.add(name);
    }
    records.push({ path, seq, it, hash: await sha256(bytes) });
  }
  const stray = bundle.below("blobs/").find((path) => !cited.has(path));
  if (stray) throw new Wrong(stray, "no record cites this file");
  if (!records.length) throw new Wrong("records", "the bundle holds no record");
  records.sort((a, b) => (a.seq < b.seq ? -1 : 1));
  return { records, blobs: cited.size };
};

const checkLinks = async (bundle, records) => {
  const genesis = await sha256(bundle.files.get("device.cose").bytes);
  let [before, visit] = [null, null];
  for (const { path, seq, it, hash } of records) {
    const previous = field(it, "previous");
    if (seq === 1n && !same(previous, genesis)) throw new Wrong(path, "does not follow the device certificate");
    if (before && seq === before.seq + 1n && !same(previous, before.hash)) {
      throw new Wrong(path, "does not follow the record before it");
    }
    if ((field(it, "inspection") ?? null) !== null) {
      const named = field(it, "visit_previous") ?? null;
      const right = visit === null || named === null ? named === visit : same(named, visit);
      if (!right) throw new Wrong(path, "a record of this visit is missing before it");
      visit = hash;
    }
    before = { seq, hash };
  }
};

const checkReceipts = async (bundle, trust, records) => {
  const nameOf = ({ seq }) => `receipts/${String(seq).padStart(6, "0")}.cbor`;
  const wanted = new Set(records.map(nameOf));
  const stray = bundle.below("receipts/").find((path) => !wanted.has(path));
  if (stray) throw new Wrong(stray, "belongs to no record of this bundle");
  let count = 0;
  for (const record of records) {
    const name = nameOf(record);
    const file = bundle.files.get(name);
    if (!file) continue;
    const receipt = await at(name, () => shaped(file.bytes, MIB8, RECEIPT));
    const { size, root } = await at(name, () =>
      openCheckpoint(field(receipt, "checkpoint"), field(trust, "log_origin"), field(trust, "log_key")),
    );
    const tag = (await sha256(encoder.encode("xunzheng/device-tag"), field(record.it, "device"))).subarray(0, 8);
    const leaf = await sha256([0, 1], record.hash, tag, big(record.seq));
    const found = await rootFromProof(leaf, field(receipt, "log_index"), size, field(receipt, "proof"));
    if (!found || !same(found, root)) throw new Wrong(record.path, "inclusion proof does not lead to HQ's root");
    count += 1;
  }
  return count;
};

const checkDocuments = async (records, keys) => {
  let count = 0;
  for (const { path, it } of records) {
    const [kind, body] = [field(field(it, "act"), "kind"), field(field(it, "act"), "body")];
    if (!Object.hasOwn(ACTS, kind) || !ACTS[kind](body)) continue;
    const decision = kind === "decision_issued";
    const content = decision ? field(field(body, "content"), "sha256") : field(body, "content");
    const signatures = field(body, "officer_signatures");
    // 《行政处罚法》第四十二条: at least two officers.
    const officers = new Set(signatures.map((one) => toHex(field(one, "officer"))));
    if (officers.size < 2) throw new Wrong(path, "fewer than two officers signed");
    for (const one of signatures) {
      const key = keys.get(toHex(field(one, "officer")));
      if (!key) throw new Wrong(path, "credential of a signing officer is missing");
      const said = await at(path, async () =>
        shaped(await openSigned(field(one, "statement"), "officer-act", key), MIB8, STATEMENT),
      );
      const [pages, theirs] = [field(body, "pages"), field(said, "pages")];
      const right =
        same(field(said, "content"), content) &&
        pages.length === theirs.length &&
        pages.every((page, index) => same(page, theirs[index])) &&
        (!decision || same(field(said, "document"), field(body, "document")));
      if (!right) throw new Wrong(path, "an officer signed another content");
      count += 1;
    }
  }
  return count;
};

const steps = async (given) => {
  const bundle = new Bundle(given);
  const signed = await bundle.read("manifest.cose");
  const manifest = await at("manifest.cose", () => shaped(parseSigned(signed).payload, MIB8, MANIFEST));
  if (field(manifest, "version") !== 1n) throw new Wrong("manifest.cose", "format of a later program");
  bundle.entries = field(manifest, "files");
  const trustBytes = await bundle.listed("trust.cbor");
  const trust = await at("trust.cbor", () => shaped(trustBytes, MIB8, TRUST));
  const issuer = field(trust, "issuer_key");
  const certificate = await bundle.listed("device.cose");
  const device = await at("device.cose", async () =>
    shaped(await openSigned(certificate, "device-cert", issuer), SMALL, DEVICE),
  );
  const key = field(device, "key");
  await at("manifest.cose", () => openSigned(signed, "bundle", key));
  if (!same(field(manifest, "device"), field(device, "device"))) {
    throw new Wrong("manifest.cose", "names another device");
  }
  await bundle.load();
  const keys = new Map();
  for (const path of bundle.below("credentials/")) {
    const { bytes } = bundle.files.get(path);
    const it = await at(path, async () => shaped(await openSigned(bytes, "credential", issuer), SMALL, CREDENTIAL));
    keys.set(toHex(it[0]), it[10]);
  }
  const { records, blobs } = await openRecords(bundle, field(device, "device"), key);
  await checkLinks(bundle, records);
  const receipts = await checkReceipts(bundle, trust, records);
  const officer_signatures = await checkDocuments(records, keys);
  const issuer_fingerprint = toHex(await sha256(issuer));
  return { records: records.length, receipts, blobs, officer_signatures, issuer_fingerprint };
};

/**
 * Checks a bundle given as a Map of path → function that returns (a promise of) its bytes.
 * Returns what was checked, or `{item, error}` for the first thing that is wrong.
 */
export const verifyBundle = async (given) => {
  try {
    return await steps(given);
  } catch (error) {
    if (error instanceof Wrong) return { item: error.item, error: error.message };
    throw error;
  }
};

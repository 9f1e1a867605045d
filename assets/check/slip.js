// Checks a slip (存证凭据) and HQ's answer about it, as `sync-core/model/src/slip.rs` and RFC 9162 say.
// No page and no network in here. HQ's answers are believed as far as their proofs go.

import { Malformed, fields, field, isInt, isText, openCheckpoint, openSigned, rootFromProof, sha256 } from "./bundle.js";
import { Refused, fromCbor, fromDigits, fromHex } from "./check.js";

const SLIP_BYTES_MAX = 1024;
const SMALL = 4096;
/** How long after its time a promised record may be missing, in milliseconds. */
export const DUE_MS = 24 * 3600 * 1000;

const sized = (size) => (value) => value instanceof Uint8Array && value.length === size;
const DEVICE = fields({ device: sized(16), name: isText, authority: isText, key: sized(32), issued_at: isInt });
const uint = (value) => typeof value === "bigint" && value >= 0n && value < 1n << 64n;
const demand = (holds, why) => {
  if (!holds) throw new Malformed(why);
};
const same = (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index]);

/** Returns the device's tag in the log. */
const tagOf = async (device) =>
  (await sha256(new TextEncoder().encode("xunzheng/device-tag"), device)).subarray(0, 8);

/** Returns what a device promises in `text`, or null if no device of this issuer signed it. */
export const openSlip = async (text, issuer) => {
  try {
    const digits = text.trim().split("#").pop();
    const both = fromCbor(fromDigits(digits), SLIP_BYTES_MAX);
    demand(Array.isArray(both) && both.length === 2 && both.every((one) => one instanceof Uint8Array), "slip");
    const device = fromCbor(await openSigned(both[0], "device-cert", issuer), SMALL);
    demand(DEVICE(device), "device certificate");
    const slip = fromCbor(await openSigned(both[1], "slip", field(device, "key")), SLIP_BYTES_MAX);
    demand(Array.isArray(slip) && slip.length === 5, "slip");
    const [record, seq, at, size, root] = slip;
    demand(sized(32)(record) && uint(seq) && isInt(at) && uint(size) && sized(32)(root), "slip");
    const tag = await tagOf(field(device, "device"));
    return { name: field(device, "name"), tag, record, seq, at: Number(at), size, root };
  } catch (error) {
    if (error instanceof Refused || error instanceof Malformed) return null;
    throw error;
  }
};

/** Says whether `path` proves that the smaller log is a beginning of the larger (RFC 9162 §2.1.4.2). */
export const grew = async (oldSize, oldRoot, newSize, newRoot, path) => {
  if (oldSize > newSize || path.length > 64) return false;
  if (oldSize === newSize) return path.length === 0 && same(oldRoot, newRoot);
  if (oldSize === 0n) return path.length === 0;
  const hashes = [...path];
  let [node, last] = [oldSize - 1n, newSize - 1n];
  while (node & 1n) [node, last] = [node >> 1n, last >> 1n];
  const first = node === 0n ? oldRoot : hashes.shift();
  if (!first) return false;
  let [before, after] = [first, first];
  for (const hash of hashes) {
    if (last === 0n) return false;
    if (node & 1n || node === last) {
      before = await sha256([1], hash, before);
      after = await sha256([1], hash, after);
      while (node && !(node & 1n)) [node, last] = [node >> 1n, last >> 1n];
    } else {
      after = await sha256([1], after, hash);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  return last === 0n && same(before, oldRoot) && same(after, newRoot);
};

const bigEndian = (value) => Uint8Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(56 - 8 * i)) & 255n));

/** Judges HQ's answer: "logged", "awaited", "missing" or "forked". */
export const judgeSlip = async (slip, answer, trust) => {
  try {
    const { size, root } = await openCheckpoint(answer.checkpoint, trust.origin, trust.key);
    if (slip.size > 0n) {
      const growth = answer.growth?.map(fromHex);
      if (!growth || !(await grew(slip.size, slip.root, size, root, growth))) return { verdict: "forked" };
    }
    if (!answer.place) return { verdict: answer.at - slip.at > DUE_MS ? "missing" : "awaited" };
    const leaf = await sha256([0, 1], slip.record, slip.tag, bigEndian(slip.seq));
    const index = BigInt(answer.place.index);
    const found = await rootFromProof(leaf, index, size, answer.place.inclusion.map(fromHex));
    if (!found || !same(found, root)) return { verdict: "forked" };
    return { verdict: "logged", index: answer.place.index, since: answer.place.since };
  } catch (error) {
    // An answer that cannot be read is no proof, whatever it claims.
    if (error instanceof Refused || error instanceof Malformed || error instanceof TypeError) return { verdict: "forked" };
    throw error;
  }
};

// The status list, as `sync-core/model/src/status.rs` writes it: which officers' certificates are not
// in force, signed and numbered. Everybody fetches the same list, so that asking tells nobody whom
// one looks at.

import { Refused, fromCbor, fromHex, openObject, sha256, toHex } from "./check.js";

const LIST_BYTES_MAX = 1024 * 1024;
const LIFE_MS = 24 * 3600 * 1000;
const TAG_DIGITS = 16;
const STATUSES = ["cancelled", "lost", "suspended"];

/** Returns the list in `bytes`, or null if the issuer did not sign it or it is not in its form. */
export const openList = (bytes, issuer) => {
  try {
    const pairs = fromCbor(openObject(bytes, "status", issuer, LIST_BYTES_MAX), LIST_BYTES_MAX).map;
    const it = Object.fromEntries(pairs);
    const [number, issuedAt, expiresAt] = [it.number, it.issued_at, it.expires_at].map(Number);
    if (![number, issuedAt, expiresAt].every(Number.isSafeInteger)) return null;
    if (expiresAt < issuedAt || expiresAt - issuedAt > LIFE_MS) return null;
    const tags = {};
    for (const status of STATUSES) {
      const digits = toHex(it[status]);
      if (digits.length % TAG_DIGITS) return null;
      tags[status] = new Set(digits.match(/.{16}/g) ?? []);
    }
    return { number, issuedAt, expiresAt, tags };
  } catch (error) {
    if (error instanceof Refused || error instanceof TypeError) return null;
    throw error;
  }
};

/** Returns what the list says of a credential, or null if the credential is the later word. */
export const statusIn = (list, { officer, issuedAt }) => {
  if (list.issuedAt <= issuedAt) return null;
  const tag = toHex(sha256(fromHex(officer)).subarray(0, TAG_DIGITS / 2));
  return STATUSES.find((status) => list.tags[status].has(tag)) ?? "active";
};

// Checks a credential code: digits → strict CBOR → COSE_Sign1 → Ed25519 → verdict.
//
// No page, no network, no clock in here, and the same steps in the same order as
// `sync-core/model/src/credential_code`: a test demands the same verdict on thousands of codes.
// Hashes and signatures are computed here and not by the browser, because browsers differ in which
// odd signatures they accept, and because they offer none at all on pages without TLS.

import { Point } from "./noble-ed25519.js";
import { VERDICTS } from "./words.js";

const CODE_BYTES_MAX = 2048;
const OFFICERS_MAX = 4;
const CREDENTIAL_BYTES_MAX = 4096;
const MOMENT_BYTES_MAX = 256;
const DEPTH_MAX = 16;
const LIVE_MS = 90_000;
const AHEAD_MS = 90_000;
const CREDENTIAL_AGE_MS = 7 * 24 * 3600 * 1000;
const ORDER = Object.keys(VERDICTS);

/** Ends a check; the message is a verdict's name. */
export class Refused extends Error {}

const refuse = (verdict) => {
  throw new Refused(verdict);
};
const demand = (holds, verdict = "malformed") => holds || refuse(verdict);

// --- Bytes

export const fromHex = (text) =>
  /^([0-9a-f]{2})*$/.test(text)
    ? Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16))
    : refuse("malformed");
export const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const same = (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index]);
const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const number = (bytes) => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
const littleEndian = (bytes) => number([...bytes].reverse());

// --- SHA-2 (FIPS 180-4)

/** Returns the first `count` primes. */
const primes = (count) => {
  const found = [];
  for (let next = 2; found.length < count; next++) {
    if (found.every((prime) => next % prime)) found.push(next);
  }
  return found;
};

/** Returns the integer root by Newton's steps from above. */
const root = (value, degree) => {
  let guess = 1n << BigInt(Math.ceil(value.toString(2).length / Number(degree)));
  for (;;) {
    const next = ((degree - 1n) * guess + value / guess ** (degree - 1n)) / degree;
    if (next >= guess) return guess;
    guess = next;
  }
};

/** Returns SHA-2 of words of `bits` bits; the constants are fractions of roots of primes. */
const sha2 = (bits, rounds, [a, b, c, d, e, f, s0, s1, t0, t1]) => {
  const width = BigInt(bits);
  const mask = (1n << width) - 1n;
  const block = bits * 2;
  const fraction = (prime, degree) => root(BigInt(prime) << (width * degree), degree) & mask;
  const start = primes(8).map((prime) => fraction(prime, 2n));
  const constants = primes(rounds).map((prime) => fraction(prime, 3n));
  const turn = (x, by) => ((x >> BigInt(by)) | (x << (width - BigInt(by)))) & mask;
  return (message) => {
    const padded = new Uint8Array(Math.ceil((message.length + 1 + bits / 4) / block) * block);
    padded.set(message);
    padded[message.length] = 0x80;
    new DataView(padded.buffer).setUint32(padded.length - 4, message.length * 8);
    let state = start;
    for (let offset = 0; offset < padded.length; offset += block) {
      const w = [];
      for (let i = 0; i < 16; i++) {
        const at = offset + (i * bits) / 8;
        w.push(number(padded.subarray(at, at + bits / 8)));
      }
      for (let i = 16; i < rounds; i++) {
        const x = w[i - 15];
        const y = w[i - 2];
        const low = turn(x, s0[0]) ^ turn(x, s0[1]) ^ (x >> BigInt(s0[2]));
        const high = turn(y, s1[0]) ^ turn(y, s1[1]) ^ (y >> BigInt(s1[2]));
        w.push((w[i - 16] + low + w[i - 7] + high) & mask);
      }
      let [A, B, C, D, E, F, G, H] = state;
      for (let i = 0; i < rounds; i++) {
        const high = turn(E, d) ^ turn(E, e) ^ turn(E, f);
        const one = H + high + ((E & F) ^ (~E & mask & G)) + constants[i] + w[i];
        const low = turn(A, a) ^ turn(A, b) ^ turn(A, c);
        const two = low + ((A & B) ^ (A & C) ^ (B & C));
        [A, B, C, D, E, F, G, H] = [(one + two) & mask, A, B, C, (D + one) & mask, E, F, G];
      }
      state = [A, B, C, D, E, F, G, H].map((word, i) => (word + state[i]) & mask);
    }
    return fromHex(state.map((word) => word.toString(16).padStart(bits / 4, "0")).join(""));
  };
};

export const sha256 = sha2(32, 64, [2, 13, 22, 6, 11, 25, [7, 18, 3], [17, 19, 10]]);
export const sha512 = sha2(64, 80, [28, 34, 39, 14, 18, 41, [1, 8, 7], [19, 61, 6]]);

// --- Digits: seven bytes are seventeen digits

const GROUP_DIGITS = [0, 3, 5, 8, 10, 13, 15, 17];

export const fromDigits = (digits) => {
  demand(digits.length <= Math.ceil(CODE_BYTES_MAX / 7) * 17 && /^[0-9]*$/.test(digits));
  const bytes = [];
  for (let offset = 0; offset < digits.length; offset += 17) {
    const group = digits.slice(offset, offset + 17);
    const count = GROUP_DIGITS.indexOf(group.length);
    demand(count > 0);
    let value = BigInt(group);
    for (let i = 0; i < count; i++) {
      bytes.push(Number(value & 255n));
      value >>= 8n;
    }
    demand(value === 0n);
  }
  demand(bytes.length <= CODE_BYTES_MAX);
  return Uint8Array.from(bytes);
};

// --- Deterministic CBOR (RFC 8949 §4.2.1): one value has one accepted form

/** Returns the one item in `bytes`; maps become arrays of pairs under `map`, integers are BigInt. */
export const fromCbor = (bytes, max) => {
  demand(bytes.length <= max);
  let at = 0;
  const take = (count) => {
    demand(count <= bytes.length - at);
    at += count;
    return bytes.subarray(at - count, at);
  };
  const head = () => {
    const first = take(1)[0];
    const [major, info] = [first >> 5, first & 31];
    if (info < 24) return [major, BigInt(info)];
    demand(info < 28);
    const width = 1 << (info - 24);
    const argument = number(take(width));
    // Shortest form only; floats and other simple values of several bytes have none here.
    demand(major !== 7 && argument >= (width === 1 ? 24n : 1n << BigInt(width * 4)));
    return [major, argument];
  };
  const list = (count, one) => {
    // Every item is at least one byte, so a count beyond the bytes ends before it grows.
    const items = [];
    for (let i = 0n; i < count; i++) items.push(one());
    return items;
  };
  const item = (depth) => {
    demand(depth <= DEPTH_MAX);
    const [major, argument] = head();
    switch (major) {
      case 0:
        return argument;
      case 1:
        return -1n - argument;
      case 2:
        return take(Number(argument));
      case 3:
        try {
          return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(take(Number(argument)));
        } catch {
          return refuse("malformed");
        }
      case 4:
        return list(argument, () => item(depth + 1));
      case 5: {
        let previous = "";
        return {
          map: list(argument, () => {
            const start = at;
            const key = item(depth + 1);
            const form = toHex(bytes.subarray(start, at));
            demand(previous < form);
            previous = form;
            return [key, item(depth + 1)];
          }),
        };
      }
      case 7:
        demand(argument >= 20n && argument <= 22n);
        return [false, true, null][Number(argument - 20n)];
      default:
        return refuse("malformed");
    }
  };
  const value = item(0);
  demand(at === bytes.length);
  return value;
};

const isBytes = (value, length) =>
  value instanceof Uint8Array && (length === undefined || value.length === length);
const bytesOf = (value, length) => (demand(isBytes(value, length)), value);
const textOf = (value) => (demand(typeof value === "string"), value);
const arrayOf = (value, length) => {
  demand(Array.isArray(value) && (length === undefined || value.length === length));
  return value;
};
const integer = (value, least, most) => {
  demand(typeof value === "bigint" && value >= least && value <= most);
  return Number(value);
};
const instant = (value) => integer(value, -(1n << 63n), (1n << 63n) - 1n);

// --- Ed25519, cofactorless, with weak and second forms refused: dalek's `verify_strict`

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const pointOf = (bytes) => {
  // Compared before decoding, which would reduce a larger coordinate.
  const y = littleEndian(bytes) & ((1n << 255n) - 1n);
  if (y >= P) return null;
  try {
    const point = Point.fromBytes(bytes);
    return point.isSmallOrder() ? null : point;
  } catch {
    return null;
  }
};

export const verifies = (key, message, signature) =>
  signature.length === 64 &&
  holds(key, sha512(joined(signature.subarray(0, 32), key, message)), signature);

/** Checks a signature given SHA-512 of R, key and message. */
export const holds = (key, digest, signature) => {
  if (signature.length !== 64) return false;
  const [R, S] = [signature.subarray(0, 32), littleEndian(signature.subarray(32))];
  const A = pointOf(key);
  if (!A || !pointOf(R) || S >= L) return false;
  const k = littleEndian(digest) % L;
  // S·B − k·A in one ladder.
  const [base, minus] = [Point.BASE, A.negate()];
  const both = base.add(minus);
  let sum = Point.ZERO;
  for (let bit = 252n; bit >= 0n; bit--) {
    sum = sum.double();
    const [s, t] = [(S >> bit) & 1n, (k >> bit) & 1n];
    if (s && t) sum = sum.add(both);
    else if (s) sum = sum.add(base);
    else if (t) sum = sum.add(minus);
  }
  return same(sum.toBytes(), R);
};

// --- COSE_Sign1 (RFC 9052): protected is exactly {1: -8, 4: eight bytes}, nothing is unprotected

const PROTECTED = [0xa2, 0x01, 0x27, 0x04, 0x48];

const cborBytes = (bytes) => {
  const { length } = bytes;
  const large = [0x5a, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255];
  const medium = length < 1 << 16 ? [0x59, length >> 8, length & 255] : large;
  const head = length < 24 ? [0x40 | length] : length < 256 ? [0x58, length] : medium;
  return joined(head, bytes);
};

const cborText = (text) => {
  const bytes = cborBytes(new TextEncoder().encode(text));
  bytes[0] += 0x20;
  return bytes;
};

const parseSigned = (bytes, max = CODE_BYTES_MAX) => {
  const [header, unprotected, payload, signature] = arrayOf(fromCbor(bytes, max), 4);
  demand(isBytes(header, 13) && same(header.subarray(0, 5), PROTECTED));
  demand(unprotected?.map?.length === 0);
  return { header, kid: header.subarray(5), payload: bytesOf(payload), signature: bytesOf(signature) };
};

/** Returns the payload after checking it by `key`; `stranger` is the verdict on another key's. */
const openSigned = (signed, context, key, stranger) => {
  demand(same(signed.kid, sha256(key).subarray(0, 8)), stranger);
  const message = joined(
    [0x84],
    cborText("Signature1"),
    cborBytes(signed.header),
    cborBytes(new TextEncoder().encode(`xunzheng/v1/${context}`)),
    cborBytes(signed.payload),
  );
  demand(verifies(key, message, signed.signature), "bad_signature");
  return signed.payload;
};

/** Returns the payload of a signed object of at most `max` bytes. */
export const openObject = (bytes, context, key, max) =>
  openSigned(parseSigned(bytes, max), context, key, "unknown_issuer");

// --- Credential, moment, verdict

const STATUSES = ["active", "suspended", "cancelled", "lost"];

const readCredential = (payload) => {
  const it = arrayOf(fromCbor(payload, CREDENTIAL_BYTES_MAX), 11);
  return {
    officer: toHex(bytesOf(it[0], 16)),
    name: textOf(it[1]),
    auxiliary: integer(it[2], 0n, 1n) === 1,
    certificate: textOf(it[3]),
    authority: textOf(it[4]),
    agency: textOf(it[5]),
    validFrom: instant(it[6]),
    validTo: instant(it[7]),
    status: STATUSES[integer(it[8], 0n, 3n)],
    issuedAt: instant(it[9]),
    key: bytesOf(it[10], 32),
  };
};

const readMoment = (payload) => {
  const it = arrayOf(fromCbor(payload, MOMENT_BYTES_MAX), 5);
  return {
    inspection: bytesOf(it[0], 16),
    at: instant(it[1]),
    credential: bytesOf(it[2], 32),
    nonce: bytesOf(it[3], 8),
    challenge: textOf(it[4]),
  };
};

const authentic = (credentialBytes, momentBytes, issuer) => {
  const signed = parseSigned(credentialBytes);
  const credential = readCredential(openSigned(signed, "credential", issuer, "unknown_issuer"));
  const moment = readMoment(
    openSigned(parseSigned(momentBytes), "moment", credential.key, "wrong_binding"),
  );
  const hash = sha256(credentialBytes);
  demand(same(moment.credential, hash), "wrong_binding");
  return { credential, at: moment.at, challenge: moment.challenge, hash: toHex(hash) };
};

/**
 * Returns the verdict on what the signatures prove, at `now`. With `digits`, which whoever checks has
 * said aloud, a code that carries them was made since, whatever either clock shows; `trusted` says
 * that `now` is HQ's time.
 */
export const judge = ({ credential, at, challenge }, now, { digits, trusted } = {}) => {
  if (credential.status !== "active") return { verdict: credential.status };
  const age = now - at;
  const live = -AHEAD_MS <= age && age <= LIVE_MS;
  // A live code is judged by both clocks; an old one proves what held when it was made.
  // Where a challenge shows that it was made now and the clocks differ, HQ's time counts, else the
  // code's own.
  const answered = digits === undefined ? undefined : challenge === digits;
  const alone = answered && trusted ? now : at;
  const first = live ? Math.min(now, at) : alone;
  const last = live ? Math.max(now, at) : alone;
  if (last > credential.validTo) return { verdict: "expired" };
  if (first < credential.validFrom) return { verdict: "not_yet_valid" };
  if (last - credential.issuedAt > CREDENTIAL_AGE_MS) return { verdict: "outdated" };
  if (answered === false) return { verdict: "unanswered" };
  if (answered) return { verdict: credential.auxiliary ? "auxiliary" : "live" };
  if (age < -AHEAD_MS || credential.issuedAt - at > AHEAD_MS) return { verdict: "from_future" };
  if (age > LIVE_MS) return { verdict: "stale", seconds: Math.floor(age / 1000) };
  return { verdict: credential.auxiliary ? "auxiliary" : "live" };
};

/** Returns the worst of the officers' verdicts. */
export const worst = (officers) =>
  officers.reduce(
    (found, one) => (ORDER.indexOf(one.verdict) > ORDER.indexOf(found) ? one.verdict : found),
    officers.length ? ORDER[0] : "malformed",
  );

const refusal = (work) => {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refused) return { verdict: error.message };
    throw error;
  }
};

/** Checks `text` (an address or its digits) by the issuer's key at `now`; `options` as of `judge`. */
export const check = (text, issuer, now, options) => {
  const opened = refusal(() => {
    const trimmed = text.trim();
    const digits = trimmed.includes("#") ? trimmed.slice(trimmed.indexOf("#") + 1) : trimmed;
    const [credentials, moments] = arrayOf(fromCbor(fromDigits(digits), CODE_BYTES_MAX), 2);
    arrayOf(credentials).forEach((one) => bytesOf(one));
    arrayOf(moments, credentials.length).forEach((one) => bytesOf(one));
    demand(credentials.length > 0 && credentials.length <= OFFICERS_MAX);
    return { credentials, moments };
  });
  if (opened.verdict) return { verdict: opened.verdict, officers: [] };
  const officers = [];
  opened.credentials.forEach((credential, index) => {
    const one = refusal(() => {
      const shown = authentic(credential, opened.moments[index], issuer);
      // One person shown twice would look like two officers.
      demand(officers.every((other) => other.shown?.credential.officer !== shown.credential.officer));
      return { ...judge(shown, now, options), shown };
    });
    officers.push(one);
  });
  return { verdict: worst(officers), officers };
};

// Demands that the page which checks credential codes says what the handheld's code says.
//
//   cargo run -q -p sync-model --example credential_vectors > vectors.json
//   node tests/check_page.mjs vectors.json
//
// Plain node 18 or later, no packages. Exit code 1 and every difference on the first failures.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";

import { check, fromHex, sha256, sha512, verifies } from "../assets/check/check.js";
import { grew } from "../assets/check/slip.js";
import { openList, statusIn } from "../assets/check/status.js";
import { VERDICTS } from "../assets/check/words.js";

const SHOWN_MAX = 20;
const CHANGED = ["bit", "bytes", "digit", "cut", "cut digits"];
const { order, words, cases, list, listed } = JSON.parse(readFileSync(process.argv[2], "utf8"));

// The same words in the same order.
assert.deepEqual(Object.keys(VERDICTS), order);
for (const [name, told] of Object.entries(words)) {
  assert.deepEqual(VERDICTS[name].zh, told.zh, name);
  assert.deepEqual(VERDICTS[name].en, told.en, name);
}

// Our hashes and signatures are the ones of the platform's library.
for (let length = 0; length < 300; length += 1) {
  const bytes = new Uint8Array(randomBytes(length));
  for (const [name, ours] of [["sha256", sha256], ["sha512", sha512]]) {
    assert.equal(Buffer.from(ours(bytes)).toString("hex"), createHash(name).update(bytes).digest("hex"));
  }
}
for (let round = 0; round < 50; round += 1) {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const key = new Uint8Array(publicKey.export({ type: "spki", format: "der" }).subarray(-32));
  const message = new Uint8Array(randomBytes(round * 7));
  const signature = new Uint8Array(sign(null, message, privateKey));
  assert(verify(null, message, publicKey, signature) && verifies(key, message, signature));
  signature[round] ^= 1 << round % 8;
  assert(!verifies(key, message, signature));
}
// Keys and signatures of small order sign everything; a second form of one point is refused.
const identity = new Uint8Array(32);
identity[0] = 1;
const forged = new Uint8Array(64);
forged[0] = 1;
assert(!verifies(identity, new Uint8Array(5), forged));

// The status list says of each officer what the handheld reads in it, and no bent one is read.
const issuer = fromHex(cases[0].issuer);
const opened = openList(fromHex(list), issuer);
assert.equal(opened.number, 7);
for (const [officer, status] of listed) assert.equal(statusIn(opened, { officer, issuedAt: 0 }), status);
assert.equal(statusIn(opened, { officer: listed[1][0], issuedAt: opened.issuedAt }), null);
for (let place = 0; place < list.length / 2; place += 37) {
  const bent = fromHex(list);
  bent[place] ^= 1 << place % 8;
  assert.equal(openList(bent, issuer), null, `byte ${place}`);
}

// Vectors of others, where they lie beside the clone: the page's curve accepts what Rust accepts
// (`sync-core/tests/vectors`), edge points included.
const REFUSED = ["low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"];
const data = process.env.XUNZHENG_DATA_SAMPLES ?? new URL("../../shared/data", import.meta.url).pathname;
const edges = `${data}/vectors/cctv/ed25519/ed25519vectors.json`;
const proofs = `${data}/vectors/wycheproof/testvectors_v1/ed25519_test.json`;
if (existsSync(edges) && existsSync(proofs)) {
  let accepted = 0;
  const points = JSON.parse(readFileSync(edges, "utf8"));
  for (const { key, msg, sig, flags } of points) {
    const found = verifies(fromHex(key), new TextEncoder().encode(msg), fromHex(sig));
    assert.equal(found, !(flags ?? []).some((flag) => REFUSED.includes(flag)), JSON.stringify({ key, sig, flags }));
    accepted += found;
  }
  assert.deepEqual([points.length, accepted], [914, 43]);
  const tests = JSON.parse(readFileSync(proofs, "utf8")).testGroups.flatMap((group) =>
    group.tests.map((test) => ({ ...test, key: group.publicKey.pk })),
  );
  for (const { key, msg, sig, result, tcId } of tests) {
    assert.equal(verifies(fromHex(key), fromHex(msg), fromHex(sig)), result === "valid", `test ${tcId}`);
  }
  const { readdirSync } = await import("node:fs");
  const growth = `${data}/vectors/merkle/testdata/consistency`;
  const FROM_NOTHING = ["sizes-are-equal-zero-and-proof-is-empty", "size1-is-zero-and-size2-is-not-zero", "size1-is-zero-and-does-not-equal-size2"];
  const files = readdirSync(growth, { recursive: true }).filter((name) => name.endsWith(".json"));
  for (const name of files) {
    const { size1, size2, root1, root2, proof, wantErr } = JSON.parse(readFileSync(`${growth}/${name}`, "utf8"));
    const bytes = (text) => new Uint8Array(Buffer.from(text ?? "", "base64"));
    const holds = await grew(BigInt(size1), bytes(root1), BigInt(size2), bytes(root2), (proof ?? []).map(bytes));
    // Broken in their convention only: growth from an empty tree (`sync-core/tests/vectors/log.rs`).
    const theirs = FROM_NOTHING.some((one) => name.endsWith(`${one}.json`));
    assert.equal(!holds, wantErr === true && !theirs, name);
  }
  console.log(`growth of logs: ${files.length} proofs as stated`);
  console.log(`Ed25519: ${points.length} edge points (${accepted} accepted) and ${tests.length} Wycheproof tests as stated`);
} else {
  console.log(`absent: ${data}/vectors; edge points were not tried`);
}

// The same verdict on every code.
const counts = new Map();
const differences = [];
let accepted = 0;
const started = performance.now();
for (const { name, text, now, issuer, digits, trusted, expected } of cases) {
  const report = check(text, fromHex(issuer), now, { digits: digits ?? undefined, trusted });
  const found = {
    verdict: report.verdict,
    officers: report.officers.map((one) => ({
      verdict: one.verdict,
      seconds: one.seconds ?? null,
      name: one.shown?.credential.name ?? null,
    })),
  };
  counts.set(found.verdict, (counts.get(found.verdict) ?? 0) + 1);
  accepted += found.verdict === "live" && CHANGED.includes(name) ? 1 : 0;
  try {
    assert.deepEqual(found, expected);
  } catch {
    differences.push({ name, now, text: text.slice(0, 80), found, expected });
  }
}
const took = performance.now() - started;

for (const difference of differences.slice(0, SHOWN_MAX)) {
  console.error(JSON.stringify(difference));
}
console.log(`${cases.length} codes in ${Math.round(took)} ms, ${differences.length} differences`);
console.log([...counts].map(([verdict, count]) => `${verdict} ${count}`).join(", "));
// What `order` names must have been seen, or the codes no longer try it.
assert.deepEqual(order.filter((verdict) => !counts.has(verdict)), []);
assert(cases.length >= 2000, "too few codes");
assert.equal(differences.length, 0);
const two = cases[0];
const once = performance.now();
check(two.text, fromHex(two.issuer), two.now);
console.log(`a code of two officers takes ${(performance.now() - once).toFixed(1)} ms`);
console.log(`accepted although changed: ${accepted}`);
assert.equal(accepted, 0);

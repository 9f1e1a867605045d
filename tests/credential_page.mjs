// The credential page photographed, and the check page off line in a real browser.
//
//   node tests/credential_page.mjs XUNZHENG VECTORS MODULES [SHOTS]
//
// XUNZHENG is the handheld's binary, VECTORS what the example `credential_vectors` printed, MODULES a
// folder with node_modules of playwright-core and zxing-wasm (tools of this test alone), SHOTS a
// folder for pictures of the page. Needs chromium. Codes are drawn by the handheld's own credential
// page, photographed under bad conditions by the browser, and decoded by ZXing; what was decoded is
// opened in the page with the network off. Prints counts; exit code 1 if a goal is missed.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const [binary, vectors, modules, shots] = process.argv.slice(2);
const from = createRequire(join(modules, "package.json"));
const { chromium } = from("playwright-core");
const zxing = from("zxing-wasm/reader");
const wasm = join(modules, "node_modules/zxing-wasm/dist/reader/zxing_reader.wasm");
zxing.prepareZXingModule({ overrides: { wasmBinary: new Uint8Array(readFileSync(wasm)).buffer } });

const ASSETS = new URL("../assets/check/", import.meta.url).pathname;
const POLICY = readFileSync(new URL("../hq/src/routes/check.rs", import.meta.url), "utf8")
  .match(/const POLICY: &str = "([^;]*;[\s\S]*?)";\n/)[1]
  .replace(/\\\n\s*/g, "");
const GOAL_DECODED = 0.99;
const GOAL_MS = 1500;
const GOAL_BYTES = 25 * 1024;
const { cases, list } = JSON.parse(readFileSync(vectors, "utf8"));
const NOW = cases[0].now;
const LIST = Buffer.from(list, "hex");
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css" };
const named = Object.fromEntries(readdirSync(ASSETS).map((name) => [name.replace(/\.html$/, ""), name]));
const room = mkdtempSync(join(tmpdir(), "credential-page-"));

// --- A server of the page's own files, as HQ serves them

const server = createServer((request, response) => {
  const path = request.url.split("?")[0];
  const send = (type, body) => {
    response.writeHead(200, { "content-type": `${type}; charset=utf-8`, "content-security-policy": POLICY, "service-worker-allowed": "/", date: new Date(NOW).toUTCString() });
    response.end(body);
  };
  if (path === "/c") return send("text/html", readFileSync(join(ASSETS, "index.html")));
  if (path === "/c/issuer") return send("application/json", JSON.stringify({ key: cases[0].issuer, log_origin: "", log_key: cases[0].issuer }));
  if (path === "/c/status") return send("application/cose", LIST);
  const file = named[path.slice(3)];
  if (path.startsWith("/c/") && file) return send(TYPES[file.split(".").pop()] ?? "text/plain", readFileSync(join(ASSETS, file)));
  response.writeHead(404).end();
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const base = `http://localhost:${server.address().port}`;

const files = ["index.html", "page.js", "check.js", "words.js", "status.js", "noble-ed25519.js", "style.css"];
const size = files.reduce((sum, name) => sum + gzipSync(readFileSync(join(ASSETS, name)), { level: 9 }).length, 0);
console.log(`page: ${size} bytes compressed`);
assert(size <= GOAL_BYTES, "the page is too large");

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

// --- Photographed

const CONDITIONS = {
  straight: "",
  "blurred 0.6 px": "filter: blur(.6px)",
  "blurred 1 px": "filter: blur(1px)",
  "at 60 %": "transform: scale(.6)",
  "at 60 %, blurred 0.5 px": "transform: scale(.6); filter: blur(.5px)",
  "tilted 30° left": "transform: perspective(1600px) rotateY(30deg)",
  "tilted 30° right": "transform: perspective(1600px) rotateY(-30deg)",
  "tilted 30° back": "transform: perspective(1600px) rotateX(30deg)",
  "tilted 20°, turned 15°": "transform: perspective(1600px) rotateY(20deg) rotate(15deg)",
  "turned 45°": "transform: scale(.8) rotate(45deg)",
  "upside down": "transform: rotate(180deg)",
  dim: "filter: brightness(.45) contrast(.8)",
  "washed out": "filter: brightness(1.3) contrast(.5)",
  "tilted, at 70 %, blurred": "transform: perspective(1600px) rotateY(20deg) scale(.7); filter: blur(.5px)",
};
const GLARE = {
  "no glare": "",
  "glare from above": "background: linear-gradient(rgba(255,255,255,.75), transparent 60%)",
  "a lamp's spot": "background: radial-gradient(circle at 60% 40%, rgba(255,255,255,.6), transparent 45%)",
};

const codes = cases.filter(({ expected }) => expected.verdict === "live").slice(0, 3).map(({ text }) => `https://hq.example/c#${text.split("#").pop()}`);
const drawn = [];
codes.forEach((code, index) => {
  for (const [look, extra] of [["portrait", []], ["landscape", ["--size", "1280x800"]], ["sun", ["--theme", "sun"]]]) {
    const out = join(room, `${index}-${look}`);
    execFileSync(binary, ["screenshots", "--out", out, "--only", "credential-large", "--code", code, ...extra]);
    drawn.push({ code, look, picture: join(out, readdirSync(out)[0]) });
  }
});
const decoded = new Set();
const lost = [];
let tried = 0;
const studio = await browser.newPage({ viewport: { width: 1400, height: 1400 }, deviceScaleFactor: 1 });
for (const { code, look, picture } of drawn) {
  const data = readFileSync(picture).toString("base64");
  for (const [condition, style] of Object.entries(CONDITIONS)) {
    for (const [light, glare] of Object.entries(GLARE)) {
      await studio.setContent(`<body style="margin:0;background:#777;display:grid;place-items:center;height:100vh">
        <div style="position:relative;${style}"><img src="data:image/png;base64,${data}">
        <div style="position:absolute;inset:0;${glare}"></div></div></body>`);
      const [found] = await zxing.readBarcodes(new Uint8Array(await studio.screenshot()), { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 1 });
      tried += 1;
      assert(!found?.isValid || found.text === code, `decoded to another text: ${look}, ${condition}, ${light}`);
      if (found?.isValid) decoded.add(found.text);
      else lost.push(`${look}, ${condition}, ${light}`);
    }
  }
}
await studio.close();
const rate = (tried - lost.length) / tried;
console.log(`photographed: ${tried - lost.length} of ${tried} decoded by ZXing (${(rate * 100).toFixed(1)} %)`);
for (const one of lost) console.log(`  not decoded: ${one}`);

// --- Opened with the network off

const phone = await browser.newContext({ viewport: { width: 390, height: 844 } });
await phone.clock.setFixedTime(NOW);
const screen = await phone.newPage();
const failures = [];
screen.on("pageerror", (error) => failures.push(String(error)));
screen.on("console", (message) => message.type() === "error" && /Content.Security/.test(message.text()) && failures.push(message.text()));
await screen.goto(`${base}/c`);
await screen.evaluate(() => navigator.serviceWorker.ready);
await screen.waitForFunction(async () => (await (await caches.open((await caches.keys())[0])).keys()).length >= 10);
await phone.setOffline(true);

/** Opens a code as a scan does and returns the verdict's tone and word. */
const open = async (text, { at = NOW, kept } = {}) => {
  await phone.clock.setFixedTime(at);
  await screen.evaluate((state) => {
    localStorage.removeItem("challenge");
    if (state) localStorage.setItem("challenge", state);
  }, kept ? JSON.stringify({ digits: kept, made: at, code: "" }) : null);
  await screen.goto("about:blank");
  const started = performance.now();
  await screen.goto(`${base}/c#${text.split("#").pop()}`);
  const verdict = screen.locator(".verdict:not(.wait)");
  await verdict.waitFor();
  const took = performance.now() - started;
  const tone = (await verdict.getAttribute("class")).replace("verdict", "").trim();
  const word = await verdict.locator("h2").evaluate((head) => head.firstChild.textContent);
  return { tone, word, took };
};
const home = async () => {
  await screen.goto(`${base}/c`);
};

const times = [];
for (const code of decoded) {
  for (let round = 0; round < 7; round += 1) {
    await home();
    const { tone, word, took } = await open(code);
    assert.equal(tone, "good", `${word}: ${code}`);
    times.push(took);
  }
}
times.sort((a, b) => a - b);
const [median, worst] = [times[times.length >> 1], times.at(-1)];
console.log(`off line, from open to verdict: median ${median.toFixed(0)} ms, worst ${worst.toFixed(0)} ms of ${times.length}`);

const { VERDICTS } = await import("../assets/check/words.js");
const names = Object.fromEntries(Object.entries(VERDICTS).map(([name, { zh }]) => [zh[0], name]));
const step = Math.ceil(cases.length / 400);
const sample = cases.filter(({ issuer, text, trusted }, index) => issuer === cases[0].issuer && text && !trusted && (index < 160 || index % step === 0));
const counts = {};
let accepted = 0;
for (const { text, now, digits, expected } of sample) {
  await home();
  const { tone, word } = await open(text, { at: now, kept: digits });
  assert.equal(names[word], expected.verdict, `${word} for ${text.slice(0, 60)} at ${now}`);
  if (tone === "good" && expected.verdict !== "live") accepted += 1;
  counts[names[word]] = (counts[names[word]] ?? 0) + 1;
}
console.log(`off line, ${sample.length} codes: ${JSON.stringify(counts)}; forged, stale or withdrawn accepted: ${accepted}`);

// --- A challenge, step by step, and a withdrawn certificate

const live = cases[0].text;
await home();
await open(live);
const said = (await screen.locator(".digits").textContent()).replaceAll(" ", "");
assert.match(said, /^[0-9]{4}$/);
if (shots) {
  mkdirSync(shots, { recursive: true });
  await screen.screenshot({ path: join(shots, "live.png"), fullPage: true });
}
const DAY = 86_400_000;
const challenges = [
  ["answered", "4711", NOW, "good"],
  ["answered, the phone two days ahead", "4711", NOW + 2 * DAY, "good"],
  ["answered, the phone in 1970", "4711", 0, "good"],
  ["replayed to another challenge, clocks agree", "4712", NOW, "warn"],
  ["replayed, the phone set back to match", "0000", NOW + 1000, "warn"],
];
for (const [name, kept, at, expected] of challenges) {
  await home();
  const { tone, word } = await open(live, { at, kept });
  assert.equal(tone, expected, `${name}: ${word}`);
  if (shots) await screen.screenshot({ path: join(shots, `challenge-${name.replace(/\W+/g, "-")}.png`), fullPage: true });
}
console.log(`challenge: ${challenges.length} of ${challenges.length} as they should be`);
await home();
await phone.setOffline(false);
await open(live);
await screen.locator(".verdict.bad").waitFor();
const word = await screen.locator(".verdict h2").evaluate((head) => head.firstChild.textContent);
assert.equal(names[word], "cancelled");
if (shots) await screen.screenshot({ path: join(shots, "cancelled.png"), fullPage: true });
await phone.setOffline(true);
await home();
assert.equal((await open(live)).tone, "bad", "a withdrawal that was learnt is forgotten off line");
console.log("withdrawn: found on line, and off line by the list that was kept");

await browser.close();
server.close();
rmSync(room, { recursive: true });
assert.deepEqual(failures, []);
assert.equal(accepted, 0);
assert(rate >= GOAL_DECODED, "too few decoded");
// A busy machine is no fault of the page: said, not asserted.
if (median > GOAL_MS) console.log(`slower than the goal of ${GOAL_MS} ms: ${median} ms`);

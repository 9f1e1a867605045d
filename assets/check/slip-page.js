// The page around `slip.js`: shows what the device promised, asks HQ where the record stands, and
// remembers the log states of the slips opened here, so that two of them can contradict each other.

import { fromHex, sha256, toHex } from "./check.js";
import { judgeSlip, openSlip } from "./slip.js";

const SHAPES = { good: "✓", warn: "!", bad: "✕", wait: "…" };
const SEEN = "slip-log-states";
const SEEN_MAX = 100;

const COMPLAIN = ["请保存此凭据，向执法机关或其监督部门（12345）反映。", "Keep this slip and complain to the agency or its supervisors."];
const WORDS = {
  logged: ["good", "已入账", "In the log", "平台日志中有这条记录，证明已核验。", "HQ's log holds this record; the proof was checked.", "请保存凭据，日后可再次核验。", "Keep the slip; it can be checked again."],
  awaited: ["warn", "尚未入账", "Not in the log yet", "终端已签名承诺；终端可能还没有联网，24 小时内应当入账。", "The device has promised it and may still be off line; it is due within 24 hours.", "请于次日再核验一次。", "Check again tomorrow."],
  missing: ["bad", "承诺未兑现", "Promised, but missing", "终端签名承诺了这条记录，已过 24 小时，平台日志中仍没有。", "The device promised this record; after 24 hours it is still not in HQ's log.", ...COMPLAIN],
  forked: ["bad", "日志前后矛盾", "The log contradicts itself", "平台给出的日志证明与凭据对不上，平台可能改动过日志。", "HQ's proofs do not fit the state on this slip; the log may have been changed.", ...COMPLAIN],
  offline: ["warn", "签名有效，未联网核对", "Signed; not compared on line", "凭据确由本平台的执法终端签名；联网后可查是否入账。", "A device of this platform signed it; on line you can see whether it is in the log.", "请联网后重新打开。", "Open it again on line."],
  refused: ["bad", "不是有效的凭据", "Not a valid slip", "内容残缺、被改动，或者不是本平台的执法终端出具的。", "It is incomplete, changed, or from no device of this platform.", "请重新扫描完整的二维码；仍无效的，请要求重新出具。", "Scan the whole code again; if it stays invalid, ask for another."],
};

const result = document.getElementById("result");
const element = (name, text, lang) => {
  const made = document.createElement(name);
  made.textContent = text;
  if (lang) made.lang = lang;
  return made;
};
const both = (name, zh, en) => {
  const made = element(name, zh);
  made.append(element("span", en, "en"));
  return made;
};
const clock = (ms) => new Date(ms + 8 * 3600_000).toISOString().slice(0, 19).replace("T", " ");

const show = (verdict, slip, told = {}) => {
  const [tone, word, wordEn, why, whyEn, action, actionEn] = WORDS[verdict];
  const banner = element("section", "");
  banner.className = `verdict ${tone}`;
  const shape = element("span", SHAPES[tone]);
  shape.className = "shape";
  shape.setAttribute("aria-hidden", "true");
  const act = both("p", action, actionEn);
  act.className = "action";
  banner.append(shape, both("h2", word, wordEn), both("p", why, whyEn), act);
  result.replaceChildren(banner);
  if (!slip) return;
  const card = element("section", "");
  const list = element("dl", "");
  const row = (zh, en, value) => list.append(both("dt", zh, en), element("dd", value));
  row("终端", "Device", slip.name);
  row("记录", "Record", `第 ${slip.seq} 条`);
  row("时间", "Time", `${clock(slip.at)}（终端时间）`);
  row("校验码", "Hash", toHex(slip.record).match(/.{8}/g).join(" "));
  if (verdict === "logged") {
    row("日志位置", "Log index", String(told.index));
    row("入账时间", "Since", clock(told.since));
  }
  card.append(list);
  result.append(card);
};

/** Says whether a slip opened here earlier carries another root for the same size; keeps this one. */
const contradicts = (slip) => {
  if (slip.size === 0n) return false;
  try {
    const states = new Map(JSON.parse(localStorage.getItem(SEEN) ?? "[]"));
    const [size, root] = [String(slip.size), toHex(slip.root)];
    const known = states.get(size);
    if (!known) localStorage.setItem(SEEN, JSON.stringify([...states, [size, root]].slice(-SEEN_MAX)));
    return known !== undefined && known !== root;
  } catch {
    return false; // A phone that keeps nothing still checks this slip.
  }
};

const run = async () => {
  const text = location.hash.slice(1);
  let trust;
  try {
    const told = await (await fetch("issuer", { credentials: "omit" })).json();
    trust = { issuer: fromHex(told.key), origin: told.log_origin, key: fromHex(told.log_key) };
  } catch {
    result.replaceChildren(both("p", "没有取得平台公钥，请联网后重新打开本页。", "The platform's key could not be loaded; open this page on line."));
    return;
  }
  const print = toHex(sha256(trust.issuer)).slice(0, 16).match(/.{4}/g).join(" ");
  document.getElementById("issuer").replaceChildren(...both("p", `签发平台公钥指纹 ${print}`, "Fingerprint of the issuer's key").childNodes);
  const slip = await openSlip(text, trust.issuer);
  if (!slip) return show("refused");
  if (contradicts(slip)) return show("forked", slip);
  show("offline", slip);
  let answer;
  try {
    const reply = await fetch(`slip/${toHex(slip.record)}?seen=${slip.size}`, { cache: "no-store", credentials: "omit" });
    // A log shorter than what the slip saw is HQ's answer too.
    answer = await reply.json();
    if (!reply.ok) return;
  } catch {
    return;
  }
  const told = await judgeSlip(slip, answer, trust);
  show(told.verdict, slip, told);
};

addEventListener("hashchange", run);
run();
navigator.serviceWorker?.register("sw.js", { scope: "../c" }).catch(() => {});

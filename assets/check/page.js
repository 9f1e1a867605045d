// The page around `check.js`: reads the digits behind `#`, shows the verdict, lets its age tick.
//
// Everything is written as text and never as markup. The code itself is sent nowhere; on line, HQ is
// asked for the list of withdrawn certificates, the same for everybody, and for the time.

import { check, fromHex, judge, sha256, toHex, worst } from "./check.js";
import { openList, statusIn } from "./status.js";
import { VERDICTS } from "./words.js";

const SHAPES = { good: "✓", warn: "!", bad: "✕", wait: "…" };
/** A clock that is off by more than this is corrected by HQ's. */
const CLOCK_MS = 30_000;
const STATUS_EVERY_MS = 60_000;
/** How long four digits are worth something; they are kept for the scan that answers them. */
const CHALLENGE_MS = 5 * 60_000;
const CHALLENGE = "challenge";
const LIST = "status-list";
/** Clocks further apart than a code may be old. */
const CLOCK_SKEW_MS = 90_000;

const result = document.getElementById("result");
const state = { report: null, offset: 0, list: null, issuer: null, asked: 0, drawn: "", tick: () => {}, challenge: null, digits: undefined, told: false };

const now = () => Date.now() + state.offset;

/**
 * Returns the outstanding challenge, or a new one made for `code`. The phone keeps it for the scan that
 * answers it, which opens the page anew; it is sent nowhere.
 */
const challengeFor = (code) => {
  try {
    const kept = JSON.parse(localStorage.getItem(CHALLENGE));
    if (kept && Math.abs(Date.now() - kept.made) < CHALLENGE_MS && /^[0-9]{4}$/.test(kept.digits)) return kept;
  } catch {
    // Nothing readable is kept.
  }
  const digits = String(crypto.getRandomValues(new Uint32Array(1))[0] % 10_000).padStart(4, "0");
  const made = { digits, made: Date.now(), code: toHex(sha256(new TextEncoder().encode(code))) };
  try {
    localStorage.setItem(CHALLENGE, JSON.stringify(made));
  } catch {
    return null; // Where nothing can be kept, the next scan could not be compared.
  }
  return made;
};

const element = (name, { text, lang, className } = {}, ...children) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (lang) made.lang = lang;
  if (className) made.className = className;
  made.append(...children);
  return made;
};

const both = (name, zh, en, className) =>
  element(name, { className }, zh, element("span", { text: en, lang: "en" }));

const two = (value) => String(value).padStart(2, "0");

/** A time on the clock of Asia/Shanghai, which has no daylight saving. */
const clock = (ms) => {
  const date = new Date(ms + 8 * 3_600_000);
  return Number.isNaN(date.getTime()) ? "—" : date.toISOString().slice(0, 19).replace("T", " ");
};
const day = (ms) => clock(ms).slice(0, 10);

const ageText = (ms) => {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const [d, h, m, s] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  if (d) return [`${d} 天 ${h} 小时`, `${d} d ${h} h`];
  if (h) return [`${h} 小时 ${two(m)} 分`, `${h} h ${two(m)} min`];
  if (m) return [`${m} 分 ${two(s)} 秒`, `${m} min ${two(s)} s`];
  return [`${s} 秒`, `${s} s`];
};

/** How old the code is; a screen reader is not told every second. */
const ageLine = (officers) => {
  const made = element("p", { className: "age" });
  made.setAttribute("aria-live", "off");
  const at = Math.min(...officers.map((one) => one.shown.at));
  state.tick = () => {
    const age = now() - at;
    const [zh, en] = ageText(age);
    const told = age < 0 ? [`时间比现在晚 ${zh}`, `${en} ahead of now`] : [`${zh}前生成`, `Made ${en} ago`];
    made.replaceChildren(told[0], element("span", { text: `${told[1]} · ${clock(at)}`, lang: "en" }));
  };
  state.tick();
  return made;
};

/** One officer's verdict by the clock of this moment and by what HQ says. */
const verdictOf = (one) => {
  if (!one.shown) return one.verdict;
  const told = state.list && statusIn(state.list, one.shown.credential);
  // The later word counts, whether it withdraws or restores.
  const credential = { ...one.shown.credential, status: told || one.shown.credential.status };
  return judge({ ...one.shown, credential }, now(), { digits: state.digits, trusted: state.told }).verdict;
};

const banner = (verdict, officers) => {
  const { tone, zh, en } = VERDICTS[verdict];
  const made = element("section", { className: `verdict ${tone}` });
  const shape = element("span", { text: SHAPES[tone], className: "shape" });
  shape.setAttribute("aria-hidden", "true");
  made.append(shape, both("h2", zh[0], en[0]));
  if (officers.length && officers.every((one) => one.shown)) made.append(ageLine(officers));
  made.append(both("p", zh[1], en[1]), both("p", zh[2], en[2], "action"));
  return made;
};

const card = (one, verdict) => {
  const { tone, zh, en } = VERDICTS[verdict];
  const made = element("section", { className: "officer" });
  const tag = element("p", { text: `${SHAPES[tone]} ${zh[0]} ${en[0]}`, className: `tag ${tone}` });
  if (!one.shown) {
    made.append(tag, both("p", "无法证明是谁，不显示姓名。", "Nobody is proven, so no name is shown."));
    return made;
  }
  const { credential } = one.shown;
  const list = element("dl");
  const row = (zhName, enName, value, enValue) => {
    const told = element("dd", { text: value });
    if (enValue) told.append(element("span", { text: enValue, lang: "en" }));
    list.append(both("dt", zhName, enName), told);
  };
  row("单位", "Agency", credential.agency);
  row("证号", "No.", credential.certificate);
  row("有效", "Valid", `${day(credential.validFrom)} 至 ${day(credential.validTo)}`);
  const told = state.list && now() <= state.list.expiresAt && statusIn(state.list, credential);
  if (told && state.told) row("状态", "Status", "平台刚刚核对", "checked now");
  else if (told) row("状态", "Status", `截至 ${clock(state.list.issuedAt).slice(0, 16)}（本机清单）`, "list kept here");
  else row("状态", "Status", `截至 ${clock(credential.issuedAt).slice(0, 16)}`);
  made.append(element("h3", { text: credential.name }), tag, list);
  return made;
};

const note = (zh, en) => element("section", { className: "note" }, both("p", zh, en));

const draw = () => {
  const { report } = state;
  if (!report) return;
  const verdicts = report.officers.map(verdictOf);
  const overall = worst(verdicts.map((verdict) => ({ verdict })));
  const key = JSON.stringify([verdicts, state.list?.number, Math.abs(state.offset) > CLOCK_MS, state.told]);
  if (key === state.drawn) {
    state.tick();
    return;
  }
  state.drawn = key;
  state.tick = () => {};
  const cards = report.officers.map((one, index) => card(one, verdicts[index]));
  const notes = [];
  const lone = report.officers.filter((one) => one.shown && !one.shown.credential.auxiliary).length < 2;
  if (lone && VERDICTS[overall].tone !== "bad") {
    // 《行政处罚法》第四十二条.
    notes.push(note("码中不足两名执法人员；执法时执法人员不得少于两人。", "Fewer than two officers are in this code; at least two are required."));
  }
  if (Math.abs(state.offset) > CLOCK_MS) {
    notes.push(note("手机时间不准，已按平台时间判断。", "The phone's clock is off; the platform's time was used."));
  }
  if (state.digits && VERDICTS[overall].tone === "good") {
    notes.push(note("口令相符：此码是刚才当面生成的。", "The challenge was answered: this code was made just now, here."));
    if (!state.told && report.officers.some((one) => Math.abs(now() - one.shown.at) > CLOCK_SKEW_MS)) {
      notes.push(note("手机与执法终端的时间不一致；有效期按终端的时间判断，联网后可按平台时间核对。", "Phone and device disagree on the time; validity was judged by the device's, on line by the platform's."));
    }
  }
  const ask = state.challenge && VERDICTS[overall].tone !== "bad" && !(state.digits && VERDICTS[overall].tone === "good");
  if (ask) notes.unshift(challengeCard(state.challenge));
  result.replaceChildren(banner(overall, report.officers), ...notes, ...cards);
};

/** The digits to say aloud; the next code must carry them. */
const challengeCard = (challenge) => {
  const made = element("section", { className: "challenge" });
  const digits = element("p", { text: challenge.digits.split("").join(" "), className: "digits" });
  made.append(
    both("h3", "口令核验（防照片、录像、转发，也不怕时钟不准）", "Challenge: defeats photos, videos, forwarded codes and wrong clocks"),
    digits,
    both("p", "请念给执法人员，让其输入终端亮证页的“四位核验数”，再扫一次新的码。五分钟内有效。", "Say these digits; the officer types them on the credential page; then scan the new code. Valid for five minutes."),
  );
  return made;
};

const waiting = (zh, en, zhWhy, enWhy) => {
  state.report = null;
  state.drawn = "";
  const made = element("section", { className: "verdict wait" });
  made.append(element("span", { text: SHAPES.wait, className: "shape" }), both("h2", zh, en), both("p", zhWhy, enWhy));
  result.replaceChildren(made);
};

const say = (id, zh, en) => document.getElementById(id).replaceChildren(...both("p", zh, en).childNodes);

/** Takes the list up if it is not older than the one known here. */
const takeList = (bytes) => {
  const list = openList(bytes, state.issuer);
  if (!list || (state.list && list.number < state.list.number)) return false;
  state.list = list;
  return true;
};

/** The list of the last visit, for a phone without a network; what it withdraws stays withdrawn. */
const keptList = () => {
  try {
    const kept = localStorage.getItem(LIST);
    if (kept) takeList(fromHex(kept));
  } catch {
    // A phone that keeps nothing has the status at issue.
  }
};

/** Asks HQ for the status list, the same for everybody, and by its answer for the time. */
const ask = async () => {
  const proven = state.report?.officers.some((one) => one.shown);
  if (!proven || Date.now() - state.asked < STATUS_EVERY_MS) return;
  state.asked = Date.now();
  try {
    const before = Date.now();
    const reply = await fetch("c/status", { cache: "no-store", credentials: "omit" });
    const bytes = new Uint8Array(await reply.arrayBuffer());
    const at = Date.parse(reply.headers.get("date"));
    if (!reply.ok || !Number.isFinite(at) || !takeList(bytes)) throw new Error("reply");
    const offset = at + 500 - (before + Date.now()) / 2;
    state.offset = Math.abs(offset) > CLOCK_MS ? offset : 0;
    state.told = true;
    try {
      localStorage.setItem(LIST, toHex(bytes));
    } catch {
      // Then it is fetched again next time.
    }
    say("network", "已联网：证件状态和时间已与平台核对。", "On line: status and time were compared with the platform.");
  } catch {
    state.told = false;
    const fresh = state.list && now() <= state.list.expiresAt;
    if (fresh) say("network", "未能联网：证件状态按本机保存的清单（24 小时内）核对。", "Off line: compared with the status list kept here, less than a day old.");
    else say("network", "未能联网：签名已核验，证件状态以签发时为准。", "Off line: signatures are checked; the status is the one at issue.");
  }
  draw();
};

const run = async () => {
  const text = location.hash.slice(1);
  if (!text) {
    waiting("请扫描核验码", "Scan a code", "请用手机相机扫描执法人员亮证时显示的二维码。", "Scan the code that officers show with their credentials.");
    return;
  }
  let issuer;
  try {
    const reply = await fetch("c/issuer", { credentials: "omit" });
    issuer = fromHex((await reply.json()).key);
    if (!reply.ok || issuer.length !== 32) throw new Error("issuer");
  } catch {
    waiting("暂时无法核验", "Cannot check yet", "没有取得签发平台的公钥，请联网后重新打开本页。", "The issuer's key could not be loaded; open this page again on line.");
    return;
  }
  const fingerprint = toHex(sha256(issuer)).slice(0, 16).match(/.{4}/g).join(" ");
  say("issuer", `签发平台公钥指纹 ${fingerprint}`, "Fingerprint of the issuer's key");
  state.challenge = challengeFor(text);
  // The code for which the digits were made could not carry them; every later one must.
  const first = state.challenge?.code === toHex(sha256(new TextEncoder().encode(text)));
  state.digits = state.challenge && !first ? state.challenge.digits : undefined;
  state.asked = 0;
  state.drawn = "";
  state.issuer = issuer;
  keptList();
  state.report = check(text, issuer, now(), { digits: state.digits, trusted: state.told });
  draw();
  await ask();
};

addEventListener("hashchange", run);
setInterval(() => {
  draw();
  ask();
}, 1000);
run();
// Kept for the next time without a network; browsers allow it on pages with TLS only.
navigator.serviceWorker?.register("c/sw.js", { scope: "c" }).catch(() => {});

// The page around `bundle.js`: takes a folder, shows what was checked or the first thing that is
// wrong. Nothing is sent anywhere; what files say is written as text and never as markup.

import { verifyBundle } from "./bundle.js";
import { sha256, fromHex, toHex } from "./check.js";

const result = document.getElementById("result");
const drop = document.getElementById("drop");
const input = document.getElementById("folder");

const element = (name, { text, lang, className } = {}, ...children) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (lang) made.lang = lang;
  if (className) made.className = className;
  made.append(...children);
  return made;
};
const both = (name, zh, en, className) => element(name, { className }, zh, element("span", { text: en, lang: "en" }));

const banner = (tone, shape, head, ...lines) => {
  const made = element("section", { className: `verdict ${tone}` });
  const mark = element("span", { text: shape, className: "shape" });
  mark.setAttribute("aria-hidden", "true");
  made.append(mark, both("h2", ...head), ...lines.map((line) => both("p", ...line)));
  return made;
};

/** Returns the issuer's fingerprint as this HQ publishes it, or null without a network. */
const published = async () => {
  try {
    const reply = await fetch("issuer", { credentials: "omit" });
    const key = fromHex((await reply.json()).key);
    return reply.ok ? toHex(sha256(key)) : null;
  } catch {
    return null;
  }
};

/** Says in words what an item of a bundle is; the item itself comes from the checker, not the file. */
const KINDS = [
  [/^records\/0*(\d+)\.cose$/, (n) => [`第 ${n} 条签名记录`, `record ${n}`]],
  [/^receipts\/0*(\d+)\.cbor$/, (n) => [`第 ${n} 条记录的总部回执`, `HQ's receipt of record ${n}`]],
  [/^blobs\//, () => ["照片或者文书附件", "a cited file"]],
  [/^credentials\//, () => ["执法人员证件", "an officer's credential"]],
  [/^manifest\.cose$/, () => ["案卷清单", "the manifest"]],
  [/^trust\.cbor$/, () => ["总部公钥", "HQ's keys"]],
  [/^device\.cose$/, () => ["终端证书", "the device certificate"]],
  [/^rulebook\.cbor$/, () => ["规则库", "the rulebook"]],
  [/^records$/, () => ["签名记录", "the records"]],
];
const kindOf = (item) => {
  for (const [form, say] of KINDS) {
    const found = item.match(form);
    if (found) return say(found[1]);
  }
  return ["清单外的文件", "a file of no known kind"];
};

const spaced = (hex) => hex.match(/.{4}/g).join(" ");

const whole = async (found) => {
  const known = await published();
  const list = element("dl");
  const row = (zh, en, value) => list.append(both("dt", zh, en), element("dd", { text: String(value) }));
  row("签名记录", "records", found.records);
  row("总部回执", "receipts", found.receipts);
  row("附件", "files", found.blobs);
  row("执法人员签名", "officers' signatures", found.officer_signatures);
  row("总部公钥指纹", "issuer", spaced(found.issuer_fingerprint));
  const details = element("section", {}, list);
  if (known && known !== found.issuer_fingerprint) {
    return [
      banner("bad", "✕", ["不是本平台的案卷", "Not of this platform"], [
        "内容前后一致，但签发它的不是本页所属平台。",
        "It is consistent, but another platform vouches for it.",
      ]),
      details,
    ];
  }
  const compare = known
    ? ["签发平台与本页所属平台一致。", "The issuer is the platform of this page."]
    : ["请将下列公钥指纹与执法主体公布的核对。", "Compare the fingerprint below with the published one."];
  const waiting = found.records - found.receipts;
  const late = waiting
    ? [[`其中 ${waiting} 条记录导出时尚未取得总部回执。`, `${waiting} records had no receipt yet.`]]
    : [];
  return [
    banner("good", "✓", ["案卷完整", "Whole"], ["每个文件、签名、记录链和回执都相符。", "Every file, signature, chain link and receipt holds."], compare, ...late),
    details,
  ];
};

const check = async (files) => {
  result.replaceChildren(banner("wait", "…", ["正在核验", "Checking"], [`${files.size} 个文件`, `${files.size} files`]));
  let found;
  try {
    found = await verifyBundle(files);
  } catch {
    found = { item: "", error: "files could not be read" };
  }
  if (!found.error) {
    result.replaceChildren(...(await whole(found)));
    return;
  }
  result.replaceChildren(
    banner("bad", "✕", ["核验未通过", "Does not hold"], [
      "案卷不完整或者被改动过，下面是第一处不符。",
      "It is incomplete or was changed; the first thing that is wrong stands below.",
    ]),
    element(
      "section",
      {},
      element(
        "dl",
        {},
        both("dt", "是什么", "what"),
        both("dd", ...kindOf(found.item)),
        both("dt", "位置", "where"),
        element("dd", { text: found.item }),
        both("dt", "原因", "why"),
        element("dd", { text: found.error }),
      ),
    ),
    element("section", { className: "note" }, both("p", "请不要采用这份案卷：保留现状，向制作单位重新调取；仍不符的，向其上级或者司法行政部门反映。", "Do not rely on this bundle: keep it as it is and ask its maker for it again; if it still fails, tell the supervising authority.")),
  );
};

/** Returns path → reader of chosen files, without the name of the chosen folder. */
const fromInput = (list) =>
  new Map(
    [...list].map((file) => [
      file.webkitRelativePath.split("/").slice(1).join("/") || file.name,
      async () => new Uint8Array(await file.arrayBuffer()),
    ]),
  );

/** Returns path → reader of everything below a dropped folder. */
const fromEntry = async (folder) => {
  const files = new Map();
  const walk = async (entry, below) => {
    if (entry.isFile) {
      files.set(below, async () => {
        const file = await new Promise((done, failed) => entry.file(done, failed));
        return new Uint8Array(await file.arrayBuffer());
      });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      // Browsers hand out a hundred entries at a time.
      const batch = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!batch.length) return;
      for (const one of batch) await walk(one, below ? `${below}/${one.name}` : one.name);
    }
  };
  await walk(folder, "");
  return files;
};

input.addEventListener("change", () => input.files.length && check(fromInput(input.files)));
drop.addEventListener("dragover", (event) => event.preventDefault());
drop.addEventListener("drop", async (event) => {
  event.preventDefault();
  const folder = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).find((entry) => entry?.isDirectory);
  if (folder) await check(await fromEntry(folder));
});

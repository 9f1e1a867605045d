// What the page can say. The verdicts' words are those of `credential_code/verdict.rs`, compared by
// a test; nothing shown as a verdict ever comes out of a code.

const REFUSE = [
  "请要求出示有效执法证件；不出示的，您有权拒绝接受调查或者检查（《行政处罚法》第五十五条）。",
  "Ask for a valid certificate. If none is shown, you may refuse the investigation or inspection (Administrative Penalty Law, Article 55).",
];

/** Verdicts from good to bad: name → tone, [word, reason, action] in Chinese and in English. */
export const VERDICTS = {
  live: {
    tone: "good",
    zh: ["现场有效", "签名无误，证件有效，此码刚刚生成。", "请核对面前的人与下列姓名、单位相符；执法人员不得少于两人。"],
    en: ["Valid now", "The signatures hold, the certificate is valid and the code was made just now.", "Compare the person with the name and agency below; there must be at least two officers."],
  },
  auxiliary: {
    tone: "warn",
    zh: ["执法辅助人员", "身份属实，但辅助人员没有执法资格，不计入两名执法人员。", "请要求执法人员到场并出示执法证件。"],
    en: ["Auxiliary staff", "The identity is genuine, but auxiliary staff may not enforce and do not count as one of two officers.", "Ask for an officer to come and show a certificate."],
  },
  stale: {
    tone: "warn",
    zh: ["不是现在的码", "签名无误，但此码是以前生成的，可能是照片、录像或截屏。", "请让对方当面重新亮证，再扫一次。"],
    en: ["Not a live code", "The signatures hold, but the code was made earlier: perhaps a photo, a video or a screenshot.", "Ask them to show the code again in front of you, and scan it again."],
  },
  unanswered: {
    tone: "warn",
    zh: ["口令不符", "码里没有您屏幕上的口令：可能是照片、录像，或者是别处转发来的码。", "请让对方在终端上输入口令后再扫一次；做不到的，请核对实体证件。"],
    en: ["Challenge not answered", "The code does not carry the digits on your screen: perhaps a photo, a video or a code forwarded from elsewhere.", "Let them type the digits on their device and scan again; if they cannot, check the physical card."],
  },
  from_future: {
    tone: "warn",
    zh: ["时间对不上", "码上的时间与手机或签发时间矛盾，有一方的时钟不准。", "请用四位口令核验：对方输入口令后再扫一次；仍不符的，请核对实体证件。"],
    en: ["Clocks disagree", "The time in the code contradicts the phone or the date of issue; one clock is wrong.", "Use the four-digit challenge: let them type it and scan again; if it still disagrees, check the physical card."],
  },
  outdated: {
    tone: "warn",
    zh: ["证件状态过旧", "终端超过七天没有从平台更新证件状态，证件可能已被暂扣或注销。", "请核对实体证件，并向发证机关核实。"],
    en: ["Status too old", "The device has not renewed the certificate's status for over seven days; it may have been suspended or cancelled.", "Check the physical card and ask the issuing authority."],
  },
  not_yet_valid: {
    tone: "bad",
    zh: ["证件尚未生效", "证件的有效期还没有开始。", REFUSE[0]],
    en: ["Not valid yet", "The certificate's validity has not begun.", REFUSE[1]],
  },
  expired: {
    tone: "bad",
    zh: ["证件已过期", "证件的有效期已经届满。", REFUSE[0]],
    en: ["Expired", "The certificate's validity has ended.", REFUSE[1]],
  },
  suspended: {
    tone: "bad",
    zh: ["证件已暂扣", "发证机关已暂扣此证件。", REFUSE[0]],
    en: ["Suspended", "The issuing authority has suspended it.", REFUSE[1]],
  },
  lost: {
    tone: "bad",
    zh: ["证件已挂失", "此证件已报失，持有的人可能不是本人。", REFUSE[0]],
    en: ["Reported lost", "The certificate was reported lost; whoever holds it may be somebody else.", REFUSE[1]],
  },
  cancelled: {
    tone: "bad",
    zh: ["证件已注销", "发证机关已注销此证件。", REFUSE[0]],
    en: ["Cancelled", "The issuing authority has cancelled it.", REFUSE[1]],
  },
  wrong_binding: {
    tone: "bad",
    zh: ["签名与证件不配", "码里的时刻不是由这张证件的持有人签署的，码是拼凑的。", REFUSE[0]],
    en: ["Parts do not match", "The moment was not signed by the holder of this certificate; the code was pieced together.", REFUSE[1]],
  },
  unknown_issuer: {
    tone: "bad",
    zh: ["不是本平台签发", "码里的证件不是由本页所属平台签发的。", REFUSE[0]],
    en: ["Unknown issuer", "The certificate in the code was not issued by the platform of this page.", REFUSE[1]],
  },
  bad_signature: {
    tone: "bad",
    zh: ["签名无效", "码被改动过，或者是伪造的。", REFUSE[0]],
    en: ["Signature invalid", "The code was changed or forged.", REFUSE[1]],
  },
  malformed: {
    tone: "bad",
    zh: ["不是有效的核验码", "内容残缺，或者不是亮证的核验码。", "请让码完整显示后再扫一次。"],
    en: ["Not a valid code", "It is incomplete, or no credential code.", "Let the whole code be shown and scan it again."],
  },
};

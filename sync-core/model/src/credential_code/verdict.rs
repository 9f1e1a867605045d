//! What a check can say, in the order from good to bad, in Chinese and in English.
//!
//! The page in `assets/check` holds the same words; a test compares them.

/// One verdict. The greater is the worse, so that a code is as good as its worst part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Valid, and made just now.
    Live,
    /// As good as live, but nobody who may enforce the law.
    Auxiliary,
    /// Valid, but made earlier: a photograph, or a screen that stands still.
    Stale {
        /// Age of the code.
        seconds: u64,
    },
    /// The code does not carry the digits that were said aloud.
    Unanswered,
    /// The clocks of the two devices contradict each other.
    FromFuture,
    /// The credential was not renewed for too long.
    Outdated,
    /// The card is not valid yet.
    NotYetValid,
    /// The card is not valid any more.
    Expired,
    /// 暂扣
    Suspended,
    /// 挂失
    Lost,
    /// 注销
    Cancelled,
    /// The moment belongs to another credential or another officer.
    WrongBinding,
    /// Signed by another issuer.
    UnknownIssuer,
    /// Changed, or never signed.
    BadSignature,
    /// No code, or only a part of one.
    Malformed,
}

/// How a verdict is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The verdict in a word.
    pub word: &'static str,
    /// Why.
    pub reason: &'static str,
    /// What to do.
    pub action: &'static str,
}

const fn words(word: &'static str, reason: &'static str, action: &'static str) -> Words {
    Words { word, reason, action }
}

// 《行政处罚法》第五十五条第一款.
const REFUSE_ZH: &str =
    "请要求出示有效执法证件；不出示的，您有权拒绝接受调查或者检查（《行政处罚法》第五十五条）。";
const REFUSE_EN: &str = "Ask for a valid certificate. If none is shown, you may refuse the \
                         investigation or inspection (Administrative Penalty Law, Article 55).";

impl Verdict {
    /// Returns the verdict's name in data.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Auxiliary => "auxiliary",
            Self::Stale { .. } => "stale",
            Self::Unanswered => "unanswered",
            Self::FromFuture => "from_future",
            Self::Outdated => "outdated",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::Suspended => "suspended",
            Self::Lost => "lost",
            Self::Cancelled => "cancelled",
            Self::WrongBinding => "wrong_binding",
            Self::UnknownIssuer => "unknown_issuer",
            Self::BadSignature => "bad_signature",
            Self::Malformed => "malformed",
        }
    }

    /// Returns what it says in Chinese.
    #[must_use]
    pub fn chinese(self) -> Words {
        match self {
            Self::Live => words(
                "现场有效",
                "签名无误，证件有效，此码刚刚生成。",
                "请核对面前的人与下列姓名、单位相符；执法人员不得少于两人。",
            ),
            Self::Auxiliary => words(
                "执法辅助人员",
                "身份属实，但辅助人员没有执法资格，不计入两名执法人员。",
                "请要求执法人员到场并出示执法证件。",
            ),
            Self::Stale { .. } => words(
                "不是现在的码",
                "签名无误，但此码是以前生成的，可能是照片、录像或截屏。",
                "请让对方当面重新亮证，再扫一次。",
            ),
            Self::Unanswered => words(
                "口令不符",
                "码里没有您屏幕上的口令：可能是照片、录像，或者是别处转发来的码。",
                "请让对方在终端上输入口令后再扫一次；做不到的，请核对实体证件。",
            ),
            Self::FromFuture => words(
                "时间对不上",
                "码上的时间与手机或签发时间矛盾，有一方的时钟不准。",
                "请用四位口令核验：对方输入口令后再扫一次；仍不符的，请核对实体证件。",
            ),
            Self::Outdated => words(
                "证件状态过旧",
                "终端超过七天没有从平台更新证件状态，证件可能已被暂扣或注销。",
                "请核对实体证件，并向发证机关核实。",
            ),
            Self::NotYetValid => words("证件尚未生效", "证件的有效期还没有开始。", REFUSE_ZH),
            Self::Expired => words("证件已过期", "证件的有效期已经届满。", REFUSE_ZH),
            Self::Suspended => words("证件已暂扣", "发证机关已暂扣此证件。", REFUSE_ZH),
            Self::Lost => words("证件已挂失", "此证件已报失，持有的人可能不是本人。", REFUSE_ZH),
            Self::Cancelled => words("证件已注销", "发证机关已注销此证件。", REFUSE_ZH),
            Self::WrongBinding => words(
                "签名与证件不配",
                "码里的时刻不是由这张证件的持有人签署的，码是拼凑的。",
                REFUSE_ZH,
            ),
            Self::UnknownIssuer => {
                words("不是本平台签发", "码里的证件不是由本页所属平台签发的。", REFUSE_ZH)
            }
            Self::BadSignature => words("签名无效", "码被改动过，或者是伪造的。", REFUSE_ZH),
            Self::Malformed => words(
                "不是有效的核验码",
                "内容残缺，或者不是亮证的核验码。",
                "请让码完整显示后再扫一次。",
            ),
        }
    }

    /// Returns what it says in English.
    #[must_use]
    pub fn english(self) -> Words {
        match self {
            Self::Live => words(
                "Valid now",
                "The signatures hold, the certificate is valid and the code was made just now.",
                "Compare the person with the name and agency below; there must be at least two officers.",
            ),
            Self::Auxiliary => words(
                "Auxiliary staff",
                "The identity is genuine, but auxiliary staff may not enforce and do not count as one of two officers.",
                "Ask for an officer to come and show a certificate.",
            ),
            Self::Stale { .. } => words(
                "Not a live code",
                "The signatures hold, but the code was made earlier: perhaps a photo, a video or a screenshot.",
                "Ask them to show the code again in front of you, and scan it again.",
            ),
            Self::Unanswered => words(
                "Challenge not answered",
                "The code does not carry the digits on your screen: perhaps a photo, a video or a code forwarded from elsewhere.",
                "Let them type the digits on their device and scan again; if they cannot, check the physical card.",
            ),
            Self::FromFuture => words(
                "Clocks disagree",
                "The time in the code contradicts the phone or the date of issue; one clock is wrong.",
                "Use the four-digit challenge: let them type it and scan again; if it still disagrees, check the physical card.",
            ),
            Self::Outdated => words(
                "Status too old",
                "The device has not renewed the certificate's status for over seven days; it may have been suspended or cancelled.",
                "Check the physical card and ask the issuing authority.",
            ),
            Self::NotYetValid => {
                words("Not valid yet", "The certificate's validity has not begun.", REFUSE_EN)
            }
            Self::Expired => words("Expired", "The certificate's validity has ended.", REFUSE_EN),
            Self::Suspended => {
                words("Suspended", "The issuing authority has suspended it.", REFUSE_EN)
            }
            Self::Lost => words(
                "Reported lost",
                "The certificate was reported lost; whoever holds it may be somebody else.",
                REFUSE_EN,
            ),
            Self::Cancelled => {
                words("Cancelled", "The issuing authority has cancelled it.", REFUSE_EN)
            }
            Self::WrongBinding => words(
                "Parts do not match",
                "The moment was not signed by the holder of this certificate; the code was pieced together.",
                REFUSE_EN,
            ),
            Self::UnknownIssuer => words(
                "Unknown issuer",
                "The certificate in the code was not issued by the platform of this page.",
                REFUSE_EN,
            ),
            Self::BadSignature => {
                words("Signature invalid", "The code was changed or forged.", REFUSE_EN)
            }
            Self::Malformed => words(
                "Not a valid code",
                "It is incomplete, or no credential code.",
                "Let the whole code be shown and scan it again.",
            ),
        }
    }
}

//! Prints codes with the verdicts this crate gives on them, for the page that checks them too.
//!
//! `node tests/check_page.mjs FILE` demands the same verdicts and the same words from the page.

use std::error::Error;
use std::io::Write;

use serde_bytes::ByteBuf;
use serde_json::{Value, json};
use sync_model::canonical;
use sync_model::cose::{self, Context, PublicKey, Signer, SoftwareKey};
use sync_model::credential::{CertificateStatus, Credential, OfficerKind, issue_credential};
use sync_model::credential_code::{CredentialCode, Options, Report, Verdict, Words, check_text};
use sync_model::hash::{Hash, hex};
use sync_model::id::{InspectionId, OfficerId};
use sync_model::record::credential::DisplayMoment;
use sync_model::status::StatusList;
use sync_model::time::Timestamp;
use uuid::Uuid;

type Fallible<T> = Result<T, Box<dyn Error>>;

const NOW: Timestamp = Timestamp(1_795_500_000_000);
const DAY_MS: i64 = 24 * 3600 * 1000;
const ISSUER: u8 = 1;
/// Random changes of each kind.
const CHANGES: usize = 800;
const CONTEXTS: [Context; 10] = [
    Context::Credential,
    Context::Moment,
    Context::DeviceCertificate,
    Context::Record,
    Context::Feed,
    Context::Request,
    Context::OfficerAct,
    Context::Bundle,
    Context::Custody,
    Context::Slip,
];
const VERDICTS: [Verdict; 15] = [
    Verdict::Live,
    Verdict::Auxiliary,
    Verdict::Stale { seconds: 0 },
    Verdict::Unanswered,
    Verdict::FromFuture,
    Verdict::Outdated,
    Verdict::NotYetValid,
    Verdict::Expired,
    Verdict::Suspended,
    Verdict::Lost,
    Verdict::Cancelled,
    Verdict::WrongBinding,
    Verdict::UnknownIssuer,
    Verdict::BadSignature,
    Verdict::Malformed,
];

fn key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_secret(&[seed; 32])
}

fn card(seed: u8) -> Credential {
    Credential {
        officer: OfficerId(Uuid::from_u128(u128::from(seed))),
        name: if seed == 2 { "欧阳建国" } else { "㛃Ann·𠮷" }.into(),
        kind: OfficerKind::Officer,
        certificate_number: format!("33010612{seed:04}"),
        authority: "xh-zhzf".into(),
        authority_name: "杭州市西湖区综合行政执法局".into(),
        valid_from: NOW.plus_ms(-365 * DAY_MS),
        valid_to: NOW.plus_ms(365 * DAY_MS),
        status: CertificateStatus::Active,
        issued_at: NOW.plus_ms(-3600 * 1000),
        key: key(seed).public(),
    }
}

fn moment(credential: &[u8], at: Timestamp) -> DisplayMoment {
    DisplayMoment {
        inspection: InspectionId(Uuid::from_u128(7)),
        at,
        credential: Hash::of(credential),
        nonce: *b"eight by",
        challenge: "4711".into(),
    }
}

/// The parts of a code, so that they can be exchanged.
#[derive(Clone)]
struct Parts(Vec<Vec<u8>>, Vec<Vec<u8>>);

impl Parts {
    fn make(cards: &[(Credential, u8)], at: Timestamp) -> Fallible<Self> {
        let mut parts = Self(Vec::new(), Vec::new());
        for (card, seed) in cards {
            let credential = issue_credential(card, &key(ISSUER))?;
            let payload = canonical::to_bytes(&moment(&credential, at))?;
            parts.1.push(cose::sign(Context::Moment, &payload, &key(*seed))?);
            parts.0.push(credential);
        }
        Ok(parts)
    }

    fn digits(&self) -> Fallible<String> {
        let wrap = |parts: &[Vec<u8>]| parts.iter().cloned().map(ByteBuf::from).collect();
        let code = CredentialCode { credentials: wrap(&self.0), moments: wrap(&self.1) };
        let url = code.to_url("")?;
        Ok(url.split_once('#').map_or_else(String::new, |(_, digits)| digits.to_owned()))
    }

    fn bytes(&self) -> Fallible<Vec<u8>> {
        let wrap = |parts: &[Vec<u8>]| -> Vec<ByteBuf> {
            parts.iter().cloned().map(ByteBuf::from).collect()
        };
        Ok(canonical::to_bytes(&(wrap(&self.0), wrap(&self.1)))?)
    }
}

/// Digits of bytes that need not be a code, in the coding of the specification.
fn digits(bytes: &[u8]) -> String {
    let widths = [0, 3, 5, 8, 10, 13, 15, 17];
    bytes
        .chunks(7)
        .map(|group| {
            let value = group.iter().rev().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
            let width = widths.get(group.len()).copied().unwrap_or_default();
            format!("{value:0width$}")
        })
        .collect()
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap_or_default() % end.max(1)
    }

    /// Returns the bits to turn over in one byte, at least one.
    fn change(&mut self) -> u8 {
        u8::try_from(1 + self.below(255)).unwrap_or(1)
    }
}

struct Cases(Vec<Value>);

impl Cases {
    fn add(&mut self, name: &str, text: &str, now: Timestamp, issuer: &PublicKey) {
        self.with(name, text, now, issuer, &Options::default());
    }

    fn with(&mut self, name: &str, text: &str, now: Timestamp, issuer: &PublicKey, how: &Options) {
        let report = check_text(text, issuer, now, how);
        let digits = how.challenge.map(|digits| digits.map(char::from).iter().collect::<String>());
        self.0.push(json!({
            "digits": digits,
            "trusted": how.trusted,
            "name": name,
            "text": text,
            "now": now.0,
            "issuer": hex(&issuer.0),
            "expected": expected(&report),
        }));
    }

    fn here(&mut self, name: &str, text: &str) {
        self.add(name, text, NOW, &key(ISSUER).public());
    }
}

fn expected(report: &Report) -> Value {
    let officers: Vec<Value> = report
        .officers
        .iter()
        .map(|one| {
            let name = one.shown.as_ref().map(|shown| shown.credential.name.as_str());
            let seconds = match one.verdict {
                Verdict::Stale { seconds } => Some(seconds),
                _ => None,
            };
            json!({ "verdict": one.verdict.name(), "seconds": seconds, "name": name })
        })
        .collect();
    json!({ "verdict": report.verdict.name(), "officers": officers })
}

fn times(cases: &mut Cases, two: &str) {
    let issuer = key(ISSUER).public();
    for ms in [
        0,
        1,
        999,
        89_999,
        90_000,
        90_001,
        91_500,
        120_000,
        7_200_000,
        172_800_000,
        86_400_000_000,
        -1,
        -90_000,
        -90_001,
        -300_000,
        -DAY_MS,
        -NOW.0,
        2_276_000_000_000,
    ] {
        cases.add("time", two, NOW.plus_ms(ms), &issuer);
    }
    cases.add("another issuer", two, NOW, &key(9).public());
    cases.add("weak issuer", two, NOW, &PublicKey([0; 32]));
}

/// A challenge decides, whatever the clocks show; by whose time the card is judged stands beside it.
fn challenged(cases: &mut Cases) -> Fallible<()> {
    let issuer = key(ISSUER).public();
    let base = card(2);
    let ends = Credential { valid_to: NOW.plus_ms(DAY_MS), ..base.clone() };
    let helps = Credential { kind: OfficerKind::Auxiliary, ..base.clone() };
    let off = Credential { status: CertificateStatus::Suspended, ..base.clone() };
    for first in [base, ends, helps, off] {
        let text = Parts::make(&[(first, 2), (card(3), 3)], NOW)?.digits()?;
        for ms in
            [0, 90_001, -90_001, 2 * DAY_MS, -2 * DAY_MS, 8 * DAY_MS, -NOW.0, 2_276_000_000_000]
        {
            for digits in [*b"4711", *b"4712"] {
                for trusted in [false, true] {
                    let how = Options { challenge: Some(digits), trusted, ..Options::default() };
                    cases.with("challenge", &text, NOW.plus_ms(ms), &issuer, &how);
                }
            }
        }
    }
    Ok(())
}

fn cards(cases: &mut Cases) -> Fallible<()> {
    let base = card(2);
    let variants = [
        Credential { status: CertificateStatus::Suspended, ..base.clone() },
        Credential { status: CertificateStatus::Cancelled, ..base.clone() },
        Credential { status: CertificateStatus::Lost, ..base.clone() },
        Credential { kind: OfficerKind::Auxiliary, ..base.clone() },
        Credential { valid_to: NOW.plus_ms(-1), ..base.clone() },
        Credential { valid_to: NOW, ..base.clone() },
        Credential { valid_from: NOW.plus_ms(1), ..base.clone() },
        Credential {
            valid_to: Timestamp(i64::MAX),
            valid_from: Timestamp(i64::MIN),
            ..base.clone()
        },
        Credential { issued_at: NOW.plus_ms(-7 * DAY_MS), ..base.clone() },
        Credential { issued_at: NOW.plus_ms(-7 * DAY_MS - 1), ..base.clone() },
        Credential { issued_at: NOW.plus_ms(90_001), ..base.clone() },
        Credential { name: String::new(), ..base.clone() },
        Credential { name: "<b>\u{202e}&amp;".into(), ..base.clone() },
        Credential { key: PublicKey([0; 32]), ..base.clone() },
    ];
    let issuer = key(ISSUER).public();
    for variant in variants {
        let text = Parts::make(&[(variant, 2), (card(3), 3)], NOW)?.digits()?;
        for ms in [0, 1, 200_000, -200_000] {
            cases.add("card", &text, NOW.plus_ms(ms), &issuer);
        }
    }
    for cards in [vec![(base.clone(), 2)], vec![(base.clone(), 2), (base.clone(), 2)]] {
        cases.here("one or twice", &Parts::make(&cards, NOW)?.digits()?);
    }
    Ok(())
}

/// Objects that carry a right signature but are not what they should be.
fn signed_wrongly(cases: &mut Cases, parts: &Parts) -> Fallible<()> {
    let card_payload = canonical::to_bytes(&card(2))?;
    let credential = parts.0.first().ok_or("no credential")?;
    let moment_payload = canonical::to_bytes(&moment(credential, NOW))?;
    for context in CONTEXTS {
        let mut changed = parts.clone();
        changed.0.splice(0..1, [cose::sign(context, &card_payload, &key(ISSUER))?]);
        cases.here("credential in another context", &changed.digits()?);
        let mut changed = parts.clone();
        changed.1.splice(0..1, [cose::sign(context, &moment_payload, &key(2))?]);
        cases.here("moment in another context", &changed.digits()?);
    }
    let mut longer = card_payload.clone();
    if let Some(first) = longer.first_mut() {
        *first += 1;
    }
    longer.push(0);
    let odd: [Vec<u8>; 4] = [longer, vec![0x80], vec![], b"text".to_vec()];
    for payload in odd {
        let mut changed = parts.clone();
        changed.0.splice(0..1, [cose::sign(Context::Credential, &payload, &key(ISSUER))?]);
        cases.here("credential of another shape", &changed.digits()?);
        let mut changed = parts.clone();
        changed.1.splice(0..1, [cose::sign(Context::Moment, &payload, &key(2))?]);
        cases.here("moment of another shape", &changed.digits()?);
    }
    let mut signed = parts.clone();
    signed.1.splice(0..1, [cose::sign(Context::Moment, &moment_payload, &key(3))?]);
    cases.here("moment by another officer", &signed.digits()?);
    let mut swapped = parts.clone();
    swapped.1.reverse();
    cases.here("moments swapped", &swapped.digits()?);
    let mut swapped = parts.clone();
    swapped.0.reverse();
    cases.here("credentials swapped", &swapped.digits()?);
    let mut both = parts.clone();
    std::mem::swap(&mut both.0, &mut both.1);
    cases.here("credentials for moments", &both.digits()?);
    Ok(())
}

fn mutated(cases: &mut Cases, parts: &Parts) -> Fallible<()> {
    let bytes = parts.bytes()?;
    let text = digits(&bytes);
    let mut dice = Dice(20_261_124);
    for _ in 0..CHANGES {
        let mut changed = bytes.clone();
        let (index, bit) = (dice.below(bytes.len()), dice.below(8));
        changed.iter_mut().skip(index).take(1).for_each(|byte| *byte ^= 1 << bit);
        cases.here("bit", &digits(&changed));
    }
    for _ in 0..CHANGES {
        let mut changed = bytes.clone();
        for _ in 0..=dice.below(4) {
            let (index, value) = (dice.below(bytes.len()), dice.change());
            changed.iter_mut().skip(index).take(1).for_each(|byte| *byte ^= value);
        }
        cases.here("bytes", &digits(&changed));
    }
    for _ in 0..CHANGES {
        let mut changed = text.clone();
        let index = dice.below(text.len());
        let with = ["0", "9", "", "11", " ", "x", "-1", "５"];
        let with = with.get(dice.below(with.len())).copied().unwrap_or_default();
        changed.replace_range(index..=index, with);
        if changed != text {
            cases.here("digit", &changed);
        }
    }
    for end in (0..bytes.len()).step_by(3) {
        cases.here("cut", &digits(bytes.get(..end).unwrap_or_default()));
        cases.here("cut digits", text.get(..end * 2).unwrap_or_default());
    }
    Ok(())
}

/// A signed status list, and what it says of some officers.
fn list() -> Fallible<(String, Vec<Value>)> {
    let status = [
        CertificateStatus::Active,
        CertificateStatus::Suspended,
        CertificateStatus::Cancelled,
        CertificateStatus::Lost,
    ];
    let officer = |number: u128| OfficerId(Uuid::from_u128(number));
    let of = |(number, status): (u128, &CertificateStatus)| (officer(number), *status);
    let officers: Vec<_> = (1..400).zip(status.iter().cycle()).map(of).collect();
    let made = StatusList::new(7, NOW, &officers);
    let listed = officers
        .iter()
        .map(|(officer, _)| {
            let name = match made.status(*officer) {
                CertificateStatus::Active => "active",
                CertificateStatus::Suspended => "suspended",
                CertificateStatus::Cancelled => "cancelled",
                CertificateStatus::Lost => "lost",
            };
            json!([hex(officer.as_bytes()), name])
        })
        .collect();
    Ok((hex(&made.sign(&key(ISSUER))?), listed))
}

fn main() -> Fallible<()> {
    let mut cases = Cases(Vec::new());
    let two = Parts::make(&[(card(2), 2), (card(3), 3)], NOW)?;
    cases.here("two officers", &two.digits()?);
    cases.here("an address", &format!("https://hq.example/c#{}", two.digits()?));
    cases.here("nothing", "");
    cases.here("too long", &"0".repeat(5000));
    times(&mut cases, &two.digits()?);
    challenged(&mut cases)?;
    self::cards(&mut cases)?;
    signed_wrongly(&mut cases, &two)?;
    mutated(&mut cases, &two)?;
    let (list, listed) = list()?;
    let told = |it: Words| json!([it.word, it.reason, it.action]);
    let words: serde_json::Map<String, Value> = VERDICTS
        .iter()
        .map(|one| {
            (one.name().into(), json!({ "zh": told(one.chinese()), "en": told(one.english()) }))
        })
        .collect();
    let out = json!({ "order": VERDICTS.map(Verdict::name), "words": words, "cases": cases.0, "list": list, "listed": listed });
    writeln!(std::io::stdout().lock(), "{out}")?;
    Ok(())
}

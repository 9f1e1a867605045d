//! The code under attack: every flipped bit, swapped parts, replays, wrong clocks, cut digits.

use uuid::Uuid;

use super::*;
use crate::cose::{self, Signer, SoftwareKey};
use crate::credential::issue_credential;
use crate::id::{InspectionId, OfficerId};

const NOW: Timestamp = Timestamp(1_795_500_000_000);
const DAY_MS: i64 = 24 * 3600 * 1000;

fn key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_secret(&[seed; 32])
}

fn issuer() -> PublicKey {
    key(1).public()
}

fn card(seed: u8) -> Credential {
    Credential {
        officer: OfficerId(Uuid::from_u128(u128::from(seed))),
        name: "欧阳建国".into(),
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

fn issued(card: &Credential) -> Vec<u8> {
    issue_credential(card, &key(1)).unwrap()
}

fn moment_of(credential: &[u8], at: Timestamp, signer: &SoftwareKey) -> Vec<u8> {
    let moment = DisplayMoment {
        inspection: InspectionId(Uuid::from_u128(7)),
        at,
        credential: Hash::of(credential),
        nonce: *b"eight by",
        challenge: String::new(),
    };
    cose::sign(Context::Moment, &canonical::to_bytes(&moment).unwrap(), signer).unwrap()
}

fn code_at(cards: &[Credential], at: Timestamp) -> CredentialCode {
    let credentials: Vec<Vec<u8>> = cards.iter().map(issued).collect();
    let seeds = cards.iter().map(|card| card.officer.as_bytes()[15]);
    let moments = credentials.iter().zip(seeds).map(|(one, seed)| moment_of(one, at, &key(seed)));
    CredentialCode {
        moments: moments.map(ByteBuf::from).collect(),
        credentials: credentials.iter().cloned().map(ByteBuf::from).collect(),
    }
}

fn two() -> CredentialCode {
    code_at(&[card(2), card(3)], NOW)
}

fn verdict(code: &CredentialCode, now: Timestamp) -> Verdict {
    code.verify(&issuer(), now, &Options::default()).verdict
}

fn verdict_of(card: Credential, now: Timestamp) -> Verdict {
    verdict(&code_at(&[card], NOW), now)
}

#[test]
fn a_fresh_code_of_two_officers_is_live_and_names_them() {
    let url = two().to_url("https://hq.example.gov.cn/").unwrap();
    assert!(url.starts_with("https://hq.example.gov.cn/c#"));
    let report = check_text(&url, &issuer(), NOW, &Options::default());
    assert_eq!(report.verdict, Verdict::Live);
    let names: Vec<_> = report.officers.iter().map(|one| one.shown.as_ref().unwrap()).collect();
    assert_eq!(names[0].credential, card(2));
    assert_eq!(names[1].credential, card(3));
    let digits = url.split_once('#').unwrap().1;
    assert_eq!(check_text(digits, &issuer(), NOW, &Options::default()), report);
}

#[test]
fn two_officers_fit_in_820_bytes() {
    let bytes = two().to_bytes().unwrap().len();
    assert!(bytes <= 820, "{bytes} bytes");
}

#[test]
fn no_code_with_one_flipped_bit_is_accepted() {
    let bytes = two().to_bytes().unwrap();
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[index] ^= 1 << bit;
            let Ok(code) = CredentialCode::from_bytes(&changed) else { continue };
            let found = verdict(&code, NOW);
            assert!(found >= Verdict::WrongBinding, "{index}.{bit}: {found:?}");
        }
    }
}

#[test]
fn no_cut_or_lengthened_code_is_accepted() {
    let url = two().to_url("").unwrap();
    let digits = url.split_once('#').unwrap().1;
    for end in 0..digits.len() {
        let found = check_text(digits.get(..end).unwrap(), &issuer(), NOW, &Options::default());
        assert_eq!(found.verdict, Verdict::Malformed, "{end}");
    }
    for tail in ["0", "000", "00000", "#", " 1", "a"] {
        let text = format!("{digits}{tail}");
        let found = check_text(&text, &issuer(), NOW, &Options::default());
        assert_eq!(found.verdict, Verdict::Malformed, "{tail}");
    }
}

#[test]
fn a_moment_stays_with_its_credential_and_its_officer() {
    let mut swapped = two();
    swapped.moments.swap(0, 1);
    assert_eq!(verdict(&swapped, NOW), Verdict::WrongBinding);
    // The same officer's moment for his former credential.
    let renewed = Credential { issued_at: NOW.plus_ms(-1000), ..card(2) };
    let mut moved = code_at(&[renewed], NOW);
    moved.moments = code_at(&[card(2)], NOW).moments;
    assert_eq!(verdict(&moved, NOW), Verdict::WrongBinding);
    // Another officer with a valid key signs for this credential.
    let mut signed = code_at(&[card(2)], NOW);
    signed.moments = vec![ByteBuf::from(moment_of(&signed.credentials[0], NOW, &key(3)))];
    assert_eq!(verdict(&signed, NOW), Verdict::WrongBinding);
}

#[test]
fn a_replayed_code_is_stale_to_the_second() {
    for seconds in [91, 120, 7200, 172_800] {
        let now = NOW.plus_ms(i64::try_from(seconds).unwrap() * 1000);
        assert_eq!(verdict(&two(), now), Verdict::Stale { seconds });
    }
    assert_eq!(verdict(&two(), NOW.plus_ms(90_000)), Verdict::Live);
}

#[test]
fn a_wrong_clock_is_never_live() {
    assert_eq!(verdict(&two(), NOW.plus_ms(-90_000)), Verdict::Live);
    for ms in [-90_001, -300_000, -DAY_MS, -NOW.0, i64::MIN / 2] {
        assert_eq!(verdict(&two(), NOW.plus_ms(ms)), Verdict::FromFuture, "{ms}");
    }
    assert!(verdict(&two(), Timestamp(i64::MAX)) > Verdict::Live);
    // Both clocks stand before the day of issue.
    let early = card(2).issued_at.plus_ms(-200_000);
    assert_eq!(verdict(&code_at(&[card(2)], early), early), Verdict::FromFuture);
}

#[test]
fn validity_ends_with_its_last_millisecond() {
    let to = |valid_to| Credential { valid_to, ..card(2) };
    assert_eq!(verdict_of(to(NOW), NOW), Verdict::Live);
    assert_eq!(verdict_of(to(NOW.plus_ms(-1)), NOW), Verdict::Expired);
    assert_eq!(verdict_of(to(NOW), NOW.plus_ms(1)), Verdict::Expired);
    let from = |valid_from| Credential { valid_from, ..card(2) };
    assert_eq!(verdict_of(from(NOW.plus_ms(1)), NOW), Verdict::NotYetValid);
    assert_eq!(verdict_of(from(NOW), NOW), Verdict::Live);
    let old = Credential { issued_at: NOW.plus_ms(-7 * DAY_MS - 1), ..card(2) };
    assert_eq!(verdict_of(old, NOW), Verdict::Outdated);
}

#[test]
fn the_worst_officer_decides() {
    for (status, expected) in [
        (CertificateStatus::Suspended, Verdict::Suspended),
        (CertificateStatus::Cancelled, Verdict::Cancelled),
        (CertificateStatus::Lost, Verdict::Lost),
    ] {
        let withdrawn = Credential { status, ..card(3) };
        let report =
            code_at(&[card(2), withdrawn], NOW).verify(&issuer(), NOW, &Options::default());
        assert_eq!(report.verdict, expected);
        assert_eq!(report.officers[0].verdict, Verdict::Live);
    }
    let helper = Credential { kind: OfficerKind::Auxiliary, ..card(3) };
    assert_eq!(verdict(&code_at(&[card(2), helper], NOW), NOW), Verdict::Auxiliary);
    assert_eq!(verdict(&code_at(&[card(2), card(2)], NOW), NOW), Verdict::Malformed);
}

#[test]
fn another_issuer_and_another_context_are_refused() {
    let report = two().verify(&key(9).public(), NOW, &Options::default());
    assert_eq!(report.verdict, Verdict::UnknownIssuer);
    assert!(report.officers.iter().all(|one| one.shown.is_none()));
    let payload = canonical::to_bytes(&card(2)).unwrap();
    for context in [Context::Moment, Context::DeviceCertificate, Context::Record, Context::Feed] {
        let mut code = code_at(&[card(2)], NOW);
        code.credentials = vec![ByteBuf::from(cose::sign(context, &payload, &key(1)).unwrap())];
        assert_eq!(verdict(&code, NOW), Verdict::BadSignature);
    }
}

#[test]
fn limits_hold_before_anything_is_checked() {
    let many: Vec<Credential> = (2..7).map(card).collect();
    assert_eq!(code_at(&many, NOW).to_url(""), Err(CodeError::Count));
    let uneven = CredentialCode { moments: vec![], ..two() };
    assert_eq!(uneven.to_url(""), Err(CodeError::Count));
    let none = CredentialCode { credentials: vec![], moments: vec![] };
    assert_eq!(none.to_url(""), Err(CodeError::Count));
    assert_eq!(CredentialCode::from_digits(&"9".repeat(10_000)), Err(CodeError::Digits));
}

/// TC-07: the code is in order and the list knows better; a credential issued after it decides.
#[test]
fn the_list_overrules_an_older_credential_and_no_newer_one() {
    let cards = [card(2), card(3)];
    let report = code_at(&cards, NOW).verify(&issuer(), NOW, &Options::default());
    assert_eq!(report.verdict, Verdict::Live);
    let withdrawn = [(cards[1].officer, CertificateStatus::Suspended)];
    let later = StatusList::new(1, NOW, &withdrawn);
    let judged = report.clone().by_list(&later, NOW, &Options::default());
    let verdicts: Vec<Verdict> = judged.officers.iter().map(|one| one.verdict).collect();
    assert_eq!((judged.verdict, verdicts[0]), (Verdict::Suspended, Verdict::Live));
    let earlier = StatusList::new(1, cards[1].issued_at, &withdrawn);
    assert_eq!(report.clone().by_list(&earlier, NOW, &Options::default()), report);
}

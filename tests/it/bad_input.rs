//! What goes wrong in the field: each with a sentence that says what to do, and nothing lost.

use std::process::Command;

use crate::support::check::read_only;
use crate::support::people::{
    arrive, begin_input, decision, lead, lock_it, officers_sign, pages, party_signs, person,
    photograph, prepare_interview, prepare_scene, read, refused_interview, scene, scene_content,
    sign_as, walk,
};
use crate::support::photos;
use crate::support::proxy::Fault;
use crate::support::world::{Device, SwitchedDisk, World, ok, put, refused};
use image::{ImageFormat, Rgb, RgbImage};
use sync_core::{Outcome, StoreError};
use sync_model::hash::Hash;
use sync_model::id::InspectionId;
use sync_model::record::signature::SignerRole;
use xunzheng::error::{AppError, Input};
use xunzheng::evidence::photo::{PhotoError, PhotoProblem};
use xunzheng::inspection::begin;
use xunzheng::transcript::{RefusalInput, prepare, refuse};
use xunzheng::{assignment, session, sync_status, text};

const PERSON: &str = "演练当事人";

fn on_visit() -> (World, InspectionId) {
    let world = World::new(1);
    let device = &world.devices[0];
    let inspection = arrive(&world, device, device.find("演练小吃店"));
    (world, inspection)
}

/// Everything goes up and every invariant holds.
fn finish(world: &World) {
    let device = &world.devices[0];
    ok(device.sync());
    ok(device.sync());
    assert!(device.is_empty(), "something still waits");
    let counted = world.check();
    assert_eq!(counted.records, counted.receipts);
}

fn blob_files(device: &Device) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }
    count(&device.folder.join("blobs"))
}

// Photographs.

/// Kept byte for byte with a fault that is told, or refused with a reason; never in between.
#[test]
fn broken_photographs_are_kept_with_a_fault_or_refused_with_a_reason() {
    let (world, inspection) = on_visit();
    let device = &world.devices[0];
    let whole = photos::jpeg(9);
    let mut files: Vec<(String, Vec<u8>)> = vec![
        ("empty".to_owned(), vec![]),
        ("text".to_owned(), "这不是照片".as_bytes().to_vec()),
        ("heic".to_owned(), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec()),
        ("html".to_owned(), b"<html><body>404</body></html>".to_vec()),
        ("zeros".to_owned(), vec![0; 4096]),
        ("magic only".to_owned(), vec![0xFF, 0xD8, 0xFF]),
        ("exif length beyond the file".to_owned(), broken_exif(&whole)),
    ];
    for cut in [4, 20, whole.len() / 4, whole.len() / 2, whole.len() - 2] {
        files.push((format!("cut at {cut}"), whole[..cut].to_vec()));
    }
    let made = files.len();
    if let Some(folder) = photos::real().map(|folder| folder.join("broken")) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            files.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    let (mut kept, mut turned_away) = (0, 0);
    for (index, (name, bytes)) in files.iter().enumerate() {
        let before = (device.length(), blob_files(device));
        match photograph(device, inspection, bytes) {
            Ok(captured) => {
                kept += 1;
                let rows = device.services().store.read(|r| r.evidence_of(inspection)).unwrap();
                let row = rows.iter().find(|row| row.captured.evidence == captured.evidence);
                let original = row.unwrap().captured.original.sha256;
                assert_eq!(original, Hash::of(bytes), "{name}: not as it came");
                assert_eq!(device.services().store.blobs().read(&original).unwrap(), *bytes);
                // Field files may be odd and whole; the ones made here are not whole.
                let found = !captured.problems.is_empty() || index >= made;
                assert!(found, "{name}: a broken file passed for whole");
                for problem in &captured.problems {
                    assert!(text::photo_problem(problem).contains("保存"), "{name}: {problem:?}");
                }
            }
            Err(error) => {
                turned_away += 1;
                assert!(matches!(error, AppError::Photo(_)), "{name}: {error:?}");
                let (_, sentence) = refused::<()>(Err(error));
                assert!(sentence.contains("没有导入"), "{name}: {sentence}");
                assert_eq!((device.length(), blob_files(device)), before, "{name}: left a trace");
            }
        }
    }
    assert!(kept >= 6 && turned_away >= 5, "{kept} kept, {turned_away} refused");
    println!("broken photographs: {kept} kept with a fault, {turned_away} refused");
    finish(&world);
}

/// EXIF whose first directory points far beyond its end.
fn broken_exif(jpeg: &[u8]) -> Vec<u8> {
    let body = b"Exif\0\0II*\0\xF0\xFF\xFF\x7Fgarbage";
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, body, &jpeg[2..]].concat()
}

#[test]
fn an_empty_file_and_another_format_are_told_apart() {
    let (world, inspection) = on_visit();
    let device = &world.devices[0];
    let (error, sentence) = refused(photograph(device, inspection, &[]));
    assert!(matches!(error, AppError::Photo(PhotoError::Empty)) && sentence.contains("空的"));
    let (error, sentence) = refused(photograph(device, inspection, b"%PDF-1.7 ..."));
    assert!(matches!(error, AppError::Photo(PhotoError::NotAnImage { .. })));
    assert!(sentence.contains("不是照片") && sentence.contains("原文件未改动"), "{sentence}");
    finish(&world);
}

#[test]
fn a_photograph_of_fifty_megapixels_becomes_evidence_whole() {
    let (world, inspection) = on_visit();
    let device = &world.devices[0];
    let picture = RgbImage::from_pixel(8660, 5773, Rgb([90, 120, 150]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    let bytes = bytes.into_inner();
    let captured = ok(photograph(device, inspection, &bytes));
    assert_eq!(captured.problems, []);
    let row = device.services().store.read(|r| r.evidence(captured.evidence)).unwrap().unwrap();
    let body = row.captured;
    assert_eq!((body.width, body.height), (8660, 5773));
    assert_eq!(body.original.sha256, Hash::of(&bytes));
    assert!(body.thumbnail.is_some() && body.watermarked.is_some());
    finish(&world);
}

/// A header that claims 60,000 × 60,000 pixels must not take the memory for them.
#[test]
fn a_photograph_that_claims_absurd_pixels_is_kept_without_a_preview() {
    let (world, inspection) = on_visit();
    let device = &world.devices[0];
    let mut bytes = photos::jpeg(3);
    let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    bytes[frame + 5..frame + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);
    let captured = ok(photograph(device, inspection, &bytes));
    assert!(captured.problems.contains(&PhotoProblem::TooLargeToPreview), "{captured:?}");
    assert!(text::photo_problem(&PhotoProblem::TooLargeToPreview).contains("原件已保存"));
    finish(&world);
}

// A full disk.

#[test]
fn a_full_disk_refuses_a_capture_and_a_transcript_whole_and_work_goes_on_after_room_is_made() {
    let (mut world, inspection) = on_visit();
    let device = &world.devices[0];
    ok(photograph(device, inspection, &photos::jpeg(1)));
    for state in [SwitchedDisk::NO_ROOM, SwitchedDisk::FULL] {
        let before = device.length();
        device.disk.set(state);
        let (error, sentence) = refused(photograph(device, inspection, &photos::jpeg(2)));
        assert!(matches!(error, AppError::Store(StoreError::DiskFull { .. })), "{error:?}");
        assert_eq!(error.outcome(), Outcome::Fixable);
        assert!(sentence.contains("存储空间已满") && sentence.contains("已有记录完好"));
        let content = scene_content(&world, device, inspection, PERSON);
        let transcript = crate::support::people::new_transcript(device);
        let made = prepare(device.services(), inspection, transcript, &content);
        let (_, sentence) = refused(made);
        assert!(sentence.contains("存储空间已满"), "{sentence}");
        assert_eq!(device.length(), before, "half an act was recorded");
        // Records are small and have a reserve: a lead can still be noted.
        lead(device, "存储已满时仍可记录线索");
        device.disk.set(SwitchedDisk::FINE);
    }
    // Torn parts of files are gone after the next start.
    world.devices[0].restart();
    let device = &world.devices[0];
    let shelves = std::fs::read_dir(device.folder.join("blobs")).unwrap();
    for shelf in shelves.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(shelf).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(!name.ends_with(".part"), "{name} was left");
        }
    }
    device.unlock();
    ok(photograph(device, inspection, &photos::jpeg(2)));
    scene(&world, device, inspection, PERSON);
    finish(&world);
}

#[test]
fn a_full_disk_does_not_keep_records_from_going_up() {
    let (world, inspection) = on_visit();
    let device = &world.devices[0];
    ok(photograph(device, inspection, &photos::jpeg(1)));
    device.disk.set(SwitchedDisk::FULL);
    finish(&world);
}

/// The database itself cannot grow: SQLite says so in the middle of an act and of a sync.
#[test]
fn a_full_disk_under_the_database_undoes_the_act_and_the_round_whole() {
    let world = World::new(1);
    let Some(mount) = SmallDisk::mount(world.folder.path().join("small")) else {
        // The switch on `Disk` is checked above; only the system can fill a database.
        println!("skipped: mounting a small disk needs root");
        return;
    };
    let mut world = world;
    let device = &mut world.devices[0];
    device.power_off();
    mount.take_in(&device.folder);
    device.power_on();
    device.unlock();
    let device = &world.devices[0];
    let mut made = 0;
    mount.fill();
    let error = loop {
        match assignment::record_lead(device.services(), None, &"长".repeat(3000)) {
            Ok(_) => made += 1,
            Err(error) => break error,
        }
        device.remember();
        assert!(made < 1000, "the disk never filled");
    };
    let (error, sentence) = refused::<()>(Err(error));
    assert_eq!(error.outcome(), Outcome::Fixable, "{error:?}");
    assert!(sentence.contains("存储空间已满"), "{sentence}");
    // A round may keep its receipts or not; it never half-keeps them and never lies about HQ.
    if let Err(error) = device.sync() {
        let (_, sentence) = refused::<()>(Err(error));
        assert!(sentence.contains("存储空间已满"), "{sentence}");
    }
    mount.make_room();
    lead(device, "清理空间以后");
    ok(device.sync());
    assert!(device.is_empty());
    let counted = world.check();
    assert_eq!(counted.records, counted.receipts);
    println!("full database: {made} records before it was full");
    world.devices[0].power_off();
    mount.give_back(&world.devices[0].folder);
    drop(mount);
}

/// A mounted file system of a few MiB.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(at: std::path::PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        let command = ["-t", "tmpfs", "-o", "size=8m", "tmpfs"];
        let mounted = Command::new("mount").args(command).arg(&at).output().ok()?;
        mounted.status.success().then_some(Self(at))
    }

    /// Moves the database onto the small disk, behind a link at its old place.
    fn take_in(&self, folder: &std::path::Path) {
        let target = self.0.join("device");
        let moved = Command::new("cp").arg("-a").arg(folder).arg(&target).status().unwrap();
        assert!(moved.success());
        std::fs::remove_dir_all(folder).unwrap();
        std::os::unix::fs::symlink(&target, folder).unwrap();
    }

    fn give_back(&self, folder: &std::path::Path) {
        std::fs::remove_file(folder).unwrap();
    }

    fn fill(&self) {
        use std::io::Write as _;
        let mut ballast = std::fs::File::create(self.0.join("ballast")).unwrap();
        // Writes until the system says that it is full.
        while ballast.write_all(&[0; 4096]).is_ok() {}
        // A few pages of room, so that some acts still fit.
        let length = ballast.metadata().unwrap().len();
        ballast.set_len(length.saturating_sub(128 * 1024)).unwrap();
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().unwrap();
    }
}

// HQ.

#[test]
fn hq_unreachable_failing_or_talking_nonsense_keeps_everything_and_says_which() {
    let world = World::new(1);
    let device = &world.devices[0];
    lead(device, "联网失败前的线索");
    let length = device.length();
    let table = [
        (Fault::Refused, "连不上总部"),
        (Fault::Answer500, "连不上总部"),
        (Fault::ReplyTorn, "连不上总部"),
        (Fault::HeaderTorn, "连不上总部"),
        (Fault::AnswerGarbage, "无法识别"),
        (Fault::AnswerForeign, "无法识别"),
    ];
    for (fault, words) in table {
        device.proxy.fail_all(fault);
        let (error, sentence) = refused(device.sync());
        assert_eq!(error.outcome(), Outcome::Waiting, "{fault:?}: {error:?}");
        assert!(sentence.contains(words) && sentence.contains("都在本机"), "{fault:?} {sentence}");
        let status = ok(sync_status::status(device.services()));
        assert_eq!(status.online_text, "离线", "{fault:?}");
        assert_eq!(device.length(), length);
        world.check();
    }
    device.proxy.pass();
    // A port where nobody listens, as after HQ moved.
    device.services().store.set_hq("http://127.0.0.1:9").unwrap();
    let (_, sentence) = refused(device.sync());
    assert!(sentence.contains("连不上总部"), "{sentence}");
    device.services().store.set_hq(&device.proxy.url()).unwrap();
    ok(device.sync());
    assert_eq!(ok(sync_status::status(device.services())).online_text, "在线");
    finish(&world);
}

#[test]
fn a_wrong_one_time_code_enrolls_nothing_and_a_used_one_no_second_device() {
    let mut world = World::of_one_pair(1);
    let used = world.devices[0].codes.clone();
    let fresh = World::fresh();
    let device = &fresh.devices[0];
    let wrong = session::enroll(device.services(), &device.proxy.url(), "0000-0000-0000");
    let (_, sentence) = refused(wrong);
    assert!(sentence.contains("开通码"), "{sentence}");
    assert!(device.id().is_none());
    // Another device with a code that is used already.
    let stranger = World::fresh();
    let url = world.devices[0].proxy.url();
    let (_, sentence) =
        refused(session::enroll(stranger.devices[0].services(), &url, &used.device));
    assert!(sentence.contains("已用过"), "{sentence}");
    ok(device.enroll());
    world.devices[0].restart();
    world.check();
}

// PINs.

#[test]
fn a_wrong_pin_five_times_locks_with_a_growing_delay_that_a_restart_does_not_shorten() {
    let mut world = World::new(1);
    let officer = world.devices[0].codes.officers[0].officer;
    let pin = world.devices[0].codes.officers[0].pin.clone();
    let wrong = |device: &Device| session::unlock(device.services(), officer, "864209");
    session::lock(world.devices[0].services());
    for nth in 1..=5 {
        let (error, sentence) = refused(wrong(&world.devices[0]));
        let AppError::WrongPin { failures, wait_ms } = error else { panic!("{error:?}") };
        assert_eq!((failures, wait_ms > 0), (nth, nth == 5));
        assert!(sentence.contains(&format!("已错 {nth} 次")), "{sentence}");
    }
    let mut last = 0;
    for _ in 0..4 {
        let device = &world.devices[0];
        // Neither the right PIN nor a wrong one is tried while it is locked.
        for tried in [pin.as_str(), "864209"] {
            let (error, sentence) = refused(session::unlock(device.services(), officer, tried));
            let AppError::PinLocked { wait_ms } = error else { panic!("{error:?}") };
            assert!(wait_ms > last, "the delay did not grow: {wait_ms} after {last}");
            assert!(sentence.contains("后再试"), "{sentence}");
        }
        let (error, _) = refused(wrong(device));
        let AppError::PinLocked { wait_ms } = error else { panic!("{error:?}") };
        // Starting the program again does not shorten it, pulling the battery starts it again.
        world.clock.advance_ms(1_000);
        world.devices[0].power_off();
        world.devices[0].power_on();
        let (left, _) = refused(session::unlock(world.devices[0].services(), officer, &pin));
        assert!(matches!(left, AppError::PinLocked { wait_ms: left } if left == wait_ms - 1_000));
        world.clock.advance_ms(1_000);
        world.devices[0].restart();
        let device = &world.devices[0];
        let (again, _) = refused(session::unlock(device.services(), officer, &pin));
        assert!(matches!(again, AppError::PinLocked { wait_ms: same } if same == wait_ms));
        world.clock.advance_ms(wait_ms);
        last = wait_ms;
        let (error, _) = refused(wrong(device));
        assert!(matches!(error, AppError::WrongPin { .. }), "{error:?}");
    }
    // The right PIN after the delay opens and forgets the failures; nothing was lost meanwhile.
    let device = &world.devices[0];
    world.clock.advance_ms(24 * 3_600_000);
    ok(session::unlock(device.services(), officer, &pin));
    let row = device.services().store.read(|r| r.officer(officer)).unwrap().unwrap();
    assert_eq!(row.failures, 0);
    device.unlock();
    lead(device, "解锁以后");
    finish(&world);
}

#[test]
fn ten_wrong_pins_lock_until_hq_helps_and_the_records_still_go_up() {
    let world = World::new(1);
    let device = &world.devices[0];
    lead(device, "锁定之前");
    let officer = device.codes.officers[0].officer;
    for _ in 0..10 {
        assert!(session::unlock(device.services(), officer, "864209").is_err());
        world.clock.advance_ms(2 * 3_600_000);
    }
    world.clock.advance_ms(365 * 24 * 3_600_000);
    let pin = &device.codes.officers[0].pin;
    let (_, sentence) = refused(session::unlock(device.services(), officer, pin));
    assert!(sentence.contains("联系总部") && sentence.contains("记录不受影响"), "{sentence}");
    finish(&world);
}

#[test]
fn nothing_is_done_in_the_name_of_nobody() {
    let (mut world, inspection) = on_visit();
    let transcript = prepare_scene(&world, &world.devices[0], inspection, PERSON);
    ok(photograph(&world.devices[0], inspection, &photos::jpeg(1)));
    world.devices[0].restart();
    let device = &world.devices[0];
    let length = device.length();
    let attempts: Vec<(&str, Result<(), AppError>)> = vec![
        ("capture", photograph(device, inspection, &photos::jpeg(2)).map(|_| ())),
        ("read back", read(&world, device, transcript)),
        ("lock", lock_it(device, transcript)),
        ("begin", begin(device.services(), device.find("便利店"), &begin_input()).map(|_| ())),
        ("shift", session::begin_shift(device.services()).map(|_| ())),
    ];
    for (what, attempt) in attempts {
        let Err(error) = attempt else { panic!("{what} went through with nobody unlocked") };
        let (_, sentence) = refused::<()>(Err(error));
        assert!(!sentence.is_empty());
    }
    assert_eq!(device.length(), length);
    device.unlock();
    ok(read(&world, device, transcript));
    finish(&world);
}

// Assignments.

#[test]
fn an_assignment_that_cites_an_unknown_matter_is_said_so_and_the_others_work() {
    let world = World::new(1);
    let device = &world.devices[0];
    let services = device.services();
    let length = device.length();
    let unknown = device.find("事项编码待核");
    let (error, sentence) = refused(begin(services, unknown, &begin_input()));
    assert!(matches!(error, AppError::Blocked(_)), "{error:?}");
    let code =
        device.assignments().iter().find(|one| one.assignment == unknown).unwrap().participations
            [0]
        .matters[0]
            .clone();
    assert!(sentence.contains(&code), "does not name {code}: {sentence}");
    assert_eq!(device.length(), length, "half a visit began");
    // One unknown matter among known ones is left out by name; the visit takes place.
    let mut mixed = device.assignments().remove(0);
    mixed.assignment = sync_model::id::AssignmentId(uuid::Uuid::from_u128(77));
    mixed.title = "混合任务".to_owned();
    mixed.participations[0].matters.push(code.clone());
    let id = device.id().unwrap();
    world.hq(|hq| hq.assign(id, mixed).unwrap());
    ok(device.sync());
    let view = ok(assignment::list(services));
    let view = view.iter().find(|one| one.assignment.title == "混合任务").unwrap();
    assert_eq!(view.unknown_matters, [code.clone()]);
    let (inspection, left_out) = ok(begin(services, device.find("混合任务"), &begin_input()));
    assert!(text::findings_text(&left_out).contains(&code), "{left_out:?}");
    let visit = services.store.read(|r| r.inspection(inspection)).unwrap().unwrap().begun;
    assert!(!visit.participations.is_empty());
    assert!(visit.participations.iter().all(|part| !part.matters.contains(&code)));
    finish(&world);
}

// The database.

fn damaged(world: &mut World, damage: impl FnOnce(&mut Vec<u8>)) -> (AppError, String, Vec<u8>) {
    let device = &mut world.devices[0];
    device.remember();
    device.power_off();
    let path = device.folder.join("xunzheng.db");
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    damage(&mut bad);
    put(&path, &bad);
    let (error, sentence) = refused(device.open());
    assert_eq!(std::fs::read(&path).unwrap(), bad, "the damaged database was touched");
    (error, sentence, good)
}

fn restore(world: &mut World, good: &[u8]) {
    let device = &mut world.devices[0];
    put(&device.folder.join("xunzheng.db"), good);
    device.power_on();
    device.unlock();
    lead(device, "修复以后");
}

#[test]
fn a_corrupt_page_is_found_at_the_start_and_a_copy_is_set_aside() {
    for nth in [1, 2, 3] {
        let (mut world, inspection) = on_visit();
        ok(photograph(&world.devices[0], inspection, &photos::jpeg(1)));
        let (error, sentence, good) = damaged(&mut world, |bytes| {
            let page = bytes.len() / 4096 * nth / 4;
            bytes[page * 4096..(page + 1) * 4096].fill(0xA5);
        });
        let AppError::Store(StoreError::Corrupt { quarantine, .. }) = error else {
            panic!("{error:?}")
        };
        assert!(sentence.contains("损坏") && sentence.contains("没有删除"), "{sentence}");
        let copy = quarantine.unwrap().join("xunzheng.db");
        let bad = std::fs::read(world.devices[0].folder.join("xunzheng.db")).unwrap();
        assert_eq!(std::fs::read(copy).unwrap(), bad, "the copy differs");
        // It says the same at every start, and copies once.
        let (_, again) = refused(world.devices[0].open());
        assert_eq!(again, sentence);
        let copies = std::fs::read_dir(world.devices[0].folder.join("quarantine")).unwrap();
        assert_eq!(copies.count(), 1);
        restore(&mut world, &good);
        finish(&world);
    }
}

#[test]
fn a_file_that_is_no_database_and_a_cut_one_are_found_at_the_start() {
    let (mut world, _) = on_visit();
    let (error, sentence, good) = damaged(&mut world, |bytes| bytes[..100].fill(0x20));
    assert!(matches!(error, AppError::Store(StoreError::Corrupt { .. })), "{error:?}");
    assert!(sentence.contains("损坏"), "{sentence}");
    restore(&mut world, &good);
    let (error, sentence, good) = damaged(&mut world, |bytes| bytes.truncate(bytes.len() / 2));
    assert_eq!(error.outcome(), Outcome::Damaged, "{error:?}");
    assert!(sentence.contains("损坏"), "{sentence}");
    restore(&mut world, &good);
    finish(&world);
}

#[test]
fn a_record_changed_on_the_disk_is_never_sent_and_never_believed() {
    let (mut world, inspection) = on_visit();
    ok(photograph(&world.devices[0], inspection, &photos::jpeg(1)));
    let device = &mut world.devices[0];
    device.power_off();
    let path = device.folder.join("xunzheng.db");
    let good = std::fs::read(&path).unwrap();
    {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch("DROP TRIGGER journal_no_update").unwrap();
        let changed = connection.execute(
            "UPDATE journal SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) || x'00' AS BLOB)
             WHERE seq = 3",
            [],
        );
        assert_eq!(changed.unwrap(), 1);
    }
    device.power_on();
    assert!(device.services().store.check_chain().is_err());
    device.unlock();
    let before = world.hq(|hq| hq.counts().unwrap()).records;
    let (error, sentence) = refused(world.devices[0].sync());
    assert_eq!(error.outcome(), Outcome::Damaged, "{error:?}");
    assert!(sentence.contains("停止使用本机"), "{sentence}");
    assert_eq!(world.hq(|hq| hq.counts().unwrap()).records, before);
    world.devices[0].power_off();
    restore(&mut world, &good);
    finish(&world);
}

#[test]
fn a_database_of_a_newer_version_is_left_as_it_is() {
    let (mut world, _) = on_visit();
    let device = &mut world.devices[0];
    device.remember();
    device.power_off();
    let path = device.folder.join("xunzheng.db");
    let set = |version: u32| {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
    };
    let known: u32 =
        read_only(&path).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    set(99);
    let bytes = std::fs::read(&path).unwrap();
    for _ in 0..2 {
        let (error, sentence) = refused(device.open());
        assert!(matches!(error, AppError::Store(StoreError::Newer { found: 99, .. })), "{error:?}");
        assert!(sentence.contains("升级") && sentence.contains("数据没有改动"), "{sentence}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "the newer database was touched");
    set(known);
    device.power_on();
    device.unlock();
    finish(&world);
}

#[test]
fn an_evidence_file_changed_on_the_disk_is_parked_with_a_reason_and_the_others_go_up() {
    let (world, inspection) = on_visit();
    let device = &world.devices[0];
    let (bytes, missing) = (photos::jpeg(1), photos::jpeg(2));
    ok(photograph(device, inspection, &bytes));
    ok(photograph(device, inspection, &missing));
    ok(photograph(device, inspection, &photos::jpeg(3)));
    let store = &device.services().store;
    let path = store.blobs().path(&Hash::of(&bytes));
    let mut bad = bytes.clone();
    bad[100] ^= 1;
    put(&path, &bad);
    std::fs::remove_file(store.blobs().path(&Hash::of(&missing))).unwrap();
    ok(device.sync());
    let parked = store.read(|r| r.parked()).unwrap();
    assert_eq!(parked.len(), 2, "{parked:?}");
    assert!(parked.iter().any(|row| row.reason.contains("损坏")), "{parked:?}");
    assert!(parked.iter().any(|row| row.reason.contains("缺少")), "{parked:?}");
    let counts = store.read(|r| r.outbox_counts()).unwrap();
    assert_eq!((counts.pending, counts.pending_blobs), (0, 0));
    assert!(ok(sync_status::status(device.services())).has_parked);
    world.check();
    // Put back from a backup, it goes up.
    put(&path, &bytes);
    put(&store.blobs().path(&Hash::of(&missing)), &missing);
    store.resume_parked().unwrap();
    finish(&world);
}

// Two processes.

#[test]
fn a_second_process_on_the_same_data_is_turned_away_and_changes_nothing() {
    let (mut world, _) = on_visit();
    let device = &world.devices[0];
    let (error, sentence) = refused(device.open());
    assert!(matches!(error, AppError::Store(StoreError::InUse(_))), "{error:?}");
    assert!(sentence.contains("已经在运行"), "{sentence}");
    let length = device.length();
    let sync = |folder: &std::path::Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xunzheng"));
        command.args(["sync", "--data"]).arg(folder).output().unwrap()
    };
    let output = sync(&device.folder);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("已经在运行"), "{told}");
    lead(device, "第一个进程照常工作");
    assert_eq!(device.length(), length + 1);
    // Once the first is gone, the second does its work.
    world.devices[0].power_off();
    let output = sync(&world.devices[0].folder);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    world.devices[0].power_on();
    world.devices[0].unlock();
    finish(&world);
}

// Names.

/// Characters beyond the Basic Multilingual Plane, from several extensions.
const RARE: &[char] = &['𠮷', '𪚥', '𫖯', '𬘭', '\u{2B740}', '\u{2CEB0}', '\u{30000}', '𠀀'];

fn rare_name(length: usize) -> String {
    (0..length).map(|index| RARE[(index * 7 + length) % RARE.len()]).collect()
}

#[test]
fn names_of_one_to_sixty_rare_characters_are_recorded_exactly() {
    let (world, inspection) = on_visit();
    let device = &world.devices[0];
    let transcript = prepare_interview(&world, device, inspection, PERSON);
    ok(read(&world, device, transcript));
    let mut signed = 0;
    for length in 1..=60 {
        let name = rare_name(length);
        ok(sign_as(device, transcript, 1, SignerRole::Party, &name));
        let rows = device.services().store.read(|r| r.records_of(inspection)).unwrap();
        let record = rows.last().unwrap().record().unwrap();
        let sync_model::record::Act::PageSigned(body) = record.envelope.act() else { panic!() };
        assert_eq!(body.name, name);
        signed += 1;
    }
    let length = device.length();
    let unfit = [String::new(), "  ".to_owned(), rare_name(61), "王\n伟".to_owned()];
    for name in &unfit {
        let (error, sentence) = refused(sign_as(device, transcript, 1, SignerRole::Party, name));
        assert!(matches!(error, AppError::Input(Input::Name)), "{name:?} {error:?}");
        assert!(sentence.contains("1 至 60"), "{sentence}");
        let input = RefusalInput {
            role: SignerRole::Party,
            name: name.clone(),
            reason: "未说明理由".to_owned(),
            witness: None,
            recording: None,
        };
        let (error, _) = refused(refuse(device.services(), transcript, input));
        assert!(matches!(error, AppError::Input(Input::Name)), "{name:?} {error:?}");
    }
    assert_eq!(device.length(), length);
    println!("names: {signed} lengths recorded exactly, {} refused", unfit.len());
    finish(&world);
}

/// The longest names go through every paper of a visit: pages, refusal, decision, hand-over.
#[test]
fn long_rare_names_come_through_every_paper_whole() {
    let world = World::new(1);
    let device = &world.devices[0];
    let mut named = device.assignments().remove(0);
    named.assignment = sync_model::id::AssignmentId(uuid::Uuid::from_u128(88));
    named.title = "长名任务".to_owned();
    named.premises.name = rare_name(60);
    named.party.name = rare_name(60);
    named.party.person_in_charge = Some(rare_name(1));
    let id = device.id().unwrap();
    world.hq(|hq| hq.assign(id, named).unwrap());
    ok(device.sync());
    let inspection = arrive(&world, device, device.find("长名任务"));
    let captured = ok(photograph(device, inspection, &photos::jpeg(1)));
    let boxes = captured.problems.iter().any(|one| matches!(one, PhotoProblem::MissingGlyphs(_)));
    assert!(boxes, "the watermark hides that the font lacks characters: {captured:?}");
    walk(&world, device, inspection);
    for length in [1, 2, 17, 60] {
        let name = rare_name(length);
        let transcript = prepare_scene(&world, device, inspection, &name);
        let row = device.services().store.read(|r| r.transcript(transcript)).unwrap().unwrap();
        let blobs = device.services().store.blobs();
        let pages = ok(xunzheng::document::load_pages(blobs, &row.prepared.text.sha256));
        // Lines are broken to fit; no character is dropped or replaced.
        let text: String = pages.concat().chars().filter(|c| !c.is_whitespace()).collect();
        assert!(text.contains(&name), "{length}: not on the pages");
        ok(read(&world, device, transcript));
        ok(party_signs(device, transcript, &name));
        ok(officers_sign(device, transcript));
        ok(lock_it(device, transcript));
    }
    refused_interview(&world, device, inspection, &rare_name(60));
    decision(&world, device, inspection, &rare_name(60));
    finish(&world);
    let refusals = device.services().store.read(|r| r.refusals()).unwrap();
    assert!(refusals.is_empty(), "{refusals:?}");
    assert_eq!(person(&rare_name(60)).name.chars().count(), 60);
    assert!(
        pages(
            device,
            device.services().store.read(|r| r.transcripts_of(inspection)).unwrap()[0]
                .prepared
                .transcript
        )
        .len()
            >= 2
    );
}

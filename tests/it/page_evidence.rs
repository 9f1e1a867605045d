//! The evidence pages: photographs become evidence by pressing, and never disappear again.

use sync_model::hash::Hash;
use sync_model::id::InspectionId;
use sync_model::record::evidence::EvidenceOrigin;
use xunzheng::evidence::take::{CAMERA, SETTINGS};
use xunzheng::ui::Page;

use crate::support::hands::Hands;
use crate::support::people::arrive;
use crate::support::photos;
use crate::support::world::{World, put};

/// A device with a visit begun, its program stopped.
fn visit() -> (World, InspectionId) {
    let mut world = World::new(1);
    let device = &world.devices[0];
    let inspection = arrive(&world, device, device.find("演练小吃店"));
    world.devices[0].power_off();
    (world, inspection)
}

#[test]
fn files_of_the_import_folder_become_evidence_and_what_is_no_photograph_is_named() {
    let (world, inspection) = visit();
    let hands = Hands::open(&world);
    let folder = world.devices[0].folder.join("import");
    hands.go(inspection, Page::Evidence);
    for index in 0..2 {
        put(&folder.join(format!("{index}.jpg")), &photos::jpeg(index));
    }
    put(&folder.join("z.txt"), b"no photograph");
    hands.write("证据说明", "后厨冷柜内冷冻禽肉");
    hands.press("从文件导入");
    hands.press("全部导入");
    assert!(hands.told().contains("已导入 2 件，未导入 1 件"), "{}", hands.told());
    assert!(hands.told().contains("z.txt"), "{}", hands.told());

    let rows = hands.desk.services().store.read(|r| r.evidence_of(inspection)).unwrap();
    let hashes: Vec<Hash> = rows.iter().map(|row| row.captured.original.sha256).collect();
    assert_eq!(hashes, [0, 1].map(|index| Hash::of(&photos::jpeg(index))));
    assert!(rows.iter().all(|row| row.captured.origin == EvidenceOrigin::Imported));
    assert!(rows.iter().all(|row| row.captured.description == "后厨冷柜内冷冻禽肉"));
    assert!(hands.has("查看证1") && hands.has("查看证2"));
    assert_eq!(hands.read("证据说明"), "", "the words belong to the pieces just taken");
}

#[test]
fn an_excluded_piece_keeps_its_file_and_says_why() {
    let (world, inspection) = visit();
    let hands = Hands::open(&world);
    hands.go(inspection, Page::Evidence);
    put(&world.devices[0].folder.join("import/a.jpg"), &photos::jpeg(7));
    hands.press("从文件导入");
    hands.press("导入：a.jpg");
    hands.press("查看证1");
    assert_eq!(hands.page(), Page::EvidenceDetail);
    hands.press("排除");
    assert!(!hands.is_enabled("确认排除"), "no exclusion without a reason");
    hands.press("误拍");
    hands.press("确认排除");

    let services = hands.desk.services();
    let rows = services.store.read(|r| r.evidence_of(inspection)).unwrap();
    assert_eq!(rows[0].excluded, "误拍");
    assert_eq!(
        services.store.blobs().read(&rows[0].captured.original.sha256).unwrap(),
        photos::jpeg(7)
    );
    assert!(!hands.is_enabled("排除"), "excluded once");
}

#[test]
fn the_camera_of_the_settings_is_used_and_none_is_said_plainly() {
    let (world, inspection) = visit();
    let hands = Hands::open(&world);
    let store = &hands.desk.services().store;
    store.save_draft(SETTINGS, CAMERA, "none").unwrap();
    hands.go(inspection, Page::Evidence);
    hands.press("拍照");
    assert!(hands.told().contains("没有可用的相机"), "{}", hands.told());
    assert!(store.read(|r| r.evidence_of(inspection)).unwrap().is_empty());

    let prepared = world.folder.path().join("prepared");
    photos::generate(&prepared, 2);
    store.save_draft(SETTINGS, CAMERA, &format!("folder:{}", prepared.display())).unwrap();
    hands.press("拍照");
    hands.press("拍照");
    let rows = store.read(|r| r.evidence_of(inspection)).unwrap();
    assert_eq!(rows.len(), 2, "{}", hands.told());
    assert_eq!(rows[1].captured.ordinal, 2);
}

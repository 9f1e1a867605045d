//! Files that are no photographs, or no whole ones: kept byte for byte with a fault that is told, or
//! refused with a reason.

use image::{ImageFormat, Rgb, RgbImage};
use sync_model::hash::Hash;
use xunzheng::error::AppError;
use xunzheng::evidence::photo::{PhotoError, PhotoProblem};
use xunzheng::text;

use super::{finish, on_visit};
use crate::support::people::photograph;
use crate::support::photos;
use crate::support::world::{Device, ok, refused};

fn blob_files(device: &Device) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }
    count(&device.folder.join("blobs"))
}

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

//! Photographs good and bad through [`ingest`]: nothing lost, nothing silent, no panic.
//!
//! Real photographs and fuzz files are read from the folder in `XUNZHENG_DATA` (or `../shared/data`
//! beside the project) when it is there; the generated ones are always tested.

mod hostile;
mod samples;

use super::*;
use samples::{bytes_of_photo, exif_block, font, ingest_plain, jpeg, jpeg_with_exif, png, scene};

fn decoded(jpeg: &[u8]) -> image::RgbImage {
    image::load_from_memory(jpeg).unwrap().to_rgb8()
}

/// Mean difference of two pictures of the same size, in 1/255.
fn difference(one: &image::RgbImage, other: &image::RgbImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let total: f64 = one.iter().zip(other.iter()).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    total / one.len() as f64
}

#[test]
fn empty_and_foreign_files_are_refused_by_name() {
    let refused = |bytes: &[u8]| ingest_plain(bytes).unwrap_err();
    assert_eq!(refused(b""), PhotoError::Empty);
    assert_eq!(refused(b"hello"), PhotoError::NotAnImage { looks_like: None });
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0";
    assert_eq!(refused(heic), PhotoError::NotAnImage { looks_like: Some("heic") });
    assert_eq!(refused(b"%PDF-1.7"), PhotoError::NotAnImage { looks_like: Some("pdf") });
    assert_eq!(refused(&[0; 4096]), PhotoError::NotAnImage { looks_like: None });
}

#[test]
fn a_good_photograph_has_no_findings_and_two_upright_derivatives() {
    let bytes = jpeg(2400, 1600);
    let photo = ingest_plain(&bytes).unwrap();
    assert_eq!(photo.sha256, Hash::of(&bytes));
    assert_eq!((photo.media.as_str(), photo.width, photo.height), ("image/jpeg", 2400, 1600));
    assert_eq!(photo.findings, []);
    let derivatives = photo.derivatives.unwrap();
    assert!(derivatives.thumbnail.len() <= THUMBNAIL_BYTES_MAX);
    assert_eq!(decoded(&derivatives.thumbnail).dimensions(), (320, 213));
    assert_eq!(decoded(&derivatives.watermarked).dimensions(), (1920, 1280));
}

#[test]
fn a_truncated_jpeg_is_kept_and_shows_the_part_that_is_there() {
    let bytes = jpeg(1200, 900);
    let whole = ingest_plain(&bytes).unwrap().derivatives.unwrap();
    let cut = bytes.get(..bytes.len() * 6 / 10).unwrap();
    let photo = ingest_plain(cut).unwrap();
    assert_eq!(photo.sha256, Hash::of(cut));
    assert_eq!((photo.width, photo.height), (1200, 900));
    assert_eq!(photo.findings, [PhotoProblem::Truncated]);
    let upper = |jpeg: &[u8]| image::imageops::crop_imm(&decoded(jpeg), 0, 0, 320, 100).to_image();
    let part = photo.derivatives.unwrap();
    assert!(difference(&upper(&part.thumbnail), &upper(&whole.thumbnail)) < 3.0);
}

#[test]
fn a_truncated_png_is_kept_and_shows_the_part_that_is_there() {
    let bytes = png(640, 480);
    let whole = ingest_plain(&bytes).unwrap();
    assert_eq!(whole.findings, []);
    let cut = bytes.get(..bytes.len() * 6 / 10).unwrap();
    let photo = ingest_plain(cut).unwrap();
    assert_eq!(photo.findings, [PhotoProblem::Truncated]);
    let upper = |jpeg: &[u8]| image::imageops::crop_imm(&decoded(jpeg), 0, 0, 320, 60).to_image();
    let (part, whole) = (photo.derivatives.unwrap(), whole.derivatives.unwrap());
    assert!(difference(&upper(&part.thumbnail), &upper(&whole.thumbnail)) < 3.0);
}

#[test]
fn a_file_cut_in_its_header_is_kept_without_a_picture() {
    for bytes in [jpeg(64, 64), png(64, 64)] {
        for length in [4, 10, 20] {
            let cut = bytes.get(..length).unwrap();
            let photo = ingest_plain(cut).unwrap();
            assert_eq!(photo.sha256, Hash::of(cut));
            assert_eq!(photo.findings, [PhotoProblem::Truncated, PhotoProblem::Undecodable]);
            assert!(photo.derivatives.is_none());
        }
    }
}

#[test]
fn a_picture_too_large_for_the_handheld_is_kept_without_preview() {
    // A frame header of 65535 × 65535 in place of the true one.
    let mut bytes = jpeg(64, 64);
    let at = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    bytes[at + 5..at + 9].fill(0xFF);
    let photo = ingest_plain(&bytes).unwrap();
    assert_eq!((photo.width, photo.height), (65535, 65535));
    assert_eq!(photo.findings, [PhotoProblem::TooLargeToPreview]);
    assert!(photo.derivatives.is_none());
}

#[test]
fn fifty_megapixels_are_previewed() {
    let (width, height) = (8192u16, 6144u16);
    let plane = vec![90u8; usize::from(width) * usize::from(height)];
    let mut bytes = Vec::new();
    jpeg_encoder::Encoder::new(&mut bytes, 60)
        .encode(&plane, width, height, jpeg_encoder::ColorType::Luma)
        .unwrap();
    let photo = ingest_plain(&bytes).unwrap();
    assert_eq!(photo.findings, []);
    let derivatives = photo.derivatives.unwrap();
    assert_eq!(decoded(&derivatives.watermarked).dimensions(), (1920, 1440));
    assert_eq!(decoded(&derivatives.thumbnail).get_pixel(160, 120).0, [91; 3]);
}

#[test]
fn broken_exif_is_reported_and_the_picture_still_shown() {
    let mut block = exif_block(6);
    // The first directory claims more entries than there are bytes.
    block[8] = 0xEE;
    let photo = ingest_plain(&jpeg_with_exif(320, 200, &block)).unwrap();
    assert_eq!(photo.findings, [PhotoProblem::BrokenExif]);
    assert!(!photo.exif.problems.is_empty());
    assert!(photo.derivatives.is_some());

    let photo = ingest_plain(&jpeg_with_exif(320, 200, &exif_block(77))).unwrap();
    assert_eq!(photo.orientation, 1);
    assert_eq!(photo.exif.problems, ["Orientation is not 1 to 8"]);
}

#[test]
fn generated_orientations_all_come_out_as_the_same_scene() {
    let expected = decoded(&ingest_plain(&jpeg(600, 400)).unwrap().derivatives.unwrap().thumbnail);
    for orientation in 1..=8u8 {
        let bytes = samples::jpeg_of(&samples::stored(&scene(600, 400), orientation), orientation);
        let photo = ingest_plain(&bytes).unwrap();
        assert_eq!(photo.orientation, orientation);
        let thumbnail = decoded(&photo.derivatives.unwrap().thumbnail);
        assert!(difference(&thumbnail, &expected) < 4.0, "orientation {orientation}");
    }
}

#[test]
fn real_orientations_all_come_out_as_the_same_scene() {
    let Some(first) = bytes_of_photo("orientation/landscape_1.jpg") else { return };
    // Each photograph carries its number in the middle; the left third is the same scene.
    let left = |bytes: &[u8]| {
        let thumbnail = decoded(&ingest_plain(bytes).unwrap().derivatives.unwrap().thumbnail);
        image::imageops::crop_imm(&thumbnail, 0, 0, 110, 240).to_image()
    };
    let expected = left(&first);
    let mirrored = image::imageops::flip_vertical(&expected);
    for orientation in 2..=8u8 {
        let name = format!("orientation/landscape_{orientation}.jpg");
        let bytes = bytes_of_photo(&name).unwrap();
        assert_eq!(ingest_plain(&bytes).unwrap().orientation, orientation);
        let found = left(&bytes);
        let (same, other) = (difference(&found, &expected), difference(&found, &mirrored));
        assert!(same * 3.0 < other, "orientation {orientation}: {same:.1} against {other:.1}");
    }
}

#[test]
fn exif_of_a_real_camera_is_reported_as_written() {
    let Some(bytes) = bytes_of_photo("gps/DSCN0010.jpg") else { return };
    let photo = ingest_plain(&bytes).unwrap();
    assert_eq!(photo.exif.taken_text.as_deref(), Some("2008:10:22 16:28:39"));
    assert_eq!(photo.exif.make.as_deref(), Some("NIKON"));
    assert_eq!(photo.exif.model.as_deref(), Some("COOLPIX P6000"));
    let gps = photo.exif.gps.unwrap();
    assert_eq!((gps.latitude_e7, gps.longitude_e7), (434_674_483, 118_851_267));
    assert_eq!(photo.exif.problems, [""; 0]);
    // A phone that writes its angles as signed numbers.
    let photo = ingest_plain(&bytes_of_photo("mobile/HMD_Nokia_8.3_5G.jpg").unwrap()).unwrap();
    let gps = photo.exif.gps.unwrap();
    assert_eq!((gps.latitude_e7, gps.longitude_e7), (601_467_056, 249_067_722));
    assert_eq!(photo.findings, []);
}

#[test]
fn the_watermark_reads_on_snow_and_at_night() {
    for ground in [255u8, 0] {
        let rgb = vec![ground; 1280 * 960 * 3];
        let bytes = samples::encode(&rgb, 1280, 960, None);
        let photo = ingest_plain(&bytes).unwrap();
        let marked = decoded(&photo.derivatives.unwrap().watermarked);
        assert_eq!(marked.dimensions(), (1280, 960), "the band lies over a large picture");
        let band: Vec<u8> =
            marked.rows().skip(930).flat_map(|row| row.map(|pixel| pixel.0[1])).collect();
        let (dark, light) = (*band.iter().min().unwrap(), *band.iter().max().unwrap());
        assert!(light > 235 && dark < 90, "text {light} on {dark}, ground {ground}");
        // The picture above the band is as it was.
        assert!(marked.get_pixel(640, 600).0[1].abs_diff(ground) < 3);
    }
}

#[test]
fn a_small_picture_is_not_hidden_by_its_label() {
    let photo = ingest_plain(&jpeg(64, 64)).unwrap();
    let marked = decoded(&photo.derivatives.unwrap().watermarked);
    assert!(marked.width() >= 320 && marked.height() > 64 + 60, "{:?}", marked.dimensions());
}

#[test]
fn characters_the_font_lacks_are_named() {
    assert_eq!(missing_glyphs(font(), "杭州市 2026年\n"), [' '; 0]);
    let input = PhotoInput {
        bytes: &jpeg(64, 64),
        watermark: vec!["检查人 \u{10FFFD}".to_owned()],
        font: font(),
    };
    let photo = ingest(input).unwrap();
    assert_eq!(photo.findings, [PhotoProblem::MissingGlyphs(vec!['\u{10FFFD}'])]);
}

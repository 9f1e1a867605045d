//! Any bytes as a photograph: format, EXIF, pixels.
#![no_main]

use std::sync::LazyLock;

use xunzheng::evidence::photo::{PhotoInput, ingest};

static FONT: LazyLock<ab_glyph::FontRef<'static>> = LazyLock::new(|| {
    let bytes = include_bytes!("../../assets/fonts/NotoSansSC-Bold.ttf");
    ab_glyph::FontRef::try_from_slice(bytes).unwrap()
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    ingest(PhotoInput { bytes, watermark: vec!["巡证".to_owned()], font: &FONT }).ok();
});

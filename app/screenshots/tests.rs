//! Claims about every page: it draws, and whoever cannot see or who speaks can press it.

use super::{Choice, Look, open, run, scene::SCENES};
use crate::ui::ThemeKind;
use i_slint_backend_testing::{AccessibleRole, ElementHandle, ElementQuery};
use std::collections::BTreeSet;

const PORTRAIT: Look = Look { width: 720, height: 1280, theme: ThemeKind::Day, text_factor: 1.0 };
const LANDSCAPE: Look = Look { width: 1280, height: 800, ..PORTRAIT };

/// Touch targets: never below 48 px, in any layout (MIIT and T/TAF 114-2022).
const TOUCH_MIN: f32 = 48.0;

fn controls(window: &crate::ui::MainWindow) -> Vec<(String, ElementHandle)> {
    let found = ElementQuery::from_root(window).match_descendants().find_all();
    found
        .into_iter()
        .filter(|element| {
            matches!(
                element.accessible_role(),
                Some(
                    AccessibleRole::Button
                        | AccessibleRole::RadioButton
                        | AccessibleRole::Switch
                        | AccessibleRole::Tab
                        | AccessibleRole::TextInput
                )
            )
        })
        .map(|element| (element.accessible_label().unwrap_or_default().to_string(), element))
        .fold(Vec::new(), |mut kept, found| {
            // The layouts that Slint folds into a control are listed as further handles to it.
            let same = |other: &(String, ElementHandle)| {
                other.0 == found.0
                    && other.1.absolute_position() == found.1.absolute_position()
                    && other.1.size() == found.1.size()
            };
            if !kept.iter().any(same) {
                kept.push(found);
            }
            kept
        })
}

#[test]
fn every_scene_becomes_a_picture_of_the_asked_size_with_content() {
    let folder = tempfile::tempdir().unwrap();
    let paths = run(folder.path(), 720, 1280, ThemeKind::Day, 1.0, Choice::default()).unwrap();
    assert_eq!(paths.len(), SCENES.len());
    for path in paths {
        let picture = image::open(&path).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (720, 1280), "{}", path.display());
        let colors: BTreeSet<_> = picture.pixels().map(|pixel| pixel.0).collect();
        assert!(colors.len() > 20, "{} shows next to nothing", path.display());
    }
}

#[test]
fn themes_differ_in_their_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let first = |theme, name: &str| {
        let paths =
            run(&folder.path().join(name), 360, 640, theme, 1.0, Choice::default()).unwrap();
        image::open(&paths[0]).unwrap().to_rgb8()
    };
    let (day, sun, dark) = (
        first(ThemeKind::Day, "day"),
        first(ThemeKind::Sun, "sun"),
        first(ThemeKind::Dark, "dark"),
    );
    assert_ne!(day, sun);
    assert_ne!(day, dark);
}

#[test]
fn every_control_has_a_label_of_its_own_and_is_large_enough_to_touch() {
    for look in [PORTRAIT, LANDSCAPE, Look { text_factor: 1.3, ..PORTRAIT }] {
        for scene in SCENES {
            let window = open(look).unwrap();
            (scene.set)(&window);
            let controls = controls(&window);
            assert!(!controls.is_empty(), "{}: no control found", scene.name);
            let mut seen = BTreeSet::new();
            for (label, element) in controls {
                assert!(!label.is_empty(), "{}: a control has no label", scene.name);
                let size = element.size();
                assert!(
                    size.width >= TOUCH_MIN && size.height >= TOUCH_MIN,
                    "{}: {label} is {}×{} at {look:?}",
                    scene.name,
                    size.width,
                    size.height
                );
                assert!(seen.insert(label.clone()), "{}: two controls say {label}", scene.name);
            }
        }
    }
}

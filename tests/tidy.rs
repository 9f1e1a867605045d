//! The rules of the house that no compiler checks: what a file opens with, who may import whom,
//! what never changes once released.
//!
//! Plain text rules over the working tree. A rule that turns out wrong is changed here, in the
//! open, and not worked around.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests stop at the first surprise"
)]

use std::fs;
use std::path::{Path, PathBuf};

use sync_model::hash::Hash;

/// Longest source file; tests may be longer.
const LINES_MAX: usize = 500;
/// Largest file outside the fonts.
const BYTES_MAX: u64 = 1024 * 1024;
/// Folders that are not ours to judge.
const SKIPPED: &[&str] = &[".git", "target", "node_modules"];
/// Words that mark unfinished work. Written in halves, so that this list does not find itself.
const UNFINISHED: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("db", "g!(")];
/// Migrations that databases in the field have run, as `sha256sum` prints them.
const RELEASED: &str = "\
75e88fd0ab734596b4c377c70dcdad8b95645a3cd4fe75f83c71e447f88f5fc3  sync-core/migrations/0001_init.sql
4a92acad8d98325cb7ad7f5cf1c5488c0c560b9901ab0aeff2d48d795eaa3cd7  sync-core/migrations/0002_add_day.sql
6d124b5bb91ea8914bff4c83f2f4f5b88cd985630bfb66f16162615788232b0d  sync-core/migrations/0003_add_partners.sql
d7b8500cbfd4c7210ddf8fcbde3e37baeba76e728318bd997f6d0f13d3ff90d0  sync-core/migrations/0004_add_archive_and_urgency.sql
d89251efd2ff388f66a4985a33370e8f442989231e3e6ffd932b0b52131e1df7  hq/migrations/0001_init.sql
96462a7d2d6420e4cf2e399bbfe05eb2e1b68aa35a7b948491149eedca83a94f  hq/migrations/0002_add_one_time_codes.sql
5ed203a9f8f36e8451b0ba6b0b00f74e711a317113dd8c5da2d6bc5832bd57ce  hq/migrations/0003_add_records_and_log.sql
a8c820fbd18d68a3ce4f35a6d3ecfb93ea413ed45821b53388c8576112a6b968  hq/migrations/0004_add_blobs.sql
3d3466fe9fbb8d8ec79955507ca1e83f58ad3672ab148d3bf54504c02bc3d7d5  hq/migrations/0005_add_feed.sql
e7249f423276873949feae21f74f7accc7987e69a088f1c88e8035f71cc7dc0e  hq/migrations/0006_add_acceptance.sql
e21611200ed506853bc0240c3707826fe71309198f247937d55b36b8684ad134  hq/migrations/0007_order_activations.sql
0e9ba86bc65853039b434c9767176cd9e75f465ffe733996c31758e8be50857e  hq/migrations/0008_add_identity.sql
ee0f58a069580b6312760b3ba9ed25091c4dc9c4dab78212c7ee1eec15ab47e9  hq/migrations/0009_add_objects.sql
a3f92339f088e6add2fc99c1132fbcc6a83aa30f1b32ee17d40c7743ba37bb7a  hq/migrations/0010_add_revocation_size.sql
88e6d17a19e0b9bc9712cfedece149a8fc19251697664469f140ef70f7be9007  hq/migrations/0011_add_partners.sql
c8d8afa2ffd6e0c35c75dbb8096090a5adeb4bc73619a278ed3dad288584c726  hq/migrations/0012_add_status_list.sql
ac0bb17f97f1246af8b3783e739a904ae86b0fb56a5e8cac176dc9f5ab09da92  hq/migrations/0013_add_certification.sql
6177125e1edabf4d77ac1043458cf0d771234ebd09d03e7551585c237e7556e9  hq/migrations/0014_add_accounts.sql
542947a4a5a7ab08e1b7f303ff3efd958e47dbbbdb8e1531f750bf033a600a0b  hq/migrations/postgres/0003_add_records_and_log.sql
385a1ddcc8a70036125a572d70b2d2a5721dc78d4423bef843bca19b38ba23b8  hq/migrations/postgres/0004_add_blobs.sql
cc535e295f57f4701d034c0f19a5b1630b30d445686e2f0e406236730c159cb1  hq/migrations/postgres/0006_add_acceptance.sql
bb8a8127f4c8c9c44bcf11da4815cd545b67938d83df88840a3116015348ed02  hq/migrations/postgres/0007_order_activations.sql
93e16dfbd3dbf6cf1a9e5f6a52be9ca54addc1aea0428b073ace6d63a25a309f  hq/migrations/postgres/0008_add_identity.sql
";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns every file below `folder`, as paths from the root with forward slashes.
fn files_below(folder: &str) -> Vec<String> {
    let mut open = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap_or_else(|error| panic!("{next:?}: {error}")) {
            let path: PathBuf = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    open.push(path);
                }
            } else {
                let inside = path.strip_prefix(root()).unwrap();
                found.push(inside.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

fn with_ending(folder: &str, endings: &[&str]) -> Vec<String> {
    let mut found = files_below(folder);
    found.retain(|path| endings.iter().any(|ending| path.ends_with(ending)));
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the lines of code, without comments.
fn code(path: &str) -> Vec<String> {
    let text = read(path);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(str::to_owned).collect()
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

/// Fails with all findings at once.
fn none(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// Finds code in `folder` that holds one of `words`, unless `allowed` says so of the file.
fn forbid(folder: &str, words: &[&str], allowed: impl Fn(&str) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    for path in with_ending(folder, &[".rs"]) {
        if is_test(&path) || allowed(&path) {
            continue;
        }
        for line in code(&path) {
            for word in words {
                if line.contains(word) {
                    findings.push(format!("{path} uses {word}: {}", line.trim()));
                }
            }
        }
    }
    findings
}

#[test]
fn every_source_file_says_first_what_it_is() {
    let files = with_ending("", &[".rs"]);
    assert!(files.len() > 100, "only {} files were found", files.len());
    none(files.into_iter().filter(|path| !read(path).starts_with("//! ")).collect())
}

#[test]
fn no_source_file_is_too_long_to_read() {
    let mut findings = Vec::new();
    for path in with_ending("", &[".rs", ".slint"]) {
        let lines = read(&path).lines().count();
        if lines > LINES_MAX && !is_test(&path) {
            findings.push(format!("{path}: {lines} lines"));
        }
    }
    none(findings)
}

fn is_word_in(word: &str, line: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = line.split_at(at);
        !inside(before.chars().next_back()) && !inside(after.chars().nth(word.len()))
    })
}

#[test]
fn nothing_is_marked_as_unfinished() {
    let mut findings = Vec::new();
    for path in with_ending("", &[".rs", ".slint", ".sql", ".toml", ".md"]) {
        for (number, line) in (1..).zip(read(&path).lines()) {
            if UNFINISHED.iter().any(|word| is_word_in(word, line)) {
                findings.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    none(findings)
}

#[test]
fn no_line_ends_in_blanks_and_every_file_in_one_line_end() {
    let mut findings = Vec::new();
    for path in with_ending("", &[".rs", ".slint", ".sql", ".toml", ".md"]) {
        let text = read(&path);
        for (number, line) in (1..).zip(text.split('\n')) {
            if line.ends_with([' ', '\t', '\r']) {
                findings.push(format!("{path}:{number}"));
            }
        }
        if !text.ends_with('\n') || text.ends_with("\n\n") {
            findings.push(format!("{path}: its end"));
        }
    }
    none(findings)
}

#[test]
fn no_large_file_hides_in_the_tree() {
    let mut findings = Vec::new();
    for path in files_below("") {
        let bytes = fs::metadata(root().join(&path)).unwrap().len();
        if bytes > BYTES_MAX && !path.starts_with("assets/fonts/") {
            findings.push(format!("{path}: {bytes} bytes"));
        }
    }
    none(findings)
}

#[test]
fn the_model_knows_no_disk_no_network_and_no_clock() {
    let words = ["std::fs", "std::net", "SystemTime", "Instant::now", "rusqlite", "reqwest"];
    none(forbid("sync-core/model/src", &words, |_| false));
    let manifest = read("sync-core/model/Cargo.toml");
    for word in ["rusqlite", "reqwest", "tokio", "axum", "slint"] {
        assert!(!manifest.contains(word), "sync-model depends on {word}");
    }
}

#[test]
fn imports_run_one_way() {
    let mut findings = forbid("sync-core/src", &["slint", "hq::", "axum", "xunzheng::"], |_| false);
    findings.extend(forbid("hq/src", &["sync_core", "slint", "xunzheng::"], |_| false));
    // SQL, files of HTTP and the window each have one home.
    findings.extend(forbid("sync-core/src", &["rusqlite"], |path| {
        path.starts_with("sync-core/src/store/") || path == "sync-core/src/error.rs"
    }));
    findings
        .extend(forbid("hq/src", &["rusqlite"], |path| path.starts_with("hq/src/store/sqlite/")));
    findings.extend(forbid("hq/src", &["tokio_postgres"], |path| {
        path.starts_with("hq/src/store/postgres/")
    }));
    findings.extend(forbid("sync-core/src", &["reqwest"], |path| {
        path.starts_with("sync-core/src/sync/")
    }));
    findings.extend(forbid("app", &["slint::"], |path| {
        path.contains("/adapter/")
            || path.ends_with("adapter.rs")
            || path == "app/ui.rs"
            || path.starts_with("app/screenshots/")
            || path.starts_with("app/window/")
    }));
    findings.extend(forbid("app", &["rusqlite", "reqwest", "axum"], |_| false));
    none(findings);
    let manifest = read("Cargo.toml");
    let own = manifest.split("\n[dependencies]").nth(1).unwrap();
    let own = own.split("\n[").next().unwrap();
    assert!(!own.contains("rusqlite"), "the app must not reach past the store");
}

#[test]
fn protocol_and_tables_speak_no_language_of_people() {
    let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let mut findings = Vec::new();
    let mut files =
        vec!["sync-core/src/sync/http/mod.rs".to_owned(), "sync-core/src/sync/push.rs".into()];
    files.extend(with_ending("hq/src/store", &[".rs"]));
    files.retain(|path| !is_test(path));
    for path in files {
        findings.extend(code(&path).into_iter().filter(|line| line.contains(han)));
    }
    none(findings)
}

#[test]
fn a_released_migration_never_changes() {
    let mut found: Vec<String> = with_ending("sync-core/migrations", &[".sql"]);
    found.extend(with_ending("hq/migrations", &[".sql"]));
    for path in &mut found {
        *path = format!("{}  {path}", Hash::of(read(path).as_bytes()).hex());
    }
    let differs = |line: &&str| !found.iter().any(|one| one == line);
    let changed = RELEASED.lines().filter(differs).map(|line| format!("changed or gone: {line}"));
    let unlisted = found.iter().filter(|line| !RELEASED.contains(line.as_str()));
    none(changed.chain(unlisted.map(|line| format!("not listed: {line}"))).collect())
}

#[test]
fn the_documents_are_there_and_short_enough_to_be_read() {
    for (path, lines_max) in [("README.md", 120), ("ARCHITECTURE.md", 300)] {
        let lines = read(path).lines().count();
        assert!(lines <= lines_max, "{path}: {lines} lines");
    }
    assert!(read("CHANGELOG.md").contains("Unreleased"), "CHANGELOG.md: nothing unreleased");
}

#[test]
fn every_invariant_is_named_by_a_test() {
    let architecture = read("ARCHITECTURE.md");
    let invariants: Vec<&str> = architecture
        .lines()
        .filter_map(|line| line.trim_start_matches(['-', '*', ' ']).split_once(". "))
        .map(|(name, _)| name)
        .filter(|name| name.strip_prefix("I-").is_some_and(|n| n.parse::<u32>().is_ok()))
        .collect();
    assert!(!invariants.is_empty(), "ARCHITECTURE.md lists no invariant as \"I-1. …\"");
    let sources: Vec<String> = with_ending("", &[".rs"])
        .iter()
        .filter(|path| path.as_str() != "tests/tidy.rs")
        .map(|path| read(path))
        .filter(|text| text.contains("#[test]"))
        .collect();
    let names = |text: &str, name: &str| {
        text.split(name).skip(1).any(|after| !after.starts_with(|c: char| c.is_ascii_digit()))
    };
    let missing =
        invariants.into_iter().filter(|name| !sources.iter().any(|text| names(text, name)));
    none(missing.map(|name| format!("no test names {name}")).collect())
}

/// SECURITY.md speaks of each control once, and each test that it names exists.
#[test]
fn the_security_document_names_every_control_and_only_tests_that_exist() {
    let text = read("SECURITY.md");
    let groups = [
        ("STORAGE", 2),
        ("CRYPTO", 2),
        ("AUTH", 3),
        ("NETWORK", 2),
        ("PLATFORM", 3),
        ("CODE", 4),
        ("RESILIENCE", 4),
        ("PRIVACY", 4),
    ];
    let controls = groups.iter().flat_map(|(group, last)| {
        (1..=*last).map(move |number| format!("| MASVS-{group}-{number} |"))
    });
    let missing = controls.filter(|control| text.matches(control.as_str()).count() != 1);
    let mut findings: Vec<String> =
        missing.map(|control| format!("SECURITY.md must speak once of {control}")).collect();
    let sources: String = with_ending("", &[".rs"]).iter().map(|path| read(path)).collect();
    for name in text.split('`').skip(1).step_by(2) {
        let is_test =
            name.len() > 12 && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'));
        if is_test && !sources.contains(&format!("fn {name}(")) {
            findings.push(format!("SECURITY.md names {name}, which is no test"));
        }
        if name.starts_with("tests/") && !root().join(name).exists() {
            findings.push(format!("SECURITY.md names {name}, which does not exist"));
        }
    }
    none(findings);
}

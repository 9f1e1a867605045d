//! The log as static files (C2SP `tlog-tiles`): tiles of 256 hashes, and bundles of 256 entries.
//!
//! A full tile never changes. The last one of each row is partial, and each of its widths is a file
//! of its own, so that no file ever changes.

use std::fmt;

/// Hashes or entries in a full tile.
pub const WIDTH: u64 = 256;
/// Largest entry in a bundle: its length is two bytes.
pub const ENTRY_BYTES_MAX: usize = 0xffff;
/// Rows that a log of 2⁶⁴ leaves can have.
const LEVELS_MAX: u8 = 8;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// The entries themselves, each after its length in two bytes, high byte first.
    Entries,
    /// Hashes of perfect subtrees of `256^level` leaves.
    Hashes(u8),
}

/// One file of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// What it holds.
    pub row: Row,
    /// Place in its row.
    pub index: u64,
    /// How many hashes or entries: 1 to 256.
    pub width: u64,
}

impl Tile {
    /// Says whether it holds as much as a tile can.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.width == WIDTH
    }

    /// Returns the place in the row of its first hash or entry.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.index.saturating_mul(WIDTH)
    }

    /// Returns the tile that `path` names; `None` if it names none, or names one in another way.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("tile/")?;
        let (row, rest) = rest.split_once('/')?;
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|width| *width < WIDTH)?),
            None => (rest, WIDTH),
        };
        let row = match row {
            "entries" => Row::Entries,
            level => Row::Hashes(level.parse().ok().filter(|level| *level < LEVELS_MAX)?),
        };
        let mut index = 0_u64;
        for part in number.split('/') {
            let digits = part.strip_prefix('x').unwrap_or(part);
            if digits.len() != 3 {
                return None;
            }
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let tile = Self { row, index, width };
        // One tile has one path.
        (width > 0 && tile.to_string() == path).then_some(tile)
    }
}

/// The path below the log's address: `tile/0/x001/x234/067`, `tile/entries/000.p/7`.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Row::Entries => write!(f, "tile/entries/")?,
            Row::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let mut divisor = 1_u64;
        while self.index / divisor >= 1000 {
            divisor *= 1000;
        }
        while divisor > 1 {
            write!(f, "x{:03}/", self.index / divisor % 1000)?;
            divisor /= 1000;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// Returns the files that a log of `new` leaves has and one of `old` leaves had not, entries first.
#[must_use]
pub fn made_by_growth(old: u64, new: u64) -> Vec<Tile> {
    let mut made = Vec::new();
    row(Row::Entries, old, new, &mut made);
    for level in 0..LEVELS_MAX {
        let shift = u32::from(level) * 8;
        row(Row::Hashes(level), old >> shift, new >> shift, &mut made);
    }
    made
}

fn row(row: Row, old: u64, new: u64, made: &mut Vec<Tile>) {
    if new <= old {
        return;
    }
    for index in old / WIDTH..=(new - 1) / WIDTH {
        let width = WIDTH.min(new - index * WIDTH);
        made.push(Tile { row, index, width });
    }
}

/// Appends an entry to a bundle; `None` if it is too long for one.
#[must_use]
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Option<()> {
    let length = u16::try_from(entry.len()).ok()?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Some(())
}

/// Returns the entries of a bundle; `None` if it is cut, or holds more than a tile can.
#[must_use]
pub fn entries(bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let (mut rest, mut entries) = (bundle, Vec::new());
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        rest = after;
        if entries.len() > 256 {
            return None;
        }
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_path_is_written_as_the_standard_writes_it_and_read_back() {
        let tile = |row, index, width| Tile { row, index, width };
        for (tile, path) in [
            (tile(Row::Hashes(0), 1_234_067, 256), "tile/0/x001/x234/067"),
            (tile(Row::Hashes(3), 0, 256), "tile/3/000"),
            (tile(Row::Entries, 999, 7), "tile/entries/999.p/7"),
            (tile(Row::Entries, 1000, 256), "tile/entries/x001/000"),
        ] {
            assert_eq!(tile.to_string(), path);
            assert_eq!(Tile::parse(path), Some(tile));
        }
        for path in [
            "tile/0/0",
            "tile/0/x000/001",
            "tile/00/000",
            "tile/9/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/07",
            "tile/0/001/000",
            "tile/x/000",
            "checkpoint",
            "tile/0/../000",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Tile::parse(path), None, "{path}");
        }
    }

    /// Whatever the steps, the files are those of the final size and of each size on the way.
    #[test]
    fn growth_in_steps_makes_every_file_of_every_published_size_once() {
        let of = |size: u64| made_by_growth(0, size).into_iter().collect::<BTreeSet<_>>();
        for sizes in [vec![0, 1, 255, 256, 257, 70_000], vec![0, 65_536, 65_537, 131_072]] {
            let mut made = BTreeSet::new();
            for pair in sizes.windows(2) {
                for tile in made_by_growth(pair[0], pair[1]) {
                    assert!(made.insert(tile), "{tile} twice");
                }
                let missing: Vec<_> = of(pair[1]).difference(&made).copied().collect();
                assert!(missing.is_empty(), "{missing:?}");
            }
        }
        assert_eq!(of(257).len(), 2 + 2 + 1);
    }

    #[test]
    fn a_bundle_gives_back_its_entries_and_a_cut_one_none() {
        let mut bundle = Vec::new();
        push_entry(&mut bundle, b"one").unwrap();
        push_entry(&mut bundle, b"").unwrap();
        assert_eq!(entries(&bundle).unwrap(), [&b"one"[..], b""]);
        assert_eq!(entries(&bundle[..bundle.len() - 1]), None);
        assert_eq!(push_entry(&mut bundle, &[0; 65_536]), None);
        assert_eq!(entries(&[0; 2 * 257]), None);
    }
}

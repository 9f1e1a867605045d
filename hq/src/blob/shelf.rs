//! Where files and their parts lie: `ab/abcd…` whole, `parts/…` under way, `quarantine/…` neither.

use sha2::{Digest as _, Sha256};
use sync_model::hash::Hash;

use crate::error::HqError;
use crate::objects::{Objects, Upload};
use crate::store::Part;

/// Folder of parts.
pub(super) const PARTS: &str = "parts";
/// Folder in which version 0.1 kept one growing file per upload.
pub(super) const PARTS_0_1: &str = "partial";

/// Returns the name of the whole file.
pub(crate) fn whole(sha256: &Hash) -> String {
    let name = sha256.hex();
    let shelf: String = name.chars().take(2).collect();
    format!("{shelf}/{name}")
}

/// Returns the name of a part. Its hash stands in it, so that two uploads of one file with different
/// chunks never overwrite each other's parts.
pub(super) fn part(sha256: &Hash, part: &Part) -> String {
    format!("{PARTS}/{sha256}.{}.{}", part.start, part.digest)
}

/// Why parts do not make the file.
pub(super) enum Unfit {
    /// The part that starts here is not what was taken: it is sent again.
    Part(u64),
    /// Each part is what was taken, together they are another file.
    Whole(Hash),
    /// They could not be read or written.
    Failed(HqError),
}

impl From<HqError> for Unfit {
    fn from(error: HqError) -> Self {
        Self::Failed(error)
    }
}

/// Streams `parts` and then `last` into the whole file; nothing appears unless its hash is right.
pub(super) fn assemble(
    objects: &Objects,
    sha256: &Hash,
    parts: &[Part],
    last: &[u8],
) -> Result<(), Unfit> {
    let mut upload = objects.upload(&whole(sha256));
    let found = pour(objects, sha256, parts, last, &mut upload)?;
    if found == *sha256 {
        return Ok(upload.finish()?);
    }
    drop(upload);
    // Kept for whoever asks what the device sent instead.
    let mut aside = objects.upload(&format!("quarantine/{sha256}-is-{found}"));
    pour(objects, sha256, parts, last, &mut aside)?;
    aside.finish()?;
    Err(Unfit::Whole(found))
}

fn pour(
    objects: &Objects,
    sha256: &Hash,
    parts: &[Part],
    last: &[u8],
    upload: &mut Upload<'_>,
) -> Result<Hash, Unfit> {
    let mut digest = Sha256::new();
    for part in parts {
        let mut own = Sha256::new();
        let read = objects.read(&self::part(sha256, part), part.bytes, |piece| {
            own.update(piece);
            digest.update(piece);
            upload.write(piece)
        });
        if let Err(error) = read {
            let lost = matches!(&error, HqError::Io { source, .. } if matches!(
                source.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::UnexpectedEof
            ));
            return Err(if lost { Unfit::Part(part.start) } else { Unfit::Failed(error) });
        }
        if Hash(own.finalize().into()) != part.digest {
            return Err(Unfit::Part(part.start));
        }
    }
    digest.update(last);
    upload.write(last)?;
    Ok(Hash(digest.finalize().into()))
}

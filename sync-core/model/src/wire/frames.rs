//! Records as a sequence of QR codes: where there is neither network nor LAN, one screen shows and
//! the other camera reads.
//!
//! A frame carries the name of the whole, its place and a checksum. Frames may come in any order,
//! twice, with gaps; each group of eight has a ninth that makes up for any one of them, so a reader
//! that misses a frame seldom waits for the next time around. What is put together must hash to its
//! name, and the signatures of the records inside decide the rest.

use serde_bytes::ByteBuf;

use crate::canonical;
use crate::hash::Hash;

/// First bytes of every frame: what it is, and its version.
const MAGIC: [u8; 3] = *b"XZ1";
/// Bytes before the data: magic, name, whole length, place.
const HEAD_BYTES: usize = 3 + 12 + 4 + 2;
/// Bytes of the checksum, the start of a SHA-256.
const CHECK_BYTES: usize = 4;
/// Data frames that share one spare.
const GROUP: usize = 8;
/// Data of one frame: with head and checksum a QR code of version 15 at level L, read by any camera.
pub const FRAME_DATA_BYTES: usize = 480;
/// Largest sequence: some hundred records; more goes over the LAN.
pub const SEQUENCE_BYTES_MAX: usize = 256 * 1024;

/// Returns the frames that carry `records`, or `None` if they are too many for a sequence.
#[must_use]
pub fn frames(records: &[ByteBuf]) -> Option<Vec<Vec<u8>>> {
    let payload = canonical::to_bytes(&records).ok()?;
    if payload.len() > SEQUENCE_BYTES_MAX {
        return None;
    }
    let (name, length) = (name(&payload), u32::try_from(payload.len()).ok()?);
    let mut blocks: Vec<Vec<u8>> = payload.chunks(FRAME_DATA_BYTES).map(<[u8]>::to_vec).collect();
    if let Some(last) = blocks.last_mut() {
        last.resize(FRAME_DATA_BYTES, 0);
    }
    let mut made = Vec::new();
    for (group, blocks) in blocks.chunks(GROUP).enumerate() {
        let mut spare = vec![0; FRAME_DATA_BYTES];
        for (place, block) in blocks.iter().enumerate() {
            blend(&mut spare, block);
            let index = group.checked_mul(GROUP + 1)?.checked_add(place)?;
            made.push(frame(&name, length, u16::try_from(index).ok()?, block));
        }
        let index = group.checked_mul(GROUP + 1)?.checked_add(GROUP)?;
        made.push(frame(&name, length, u16::try_from(index).ok()?, &spare));
    }
    Some(made)
}

fn name(payload: &[u8]) -> [u8; 12] {
    let mut name = [0; 12];
    name.copy_from_slice(Hash::of(payload).0.split_at(12).0);
    name
}

fn check(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(Hash::of(bytes).0.split_at(CHECK_BYTES).0);
    check
}

fn frame(name: &[u8; 12], length: u32, index: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES + data.len() + CHECK_BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&index.to_be_bytes());
    bytes.extend_from_slice(data);
    let check = check(&bytes);
    bytes.extend_from_slice(&check);
    bytes
}

fn blend(into: &mut [u8], other: &[u8]) {
    for (byte, other) in into.iter_mut().zip(other) {
        *byte ^= other;
    }
}

/// What came of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is no frame, or damaged: the reader goes on.
    NotAFrame,
    /// It belongs to another sequence than the one under way.
    Foreign,
    /// Kept; so many of so many blocks are here.
    Under {
        /// Blocks here.
        held: usize,
        /// Blocks of the sequence.
        of: usize,
    },
    /// All is here: the records, still to be checked by their signatures.
    Whole(Vec<ByteBuf>),
}

/// Puts a sequence together from frames in any order.
#[derive(Debug, Default)]
pub struct Reader {
    sequence: Option<([u8; 12], usize)>,
    /// By place in the sequence of frames, spares included.
    frames: Vec<Option<Vec<u8>>>,
}

impl Reader {
    /// Takes one frame as the camera read it.
    pub fn take(&mut self, bytes: &[u8]) -> Taken {
        let Some((name, length, index, data)) = parse(bytes) else { return Taken::NotAFrame };
        let blocks = length.div_ceil(FRAME_DATA_BYTES);
        let groups = blocks.div_ceil(GROUP);
        if self.sequence.is_none() {
            self.sequence = Some((name, length));
            self.frames = vec![None; groups.saturating_mul(GROUP + 1)];
        }
        if self.sequence != Some((name, length)) {
            return Taken::Foreign;
        }
        // A short last group has no frames between its last block and its spare.
        if !exists(index, blocks) {
            return Taken::NotAFrame;
        }
        let Some(slot) = self.frames.get_mut(index) else { return Taken::NotAFrame };
        *slot = Some(data.to_vec());
        self.mend(index / (GROUP + 1), blocks);
        let held = (0..blocks).filter(|block| self.block(*block).is_some()).count();
        if held < blocks {
            return Taken::Under { held, of: blocks };
        }
        match self.records(blocks, length, &name) {
            Some(records) => Taken::Whole(records),
            None => {
                // Checksums fit and the whole does not: made on purpose. Begin anew.
                *self = Self::default();
                Taken::NotAFrame
            }
        }
    }

    fn block(&self, block: usize) -> Option<&Vec<u8>> {
        self.frames.get(place(block)).and_then(Option::as_ref)
    }

    /// Makes the one missing block of a group from the others and the spare.
    fn mend(&mut self, group: usize, blocks: usize) {
        let first = group.saturating_mul(GROUP);
        let members: Vec<usize> = (first..blocks.min(first.saturating_add(GROUP))).collect();
        let missing: Vec<usize> =
            members.iter().copied().filter(|block| self.block(*block).is_none()).collect();
        let spare = self.frames.get(group.saturating_mul(GROUP + 1).saturating_add(GROUP));
        let (&[missing], Some(Some(spare))) = (missing.as_slice(), spare) else { return };
        let mut made = spare.clone();
        for block in members {
            if let Some(data) = self.block(block) {
                blend(&mut made, data);
            }
        }
        if let Some(slot) = self.frames.get_mut(place(missing)) {
            *slot = Some(made);
        }
    }

    fn records(&self, blocks: usize, length: usize, wanted: &[u8; 12]) -> Option<Vec<ByteBuf>> {
        let mut payload = Vec::with_capacity(blocks.saturating_mul(FRAME_DATA_BYTES));
        for block in 0..blocks {
            payload.extend_from_slice(self.block(block)?);
        }
        payload.truncate(length);
        if name(&payload) != *wanted {
            return None;
        }
        canonical::from_bytes(&payload, SEQUENCE_BYTES_MAX).ok()
    }
}

/// Returns the place of a block among the frames.
fn place(block: usize) -> usize {
    (block / GROUP).saturating_mul(GROUP + 1).saturating_add(block % GROUP)
}

/// Says whether the sequence has a frame at `index`.
fn exists(index: usize, blocks: usize) -> bool {
    let (group, within) = (index / (GROUP + 1), index % (GROUP + 1));
    let first = group.saturating_mul(GROUP);
    first < blocks && (within == GROUP || first.saturating_add(within) < blocks)
}

/// Returns name, whole length, place and data of an undamaged frame.
fn parse(bytes: &[u8]) -> Option<([u8; 12], usize, usize, &[u8])> {
    if bytes.len() != HEAD_BYTES + FRAME_DATA_BYTES + CHECK_BYTES {
        return None;
    }
    let (body, sum) = bytes.split_at_checked(bytes.len() - CHECK_BYTES)?;
    if check(body) != sum {
        return None;
    }
    let rest = body.strip_prefix(&MAGIC)?;
    let (name, rest) = rest.split_first_chunk::<12>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (index, data) = rest.split_first_chunk::<2>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let bounded = (1..=SEQUENCE_BYTES_MAX).contains(&length);
    bounded.then(|| (*name, length, usize::from(u16::from_be_bytes(*index)), data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(count: usize, bytes: usize) -> Vec<ByteBuf> {
        let one = |n: usize| {
            let seed = Hash::of(&n.to_be_bytes());
            ByteBuf::from(seed.0.iter().copied().cycle().take(bytes).collect::<Vec<u8>>())
        };
        (0..count).map(one).collect()
    }

    fn shuffled(mut frames: Vec<Vec<u8>>, seed: &mut u64) -> Vec<Vec<u8>> {
        for index in (1..frames.len()).rev() {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let other = usize::try_from(*seed >> 33).unwrap() % (index + 1);
            frames.swap(index, other);
        }
        frames
    }

    #[test]
    fn frames_in_any_order_and_twice_give_the_records() {
        let mut seed = 3;
        for (count, bytes) in [(0, 0), (1, 1), (1, 480), (7, 300), (40, 700), (300, 800)] {
            let sent = records(count, bytes);
            let made = frames(&sent).unwrap();
            for _ in 0..4 {
                let mut reader = Reader::default();
                let mut order = shuffled(made.clone(), &mut seed);
                order.extend(order.clone());
                let found = order.iter().find_map(|frame| match reader.take(frame) {
                    Taken::Whole(records) => Some(records),
                    Taken::Under { .. } => None,
                    other => panic!("{other:?}"),
                });
                assert_eq!(found, Some(sent.clone()));
            }
        }
        assert_eq!(frames(&records(400, 800)), None);
    }

    #[test]
    fn one_lost_frame_of_each_group_is_made_up_for() {
        let sent = records(40, 700);
        let made = frames(&sent).unwrap();
        for lost in 0..GROUP + 1 {
            let mut reader = Reader::default();
            let mut last = Taken::NotAFrame;
            for (index, frame) in made.iter().enumerate() {
                if index % (GROUP + 1) != lost {
                    last = reader.take(frame);
                }
            }
            assert_eq!(last, Taken::Whole(sent.clone()), "lost {lost}");
        }
        // Two of one group: the next time around brings them.
        let mut reader = Reader::default();
        for frame in made.iter().skip(2) {
            assert!(matches!(reader.take(frame), Taken::Under { .. }));
        }
        assert_eq!(reader.take(&made[1]), Taken::Whole(sent));
    }

    #[test]
    fn damaged_and_foreign_frames_change_nothing() {
        let (sent, other) = (records(9, 400), records(10, 401));
        let (made, foreign) = (frames(&sent).unwrap(), frames(&other).unwrap());
        let mut reader = Reader::default();
        assert!(matches!(reader.take(&made[0]), Taken::Under { held: 1, .. }));
        assert_eq!(reader.take(&foreign[1]), Taken::Foreign);
        for index in (0..made[1].len()).step_by(7) {
            let mut damaged = made[1].clone();
            damaged[index] ^= 1;
            assert_eq!(reader.take(&damaged), Taken::NotAFrame);
        }
        for length in 0..made[1].len() {
            assert_eq!(reader.take(&made[1][..length]), Taken::NotAFrame);
        }
        // A frame whose checksum is right and whose place does not exist.
        let name = name(&canonical::to_bytes(&sent).unwrap());
        let length = u32::try_from(canonical::to_bytes(&sent).unwrap().len()).unwrap();
        let beyond = frame(&name, length, u16::MAX, &[0; FRAME_DATA_BYTES]);
        assert_eq!(reader.take(&beyond), Taken::NotAFrame);
        let whole = made.iter().map(|frame| reader.take(frame)).last();
        assert_eq!(whole, Some(Taken::Whole(sent)));
    }
}

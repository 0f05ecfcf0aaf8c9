//! What is remembered of the slots: one record, replaced whole.

use core::fmt;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind};
use embedded_storage_async::nor_flash as asynchronous;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{Key, MapConfig, MapStorage, SerializationError};
use serde::{Deserialize, Serialize};

use super::{Region, SlotId};

/// What is remembered of the slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The highest sequence number that was ever confirmed. It never falls.
    pub floor: Option<u32>,
    /// The weights that passed their self-test last.
    pub confirmed: Option<Entry>,
    /// Those before them, as long as their slot is not needed.
    pub previous: Option<Entry>,
    /// What the next boot tries.
    pub trial: Option<Trial>,
    /// The trial that failed last.
    pub failed: Option<Entry>,
}

/// A blob in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The slot.
    pub slot: SlotId,
    /// The blob's CRC, which names its content.
    pub crc: u32,
    /// Its sequence number.
    pub sequence: u32,
}

/// Weights that have been verified but never served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Which.
    pub entry: Entry,
    /// Whether a boot has begun with them. If it is still there at the next boot, it failed.
    pub begun: bool,
}

impl State {
    /// What is left to know once a slot is about to be overwritten.
    pub(super) fn without(self, slot: SlotId) -> Self {
        let elsewhere = |entry: &Entry| entry.slot != slot;
        Self {
            confirmed: self.confirmed.filter(elsewhere),
            previous: self.previous.filter(elsewhere),
            trial: self.trial.filter(|trial| elsewhere(&trial.entry)),
            ..self
        }
    }

    /// What is known once `entry` has passed its self-test.
    pub(super) fn confirming(self, entry: Entry) -> Self {
        let elsewhere = |other: &Entry| other.slot != entry.slot;
        Self {
            floor: self.floor.max(Some(entry.sequence)),
            confirmed: Some(entry),
            previous: self.confirmed.filter(elsewhere).or(self.previous.filter(elsewhere)),
            trial: None,
            failed: self.failed,
        }
    }

    /// What is known once the trial has failed.
    pub(super) fn failing(self) -> Self {
        Self {
            failed: self.trial.map(|trial| trial.entry).or(self.failed),
            trial: None,
            ..self
        }
    }
}

/// Why the state could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateError<E> {
    /// The flash failed.
    Flash(E),
    /// The region does not suit this flash: not whole erase blocks, or fewer than four.
    Region,
    /// The record could not be stored, although there is room.
    Store,
}

impl<E: fmt::Debug> fmt::Display for StateError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => write!(f, "the flash failed: {error:?}"),
            Self::Region => write!(f, "the region for the slot state does not suit this flash"),
            Self::Store => write!(f, "the slot state could not be stored"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for StateError<E> {}

/// The state and how many came before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stored {
    generation: u32,
    pub state: State,
}

impl Stored {
    /// Whether it came behind `other`. Generations come round, so that none is the last.
    const fn follows(&self, other: &Self) -> bool {
        self.generation.wrapping_sub(other.generation) <= u32::MAX / 2
    }
}

/// The record, with its version.
#[derive(Serialize, Deserialize)]
enum Record {
    V1(Stored),
}

/// The only key of each map. It takes no bytes: the library would take those of a key out of a record shorter than that, and panic.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Only;

impl Key for Only {
    fn serialize_into(&self, _: &mut [u8]) -> Result<usize, SerializationError> {
        Ok(0)
    }

    fn deserialize_from(_: &[u8]) -> Result<(Self, usize), SerializationError> {
        Ok((Self, 0))
    }
}

/// More than a record takes, and whole words of every flash.
const BUFFER_LEN: usize = 96;

/// Reads the state. A region that holds none, or bytes that no cut can leave, gives the state of a device that remembers nothing.
pub(super) fn load<F: NorFlash>(flash: &mut F, region: Region) -> Result<Stored, StateError<F::Error>> {
    let [even, odd] = halves(region);
    // Where a generation does not belong, no cut leaves it.
    let belongs = |parity: u32| move |stored: &Stored| stored.generation % 2 == parity;
    let even = fetch(flash, even)?.filter(belongs(0));
    let odd = fetch(flash, odd)?.filter(belongs(1));
    Ok(match (even, odd) {
        (Some(even), Some(odd)) if odd.follows(&even) => odd,
        (even, odd) => even.or(odd).unwrap_or_default(),
    })
}

/// Replaces the state in one step: whatever happens meanwhile, the old or the new one is read afterwards.
///
/// The library's map promises as much, but not if an erasure that is cut short leaves any bits: then the map may lose what it held, or
/// give a record from before. So there are two maps, and states go to them in turn: the one that is being written holds
/// nothing that is still needed.
pub(super) fn save<F: NorFlash>(
    flash: &mut F,
    region: Region,
    old: &Stored,
    state: State,
) -> Result<Stored, StateError<F::Error>> {
    let generation = old.generation.wrapping_add(1);
    let new = Stored { generation, state };
    let half = halves(region)[generation as usize % 2];
    // What a cut left of this map may be beyond the library's repair. Nothing in it is needed, so it begins anew then.
    for anew in [false, true] {
        if anew {
            let mut map = map(flash, half)?;
            now(map.erase_all()).or_else(unless_lost)?;
        }
        store(flash, half, &new)?;
        if fetch(flash, half)? == Some(new) {
            return Ok(new);
        }
    }
    Err(StateError::Store)
}

fn halves(region: Region) -> [Region; 2] {
    let len = region.len / 2;
    [region.start, region.start + len].map(|start| Region { start, len })
}

/// The record of a map that is not lost.
fn fetch<F: NorFlash>(flash: &mut F, half: Region) -> Result<Option<Stored>, StateError<F::Error>> {
    let mut buffer = [0; BUFFER_LEN];
    let mut map = map(flash, half)?;
    match now(map.fetch_item::<&[u8]>(&mut buffer, &Only)) {
        Ok(found) => Ok(found.and_then(|bytes| match postcard::take_from_bytes(bytes) {
            Ok((Record::V1(stored), [])) => Some(stored),
            _ => None,
        })),
        Err(error) => unless_lost(error).map(|()| None),
    }
}

fn store<F: NorFlash>(flash: &mut F, half: Region, new: &Stored) -> Result<(), StateError<F::Error>> {
    let mut record = [0; BUFFER_LEN];
    let record: &[u8] = postcard::to_slice(&Record::V1(*new), &mut record).map_err(|_| StateError::Store)?;
    let mut buffer = [0; BUFFER_LEN];
    let mut map = map(flash, half)?;
    now(map.store_item(&mut buffer, &Only, &record)).or_else(unless_lost)
}

/// The flash's own errors; others mean that the map is lost.
fn unless_lost<E>(error: sequential_storage::Error<FlashError<E>>) -> Result<(), StateError<E>> {
    match error {
        sequential_storage::Error::Storage {
            value: FlashError::Flash(error),
        } => Err(StateError::Flash(error)),
        _ => Ok(()),
    }
}

type StateMap<'f, F> = MapStorage<Only, Blocking<'f, F>, NoCache>;
type NoCache = Cache<Uncached, Uncached, Uncached, Only>;

fn map<F: NorFlash>(flash: &mut F, half: Region) -> Result<StateMap<'_, F>, StateError<F::Error>> {
    let config = MapConfig::try_new(half.start..half.end()).map_err(|_| StateError::Region)?;
    Ok(MapStorage::new(Blocking(flash), config, Cache::new_uncached()))
}

/// A flash that blocks, for a library that could wait. It erases a block before the first word of it is written, since what looks erased
/// may be what a cut left of an erasure, and refuses to write where something is.
struct Blocking<'f, F>(&'f mut F);

/// Why such a flash refuses.
#[derive(Debug)]
enum FlashError<E> {
    Flash(E),
    Programmed,
}

impl<E: NorFlashError> NorFlashError for FlashError<E> {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Flash(error) => error.kind(),
            Self::Programmed => NorFlashErrorKind::Other,
        }
    }
}

impl<F: ErrorType> ErrorType for Blocking<'_, F> {
    type Error = FlashError<F::Error>;
}

impl<F: NorFlash> asynchronous::ReadNorFlash for Blocking<'_, F> {
    const READ_SIZE: usize = F::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.read(offset, bytes).map_err(FlashError::Flash)
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<F: NorFlash> asynchronous::NorFlash for Blocking<'_, F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.0.erase(from, to).map_err(FlashError::Flash)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        let block = F::ERASE_SIZE as u32;
        if offset.is_multiple_of(block) {
            // The library's mark of a block that begins to be used: nothing is in it.
            self.0.erase(offset, offset + block).map_err(FlashError::Flash)?;
        }
        // Zeros finish a mark that a cut left half written; flash bears that.
        let voiding = bytes.iter().all(|&byte| byte == 0);
        for at in (0..bytes.len()).step_by(READ_LEN).filter(|_| !voiding) {
            let mut there = [0; READ_LEN];
            let there = &mut there[..READ_LEN.min(bytes.len() - at)];
            self.0.read(offset + at as u32, there).map_err(FlashError::Flash)?;
            if there.iter().any(|&byte| byte != 0xff) {
                return Err(FlashError::Programmed);
            }
        }
        self.0.write(offset, bytes).map_err(FlashError::Flash)
    }
}

/// Bytes that are looked at in one go; whole units of every flash.
const READ_LEN: usize = 32;

/// The result of a future that never waits, as none over [`Blocking`] does.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("a blocking flash made a future wait"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::NorMemory;

    const REGION: Region = Region {
        start: 0,
        len: 4 * 4096,
    };

    fn state(sequence: u32) -> State {
        let entry = |slot| Entry {
            slot,
            crc: u32::MAX,
            sequence,
        };
        State {
            floor: Some(u32::MAX),
            confirmed: Some(entry(SlotId::A)),
            previous: Some(entry(SlotId::B)),
            trial: Some(Trial {
                entry: entry(SlotId::B),
                begun: true,
            }),
            failed: Some(entry(SlotId::A)),
        }
    }

    #[test]
    fn what_is_stored_is_what_is_read() {
        let mut bytes = [0xff; 4 * 4096];
        let mut flash = NorMemory::new(&mut bytes);
        let mut stored = load(&mut flash, REGION).unwrap();
        assert_eq!(stored, Stored::default());
        // More than all blocks hold, so that old records are dropped.
        for sequence in 0..1000 {
            stored = save(&mut flash, REGION, &stored, state(sequence)).unwrap();
            assert_eq!(stored.state, state(sequence));
            assert_eq!(load(&mut flash, REGION), Ok(stored));
        }
    }

    #[test]
    fn bytes_that_are_no_state_count_as_none() {
        for byte in [0x00, 0x5a, 0xf0] {
            let mut bytes = [byte; 4 * 4096];
            let mut flash = NorMemory::new(&mut bytes);
            assert_eq!(load(&mut flash, REGION), Ok(Stored::default()), "{byte:#x}");
            let stored = save(&mut flash, REGION, &Stored::default(), state(7)).unwrap();
            assert_eq!(load(&mut flash, REGION), Ok(stored), "{byte:#x}");
        }
    }

    #[test]
    fn with_one_map_lost_the_other_one_counts() {
        let mut bytes = [0xff; 4 * 4096];
        let mut flash = NorMemory::new(&mut bytes);
        let first = save(&mut flash, REGION, &Stored::default(), state(1)).unwrap();
        let second = save(&mut flash, REGION, &first, state(2)).unwrap();
        // The second is in the first half.
        bytes[..2 * 4096].fill(0xa5);
        let mut flash = NorMemory::new(&mut bytes);
        assert_eq!(load(&mut flash, REGION), Ok(first));
        assert_eq!(save(&mut flash, REGION, &first, state(2)), Ok(second));
        assert_eq!(load(&mut flash, REGION), Ok(second));
    }

    /// Writes that record into the half with that number, whatever it is.
    fn put(flash: &mut NorMemory<'_>, half: usize, record: &[u8]) {
        let mut map = map(flash, halves(REGION)[half]).unwrap();
        now(map.store_item(&mut [0; BUFFER_LEN], &Only, &record)).unwrap();
    }

    #[test]
    fn records_that_are_no_states_are_replaced() {
        let long = [1; BUFFER_LEN];
        for record in [&[][..], &[0], &[1, 2, 3], &long[..BUFFER_LEN - 8], &long] {
            let mut bytes = [0xff; 4 * 4096];
            let mut flash = NorMemory::new(&mut bytes);
            for half in [0, 1] {
                put(&mut flash, half, record);
            }
            let mut stored = load(&mut flash, REGION).unwrap();
            assert_eq!(stored, Stored::default());
            for sequence in 0..3 {
                stored = save(&mut flash, REGION, &stored, state(sequence)).unwrap();
                assert_eq!(load(&mut flash, REGION), Ok(stored));
            }
        }
    }

    #[test]
    fn no_generation_is_the_last() {
        for generation in [u32::MAX, u32::MAX - 1, u32::MAX / 2, u32::MAX / 2 + 1] {
            for half in [0, 1] {
                let mut bytes = [0xff; 4 * 4096];
                let mut flash = NorMemory::new(&mut bytes);
                let old = Stored {
                    generation,
                    state: state(1),
                };
                let record = {
                    let mut buffer = [0; BUFFER_LEN];
                    postcard::to_slice(&Record::V1(old), &mut buffer).unwrap().to_vec()
                };
                put(&mut flash, half, &record);
                let mut stored = load(&mut flash, REGION).unwrap();
                let belongs = generation as usize % 2 == half;
                assert_eq!(stored, if belongs { old } else { Stored::default() });
                for sequence in 2..5 {
                    stored = save(&mut flash, REGION, &stored, state(sequence)).unwrap();
                    assert_eq!(load(&mut flash, REGION), Ok(stored), "{generation} in {half}");
                }
            }
        }
    }

    #[test]
    fn a_region_of_two_blocks_is_refused() {
        let mut bytes = [0xff; 8192];
        let region = Region { start: 0, len: 8192 };
        assert_eq!(load(&mut NorMemory::new(&mut bytes), region), Err(StateError::Region));
    }
}

//! Two slots for weights in flash, and updates that survive a power cut at any moment.
//!
//! ```text
//!                 ┌──────────── update ────────────┐
//!  slot being served │ the other slot: erase, write, verify whole │ state: "try that one"
//!
//!  boot:  a trial that has not begun ─► confirmed ─► previous ─► any other whole blob
//!         └ noted as begun, then checked, loaded, self-tested ─► confirmed
//! ```
//!
//! Weights are read where they lie, so the slot that is served is never written to; an update goes to the other one. Until it
//! has been verified whole nothing refers to it. One write to the [`State`] then makes it the next boot's *trial*. That boot
//! notes that the trial has begun before it looks at a byte of it; whatever happens then, a refusal, a crash, a watchdog or a power
//! cut, the boot after it goes back to the weights from before, unless the self-test has passed and the trial was confirmed.
//!
//! The state is one record, replaced as a whole in maps of `sequential-storage`. It keeps the
//! highest sequence number that was ever confirmed, over rollbacks too: nothing older is taken again.
//!
//! [`boot`] picks a slot, [`Update`] fills one, [`NorMemory`] is memory that keeps the rules of NOR flash: the emulated boards'
//! flash, and what the power-cut simulator is made of.

mod boot;
mod memory;
mod state;
mod update;

use embedded_storage::nor_flash::NorFlash;
use serde::{Deserialize, Serialize};

pub use boot::{Booted, Event, Loaded, NoModel, Stage, boot, boot_without};
pub use memory::{NorError, NorMemory};
pub use state::{Entry, State, StateError, Trial};
pub use update::{Update, UpdateError};

use crate::signature::PublicKey;
use state::Stored;

/// One of the two slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SlotId {
    /// The first.
    A,
    /// The second.
    B,
}

impl SlotId {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

impl core::fmt::Display for SlotId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
        })
    }
}

/// Bytes of flash, from the flash's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The first, in bytes.
    pub start: u32,
    /// How many.
    pub len: u32,
}

impl Region {
    /// The byte behind the last.
    pub const fn end(self) -> u32 {
        self.start + self.len
    }
}

/// What lies where in a board's flash. Regions begin and end at erase blocks and do not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlashMap {
    /// The slots, [`ALIGNMENT`](crate::blob::ALIGNMENT)-aligned.
    pub slots: [Region; 2],
    /// The state: four erase blocks or more. Never looked at where nothing can be [written](Mapped::WRITABLE).
    pub state: Region,
}

impl FlashMap {
    /// Where a slot lies.
    pub const fn slot(&self, slot: SlotId) -> Region {
        self.slots[slot as usize]
    }
}

/// Flash that is mapped into memory. Offsets count from its start.
pub trait Mapped: NorFlash {
    /// Whether it can be written at all. Where it cannot, there is nothing to remember, and all of updating is left out of the image.
    const WRITABLE: bool = true;

    /// The bytes of a region, where they lie.
    ///
    /// # Panics
    /// The region is not inside, or is the one that was split off.
    fn bytes(&self, region: Region) -> &[u8];
}

/// Mapped flash of which a part can be read in place while the rest is written.
pub trait Flash: Mapped {
    /// All but the region that was split off.
    type Rest<'f>: Mapped<Error = Self::Error>
    where
        Self: 'f;

    /// A region to read, and the rest to write. An erase or a write that meets the region is refused.
    ///
    /// # Panics
    /// The region is not inside.
    fn split(&mut self, region: Region) -> (&[u8], Self::Rest<'_>);
}

/// What the slots are judged by, and what is known of them.
#[derive(Clone, Copy, Debug)]
pub struct Slots {
    map: FlashMap,
    key: Option<PublicKey>,
    stored: Stored,
}

impl Slots {
    /// Reads the state. One that cannot be read any more counts as none: no cut leaves such a one.
    ///
    /// # Errors
    /// The flash's own.
    pub fn open<F: Mapped>(flash: &mut F, map: FlashMap, key: Option<PublicKey>) -> Result<Self, StateError<F::Error>> {
        let stored = if F::WRITABLE {
            state::load(flash, map.state)?
        } else {
            Stored::default()
        };
        Ok(Self { map, key, stored })
    }

    /// What is known of the slots.
    pub const fn state(&self) -> &State {
        &self.stored.state
    }

    /// What lies where.
    pub const fn map(&self) -> &FlashMap {
        &self.map
    }

    /// The key that weights must be signed with, if any.
    pub const fn key(&self) -> Option<&PublicKey> {
        self.key.as_ref()
    }

    /// Makes `state` the one that is known, and stored. Writes nothing if nothing changes.
    fn set<F: Mapped>(&mut self, flash: &mut F, state: State) -> Result<(), StateError<F::Error>> {
        if state == self.stored.state {
            return Ok(());
        }
        if F::WRITABLE {
            self.stored = state::save(flash, self.map.state, &self.stored, state)?;
        } else {
            self.stored.state = state;
        }
        Ok(())
    }
}

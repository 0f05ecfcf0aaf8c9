//! From reset to weights that passed all checks.

use core::fmt::Display;

use heapless::Vec;

use super::state::Stored;
use super::{Entry, Flash, FlashMap, Region, SlotId, Slots, State, StateError, Trial};
use crate::blob::Header;
use crate::signature::PublicKey;
use crate::wire::{SelfTest, Text, text};
use crate::{Blob, BlobError, Network};

/// Which check a blob failed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its bytes: checksum, signature, format, graph.
    Blob,
    /// What is remembered of the slots.
    Standing,
    /// It does not fit this device.
    Load,
    /// Its golden vectors.
    SelfTest,
}

impl Display for Stage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Blob => "blob",
            Self::Standing => "standing",
            Self::Load => "load",
            Self::SelfTest => "self-test",
        })
    }
}

/// What happens on the way, for a log and for counters.
pub enum Event<'e> {
    /// The state could not be read or written; booting goes on without.
    State(&'e dyn Display),
    /// The slot holds nothing.
    Empty(SlotId),
    /// The checks of the slot's blob begin.
    Checking(SlotId),
    /// They go on.
    Alive,
    /// It is loaded, its self-test begins.
    Testing(SlotId),
    /// It failed.
    Refused(SlotId, Stage, &'e dyn Display),
    /// It passed.
    Passed(SlotId, &'e Network<'e>),
}

/// What a device serves after booting, and what it needs to take an update meanwhile.
pub struct Booted<'b, W> {
    /// The model that passed all checks, or why there is none.
    pub model: Result<Loaded<'b>, NoModel>,
    /// The slots.
    pub slots: Slots,
    /// All of the flash but the slot that is served.
    pub flash: W,
}

/// A model that passed all checks.
pub struct Loaded<'b> {
    /// The network.
    pub network: Network<'b>,
    /// The slot it is read from.
    pub slot: SlotId,
}

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoModel {
    /// The reason of the first blob that was refused, or that there is none.
    pub reason: Text,
    /// Whether one failed at its self-test, the last of the checks.
    pub self_test: SelfTest,
}

/// Why a blob in a slot is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It is on trial.
    Trial(Entry),
    /// It passed its self-test in an earlier boot.
    Known(Entry),
    /// It is there, and nothing is known of it: put there by other means, by a programmer perhaps.
    Found,
}

/// Hands the best blob that passes all checks to `serve`, or the reason why there is none.
///
/// It calls `serve` instead of giving the model back because the model borrows the arena, which the next slot needs if this one
/// fails, and a part of the flash, whose rest `serve` may write.
pub fn boot<F: Flash, R>(
    flash: &mut F,
    map: FlashMap,
    key: Option<PublicKey>,
    arena: &mut [u8],
    mut observe: impl FnMut(Event<'_>),
    serve: impl FnOnce(Booted<'_, F::Rest<'_>>) -> R,
) -> R {
    let mut slots = open(flash, map, key, &mut observe);
    let mut refusal: Option<NoModel> = None;
    for (slot, standing) in candidates(slots.state(), flash, &map) {
        if let Standing::Trial(entry) = standing {
            let trial = Some(Trial { entry, begun: true });
            let begun = State {
                trial,
                ..*slots.state()
            };
            if let Err(error) = slots.set(flash, begun) {
                // Without the note a crash would be tried for ever.
                observe(Event::State(&error));
                continue;
            }
        }
        let (bytes, mut rest) = flash.split(map.slot(slot));
        observe(Event::Checking(slot));
        let refused = match slots.judge(slot, standing, bytes, || observe(Event::Alive)) {
            Ok(blob) => match Network::load(blob, arena) {
                Ok(mut network) => {
                    observe(Event::Testing(slot));
                    match network.self_test() {
                        Ok(()) => {
                            observe(Event::Passed(slot, &network));
                            // Weights that were confirmed before are no news, even if newer ones cannot be read today.
                            if !matches!(standing, Standing::Known(_)) {
                                let confirmed = slots.state().confirming(entry(slot, blob.header()));
                                note(slots.set(&mut rest, confirmed), &mut observe);
                            }
                            let model = Ok(Loaded { network, slot });
                            return serve(Booted {
                                model,
                                slots,
                                flash: rest,
                            });
                        }
                        Err(error) => refuse(&mut observe, slot, Stage::SelfTest, &error),
                    }
                }
                Err(error) => refuse(&mut observe, slot, Stage::Load, &error),
            },
            Err(Judgement::Empty) => {
                observe(Event::Empty(slot));
                None
            }
            Err(Judgement::Blob(error)) => refuse(&mut observe, slot, Stage::Blob, &error),
            Err(Judgement::Standing(error)) => refuse(&mut observe, slot, Stage::Standing, &error),
        };
        drop(rest);
        // What is said of the first is what counts; a blob that is looked at twice fails the second time for what it is.
        refusal = refusal.or(refused);
        if matches!(standing, Standing::Trial(_)) {
            note(slots.set(flash, slots.state().failing()), &mut observe);
        }
    }
    let model = Err(refusal.unwrap_or_else(|| NoModel {
        reason: text("every slot is empty"),
        self_test: SelfTest::NotRun,
    }));
    let (_, flash) = flash.split(Region { start: 0, len: 0 });
    serve(Booted { model, slots, flash })
}

/// Serves without looking at any weights, for that reason: an update may still come. For a device that crashes whenever it starts.
pub fn boot_without<F: Flash, R>(
    flash: &mut F,
    map: FlashMap,
    key: Option<PublicKey>,
    reason: Text,
    mut observe: impl FnMut(Event<'_>),
    serve: impl FnOnce(Booted<'_, F::Rest<'_>>) -> R,
) -> R {
    let slots = open(flash, map, key, &mut observe);
    let model = Err(NoModel {
        reason,
        self_test: SelfTest::NotRun,
    });
    let (_, flash) = flash.split(Region { start: 0, len: 0 });
    serve(Booted { model, slots, flash })
}

/// The slots, with a trial that did not come to its end in an earlier boot noted as failed.
fn open<F: Flash>(flash: &mut F, map: FlashMap, key: Option<PublicKey>, observe: &mut impl FnMut(Event<'_>)) -> Slots {
    let mut slots = Slots::open(flash, map, key).unwrap_or_else(|error| {
        observe(Event::State(&error));
        Slots {
            map,
            key,
            stored: Stored::default(),
        }
    });
    // It has begun in an earlier boot, and was not confirmed.
    if slots.state().trial.is_some_and(|trial| trial.begun) {
        note(slots.set(flash, slots.state().failing()), observe);
    }
    slots
}

/// The slots in the order in which they are tried. A slot may come twice: as what it was known to hold, and, if it
/// does not hold that any more, as what it holds.
fn candidates<F: Flash>(state: &State, flash: &F, map: &FlashMap) -> Vec<(SlotId, Standing), 5> {
    let trial = state.trial.filter(|trial| !trial.begun).map(|trial| trial.entry);
    let known = [state.confirmed, state.previous].into_iter().flatten();
    let mut found = SlotId::ALL.map(|slot| {
        let header = Header::decode(flash.bytes(map.slot(slot)));
        (header.ok().map(|header| header.sequence), slot)
    });
    found.sort_unstable_by_key(|&(sequence, slot)| (core::cmp::Reverse(sequence), slot as u8));
    trial
        .into_iter()
        .map(|entry| (entry.slot, Standing::Trial(entry)))
        .chain(known.map(|entry| (entry.slot, Standing::Known(entry))))
        .chain(found.map(|(_, slot)| (slot, Standing::Found)))
        .collect()
}

/// Why a blob is not served, before it is loaded.
enum Judgement {
    /// There is none.
    Empty,
    /// Its bytes.
    Blob(BlobError),
    /// What is remembered.
    Standing(StandingError),
}

impl From<BlobError> for Judgement {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Magic {
                found: [0, 0, 0, 0] | [0xff, 0xff, 0xff, 0xff],
            } => Self::Empty,
            error => Self::Blob(error),
        }
    }
}

/// Why what is remembered of the slots speaks against a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StandingError {
    /// Another blob than the one that was remembered.
    Other { crc: u32 },
    /// Older than one that was confirmed.
    Older { sequence: u32, floor: u32 },
    /// It failed when it was on trial.
    Failed,
}

impl Display for StandingError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Other { crc } => write!(f, "its CRC is {crc:08x}, which is not the blob that was verified"),
            Self::Older { sequence, floor } => {
                write!(f, "its sequence number is {sequence}, and {floor} was confirmed before")
            }
            Self::Failed => write!(f, "it failed when it was on trial"),
        }
    }
}

impl Slots {
    /// The checks of a blob that need neither arena nor run. A signature is asked for unless the blob was confirmed before.
    #[inline(never)]
    fn judge<'b>(
        &self,
        slot: SlotId,
        standing: Standing,
        bytes: &'b [u8],
        alive: impl FnMut(),
    ) -> Result<Blob<'b>, Judgement> {
        let blob = match (&self.key, standing) {
            (Some(key), Standing::Trial(_) | Standing::Found) => Blob::new_signed(bytes, key, alive)?,
            _ => Blob::new_checked(bytes)?,
        };
        let found = entry(slot, blob.header());
        let (crc, sequence) = (found.crc, found.sequence);
        match (standing, self.state().floor) {
            (Standing::Trial(entry) | Standing::Known(entry), _) if entry != found => {
                Err(Judgement::Standing(StandingError::Other { crc }))
            }
            (Standing::Found, _) if self.state().failed == Some(found) => {
                Err(Judgement::Standing(StandingError::Failed))
            }
            (Standing::Found, Some(floor)) if sequence < floor => {
                Err(Judgement::Standing(StandingError::Older { sequence, floor }))
            }
            _ => Ok(blob),
        }
    }
}

fn entry(slot: SlotId, header: &Header) -> Entry {
    Entry {
        slot,
        crc: header.crc,
        sequence: header.sequence,
    }
}

fn refuse(observe: &mut impl FnMut(Event<'_>), slot: SlotId, stage: Stage, error: &dyn Display) -> Option<NoModel> {
    observe(Event::Refused(slot, stage, error));
    let self_test = match stage {
        Stage::SelfTest => SelfTest::Failed,
        _ => SelfTest::NotRun,
    };
    Some(NoModel {
        reason: text(format_args!("slot {slot}: {stage}: {error}")),
        self_test,
    })
}

/// A state that cannot be written is told and lived with: the device serves what it has.
fn note<E: core::fmt::Debug>(written: Result<(), StateError<E>>, observe: &mut impl FnMut(Event<'_>)) {
    if let Err(error) = written {
        observe(Event::State(&error));
    }
}

//! The request loop: reads frames from a link, answers them, counts what goes wrong.
//!
//! It knows no board: the link has the `embedded-io` traits, and what only a board can tell comes through [`Identity`]
//! and [`Counter`].

use embedded_io::{Read, Write};
use trident::graph::Op;
use trident::health::Health;
use trident::slots::{Booted, Loaded, Mapped, NoModel, SlotId, Slots, Update, UpdateError};
use trident::wire::{
    self, CHUNK_LEN, Done, Faults, Frame, FrameReader, Info, Model, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, Refusal,
    Reply, Request, SegmentationDigest, SelfTest, SlotsReport, State, Statistics, WriteError,
};
use trident::{HeadSet, InputSlot, Logits, Network};

use crate::counter::Counter;
use crate::inputs::InputBuffers;

/// What only the image knows of itself.
#[derive(Clone, Copy)]
pub struct Identity {
    /// The board's name.
    pub board: &'static str,
    /// The arena's size, in bytes.
    pub arena_capacity: usize,
    /// Flash that the image takes, in bytes.
    pub image_len: usize,
    /// Static RAM but the arena and the input buffers, in bytes.
    pub other_static_len: usize,
    /// The stack's size, in bytes.
    pub stack_capacity: usize,
    /// The most stack in use since reset, in bytes.
    pub stack_high_water: fn() -> usize,
    /// To be called now and then while something takes long.
    pub alive: fn(),
    /// What has brought the program down since power came on.
    pub faults: fn() -> Faults,
}

/// Readings whose drift is observed, four bytes each. A model with more has its first ones observed.
const OBSERVED_READINGS: usize = 32;

/// Instructions that the served model took before it was served.
#[derive(Clone, Copy, Debug, Default)]
pub struct Costs {
    /// From the blob's first check to a loaded network.
    pub load_instructions: u64,
    /// Of the self-test.
    pub self_test_instructions: u64,
}

/// Why the request loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The link ended.
    Closed,
    /// The host asked for a restart, and was answered.
    Restart,
}

/// The request loop's state. What was booted is borrowed: it is large, and lies in a frame of the stack already.
pub struct Server<'a, 'b, W, C, const PICTURE_LEN: usize> {
    identity: Identity,
    model: &'a mut Result<Loaded<'b>, NoModel>,
    slots: &'a mut Slots,
    flash: &'a mut W,
    update: Option<Update>,
    restart: bool,
    costs: Costs,
    counter: &'a C,
    inputs: &'a mut InputBuffers<PICTURE_LEN>,
    health: Option<Health<'b, OBSERVED_READINGS>>,
    mask: [u8; CHUNK_LEN],
    runs: u32,
    faults: u32,
}

impl<'a, 'b, W: Mapped, C: Counter, const PICTURE_LEN: usize> Server<'a, 'b, W, C, PICTURE_LEN> {
    /// A server that has answered nothing yet.
    pub fn new(
        identity: Identity,
        booted: &'a mut Booted<'b, W>,
        costs: Costs,
        counter: &'a C,
        inputs: &'a mut InputBuffers<PICTURE_LEN>,
    ) -> Self {
        let loaded = booted.model.as_ref().ok();
        Self {
            health: loaded.map(|loaded| Health::new(&loaded.network.blob())),
            identity,
            model: &mut booted.model,
            slots: &mut booted.slots,
            flash: &mut booted.flash,
            update: None,
            restart: false,
            costs,
            counter,
            inputs,
            mask: [0; CHUNK_LEN],
            runs: 0,
            faults: 0,
        }
    }

    /// Answers requests until the link ends or a restart is asked for.
    ///
    /// # Errors
    /// The link's own.
    pub fn serve<L: Read + Write>(&mut self, link: &mut L) -> Result<Ended, L::Error> {
        let mut reader = FrameReader::new();
        let mut received = [0; 256];
        loop {
            let len = link.read(&mut received)?;
            if len == 0 {
                return Ok(Ended::Closed);
            }
            let mut bytes = &received[..len];
            while let Some(frame) = reader.feed(&mut bytes) {
                match frame {
                    Ok(frame) => self.answer(&frame, link)?,
                    // Its sequence number cannot be trusted either, so nobody could match an answer.
                    Err(_) => self.faults = self.faults.wrapping_add(1),
                }
                if self.restart {
                    return Ok(Ended::Restart);
                }
            }
        }
    }

    fn answer<L: Write>(&mut self, frame: &Frame<'_>, link: &mut L) -> Result<(), L::Error> {
        let reply = match frame.message() {
            Ok(request) => self.reply(request).unwrap_or_else(Reply::Refused),
            Err(_) => Reply::Refused(Refusal::Malformed),
        };
        let refused = matches!(reply, Reply::Refused(_));
        let written = wire::write_frame(link, frame.sequence, &reply);
        if refused {
            self.faults = self.faults.wrapping_add(1);
        }
        match written {
            Ok(()) => Ok(()),
            Err(WriteError::Link(error)) => Err(error),
            // A test in `wire` shows that the longest reply fits.
            Err(WriteError::Frame(_)) => unreachable!("a reply longer than a frame"),
        }
    }

    fn reply(&mut self, request: Request<'_>) -> Result<Reply<'_>, Refusal> {
        match request {
            Request::Info => Ok(Reply::Info(self.info())),
            Request::Input { slot, offset, bytes } => {
                self.inputs.put(slot, offset, bytes)?;
                Ok(Reply::Accepted)
            }
            Request::Run { heads } => self.run(heads).map(Reply::Done),
            Request::Output { offset, len } => {
                let codes = self.logits()?.codes;
                let range = part(offset, len, codes.len())?;
                let bytes = bytemuck::cast_slice(&codes[range]);
                Ok(Reply::Bytes { offset, bytes })
            }
            Request::Mask { offset, len } => self.mask(offset, len),
            Request::Statistics => Ok(Reply::Statistics(self.statistics())),
            Request::Hello { oldest, newest } => hello(oldest, newest),
            Request::Slots => Ok(Reply::Slots(self.slots_report())),
            Request::UpdateBegin { header, from } => {
                // What was on its way is given up, whether this begins or not.
                self.update = None;
                let served = self.served();
                let update = Update::begin(self.slots, self.flash, served, &header, from).map_err(refused)?;
                self.update = Some(update);
                Ok(Reply::Written(update.written()))
            }
            Request::UpdateChunk { offset, bytes } => {
                let update = self.update.as_mut().ok_or_else(not_begun::<W>)?;
                update.write(self.flash, offset, bytes).map_err(refused)?;
                Ok(Reply::Written(update.written()))
            }
            Request::UpdateDigest { offset, len } => {
                let digest = Update::digest(self.slots, self.flash, self.served(), offset, len);
                digest.map(Reply::Digest).map_err(refused)
            }
            Request::UpdateFinish => {
                let update = self.update.ok_or_else(not_begun::<W>)?;
                let capacity = self.identity.arena_capacity;
                let finished = update.finish(self.slots, self.flash, capacity, self.identity.alive);
                finished.map(|()| Reply::Accepted).map_err(refused)
            }
            Request::Health => {
                let health = self.health.as_ref().ok_or(Refusal::NoModel)?;
                Ok(Reply::Health(health.report()))
            }
            Request::Faults => Ok(Reply::Faults((self.identity.faults)())),
            Request::Restart => {
                self.restart = true;
                Ok(Reply::Accepted)
            }
        }
    }

    fn served(&self) -> Option<SlotId> {
        self.model.as_ref().ok().map(|loaded| loaded.slot)
    }

    fn slots_report(&self) -> SlotsReport {
        let target = Update::target(self.slots, self.served());
        SlotsReport {
            served: self.served(),
            target,
            state: *self.slots.state(),
            slot_len: self.slots.map().slot(target).len,
            erase_len: if W::WRITABLE { W::ERASE_SIZE as u32 } else { 0 },
            key: self.slots.key().and_then(|key| key.0.first_chunk().copied()),
            update: self.update.map(|update| (update.crc(), update.written())),
        }
    }

    fn info(&self) -> Info<'_> {
        Info {
            protocol: PROTOCOL_VERSION,
            board: self.identity.board,
            firmware: env!("CARGO_PKG_VERSION"),
            arena_capacity: self.identity.arena_capacity as u32,
            picture_capacity: PICTURE_LEN as u32,
            state: match &*self.model {
                Ok(loaded) => State::Serving(model(&loaded.network)),
                Err(none) => State::NoModel(none.reason.clone()),
            },
        }
    }

    fn run(&mut self, heads: HeadSet) -> Result<Done, Refusal> {
        let (Ok(Loaded { network, .. }), Some(health)) = (&mut *self.model, &mut self.health) else {
            return Err(Refusal::NoModel);
        };
        let inputs = self.inputs.inputs();
        let mut watch = health.watch();
        let start = self.counter.mark();
        let result = network.run_watched(heads, &inputs, &mut watch);
        let instructions = self.counter.since(start);
        match &result {
            Ok(_) => health.observe(heads, &inputs, &watch),
            Err(error) => health.refused(heads, error),
        }
        let outputs = result.map_err(|error| Refusal::Run(wire::text(error)))?;
        self.runs = self.runs.wrapping_add(1);
        Ok(Done {
            heads,
            probabilities: outputs.classification().unwrap_or_default().iter().copied().collect(),
            segmentation: outputs.segmentation().map(|logits| SegmentationDigest {
                len: logits.codes.len() as u32,
                digest: wire::digest(logits.codes),
            }),
            value: outputs.regression(),
            instructions,
        })
    }

    fn mask(&mut self, offset: u32, len: u16) -> Result<Reply<'_>, Refusal> {
        let logits = logits(self.model)?;
        let classes = usize::from(logits.shape.c);
        let range = part(offset, len, logits.codes.len() / classes)?;
        let bytes = &mut self.mask[..range.len()];
        let codes = &logits.codes[range.start * classes..range.end * classes];
        Logits { codes, ..logits }.mask(bytes);
        Ok(Reply::Bytes { offset, bytes })
    }

    fn logits(&self) -> Result<Logits<'_>, Refusal> {
        logits(self.model)
    }

    fn statistics(&self) -> Statistics {
        let (loaded, self_test) = match &*self.model {
            Ok(loaded) => (Some(loaded), SelfTest::Passed),
            Err(none) => (None, none.self_test),
        };
        Statistics {
            runs: self.runs,
            faults: self.faults,
            stack_high_water: (self.identity.stack_high_water)() as u32,
            stack_capacity: self.identity.stack_capacity as u32,
            arena_used: loaded.map_or(0, |loaded| loaded.network.arena_len() as u32),
            arena_capacity: self.identity.arena_capacity as u32,
            image_len: self.identity.image_len as u32,
            network_len: size_of::<Network>() as u32,
            other_static_len: self.identity.other_static_len as u32,
            load_instructions: self.costs.load_instructions,
            self_test_instructions: self.costs.self_test_instructions,
            self_test,
        }
    }
}

/// What the last run left, if it computed a segmentation.
fn logits<'b>(model: &'b Result<Loaded<'_>, NoModel>) -> Result<Logits<'b>, Refusal> {
    match model {
        Ok(loaded) => loaded.network.outputs().segmentation().ok_or(Refusal::NoOutput),
        Err(_) => Err(Refusal::NoModel),
    }
}

/// The newest version of the protocol that both speak.
fn hello(oldest: u16, newest: u16) -> Result<Reply<'static>, Refusal> {
    let version = newest.min(PROTOCOL_VERSION);
    if version < oldest.max(OLDEST_PROTOCOL_VERSION) {
        return Err(Refusal::Protocol {
            oldest: OLDEST_PROTOCOL_VERSION,
            newest: PROTOCOL_VERSION,
        });
    }
    Ok(Reply::Hello { version })
}

fn refused<E: core::fmt::Debug>(error: UpdateError<E>) -> Refusal {
    Refusal::Update(wire::text(error))
}

fn not_begun<W: Mapped>() -> Refusal {
    refused(UpdateError::<W::Error>::NotBegun)
}

/// The part of an output that a request asks for.
fn part(offset: u32, len: u16, available: usize) -> Result<core::ops::Range<usize>, Refusal> {
    let start = offset as usize;
    let end = start.saturating_add(usize::from(len));
    if end > available || usize::from(len) > CHUNK_LEN {
        let available = available as u32;
        return Err(Refusal::OutOfRange { offset, len, available });
    }
    Ok(start..end)
}

fn model(network: &Network<'_>) -> Model {
    let blob = network.blob();
    let graph = blob.graph();
    let shape = |slot| blob.input(slot).map(|input| input.shape);
    let logits = graph.nodes().find(|node| node.op == Op::Logits);
    Model {
        address: blob.bytes().as_ptr() as usize as u32,
        blob_len: blob.header().total_len,
        blob_crc: blob.header().crc,
        sequence: blob.header().sequence,
        classification_readings: shape(InputSlot::Classification).map(|shape| shape.c),
        picture: shape(InputSlot::Picture),
        regression_readings: shape(InputSlot::Regression).map(|shape| shape.c),
        segmentation: logits
            .and_then(|node| graph.tensor(node.input.into()))
            .map(|tensor| tensor.shape),
    }
}

#[cfg(test)]
mod tests;

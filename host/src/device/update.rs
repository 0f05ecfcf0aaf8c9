//! New weights for a running device: into the slot that it does not serve, verified there, tried at a restart.

use trident::blob::{HEADER_LEN, Header};
use trident::wire::{Reply, Request, SlotsReport, State};
use trident::{BlobError, wire};

use super::client::{ask, parts, unexpected};
use super::{Client, DeviceError};

/// Blocks whose digests are asked for at a time.
const DIGESTS_AT_ONCE: usize = 16;
/// Chunks that are sent between two looks at whether to go on.
const CHUNKS_AT_ONCE: usize = 16;

/// How far an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateStep {
    /// Bytes of the blob that are in the device's flash.
    Written(usize),
    /// All are there; the device verifies them.
    Verifying,
    /// The device starts anew and tries them.
    Restarting,
}

/// What an update did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Updated {
    /// Bytes that were there from an attempt that was cut short.
    pub resumed_from: usize,
    /// What the device remembers of its slots now.
    pub slots: SlotsReport,
}

impl Client {
    /// What the device's slots hold.
    ///
    /// # Errors
    /// The firmware is too old to tell; else the link's.
    pub fn slots(&mut self) -> Result<SlotsReport, DeviceError> {
        if !self.knows_updates() {
            return Err(DeviceError::TooOldForUpdates);
        }
        ask(
            self.connection(),
            Request::Slots,
            "what the slots hold",
            |reply| match reply {
                Reply::Slots(report) => Some(*report),
                _ => None,
            },
        )
    }

    /// Brings new weights onto the device, which tries them and goes back to what it had if they fail. An update that was cut short goes on
    /// where it stopped. `step` is told how far it is, and stops it by `false`; what is there stays there for the next attempt.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] with the device's reason, [`DeviceError::TrialFailed`], [`DeviceError::Interrupted`]; else the link's.
    pub fn update(&mut self, blob: &[u8], mut step: impl FnMut(UpdateStep) -> bool) -> Result<Updated, DeviceError> {
        let mut go_on = |at| {
            if step(at) {
                Ok(())
            } else {
                Err(DeviceError::Interrupted)
            }
        };
        let slots = self.slots()?;
        let header = blob
            .first_chunk::<HEADER_LEN>()
            .ok_or(DeviceError::NoBlob(BlobError::Truncated {
                needed: HEADER_LEN,
                found: blob.len(),
            }))?;
        let crc = Header::decode(header).map_err(DeviceError::NoBlob)?.crc;
        let resumed_from = self.already_there(blob, &slots)?;
        let begin = Request::UpdateBegin {
            header: *header,
            from: resumed_from as u32,
        };
        self.expect(
            &[begin],
            |reply| matches!(reply, Reply::Written(at) if *at as usize == resumed_from),
        )?;
        go_on(UpdateStep::Written(resumed_from))?;
        let chunks: Vec<_> = parts(blob.len() - resumed_from)
            .map(|(offset, len)| {
                let start = resumed_from + offset as usize;
                Request::UpdateChunk {
                    offset: start as u32,
                    bytes: &blob[start..start + usize::from(len)],
                }
            })
            .collect();
        let mut written = resumed_from;
        for some in chunks.chunks(CHUNKS_AT_ONCE) {
            self.expect(some, |reply| matches!(reply, Reply::Written(_)))?;
            written = (written + some.len() * wire::CHUNK_LEN).min(blob.len());
            go_on(UpdateStep::Written(written))?;
        }
        go_on(UpdateStep::Verifying)?;
        let accepted = |reply: &Reply<'_>| matches!(reply, Reply::Accepted);
        self.expect(&[Request::UpdateFinish], accepted)?;
        // From here on the device does the rest whether anybody waits for it or not.
        step(UpdateStep::Restarting);
        self.expect(&[Request::Restart], accepted)?;
        self.refresh()?;
        let served = match &self.info().state {
            State::Serving(model) => Some((model.blob_crc, model.sequence)),
            State::NoModel(_) => None,
        };
        match served {
            Some((served, _)) if served == crc => Ok(Updated {
                resumed_from,
                slots: self.slots()?,
            }),
            served => Err(DeviceError::TrialFailed {
                now: served.map_or("has no model to run".into(), |(_, sequence)| {
                    format!("serves model {sequence} again")
                }),
                log: self.log(),
            }),
        }
    }

    /// How many whole erase blocks of the blob lie in the slot that it would go to.
    fn already_there(&mut self, blob: &[u8], slots: &SlotsReport) -> Result<usize, DeviceError> {
        let block = slots.erase_len as usize;
        if block == 0 {
            return Ok(0);
        }
        let blocks: Vec<&[u8]> = blob.chunks_exact(block).take(slots.slot_len as usize / block).collect();
        for (round, some) in blocks.chunks(DIGESTS_AT_ONCE).enumerate() {
            let first = round * DIGESTS_AT_ONCE;
            let requests: Vec<_> = (first..first + some.len())
                .map(|number| Request::UpdateDigest {
                    offset: (number * block) as u32,
                    len: block as u32,
                })
                .collect();
            let mut digests = Vec::new();
            self.connection().exchange(&requests, |_, reply| match reply {
                Reply::Digest(digest) => {
                    digests.push(digest);
                    Ok(())
                }
                other => Err(unexpected(&other, "a digest")),
            })?;
            let same = some
                .iter()
                .zip(&digests)
                .take_while(|(block, digest)| crc32(block) == **digest);
            let same = same.count();
            if same < some.len() {
                return Ok((first + same) * block);
            }
        }
        Ok(blocks.len() * block)
    }

    fn expect(&mut self, requests: &[Request<'_>], due: impl Fn(&Reply<'_>) -> bool) -> Result<(), DeviceError> {
        self.connection().exchange(requests, |_, reply| {
            if due(&reply) {
                Ok(())
            } else {
                Err(unexpected(&reply, "a step of an update"))
            }
        })
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    trident::blob::CRC.checksum(bytes)
}

//! The host's side of the protocol.

use trident::wire::{
    CHUNK_LEN, Done, Model, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, Refusal, Reply, Request, State, Statistics,
    digest,
};
use trident::{Head, HeadSet, InputSlot, Inputs};

use super::connection::{Connection, LinkCounts};
use super::transport::Transport;
use super::{DeviceError, Qemu};

/// Who answers, as it said after boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// The board's name.
    pub board: String,
    /// The firmware's version.
    pub firmware: String,
    /// The arena's size, in bytes.
    pub arena_capacity: u32,
    /// The largest picture it takes, in bytes.
    pub picture_capacity: u32,
    /// The model, or why there is none.
    pub state: State,
}

/// What a run gave: per head asked for, in the user's units.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunResult {
    /// Probabilities: of the second label if there are two, else one per label.
    pub classification: Option<Vec<f32>>,
    /// Logit codes, `[h, w, classes]`.
    pub segmentation: Option<Vec<i8>>,
    /// The value, in the target's unit.
    pub regression: Option<f32>,
    /// Instructions that the run took; 0 where the board cannot count them. Not cycles.
    pub instructions: u64,
}

/// A device that answers.
pub struct Client {
    connection: Connection,
    info: DeviceInfo,
    protocol: u16,
}

impl Client {
    /// Waits until the device answers, and asks who it is.
    ///
    /// # Errors
    /// It does not answer in time, or speaks another version of the protocol.
    pub fn new(transport: Box<dyn Transport>, qemu: Option<Qemu>) -> Result<Self, DeviceError> {
        let mut connection = Connection::new(transport, qemu);
        let (info, protocol) = ask_info(&mut connection)?;
        Ok(Self {
            connection,
            info,
            protocol,
        })
    }

    /// Asks anew who answers: a device that has started anew may serve another model.
    pub(super) fn refresh(&mut self) -> Result<(), DeviceError> {
        (self.info, self.protocol) = self.connection.while_starting(ask_info)?;
        Ok(())
    }

    /// Whether the device takes updates over this link.
    pub(super) fn knows_updates(&self) -> bool {
        self.protocol >= HELLO_VERSION
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Who answers.
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// The model that the device runs.
    ///
    /// # Errors
    /// [`DeviceError::NoModel`], with the device's reason.
    pub fn model(&self) -> Result<&Model, DeviceError> {
        match &self.info.state {
            State::Serving(model) => Ok(model),
            State::NoModel(reason) => Err(DeviceError::NoModel {
                reason: reason.to_string(),
                log: self.log(),
            }),
        }
    }

    /// Sends the inputs, runs the heads, and fetches all that they give.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] if an input does not suit the model; else the link's.
    pub fn run(&mut self, heads: HeadSet, inputs: &Inputs<'_>) -> Result<RunResult, DeviceError> {
        let logits_len = match self.model()?.segmentation {
            Some(shape) if heads.contains(Head::Segmentation) => shape.len(),
            _ => 0,
        };
        let bytes = |row: Option<&[f32]>| -> Vec<u8> {
            let readings = row.unwrap_or_default().iter();
            readings.flat_map(|reading| reading.to_le_bytes()).collect()
        };
        let (classification, regression) = (bytes(inputs.classification), bytes(inputs.regression));
        let requests: Vec<_> = chunks(InputSlot::Classification, &classification)
            .chain(chunks(InputSlot::Picture, inputs.picture.unwrap_or_default()))
            .chain(chunks(InputSlot::Regression, &regression))
            .chain([Request::Run { heads }])
            .chain(parts(logits_len).map(|(offset, len)| Request::Output { offset, len }))
            .collect();

        let mut done = None;
        let mut codes = Vec::with_capacity(logits_len);
        self.connection.exchange(&requests, |request, reply| {
            match (request, reply) {
                (Request::Input { .. }, Reply::Accepted) => {}
                (Request::Run { .. }, Reply::Done(results)) => done = Some(results),
                (Request::Output { .. }, Reply::Bytes { bytes, .. }) => {
                    codes.extend(bytes.iter().map(|&byte| byte as i8));
                }
                (_, reply) => return Err(unexpected(&reply, "a reply to a run")),
            }
            Ok(())
        })?;
        results(done, codes)
    }

    /// The class of each pixel, row by row, of the last run's segmentation, as the device tells them.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] if the last run gave none; else the link's.
    pub fn mask(&mut self) -> Result<Vec<u8>, DeviceError> {
        // Without such a head one pixel is asked for, and the device says why there is none.
        let pixels = self
            .model()?
            .segmentation
            .map_or(1, |shape| usize::from(shape.h) * usize::from(shape.w));
        let requests: Vec<_> = parts(pixels)
            .map(|(offset, len)| Request::Mask { offset, len })
            .collect();
        let mut mask = Vec::with_capacity(pixels);
        self.connection.exchange(&requests, |_, reply| match reply {
            Reply::Bytes { bytes, .. } => {
                mask.extend_from_slice(bytes);
                Ok(())
            }
            other => Err(unexpected(&other, "a part of the mask")),
        })?;
        Ok(mask)
    }

    /// What the device has done so far and what it takes.
    ///
    /// # Errors
    /// The link's.
    pub fn statistics(&mut self) -> Result<Statistics, DeviceError> {
        let connection = &mut self.connection;
        ask(connection, Request::Statistics, "statistics", |reply| match reply {
            Reply::Statistics(statistics) => Some(*statistics),
            _ => None,
        })
    }

    /// How the link has fared since it was opened.
    pub fn link(&self) -> LinkCounts {
        self.connection.counts()
    }

    /// What firmware and emulator have said, one indented line each; empty for a board.
    pub fn log(&self) -> String {
        self.connection.log()
    }
}

/// Who answers, and the version of the protocol to speak with it.
fn ask_info(connection: &mut Connection) -> Result<(DeviceInfo, u16), DeviceError> {
    let (protocol, info) = ask(connection, Request::Info, "information", |reply| match reply {
        Reply::Info(info) => Some((
            info.protocol,
            DeviceInfo {
                board: info.board.into(),
                firmware: info.firmware.into(),
                arena_capacity: info.arena_capacity,
                picture_capacity: info.picture_capacity,
                state: info.state.clone(),
            },
        )),
        _ => None,
    })?;
    if protocol < OLDEST_PROTOCOL_VERSION {
        return Err(unknown(protocol));
    }
    Ok((info, agree(connection, protocol)?))
}

/// The newest version that both sides speak. One that is older than [`Request::Hello`] is told by the device's information alone.
fn agree(connection: &mut Connection, protocol: u16) -> Result<u16, DeviceError> {
    if protocol < HELLO_VERSION {
        return Ok(protocol);
    }
    let hello = Request::Hello {
        oldest: OLDEST_PROTOCOL_VERSION,
        newest: PROTOCOL_VERSION,
    };
    let agreed = ask(connection, hello, "a version of the protocol", |reply| match reply {
        Reply::Hello { version } => Some(*version),
        _ => None,
    });
    match agreed {
        Err(DeviceError::Refused(Refusal::Protocol { .. })) => Err(unknown(protocol)),
        other => other,
    }
}

/// The first version that knows [`Request::Hello`], and updates.
const HELLO_VERSION: u16 = 2;

fn unknown(found: u16) -> DeviceError {
    DeviceError::Protocol {
        found,
        oldest: OLDEST_PROTOCOL_VERSION,
        newest: PROTOCOL_VERSION,
    }
}

/// One request; `pick` takes what is wanted out of its reply, if it is in there.
pub(super) fn ask<T>(
    connection: &mut Connection,
    request: Request<'_>,
    expected: &'static str,
    pick: impl Fn(&Reply<'_>) -> Option<T>,
) -> Result<T, DeviceError> {
    let mut answer = None;
    connection.exchange(&[request], |_, reply| {
        answer = Some(pick(&reply).ok_or_else(|| unexpected(&reply, expected))?);
        Ok(())
    })?;
    answer.ok_or_else(|| nothing(expected))
}

fn results(done: Option<Done>, codes: Vec<i8>) -> Result<RunResult, DeviceError> {
    let done = done.ok_or_else(|| nothing("results"))?;
    let told = done
        .segmentation
        .map(|segmentation| (segmentation.len, segmentation.digest));
    if told.is_some_and(|told| told != (codes.len() as u32, digest(&codes))) {
        return Err(DeviceError::Unexpected {
            found: format!("{} codes of another digest", codes.len()),
            expected: "the codes of this run",
        });
    }
    let classified = done.heads.contains(Head::Classification);
    Ok(RunResult {
        classification: classified.then(|| done.probabilities.to_vec()),
        segmentation: done.segmentation.map(|_| codes),
        regression: done.value,
        instructions: done.instructions,
    })
}

/// The requests that carry an input; none for an empty one.
fn chunks(slot: InputSlot, bytes: &[u8]) -> impl Iterator<Item = Request<'_>> {
    parts(bytes.len()).map(move |(offset, len)| Request::Input {
        slot,
        offset,
        bytes: &bytes[offset as usize..][..usize::from(len)],
    })
}

/// Offsets and lengths of the chunks that `len` bytes travel in.
pub(super) fn parts(len: usize) -> impl Iterator<Item = (u32, u16)> {
    (0..len)
        .step_by(CHUNK_LEN)
        .map(move |offset| (offset as u32, CHUNK_LEN.min(len - offset) as u16))
}

pub(super) fn unexpected(reply: &Reply<'_>, expected: &'static str) -> DeviceError {
    let found = format!("{reply:.0?}").chars().take(80).collect();
    DeviceError::Unexpected { found, expected }
}

fn nothing(expected: &'static str) -> DeviceError {
    let found = "nothing".into();
    DeviceError::Unexpected { found, expected }
}

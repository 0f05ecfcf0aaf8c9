//! What host and device say to each other.

use core::fmt::{self, Write};

use heapless::{String, Vec};
use serde::{Deserialize, Serialize};

use crate::blob::{CRC, HEADER_LEN};
use crate::health::Report;
use crate::slots::SlotId;
use crate::spec::{HeadSet, InputSlot, Shape};

/// The most bytes of an input or output that one message carries.
pub const CHUNK_LEN: usize = 256;

/// A reason in words, cut off where it does not fit.
pub type Text = String<96>;

/// The words of `value`, as many characters as fit.
pub fn text(value: impl fmt::Display) -> Text {
    struct Cut<'a>(&'a mut Text);
    impl Write for Cut<'_> {
        fn write_str(&mut self, words: &str) -> fmt::Result {
            words.chars().try_for_each(|c| self.0.push(c)).map_err(|_| fmt::Error)
        }
    }
    let mut text = Text::new();
    // The only error is a full text, which is what cutting off means.
    let _ = write!(Cut(&mut text), "{value}");
    text
}

/// The number by which a host compares outputs without fetching them: CRC-32/ISO-HDLC over the codes.
pub fn digest(codes: &[i8]) -> u32 {
    CRC.checksum(bytemuck::cast_slice(codes))
}

/// What a host asks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request<'a> {
    /// Who is there. Answered by [`Reply::Info`], model or not.
    Info,
    /// A part of an input: readings as little-endian `f32`, pixels as RGB bytes, row by row. Answered by [`Reply::Accepted`].
    ///
    /// A chunk at offset 0 begins the input anew; the others follow without gaps.
    Input {
        /// Which input.
        slot: InputSlot,
        /// Where the chunk begins, in bytes.
        offset: u32,
        /// At most [`CHUNK_LEN`] bytes.
        bytes: &'a [u8],
    },
    /// Run those heads on the inputs that are there. Answered by [`Reply::Done`].
    Run {
        /// Heads to compute; others cost nothing.
        heads: HeadSet,
    },
    /// A part of the last run's segmentation logits, one code per byte, `[h, w, classes]`. Answered by [`Reply::Bytes`].
    Output {
        /// Where the part begins, in bytes.
        offset: u32,
        /// At most [`CHUNK_LEN`] bytes.
        len: u16,
    },
    /// A part of the last run's mask, one class number per byte, `[h, w]`. Answered by [`Reply::Bytes`].
    Mask {
        /// Where the part begins, in pixels.
        offset: u32,
        /// At most [`CHUNK_LEN`] pixels.
        len: u16,
    },
    /// What it has cost so far. Answered by [`Reply::Statistics`].
    Statistics,
    /// Which versions of the protocol the host speaks. Answered by [`Reply::Hello`], or refused with those that the device speaks.
    Hello {
        /// The oldest.
        oldest: u16,
        /// The newest.
        newest: u16,
    },
    /// What the slots hold, and how far an update is. Answered by [`Reply::Slots`].
    Slots,
    /// Begin an update, or go on with one that was cut short. Answered by [`Reply::Written`].
    UpdateBegin {
        /// The blob's first bytes.
        header: [u8; HEADER_LEN],
        /// Where to go on, a whole number of erase blocks; 0 for a new one.
        from: u32,
    },
    /// The next bytes of the blob. Answered by [`Reply::Written`].
    UpdateChunk {
        /// Where they begin, in bytes.
        offset: u32,
        /// At most [`CHUNK_LEN`] bytes.
        bytes: &'a [u8],
    },
    /// CRC-32/ISO-HDLC of bytes in the slot that an update goes to. Answered by [`Reply::Digest`].
    UpdateDigest {
        /// Where they begin, in bytes.
        offset: u32,
        /// How many.
        len: u32,
    },
    /// Verify what was written, and try it at the next start. Answered by [`Reply::Accepted`].
    UpdateFinish,
    /// Start anew. Answered by [`Reply::Accepted`] before it happens.
    Restart,
    /// How the model's heads have fared since it was loaded. Answered by [`Reply::Health`].
    Health,
    /// What has brought the program down. Answered by [`Reply::Faults`].
    Faults,
}

/// What a device answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply<'a> {
    /// To [`Request::Info`].
    #[serde(borrow)]
    Info(Info<'a>),
    /// To [`Request::Input`].
    Accepted,
    /// To [`Request::Run`].
    Done(Done),
    /// To [`Request::Output`] and [`Request::Mask`].
    Bytes {
        /// Where the part begins, as asked.
        offset: u32,
        /// As many as asked.
        bytes: &'a [u8],
    },
    /// To [`Request::Statistics`].
    Statistics(Statistics),
    /// To any request that could not be served. It changed nothing.
    Refused(Refusal),
    /// To [`Request::Hello`]: the newest version that both speak.
    Hello {
        /// The version.
        version: u16,
    },
    /// To [`Request::Slots`].
    Slots(SlotsReport),
    /// To [`Request::UpdateBegin`] and [`Request::UpdateChunk`]: bytes of the blob that are in flash.
    Written(u32),
    /// To [`Request::UpdateDigest`].
    Digest(u32),
    /// To [`Request::Health`].
    Health(Report),
    /// To [`Request::Faults`].
    Faults(Faults),
}

/// Who answers. Its shape is the same in every version of the protocol, so that any host can tell what it talks to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info<'a> {
    /// [`PROTOCOL_VERSION`](super::PROTOCOL_VERSION) of the device.
    pub protocol: u16,
    /// The board's name, as in the host's table.
    pub board: &'a str,
    /// The firmware's version.
    pub firmware: &'a str,
    /// The arena's size, in bytes.
    pub arena_capacity: u32,
    /// The largest picture it takes, in bytes.
    pub picture_capacity: u32,
    /// Whether a model is loaded.
    pub state: State,
}

/// Whether a model is loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It passed its checks and its self-test.
    Serving(Model),
    /// No slot held a model that did; the reason of the first one that was not empty, or that all were.
    NoModel(Text),
}

/// The model that is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// Where its blob lies in the device's memory.
    pub address: u32,
    /// The blob's length, in bytes.
    pub blob_len: u32,
    /// The blob's CRC, which names its content.
    pub blob_crc: u32,
    /// The model's sequence number.
    pub sequence: u32,
    /// Readings per row of the classification head.
    pub classification_readings: Option<u16>,
    /// The picture, `[h, w, 3]`.
    pub picture: Option<Shape>,
    /// Readings per row of the regression head.
    pub regression_readings: Option<u16>,
    /// The segmentation logits, `[h, w, classes]`.
    pub segmentation: Option<Shape>,
}

/// Results of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// Heads that were computed.
    pub heads: HeadSet,
    /// Classification: one probability (of the second label) for two labels, else one per label. Empty if not computed.
    pub probabilities: Vec<f32, 16>,
    /// Segmentation.
    pub segmentation: Option<SegmentationDigest>,
    /// Regression, in the target's unit.
    pub value: Option<f32>,
    /// Instructions that the run took; 0 where the board cannot count them. Not cycles.
    pub instructions: u64,
}

/// What names a segmentation result, without its codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentationDigest {
    /// How many codes there are.
    pub len: u32,
    /// [`digest`] of them.
    pub digest: u32,
}

/// What the device has done and what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// Runs that succeeded.
    pub runs: u32,
    /// Requests refused, and frames dropped because they were damaged.
    pub faults: u32,
    /// The most stack in use since reset, in bytes: over boot, load, self-test, every run and the requests around them.
    pub stack_high_water: u32,
    /// The stack's size, in bytes.
    pub stack_capacity: u32,
    /// Bytes of the arena that the model takes.
    pub arena_used: u32,
    /// The arena's size, in bytes.
    pub arena_capacity: u32,
    /// Flash that the image takes, without any blob, in bytes.
    pub image_len: u32,
    /// `size_of::<Network>()`. It lies on the stack and is in [`stack_high_water`](Self::stack_high_water) already.
    pub network_len: u32,
    /// Static RAM of the whole image but the arena and the input buffers, in bytes.
    pub other_static_len: u32,
    /// Instructions from the blob's first check to a loaded network.
    pub load_instructions: u64,
    /// Instructions of the self-test.
    pub self_test_instructions: u64,
    /// What the self-test said.
    pub self_test: SelfTest,
}

/// What the self-test said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SelfTest {
    /// No model got that far.
    NotRun,
    /// Every golden output was met.
    Passed,
    /// One was not, so the model is not served.
    Failed,
}

/// What has brought the program down since power came on: panics, faults of the processor, stack overflows, hangs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// How often something did.
    pub total: u32,
    /// The last time, in words; empty if there was none.
    pub last: Text,
}

/// What the slots hold, and how far an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotsReport {
    /// The slot that is served.
    pub served: Option<SlotId>,
    /// The slot that an update goes to.
    pub target: SlotId,
    /// What is remembered of both.
    pub state: crate::slots::State,
    /// A slot's length, in bytes.
    pub slot_len: u32,
    /// An erase block's length, in bytes; 0 where nothing can be written.
    pub erase_len: u32,
    /// First bytes of the key that weights must be signed with; `None` where any are taken.
    pub key: Option<[u8; 8]>,
    /// CRC of the blob on its way, and bytes of it that are in flash.
    pub update: Option<(u32, u32)>,
}

/// Why a request was not served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The body is no request of this protocol version.
    Malformed,
    /// No model is loaded; [`Request::Info`] tells why.
    NoModel,
    /// The input does not fit the device's buffer.
    InputTooLarge {
        /// Which input.
        slot: InputSlot,
        /// Bytes it would take.
        needed: u32,
        /// Bytes there are.
        capacity: u32,
    },
    /// A chunk does not follow on what came before.
    InputGap {
        /// Which input.
        slot: InputSlot,
        /// Bytes that are there.
        filled: u32,
        /// Where the chunk begins.
        offset: u32,
    },
    /// The run failed, for the reason given.
    Run(Text),
    /// The last run gave no segmentation.
    NoOutput,
    /// The part asked for is not inside the output, or is longer than [`CHUNK_LEN`].
    OutOfRange {
        /// Where the part begins.
        offset: u32,
        /// Its length.
        len: u16,
        /// How much there is.
        available: u32,
    },
    /// The host speaks no version that the device does.
    Protocol {
        /// The oldest that the device speaks.
        oldest: u16,
        /// The newest.
        newest: u16,
    },
    /// The update does not go on, for the reason given. The device serves what it has.
    Update(Text),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => write!(f, "the request is none that this firmware knows"),
            Self::NoModel => write!(f, "no model is loaded"),
            Self::InputTooLarge { slot, needed, capacity } => write!(
                f,
                "the {slot:?} input takes {needed} bytes; the board's buffer has {capacity}"
            ),
            Self::InputGap { slot, filled, offset } => write!(
                f,
                "a chunk of the {slot:?} input begins at byte {offset}, but {filled} bytes are there"
            ),
            Self::Run(reason) => write!(f, "the run failed: {reason}"),
            Self::NoOutput => write!(f, "the last run gave no segmentation"),
            Self::OutOfRange { offset, len, available } => {
                write!(f, "{len} bytes from {offset} were asked for, {available} are there")
            }
            Self::Protocol { oldest, newest } => {
                write!(f, "this firmware speaks versions {oldest} to {newest} of the protocol")
            }
            Self::Update(reason) => write!(f, "the update is refused: {reason}"),
        }
    }
}

impl core::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Drift, HeadHealth};
    use crate::slots::{Entry, Trial};

    fn body(message: &impl Serialize) -> Vec<u8, 64> {
        let mut body = [0; 64];
        postcard::to_slice(message, &mut body)
            .unwrap()
            .iter()
            .copied()
            .collect()
    }

    #[test]
    fn requests_are_these_bytes() {
        assert_eq!(body(&Request::Info), [0]);
        let input = Request::Input {
            slot: InputSlot::Picture,
            offset: 256,
            bytes: &[9, 8],
        };
        assert_eq!(body(&input), [1, 1, 0x80, 0x02, 2, 9, 8]);
        assert_eq!(body(&Request::Run { heads: HeadSet::ALL }), [2, 7]);
        assert_eq!(body(&Request::Output { offset: 1, len: 256 }), [3, 1, 0x80, 0x02]);
        assert_eq!(body(&Request::Mask { offset: 0, len: 5 }), [4, 0, 5]);
        assert_eq!(body(&Request::Statistics), [5]);
        assert_eq!(body(&Request::Hello { oldest: 1, newest: 2 }), [6, 1, 2]);
        assert_eq!(body(&Request::Slots), [7]);
        let begin = body(&Request::UpdateBegin {
            header: [9; HEADER_LEN],
            from: 4096,
        });
        assert_eq!(
            (begin[0], &begin[1..29], &begin[29..]),
            (8, &[9; HEADER_LEN][..], &[0x80, 0x20][..])
        );
        let chunk = Request::UpdateChunk {
            offset: 256,
            bytes: &[9, 8],
        };
        assert_eq!(body(&chunk), [9, 0x80, 0x02, 2, 9, 8]);
        let digest = Request::UpdateDigest { offset: 1, len: 128 };
        assert_eq!(body(&digest), [10, 1, 0x80, 0x01]);
        assert_eq!(body(&Request::UpdateFinish), [11]);
        assert_eq!(body(&Request::Restart), [12]);
        assert_eq!(body(&Request::Health), [13]);
        assert_eq!(body(&Request::Faults), [14]);
    }

    #[test]
    fn replies_are_these_bytes() {
        let done = Reply::Done(Done {
            heads: HeadSet::ALL,
            probabilities: [0.5].into_iter().collect(),
            segmentation: Some(SegmentationDigest {
                len: 3,
                digest: digest(&[1, -1, 0]),
            }),
            value: Some(-2.0),
            instructions: 300,
        });
        let bytes = body(&done);
        assert_eq!(
            bytes,
            [
                2, 7, 1, 0, 0, 0, 0x3f, 1, 3, 0xd7, 0x9c, 0x9d, 0xed, 0x06, 1, 0, 0, 0, 0xc0, 0xac, 0x02
            ]
        );
        assert_eq!(postcard::from_bytes(&bytes), Ok(done));
    }

    #[test]
    fn health_is_these_bytes() {
        let head = HeadHealth {
            runs: 300,
            faults: 1,
            outside: 2,
            saturated: 3,
            drift: Drift::Score {
                score: 0.5,
                slot: InputSlot::Picture,
                reading: 2,
            },
        };
        let report = Reply::Health(Report {
            heads: [None, Some(head), None],
        });
        let bytes = body(&report);
        assert_eq!(bytes, [10, 0, 1, 0xac, 0x02, 1, 2, 3, 2, 0, 0, 0, 0x3f, 1, 2, 0]);
        assert_eq!(postcard::from_bytes(&bytes), Ok(report));
    }

    #[test]
    fn faults_are_these_bytes() {
        let last = text("panic");
        let faults = Reply::Faults(Faults { total: 300, last });
        let bytes = body(&faults);
        assert_eq!(bytes, [11, 0xac, 0x02, 5, b'p', b'a', b'n', b'i', b'c']);
        assert_eq!(postcard::from_bytes(&bytes), Ok(faults));
    }

    #[test]
    fn the_largest_reply_fits_a_frame() {
        let shape = Some(Shape::new(u16::MAX, u16::MAX, u16::MAX));
        let model = Model {
            address: u32::MAX,
            blob_len: u32::MAX,
            blob_crc: u32::MAX,
            sequence: u32::MAX,
            classification_readings: Some(u16::MAX),
            picture: shape,
            regression_readings: Some(u16::MAX),
            segmentation: shape,
        };
        let info = |state| {
            Reply::Info(Info {
                protocol: u16::MAX,
                board: "a board's name of thirty letters",
                firmware: "100.100.100",
                arena_capacity: u32::MAX,
                picture_capacity: u32::MAX,
                state,
            })
        };
        let long = text(format_args!("{:x>200}", ""));
        let done = Done {
            heads: HeadSet::ALL,
            probabilities: [f32::MAX; 16].into_iter().collect(),
            segmentation: Some(SegmentationDigest {
                len: u32::MAX,
                digest: u32::MAX,
            }),
            value: Some(f32::MAX),
            instructions: u64::MAX,
        };
        let entry = Some(Entry {
            slot: SlotId::B,
            crc: u32::MAX,
            sequence: u32::MAX,
        });
        let slots = SlotsReport {
            served: Some(SlotId::A),
            target: SlotId::B,
            state: crate::slots::State {
                floor: Some(u32::MAX),
                confirmed: entry,
                previous: entry,
                trial: entry.map(|entry| Trial { entry, begun: true }),
                failed: entry,
            },
            slot_len: u32::MAX,
            erase_len: u32::MAX,
            key: Some([0xff; 8]),
            update: Some((u32::MAX, u32::MAX)),
        };
        let health = HeadHealth {
            runs: u32::MAX,
            faults: u32::MAX,
            outside: u32::MAX,
            saturated: u32::MAX,
            drift: Drift::Score {
                score: f32::MAX,
                slot: InputSlot::Regression,
                reading: u8::MAX,
            },
        };
        let replies = [
            Reply::Health(Report {
                heads: [Some(health); 3],
            }),
            Reply::Slots(slots),
            Reply::Refused(Refusal::Update(long.clone())),
            info(State::Serving(model)),
            info(State::NoModel(long.clone())),
            Reply::Done(done),
            Reply::Bytes {
                offset: u32::MAX,
                bytes: &[0xff; CHUNK_LEN],
            },
            Reply::Refused(Refusal::Run(long.clone())),
            Reply::Faults(Faults {
                total: u32::MAX,
                last: long,
            }),
        ];
        for reply in replies {
            let mut body = [0; super::super::MAX_BODY_LEN];
            postcard::to_slice(&reply, &mut body).unwrap();
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(text("short"), "short");
        let long = text(format_args!("a{:ä>100}", ""));
        assert_eq!(long.len(), 95);
    }
}

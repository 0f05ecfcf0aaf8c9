//! The protocol between a host and a device that serves a model.
//!
//! The host asks, the device answers, one reply per request and in order. Both are postcard values; each travels in a frame:
//!
//! ```text
//!  sequence   body           CRC-32/ISO-HDLC
//!  u16, LE    0..=300 bytes  u32, LE, over sequence and body
//! └──────────── COBS, so that no byte of it is zero ───────────┘ 00
//! ```
//!
//! A reply carries its request's sequence number. A frame that is damaged is dropped without an answer, since nothing in it can
//! be trusted; the host then asks again, under a new number, so that a late reply is not taken for another. Every request may
//! be repeated without harm. What is larger than a frame travels in
//! chunks of at most [`CHUNK_LEN`] bytes.
//!
//! One sample, from the host's side: [`Request::Input`] until all inputs are there, [`Request::Run`], then
//! [`Request::Output`] or [`Request::Mask`] if the digest in [`Reply::Done`] is not enough. Inputs stay until they are
//! overwritten, results until the next run. Requests may be sent ahead of their replies where the link does not lose
//! bytes while the device is busy.
//!
//! An update: [`Request::Slots`] tells where it would go, [`Request::UpdateDigest`] how much of it is there from an attempt that was cut
//! short, then [`Request::UpdateBegin`], [`Request::UpdateChunk`] until all is there, [`Request::UpdateFinish`],
//! [`Request::Restart`]. Runs may go on between them.
//!
//! [`Request::Health`] asks what [`crate::health`] has counted of the runs. A run that is asked for again after its reply was lost counts twice.
//! [`Request::Faults`] asks what brought the program down since power came on.
//!
//! [`Request::Info`], its answer, and what a version-1 host asks keep their bytes, so that an old host and a new device tell each
//! other who they are; a request that a device does not know is refused as [`Refusal::Malformed`].
//!
//! A [`Measurement`] is no part of that: the bench image writes one to a file of its emulator and ends.
//!
//! [`FrameReader`] and [`write_frame`] work over any link that has the `embedded-io` traits.

mod frame;
mod measurement;
mod message;

pub use frame::{Frame, FrameError, FrameReader, MAX_BODY_LEN, MAX_FRAME_LEN, WriteError, encode_frame, write_frame};
pub use measurement::Measurement;
pub use message::{
    CHUNK_LEN, Done, Faults, Info, Model, Refusal, Reply, Request, SegmentationDigest, SelfTest, SlotsReport, State,
    Statistics, Text, digest, text,
};

/// Version of everything in this module. A device tells it in [`Info`]; [`Request::Hello`] agrees on one that both sides speak.
pub const PROTOCOL_VERSION: u16 = 2;
/// The oldest version that this crate speaks, too: that of devices that take no update.
pub const OLDEST_PROTOCOL_VERSION: u16 = 1;

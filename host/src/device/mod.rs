//! Devices that serve a model: boards under QEMU, and boards on a serial port.
//!
//! ```text
//! "qemu:mps2-an386" ─► Target ─► connect(blob) ─► Client ─► run(heads, inputs)
//! ```
//!
//! A [`Target`] says which device; [`Target::connect`] builds the firmware, puts the blob into a slot, boots, and gives a
//! [`Client`], which speaks the protocol of [`trident::wire`]. An emulator lives as long as its client.

mod batch;
mod boards;
mod client;
mod connection;
mod health;
mod log;
mod qemu;
mod target;
mod transport;
mod update;

use std::io;
use std::time::Duration;

pub use batch::{loader, run_to_end};
pub use boards::{BOARDS, Board, Flash, Slot};
pub use client::{Client, DeviceInfo, RunResult};
pub use connection::LinkCounts;
pub use log::Log;
pub use qemu::{LinkKind, Qemu, Weights};
pub(crate) use qemu::{dying_with_us, loader_option};
pub use target::{ParseTargetError, Target};
pub use transport::Transport;
pub use update::{UpdateStep, Updated};

use trident::wire::Refusal;

use crate::toolchain::ToolchainError;

/// Why a device does not do what it is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The public key cannot be used.
    #[error(transparent)]
    Key(#[from] crate::sign::KeyError),
    /// A tool is missing, or the firmware does not build.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// The blob is larger than every slot.
    #[error("the blob has {blob_len} bytes; {board} has {slots}")]
    BlobTooLarge {
        /// Its length.
        blob_len: usize,
        /// The board.
        board: &'static str,
        /// The slots and their sizes, in words.
        slots: String,
    },
    /// The board's slots can only be read under QEMU.
    #[error(
        "the flash of {board} can only be read under QEMU, so it has no image file; boards with one: {}",
        with_flash()
    )]
    NoFlash {
        /// The board.
        board: &'static str,
    },
    /// The new weights did not pass their trial, and the device serves what it had.
    #[error("the new weights did not pass their trial on the device, which {now}\n{log}")]
    TrialFailed {
        /// What it does now.
        now: String,
        /// What firmware and emulator said.
        log: String,
    },
    /// A file, FIFO, port or program could not be used.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried, and on what.
        action: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The emulator ended.
    #[error("the emulator ended ({status}) before it answered\n{log}")]
    Ended {
        /// Its exit status.
        status: String,
        /// What firmware and emulator said.
        log: String,
    },
    /// No answer came in time.
    #[error("no answer within {} s\n{log}", after.as_secs())]
    Timeout {
        /// How long it was waited for.
        after: Duration,
        /// What firmware and emulator said, or what to look at where they cannot be heard.
        log: String,
    },
    /// The firmware speaks another version of the protocol.
    #[error(
        "the firmware speaks protocol {found}, this program speaks {oldest} to {newest}; flash a firmware that is as new as this program, \
         or use the program that came with the firmware"
    )]
    Protocol {
        /// The firmware's.
        found: u16,
        /// The oldest that this program speaks.
        oldest: u16,
        /// The newest.
        newest: u16,
    },
    /// The firmware found no model that passes its checks.
    #[error("the device has no model to run: {reason}\n{log}")]
    NoModel {
        /// Why.
        reason: String,
        /// What firmware and emulator said.
        log: String,
    },
    /// The device runs another model than the one that was handed over.
    #[error("the device runs a model with CRC {found:08x}, not the one with CRC {expected:08x}")]
    OtherModel {
        /// CRC of the blob on the device.
        found: u32,
        /// CRC of the blob handed over.
        expected: u32,
    },
    /// The firmware's protocol is older than updates.
    #[error("the firmware on this device is too old to be updated over the link; flash a newer one once")]
    TooOldForUpdates,
    /// The firmware does not know [`Request::Health`](trident::wire::Request::Health), or [`Request::Faults`](trident::wire::Request::Faults).
    #[error("the firmware on this device is too old to tell of its health; flash a newer one once")]
    TooOldForHealth,
    /// The bytes to update to are no blob.
    #[error("this is no blob: {0}")]
    NoBlob(trident::BlobError),
    /// The device refused a request.
    #[error("the device refused: {0}")]
    Refused(Refusal),
    /// It was asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The answer does not fit the question, or its parts do not fit each other.
    #[error("the device answered with {found} where {expected} was due")]
    Unexpected {
        /// What came.
        found: String,
        /// What was due.
        expected: &'static str,
    },
}

/// Names of the boards whose flash can be written under QEMU.
fn with_flash() -> String {
    let boards = BOARDS.iter().filter(|board| board.flash.is_some());
    boards.map(|board| board.name).collect::<Vec<_>>().join(", ")
}

impl DeviceError {
    fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}

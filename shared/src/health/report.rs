//! What a device tells of its health.

use serde::{Deserialize, Serialize};

use super::DRIFTING;
use crate::spec::{Head, InputSlot};

/// Per head, in order of their numbers; `None` for a head that the model lacks. All counts are since the model was loaded, and
/// stay at `u32::MAX` once they are there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The heads.
    pub heads: [Option<HeadHealth>; 3],
}

/// One head.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadHealth {
    /// Runs that gave an answer.
    pub runs: u32,
    /// Runs that were refused because of the head or of an input that it reads.
    pub faults: u32,
    /// Readings below the least or above the largest of training.
    pub outside: u32,
    /// Saturated codes in what the head's last step reads.
    pub saturated: u32,
    /// How far the readings have moved.
    pub drift: Drift,
}

/// How far readings have moved from those of training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Drift {
    /// The blob does not tell what its readings were like.
    NotCalibrated,
    /// Too early to tell.
    TooFewRows {
        /// Rows so far, fewer than [`LEAST_ROWS`](super::LEAST_ROWS).
        rows: u32,
    },
    /// So far has the reading moved that moved most.
    Score {
        /// In standard errors of the mean.
        score: f32,
        /// Which input it belongs to.
        slot: InputSlot,
        /// Its number there; of a picture 0 red, 1 green, 2 blue.
        reading: u8,
    },
}

/// A drift in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As in training.
    Steady,
    /// Not as in training.
    Drifting,
    /// Too early to tell.
    NotEnoughRows,
    /// Nothing to compare with.
    NotCalibrated,
}

impl Report {
    /// One head; `None` if the model lacks it.
    pub fn head(&self, head: Head) -> Option<&HeadHealth> {
        self.heads[head as usize].as_ref()
    }
}

impl Drift {
    /// In standard errors, once there is something to tell.
    pub const fn score(&self) -> Option<f32> {
        match *self {
            Self::Score { score, .. } => Some(score),
            _ => None,
        }
    }

    /// In a word.
    pub fn verdict(&self) -> Verdict {
        match *self {
            Self::NotCalibrated => Verdict::NotCalibrated,
            Self::TooFewRows { .. } => Verdict::NotEnoughRows,
            Self::Score { score, .. } if score < DRIFTING => Verdict::Steady,
            Self::Score { .. } => Verdict::Drifting,
        }
    }
}

impl core::fmt::Display for Verdict {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Steady => "steady",
            Self::Drifting => "drifting",
            Self::NotEnoughRows => "not enough rows",
            Self::NotCalibrated => "not calibrated",
        })
    }
}

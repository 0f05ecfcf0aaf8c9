//! What readings were like when the model was trained, so that a device can tell when they are no more.

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};

use super::Span;
use crate::spec::InputSlot;

/// The most pixels of a picture that statistics are kept of: the sum of so many bytes fits 32 bits.
pub const MAX_CALIBRATED_PIXELS: usize = 1 << 24;

/// The statistics of a slot's readings. A picture has three readings: the means of its red, green and blue bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibration {
    /// The slot.
    pub slot: InputSlot,
    /// A [`ReadingStatistics`] per reading.
    pub readings: Span,
}

/// One reading over the training rows, in the user's units.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct ReadingStatistics {
    /// Its least value.
    pub least: f32,
    /// Its largest.
    pub largest: f32,
    /// Its mean.
    pub mean: f32,
    /// One over its standard deviation; 0 if it never changed.
    pub inverse_deviation: f32,
}

impl ReadingStatistics {
    /// How many a slot has that is handed over in that many elements.
    pub const fn count(slot: InputSlot, elements: usize) -> usize {
        if matches!(slot, InputSlot::Picture) {
            3
        } else {
            elements
        }
    }

    /// Whether they are numbers in order.
    pub(crate) fn is_sound(&self) -> bool {
        let Self {
            least,
            largest,
            mean,
            inverse_deviation,
        } = *self;
        let finite = [least, largest, mean, inverse_deviation]
            .iter()
            .all(|value| value.is_finite());
        finite && least <= mean && mean <= largest && inverse_deviation >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_finite_and_in_order() {
        let sound = ReadingStatistics {
            least: -1.0,
            largest: 2.0,
            mean: 0.5,
            inverse_deviation: 0.0,
        };
        assert!(sound.is_sound());
        for unsound in [
            ReadingStatistics { least: 0.75, ..sound },
            ReadingStatistics { largest: 0.25, ..sound },
            ReadingStatistics {
                least: f32::NEG_INFINITY,
                ..sound
            },
            ReadingStatistics {
                largest: f32::NAN,
                ..sound
            },
            ReadingStatistics {
                mean: f32::NAN,
                ..sound
            },
            ReadingStatistics {
                inverse_deviation: -1.0,
                ..sound
            },
            ReadingStatistics {
                inverse_deviation: f32::INFINITY,
                ..sound
            },
        ] {
            assert!(!unsound.is_sound(), "{unsound:?}");
        }
    }
}

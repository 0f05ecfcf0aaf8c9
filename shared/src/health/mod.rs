//! Whether what a device reads is still what its model was trained on, and whether its numbers still fit their codes.
//!
//! ```text
//! Health::new(&blob) ──► run(network, heads, inputs) ─ … ─► report(): per head runs, faults, readings outside, saturated codes, drift
//! ```
//!
//! Every reading is compared with the statistics that the blob carries of it ([`ReadingStatistics`]):
//!
//! - **Outside**: it lies below the least or above the largest value of training.
//! - **Drift**: with `z = (reading − mean) / deviation`, cut off at ±[`FARTHEST`], the mean `e ← e + (z − e) · a` forgets slowly,
//!   `a` = [`WEIGHT`]. Over independent rows like those of training, `e` has the mean 0 and a standard deviation that grows to
//!   `√(a / (2 − a))` = 1/√127. So `|e| · √127` counts standard errors; a head's drift is the largest of its readings'. A lasting shift
//!   by `d` deviations makes it `11.3 · d`. Rows that depend on each other, as of a slow sensor read often, vary more than that:
//!   then a drift tells that the last hundred rows are unlike training, not why.
//! - **Saturated**: a code at the end of its range, where the activation itself did not put it, in what the head's last step reads: the
//!   logits of a segmentation, the last hidden layer of the others, whose own sums are 32 bits wide and never saturate. At 127 a code
//!   may stand for anything larger, and at −128 for anything smaller; but where −128 is the code of zero, it is what ReLU leaves.
//!
//! No allocation, a few hundred bytes, and on floats only compare, +, −, ×, ÷: a host that replays the same inputs gets the same numbers
//! to the bit.

mod readings;
mod report;
mod saturation;

use core::ops::Range;

use crate::MAX_READINGS;
use crate::blob::{Blob, ReadingStatistics};
use crate::network::{Inputs, Network, Outputs, RunError};
use crate::spec::{Head, HeadSet, InputSlot};

pub use readings::picture_means;
pub use report::{Drift, HeadHealth, Report, Verdict};
pub use saturation::Watch;

/// What a row counts in the mean that forgets: after 64 rows it consists to 63 % of them, after 148 to 90 %.
pub const WEIGHT: f32 = 1.0 / 64.0;

/// Where a reading's distance from its mean is cut off, in deviations. One row, however wild, moves the drift by at most 2.8, less
/// than half of [`DRIFTING`].
pub const FARTHEST: f32 = 16.0;

/// Rows before a drift is told. The mean begins at that of training; with fewer rows it would mostly tell of itself, and look steady whatever
/// was read. After 64 rows, 1 − (63/64)^64 = 63 % of it are those rows.
pub const LEAST_ROWS: u32 = 64;

/// Drift from which on the readings are called drifting, in standard errors. Rows of the training's own kind stay below 5: they are
/// not normally distributed, and the largest of many readings is looked at over and over.
pub const DRIFTING: f32 = 6.0;

/// `√((2 − a) / a)` of `a` = [`WEIGHT`]: √127.
const STANDARD_ERRORS: f32 = 11.269_427;

/// What a device remembers of its runs, and of up to `READINGS` readings. A model with more has its first ones observed for drift, in order
/// of the slots, and all of them for being outside.
#[derive(Clone, Debug)]
pub struct Health<'a, const READINGS: usize> {
    heads: [Counts; 3],
    watch: Watch,
    slots: [Slot<'a>; 3],
    /// Means that forget, slot by slot.
    means: [f32; READINGS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    runs: u32,
    faults: u32,
    outside: u32,
    saturated: u32,
}

/// An input and what is known of it.
#[derive(Clone, Copy, Debug, Default)]
struct Slot<'a> {
    readers: HeadSet,
    rows: u32,
    statistics: &'a [ReadingStatistics],
}

impl<'a, const READINGS: usize> Health<'a, READINGS> {
    /// Of a model that has not run yet.
    #[inline(never)]
    pub fn new(blob: &Blob<'a>) -> Self {
        let graph = blob.graph();
        let slot = |slot: InputSlot| {
            let nodes = graph
                .nodes()
                .filter(|node| node.op.is_input() && node.input == slot as u8);
            Slot {
                readers: nodes.fold(HeadSet::EMPTY, |readers, node| readers.union(node.heads)),
                rows: 0,
                statistics: blob.calibration(slot).unwrap_or_default(),
            }
        };
        Self {
            heads: [Counts::default(); 3],
            watch: Watch::new(&graph),
            slots: InputSlot::ALL.map(slot),
            means: [0.0; READINGS],
        }
    }

    /// Runs those heads and takes note of it. The network is that of the blob this was made for.
    ///
    /// # Errors
    /// As [`Network::run`].
    pub fn run<'n>(
        &mut self,
        network: &'n mut Network<'_>,
        heads: HeadSet,
        inputs: &Inputs<'_>,
    ) -> Result<Outputs<'n>, RunError> {
        let mut watch = self.watch();
        let result = network.run_watched(heads, inputs, &mut watch);
        match &result {
            Ok(_) => self.observe(heads, inputs, &watch),
            Err(error) => self.refused(heads, error),
        }
        result
    }

    /// For whoever runs the network by [`Network::run_watched`], without [`Health::run`].
    pub fn watch(&self) -> Watch {
        self.watch
    }

    /// Takes note of a run that succeeded.
    #[inline(never)]
    pub fn observe(&mut self, heads: HeadSet, inputs: &Inputs<'_>, watch: &Watch) {
        for head in heads.iter() {
            let counts = &mut self.heads[head as usize];
            counts.runs = counts.runs.saturating_add(1);
            counts.saturated = counts.saturated.saturating_add(watch.saturated(head));
        }
        let is_read = |slot: &Slot<'_>| slot.readers.intersects(heads) && !slot.statistics.is_empty();
        let picture = inputs
            .picture
            .filter(|_| is_read(&self.slots[InputSlot::Picture as usize]));
        let colours = picture.map(picture_means);
        let rows = [
            inputs.classification,
            colours.as_ref().map(<[f32; 3]>::as_slice),
            inputs.regression,
        ];
        for (number, row) in rows.into_iter().enumerate() {
            let tracked = self.tracked(number);
            let slot = &mut self.slots[number];
            let Some(row) = row.filter(|_| is_read(slot)) else {
                continue;
            };
            slot.rows = slot.rows.saturating_add(1);
            readings::forget(&mut self.means[tracked], row, slot.statistics);
            let outside = readings::outside(row, slot.statistics);
            for head in heads.iter().filter(|&head| slot.readers.contains(head)) {
                let counts = &mut self.heads[head as usize];
                counts.outside = counts.outside.saturating_add(outside);
            }
        }
    }

    /// Where a slot's means lie: behind those of the slots before it, as far as there is room.
    fn tracked(&self, slot: usize) -> Range<usize> {
        let before: usize = self.slots[..slot].iter().map(|slot| slot.statistics.len()).sum();
        let end = before + self.slots[slot].statistics.len();
        before.min(READINGS)..end.min(READINGS)
    }

    /// Takes note of a run that was refused: a fault of the heads that could not run for that reason.
    pub fn refused(&mut self, heads: HeadSet, error: &RunError) {
        let blamed = match *error {
            RunError::NoSuchHead { head } => head.into(),
            RunError::MissingInput { slot } | RunError::InputLen { slot, .. } | RunError::NotFinite { slot, .. } => {
                self.slots[slot as usize].readers
            }
        };
        for head in heads.iter().filter(|&head| blamed.contains(head)) {
            let faults = &mut self.heads[head as usize].faults;
            *faults = faults.saturating_add(1);
        }
    }

    /// What there is to tell.
    pub fn report(&self) -> Report {
        let of_head = |head: Head| {
            let counts = self.heads[head as usize];
            HeadHealth {
                runs: counts.runs,
                faults: counts.faults,
                outside: counts.outside,
                saturated: counts.saturated,
                drift: self.drift(head),
            }
        };
        Report {
            heads: Head::ALL.map(|head| self.watch.knows(head).then(|| of_head(head))),
        }
    }

    /// The largest drift of all readings of a head that are observed.
    fn drift(&self, head: Head) -> Drift {
        let mut drift = Drift::NotCalibrated;
        for (number, slot) in self.slots.iter().enumerate() {
            let means = &self.means[self.tracked(number)];
            if means.is_empty() || !slot.readers.contains(head) {
                continue;
            }
            if slot.rows < LEAST_ROWS {
                if drift == Drift::NotCalibrated {
                    drift = Drift::TooFewRows { rows: slot.rows };
                }
                continue;
            }
            for (reading, mean) in means.iter().enumerate() {
                let score = mean.abs() * STANDARD_ERRORS;
                if !matches!(drift, Drift::Score { score: largest, .. } if largest >= score) {
                    drift = Drift::Score {
                        score,
                        slot: InputSlot::ALL[number],
                        reading: reading as u8,
                    };
                }
            }
        }
        drift
    }
}

const _: () = assert!(MAX_READINGS <= u8::MAX as usize + 1);

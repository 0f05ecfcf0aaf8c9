//! What a device said at one moment.

use std::collections::BTreeMap;

use serde::Serialize;
use trident::Blob;
use trident::health::{Drift, HeadHealth, Report};
use trident::spec::{Head, InputSlot};
use trident::wire::{Faults, Statistics};

use crate::device::LinkCounts;

/// One look at a device.
#[derive(Clone, Debug, Serialize)]
pub struct Poll {
    /// The device.
    pub on: String,
    /// Seconds since watching began.
    pub seconds: f64,
    /// Rows that were sent to it, if it was fed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_sent: Option<usize>,
    /// Per head.
    pub heads: BTreeMap<&'static str, HeadLine>,
    /// What it has done and takes.
    pub device: Statistics,
    /// What has brought its program down since power came on, unless its firmware is too old to tell.
    pub faults: Option<Faults>,
    /// How the link has fared.
    pub link: LinkCounts,
}

/// One head's health.
#[derive(Clone, Debug, Serialize)]
pub struct HeadLine {
    /// Runs that gave an answer.
    pub runs: u32,
    /// Runs that were refused.
    pub faults: u32,
    /// Readings outside the range of training.
    pub outside: u32,
    /// Saturated codes at the head.
    pub saturated: u32,
    /// Drift of the reading that moved most, in standard errors.
    pub drift: Option<f32>,
    /// That reading's name.
    pub reading: Option<String>,
    /// The drift in a word.
    pub verdict: String,
}

/// What readings are called.
#[derive(Clone, Debug, Default)]
pub struct Names([Vec<String>; 3]);

impl Names {
    /// As the blob calls them.
    pub fn of(blob: &Blob<'_>) -> Self {
        Self(InputSlot::ALL.map(|slot| {
            let names = blob
                .input(slot)
                .map(|input| input.names.iter().map(str::to_owned).collect());
            names.unwrap_or_default()
        }))
    }

    /// One reading's name, or what stands in for it where the blob is not at hand.
    fn reading(&self, slot: InputSlot, number: u8) -> String {
        let number = usize::from(number);
        if slot == InputSlot::Picture {
            return ["red", "green", "blue"].get(number).copied().unwrap_or("?").into();
        }
        let name = self.0[slot as usize].get(number).cloned();
        name.unwrap_or_else(|| format!("reading {}", number + 1))
    }
}

impl Poll {
    /// Puts together what a device said.
    pub fn new(
        on: String,
        seconds: f64,
        rows_sent: Option<usize>,
        (health, device, faults, link): (&Report, Statistics, Option<Faults>, LinkCounts),
        names: &Names,
    ) -> Self {
        let line = |head: Head| Some((head.name(), HeadLine::new(health.head(head)?, names)));
        Self {
            on,
            seconds,
            rows_sent,
            heads: Head::ALL.into_iter().filter_map(line).collect(),
            device,
            faults,
            link,
        }
    }
}

impl HeadLine {
    fn new(health: &HeadHealth, names: &Names) -> Self {
        let reading = match health.drift {
            Drift::Score { slot, reading, .. } => Some(names.reading(slot, reading)),
            _ => None,
        };
        Self {
            runs: health.runs,
            faults: health.faults,
            outside: health.outside,
            saturated: health.saturated,
            drift: health.drift.score(),
            reading,
            verdict: health.drift.verdict().to_string(),
        }
    }
}

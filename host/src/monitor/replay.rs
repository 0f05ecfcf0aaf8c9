//! Rows that are sent to a device as its sensors would, head after head in turn.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use trident::Head;
use trident::wire::Refusal;

use crate::data::Dataset;
use crate::device::{Client, DeviceError};
use crate::eval::{self, Rows};

/// Rows still to be sent.
#[derive(Debug)]
pub struct Replay {
    dataset: Dataset,
    order: Vec<(Head, usize)>,
    sent: usize,
}

impl Replay {
    /// Those rows, each head's in their order; heads with more rows come more often, so that all end together.
    pub fn new(dataset: Dataset, rows: &Rows) -> Self {
        let mut order: Vec<(f64, Head, usize)> = Vec::new();
        for head in rows.heads() {
            let rows = rows.head(head);
            let share = |index: usize| (index as f64 + 0.5) / rows.len() as f64;
            order.extend(rows.iter().enumerate().map(|(index, &row)| (share(index), head, row)));
        }
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self {
            dataset,
            order: order.into_iter().map(|(_, head, row)| (head, row)).collect(),
            sent: 0,
        }
    }

    /// How many rows were sent.
    pub fn sent(&self) -> usize {
        self.sent
    }

    /// Whether none is left.
    pub fn is_over(&self) -> bool {
        self.sent == self.order.len()
    }

    /// Sends rows until that time, or none is left. A row that the device refuses is one of its faults, not one of ours.
    ///
    /// # Errors
    /// The link's.
    pub fn send(&mut self, client: &mut Client, until: Instant, interrupted: &AtomicBool) -> Result<(), DeviceError> {
        while let Some(&(head, row)) = self.order.get(self.sent) {
            if interrupted.load(Ordering::Relaxed) || Instant::now() >= until {
                break;
            }
            match client.run(head.into(), &eval::inputs(&self.dataset, head, row)) {
                Ok(_) | Err(DeviceError::Refused(Refusal::Run(_))) => self.sent += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

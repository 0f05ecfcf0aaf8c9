//! Where memory is spared: rows that are not kept, sums in place of what they add to.

use trident::Blob;
use trident::graph::Op;
use trident::schedule::MAX_BAND;

use super::Random;
use crate::bands;

impl Random {
    /// Streams tensors where that is possible, in bands of any length, mostly.
    pub(super) fn bands(&mut self) {
        if self.noise.int(0..=4) == 0 {
            return;
        }
        let mut first = 0;
        while first < self.builder.nodes.len() {
            let most = (self.builder.nodes.len() - first).min(MAX_BAND);
            let len = (2..=most).rev().find(|&len| {
                let skipped = self.noise.int(0..=3) == 0;
                !skipped && bands::stream(&mut self.builder, first..first + len)
            });
            first += len.unwrap_or(1);
        }
    }

    /// Puts sums where their first inputs lie, wherever the checks allow it.
    pub(super) fn sums_in_place(&mut self) {
        for number in 0..self.builder.nodes.len() {
            let node = self.builder.nodes[number];
            let [input, output] = [node.input, node.output].map(usize::from);
            if node.op != Op::Add || self.noise.int(0..=3) == 0 {
                continue;
            }
            let offset = self.builder.tensors[input].offset;
            let apart = std::mem::replace(&mut self.builder.tensors[output].offset, offset);
            if Blob::new_checked(self.builder.pack().bytes()).is_err() {
                self.builder.tensors[output].offset = apart;
            }
        }
    }
}

//! Finished blobs with something changed inside, sealed again: every check but the one in question still passes.

use trident::blob::{Blob, Calibration, Golden, Sequence};
use trident::graph::Node;
use trident::spec::Head;
use trident_host::quantize::writer::{AlignedBytes, blob as pack, sequence};

use crate::streams;

/// A blob taken apart.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    blob: Blob<'a>,
    /// Weights, tables, golden vectors.
    pub parameters: Vec<u8>,
    /// What the self-test expects.
    pub golden: Vec<Golden>,
    /// Where calibration statistics lie.
    pub calibrations: Vec<Calibration>,
    /// Bytes of arena that it asks for.
    pub arena_len: u32,
}

impl<'a> Parts<'a> {
    /// Takes a blob apart.
    ///
    /// # Panics
    /// If the bytes are no blob.
    pub fn of(bytes: &'a [u8]) -> Self {
        let blob = Blob::new_exact(bytes).expect("a blob");
        Self {
            blob,
            parameters: blob.parameters().to_vec(),
            golden: blob.metadata().golden.iter().collect(),
            calibrations: blob.calibrations().iter().collect(),
            arena_len: blob.metadata().arena_len,
        }
    }

    /// Changes one weight in a head's last layer, and what its stream holds because of it.
    ///
    /// # Panics
    /// If the head has no such layer, or the layer no such weight.
    pub fn flip_weight(&mut self, head: Head, number: usize) {
        let graph = self.blob.graph();
        let last = |node: &Node| node.op.is_weighted() && node.heads.contains(head);
        let node = graph.nodes().filter(last).last().expect("a layer with weights");
        let tensor = |number: u8| graph.tensor(number.into()).expect("known");
        let (input, output) = (tensor(node.input), tensor(node.output));
        let (mut layer, _) = streams::unpack(&node, &input, &output, &self.parameters);
        let weight = &mut layer.weights[number];
        // Weights lie in [−127, 127].
        *weight ^= if *weight ^ 0x40 == -128 { 0x20 } else { 0x40 };
        let stream = layer.stream(node.op, node.kernel.into(), input.shape.c.into());
        let bytes: &[u8] = bytemuck::cast_slice(&stream);
        self.parameters[node.weights as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    /// The blob that they make.
    pub fn pack(&self) -> AlignedBytes {
        let mut metadata = self.blob.metadata();
        let golden = sequence(&self.golden);
        metadata.golden = Sequence::new(&golden);
        metadata.arena_len = self.arena_len;
        pack(
            &metadata,
            &self.calibrations,
            &self.parameters,
            self.blob.header().sequence,
        )
    }
}

//! Finished blobs with something changed inside, sealed again: every check but the one in question still passes.

use trident::blob::{Blob, Golden, Sequence};
use trident::graph::{Node, Op};
use trident::spec::Head;
use trident_host::quantize::writer::{AlignedBytes, blob as pack, sequence};

/// A blob taken apart.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    blob: Blob<'a>,
    /// Weights, tables, golden vectors.
    pub parameters: Vec<u8>,
    /// What the self-test expects.
    pub golden: Vec<Golden>,
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
            arena_len: blob.metadata().arena_len,
        }
    }

    /// Changes one bit of one weight in a head's last layer.
    ///
    /// # Panics
    /// If the head has no such layer, or the parameters end before that weight.
    pub fn flip_weight(&mut self, head: Head, number: usize) {
        let last = |node: &Node| matches!(node.op, Op::Linear | Op::Conv2d) && node.heads.contains(head);
        let node = self
            .blob
            .graph()
            .nodes()
            .filter(last)
            .last()
            .expect("a layer with weights");
        let weight = &mut self.parameters[node.weights as usize + number];
        // The format wants weights in [−127, 127].
        *weight ^= if *weight ^ 0x40 == 0x80 { 0x20 } else { 0x40 };
    }

    /// The blob that they make.
    pub fn pack(&self) -> AlignedBytes {
        let mut metadata = self.blob.metadata();
        let golden = sequence(&self.golden);
        metadata.golden = Sequence::new(&golden);
        metadata.arena_len = self.arena_len;
        pack(&metadata, &self.parameters, self.blob.header().sequence)
    }
}

//! An engine for one model: what a blob's checks find out, found out before the device is flashed.
//!
//! ```text
//! host    Blob::new_exact(bytes) ──► Pin::of(blob) ──► a constant in the firmware's source (`trident pin`)
//! device  PIN.open(bytes) ──► Network::load_pinned(pinned, arena) ──► run(heads, inputs)
//! ```
//!
//! A device whose firmware and model are flashed together need not take any blob. It asks one question, whether these are the
//! bytes that were checked, and answers it by their length and CRC-32. Neither the checks of a graph, nor the scan of the weights, nor the
//! decoder of the metadata are part of its image then.
//!
//! What is given up: a CRC tells damage, and not somebody who means it. Bytes made to have the same CRC are run without having been
//! checked; places are still looked up inside slices, so that the worst is a panic or wrong outputs. A device that takes models from elsewhere opens
//! them by [`Blob::new_checked`] or [`Blob::new_signed`].

use crate::arithmetic;
use crate::blob::{Blob, BlobError, Header, Span};
use crate::check::{self, GraphError};
use crate::graph::{BUILT_IN, OpSet};
use crate::spec::HeadSet;

/// What is known of a blob that was checked elsewhere. `trident pin MODEL.tri` writes it as a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The blob's header: its CRC-32 is what it is known by.
    pub header: Header,
    /// Tensor records, from the blob's first byte.
    pub tensors: Span,
    /// Node records, likewise.
    pub nodes: Span,
    /// Bytes of arena that it needs.
    pub arena_len: u32,
    /// Its heads.
    pub heads: HeadSet,
    /// Its operators.
    pub operators: OpSet,
    /// Inputs of its first golden vector, inside the parameters, by the slot's number; empty where there are none.
    pub golden_inputs: [Span; 3],
}

/// A blob that is the pinned one.
#[derive(Clone, Copy, Debug)]
pub struct Pinned<'a> {
    blob: Blob<'a>,
    heads: HeadSet,
}

impl Pin {
    /// Finds out what an engine must know of a blob, and scans its weights as [`Network::load`](crate::Network::load) does.
    ///
    /// # Errors
    /// [`GraphError::Overflow`] and others of the scan: no engine loads it.
    pub fn of(blob: &Blob<'_>) -> Result<Self, GraphError> {
        let graph = blob.graph();
        check::accumulators(&graph, blob.parameters())?;
        let metadata = blob.metadata();
        let first = metadata.golden.iter().next();
        Ok(Self {
            header: *blob.header(),
            tensors: span(blob.bytes(), metadata.tensors),
            nodes: span(blob.bytes(), metadata.nodes),
            arena_len: metadata.arena_len,
            heads: graph.heads(),
            operators: graph.nodes().map(|node| node.op).collect(),
            golden_inputs: first.map_or([Span::default(); 3], |golden| golden.inputs),
        })
    }

    /// Itself, where this engine computes as that arithmetic asks, and has all operators. As the value of a constant, firmware
    /// that cannot run the model does not compile.
    ///
    /// # Panics
    /// In any other engine.
    #[must_use]
    pub const fn computed_by(self, arithmetic: &str) -> Self {
        assert!(
            same(arithmetic.as_bytes(), arithmetic::NAME.as_bytes()),
            "pinned for another arithmetic: pin the model with the `trident` of this engine"
        );
        assert!(
            self.operators.is_subset_of(BUILT_IN),
            "this engine lacks an operator: name the features of `trident` that the pin was written with"
        );
        self
    }

    /// Bytes of arena, for the length of an array.
    pub const fn arena_len(&self) -> usize {
        self.arena_len as usize
    }

    /// Takes the blob at the start of `bytes`. What follows it is ignored, as in a flash slot.
    ///
    /// # Errors
    /// [`BlobError::Misaligned`], [`BlobError::Truncated`], [`BlobError::NotPinned`] or [`BlobError::Crc`]: these are not the bytes that were
    /// pinned.
    pub fn open<'a>(&self, bytes: &'a [u8]) -> Result<Pinned<'a>, BlobError> {
        Ok(Pinned {
            blob: Blob::new_pinned(bytes, self)?,
            heads: self.heads,
        })
    }
}

impl<'a> Pinned<'a> {
    /// The blob.
    pub const fn blob(&self) -> &Blob<'a> {
        &self.blob
    }

    /// The heads it has.
    pub const fn heads(&self) -> HeadSet {
        self.heads
    }
}

/// Where a part of some bytes lies.
fn span(bytes: &[u8], part: &[u8]) -> Span {
    Span {
        offset: (part.as_ptr() as usize - bytes.as_ptr() as usize) as u32,
        len: part.len() as u32,
    }
}

/// Whether two texts are the same, in a constant.
const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut same = a.len() == b.len();
    let mut index = 0;
    while same && index < a.len() {
        same = a[index] == b[index];
        index += 1;
    }
    same
}

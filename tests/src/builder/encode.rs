//! The parts as bytes.

use serde::Serialize;
use trident::blob::{CRC, FORMAT_VERSION, HEADER_LEN, HeadDescription, Header, InputDescription, Metadata};
use trident::blob::{Calibration, Provenance, Sequence};
use trident::graph::{Node, Tensor};
use trident::spec::PixelScale;

use super::Builder;
use crate::aligned::Aligned;

impl Builder {
    /// The two tables of records.
    pub fn records(&self) -> (Vec<u8>, Vec<u8>) {
        let tensors = self.tensors.iter().flat_map(Tensor::encode).collect();
        let nodes = self.nodes.iter().flat_map(Node::encode).collect();
        (tensors, nodes)
    }

    /// The blob.
    pub fn pack(&self) -> Aligned {
        let metadata = self.metadata();
        let parameters_offset = (HEADER_LEN + metadata.len()).next_multiple_of(16);
        let header = Header {
            crc: 0,
            version: FORMAT_VERSION,
            flags: 0,
            total_len: (parameters_offset + self.parameters.len()) as u32,
            sequence: self.sequence,
            metadata_len: metadata.len() as u32,
            parameters_offset: parameters_offset as u32,
        };
        let mut bytes = header.encode().to_vec();
        bytes.extend_from_slice(&metadata);
        bytes.resize(parameters_offset, 0);
        bytes.extend_from_slice(&self.parameters);
        seal(&mut bytes);
        Aligned::copy_of(&bytes)
    }

    fn metadata(&self) -> Vec<u8> {
        let (tensors, nodes) = self.records();
        let names: Vec<Vec<u8>> = self.inputs.iter().map(|input| sequence(&input.names)).collect();
        let classes: Vec<Vec<u8>> = self.heads.iter().map(|head| sequence(&head.classes)).collect();
        let inputs = self.inputs.iter().zip(&names).map(|(input, names)| InputDescription {
            slot: input.slot,
            shape: input.shape,
            pixels: PixelScale::Centred,
            names: Sequence::new(names),
        });
        let heads = self.heads.iter().zip(&classes).map(|(head, classes)| HeadDescription {
            head: head.head,
            name: head.name,
            classes: Sequence::new(classes),
            threshold: 0.5,
        });
        let (inputs, heads) = (sequence(inputs), sequence(heads));
        let (golden, metrics) = (sequence(&self.golden), sequence(&self.metrics));
        let metadata = Metadata {
            arithmetic: self.arithmetic,
            arena_len: self.arena_len,
            tensors: &tensors,
            nodes: &nodes,
            inputs: Sequence::new(&inputs),
            heads: Sequence::new(&heads),
            golden: Sequence::new(&golden),
            provenance: Provenance {
                tool: "tests",
                model: "tiny",
                data_sha256: [0xDA; 32],
                metrics: Sequence::new(&metrics),
            },
        };
        let calibrations = sequence(&self.calibrations);
        let calibrations: Sequence<'_, Calibration> = Sequence::new(&calibrations);
        postcard::to_stdvec(&(metadata, calibrations)).expect("metadata encode")
    }
}

/// Postcard elements one behind the other.
fn sequence<T: Serialize>(elements: impl IntoIterator<Item = T>) -> Vec<u8> {
    elements
        .into_iter()
        .flat_map(|element| postcard::to_stdvec(&element).expect("element encodes"))
        .collect()
}

/// Writes the checksum that belongs to the other bytes.
///
/// # Panics
/// If there is no room for it.
pub fn seal(blob: &mut [u8]) {
    let crc = CRC.checksum(&blob[4..]);
    blob[..4].copy_from_slice(&crc.to_le_bytes());
}

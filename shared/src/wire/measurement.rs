//! What the bench image measures.

use heapless::Vec;
use serde::{Deserialize, Serialize};

use crate::graph::MAX_NODES;

/// One blob on one board, in instructions and bytes. A run is one of all heads on the blob's first golden vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement {
    /// Instructions of a loop of known length: what they are.
    pub loop_expected: u64,
    /// The same: what was counted. Any difference means that no other count can be trusted.
    pub loop_counted: u64,
    /// Instructions of the blob's CRC alone, computed once more.
    pub crc_instructions: u64,
    /// Instructions of checking the blob, its CRC included.
    pub check_instructions: u64,
    /// Instructions of loading the network.
    pub load_instructions: u64,
    /// Instructions of a whole run that nobody observes.
    pub run_instructions: u64,
    /// Instructions of a run that ends at its first node because there are no inputs.
    pub refused_run_instructions: u64,
    /// Instructions of each node, in the graph's order, from the end of the step before to the end of its own, summed over its
    /// steps. The first step of all begins with the run.
    pub node_instructions: Vec<u64, MAX_NODES>,
    /// The most stack in use over checking, loading and running, everything below the entry point counted, in bytes.
    pub stack_high_water: u32,
    /// The stack's size, in bytes.
    pub stack_capacity: u32,
    /// Bytes of the network itself, which lies on that stack.
    pub network_len: u32,
}

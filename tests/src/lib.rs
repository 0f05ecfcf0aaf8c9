//! What the tests that cross crates stand on: an obvious oracle, small blobs built by hand, golden files.
//!
//! [`naive`] computes every operator the slow way and [`interpreter`] a whole graph; neither shares code with the kernels.
//! [`builder`] lays out a blob without the host's quantiser, [`tiny`] is one with every operator, [`random`] makes others.
//! [`baseline`] holds instructions that were counted before. [`command`] runs the command line on [`own_data`]; [`tamper`] changes finished blobs.

pub mod aligned;
pub mod baseline;
pub mod builder;
pub mod command;
pub mod golden;
pub mod hostile;
pub mod interpreter;
pub mod naive;
pub mod noise;
pub mod own_data;
pub mod random;
pub mod tamper;
pub mod tiny;

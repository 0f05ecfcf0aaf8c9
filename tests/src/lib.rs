//! What the tests that cross crates stand on: an obvious oracle, small blobs built by hand, golden files.
//!
//! [`naive`] computes every operator the slow way, [`streams`] finds the plain weights in what was packed, and [`interpreter`] runs a
//! whole graph on both; none of them shares code with the kernels. [`compare`] holds a network to them.
//! [`builder`] lays out a blob without the host's quantiser, from each [`layer`]'s plain weights, and [`bands`] finds how few rows it can
//! keep; [`tiny`] is one with every operator, [`random`] makes others, [`hostile`] breaks one rule.
//! [`fuzzed`] says what must hold for any bytes; the fuzz targets share it.
//! [`baseline`] holds instructions that were counted before. [`command`] runs the command line on [`own_data`]; [`tamper`] changes finished blobs,
//! [`faulty`] frames on their way.

pub mod aligned;
pub mod bands;
pub mod baseline;
pub mod builder;
pub mod command;
pub mod compare;
pub mod faulty;
pub mod flash;
#[path = "../../shared/fuzz/src/fuzzed/mod.rs"]
pub mod fuzzed;
pub mod golden;
pub mod hostile;
pub mod interpreter;
pub mod layer;
pub mod naive;
pub mod noise;
pub mod own_data;
pub mod parity;
pub mod random;
pub mod readme;
pub mod streams;
pub mod tamper;
pub mod tiny;

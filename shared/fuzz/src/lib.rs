//! The fuzz targets' bodies, without the fuzzer. The tests include the same files and replay the corpora with them.

#[path = "../../../tests/src/aligned.rs"]
pub mod aligned;
pub mod fuzzed;

#![no_main]
//! See `trident_fuzz::fuzzed::frames`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trident_fuzz::fuzzed::frames(bytes));

#![no_main]
//! See `trident_fuzz::fuzzed::blob`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = trident_fuzz::fuzzed::blob(bytes);
});

//! The key that weights must be signed with, compiled in.
//!
//! `TRIDENT_PUBLIC_KEY`, 64 hexadecimal digits, sets it when the firmware is built; `trident` does so for a device whose name
//! says `key=FILE`. Without it any weights are taken, and the log says so at every start.

use trident::PublicKey;

/// The key, if one was compiled in.
pub const PUBLIC_KEY: Option<PublicKey> = match option_env!("TRIDENT_PUBLIC_KEY") {
    Some(digits) => Some(PublicKey(bytes(digits.as_bytes()))),
    None => None,
};

/// Says which weights are taken.
pub fn log() {
    match PUBLIC_KEY {
        Some(key) => defmt::info!("weights must be signed with key {=[u8]:02x}", key.0[..8]),
        None => defmt::warn!("no public key in this firmware: unsigned weights are taken, whoever made them"),
    }
}

const fn bytes(digits: &[u8]) -> [u8; 32] {
    assert!(digits.len() == 64, "TRIDENT_PUBLIC_KEY has 64 hexadecimal digits");
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < 32 {
        bytes[at] = digit(digits[2 * at]) << 4 | digit(digits[2 * at + 1]);
        at += 1;
    }
    bytes
}

const fn digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => panic!("TRIDENT_PUBLIC_KEY has hexadecimal digits only"),
    }
}

//! Who made a blob: ed25519 signatures (RFC 8032).
//!
//! A signed blob has the flag [`SIGNED`](crate::blob::SIGNED) and ends in 64 bytes of signature over all between checksum and signature, so
//! `[4, total_len − 64)`. The checksum, which comes last, covers the signature too. [`Blob::new_signed`](crate::Blob::new_signed)
//! checks it; nothing else in this crate needs a key.

use ed25519_dalek::{Signature, VerifyingKey};

/// Bytes of a signature.
pub const SIGNATURE_LEN: usize = 64;

/// Bytes that are hashed between two signs of life.
const PART_LEN: usize = 16 << 10;

/// A key that signatures are checked with, as RFC 8032 writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Whether these bytes are a key at all: a point of the curve, and none of the few that would make weak signatures pass.
    pub fn is_sound(&self) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| !key.is_weak())
    }

    /// Whether `signature` is this key's of `message`. Malleable signatures and weak keys are refused. Hashing megabytes takes a
    /// microcontroller long: it calls `alive` every few kilobytes, which may feed a watchdog.
    ///
    /// Its tables take kilobytes of stack, which a caller that has no key should not pay for: hence a call of its own.
    #[inline(never)]
    pub fn verifies(&self, message: &[u8], signature: &[u8; SIGNATURE_LEN], alive: &mut dyn FnMut()) -> bool {
        let key = VerifyingKey::from_bytes(&self.0).ok().filter(|key| !key.is_weak());
        let Some(mut verifier) = key.and_then(|key| key.verify_stream(&Signature::from_bytes(signature)).ok()) else {
            return false;
        };
        for part in message.chunks(PART_LEN) {
            alive();
            verifier.update(part);
        }
        alive();
        verifier.finalize_and_verify().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 3.
    const KEY: PublicKey = PublicKey([
        0xfc, 0x51, 0xcd, 0x8e, 0x62, 0x18, 0xa1, 0xa3, 0x8d, 0xa4, 0x7e, 0xd0, 0x02, 0x30, 0xf0, 0x58, 0x08, 0x16,
        0xed, 0x13, 0xba, 0x33, 0x03, 0xac, 0x5d, 0xeb, 0x91, 0x15, 0x48, 0x90, 0x80, 0x25,
    ]);
    const MESSAGE: &[u8] = &[0xaf, 0x82];
    const SIGNATURE: [u8; SIGNATURE_LEN] = [
        0x62, 0x91, 0xd6, 0x57, 0xde, 0xec, 0x24, 0x02, 0x48, 0x27, 0xe6, 0x9c, 0x3a, 0xbe, 0x01, 0xa3, 0x0c, 0xe5,
        0x48, 0xa2, 0x84, 0x74, 0x3a, 0x44, 0x5e, 0x36, 0x80, 0xd7, 0xdb, 0x5a, 0xc3, 0xac, 0x18, 0xff, 0x9b, 0x53,
        0x8d, 0x16, 0xf2, 0x90, 0xae, 0x67, 0xf7, 0x60, 0x98, 0x4d, 0xc6, 0x59, 0x4a, 0x7c, 0x15, 0xe9, 0x71, 0x6e,
        0xd2, 0x8d, 0xc0, 0x27, 0xbe, 0xce, 0xea, 0x1e, 0xc4, 0x0a,
    ];

    #[test]
    fn the_vector_of_the_rfc_verifies() {
        assert!(KEY.is_sound());
        assert!(KEY.verifies(MESSAGE, &SIGNATURE, &mut || ()));
    }

    #[test]
    fn nothing_else_does() {
        assert!(!KEY.verifies(&[0xaf, 0x83], &SIGNATURE, &mut || ()));
        for bit in 0..SIGNATURE_LEN * 8 {
            let mut signature = SIGNATURE;
            signature[bit / 8] ^= 1 << (bit % 8);
            assert!(!KEY.verifies(MESSAGE, &signature, &mut || ()), "bit {bit}");
        }
        let mut other = KEY;
        other.0[0] ^= 1;
        assert!(!other.verifies(MESSAGE, &SIGNATURE, &mut || ()));
    }

    #[test]
    fn weak_keys_are_none() {
        // The neutral element, for which a signature of anything can be written down.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert!(!PublicKey(neutral).is_sound());
    }
}

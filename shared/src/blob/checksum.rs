//! CRC-32/ISO-HDLC, four bits at a time: a table of 64 bytes where one for whole bytes takes a kilobyte of flash.

/// The checksum of blobs and frames.
pub const CRC: Crc32 = Crc32;

/// CRC-32/ISO-HDLC: polynomial 0x04C11DB7, reflected, begun with ones, all bits turned over at the end.
#[derive(Clone, Copy, Debug)]
pub struct Crc32;

const REFLECTED_POLYNOMIAL: u32 = 0x04C1_1DB7_u32.reverse_bits();

/// What four bits that are shifted out leave behind.
static REMAINDERS: [u32; 16] = {
    let mut table = [0; 16];
    let mut bits = 0;
    while bits < 16 {
        let mut remainder = bits as u32;
        let mut shifts = 0;
        while shifts < 4 {
            let out = remainder & 1;
            remainder = (remainder >> 1) ^ (out * REFLECTED_POLYNOMIAL);
            shifts += 1;
        }
        table[bits] = remainder;
        bits += 1;
    }
    table
};

impl Crc32 {
    /// The checksum of these bytes.
    #[inline(never)]
    pub fn checksum(&self, bytes: &[u8]) -> u32 {
        let (words, rest) = bytes.as_chunks();
        let crc = words
            .iter()
            .fold(u32::MAX, |crc, word| shift_word(crc ^ u32::from_le_bytes(*word)));
        !rest.iter().fold(crc, |crc, &byte| shift(shift(crc ^ u32::from(byte))))
    }
}

/// Four bits on.
#[inline(always)]
fn shift(crc: u32) -> u32 {
    (crc >> 4) ^ REMAINDERS[crc as usize & 15]
}

/// A word on. Called, not inlined, so that the loop around it stays a small one.
#[inline(never)]
fn shift_word(crc: u32) -> u32 {
    (0..8).fold(crc, |crc, _| shift(crc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bit_by_bit(bytes: &[u8]) -> u32 {
        let shifted = |crc: u32| (crc >> 1) ^ ((crc & 1) * 0xEDB8_8320);
        !bytes.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| shifted(crc))
        })
    }

    #[test]
    fn the_checksum_is_iso_hdlc() {
        assert_eq!(CRC.checksum(b"123456789"), 0xCBF4_3926); // the catalogue's check value
        assert_eq!(CRC.checksum(b""), 0);
    }

    #[test]
    fn four_bits_at_a_time_are_one_at_a_time() {
        for byte in 0..=u8::MAX {
            assert_eq!(CRC.checksum(&[byte]), bit_by_bit(&[byte]), "{byte:#04x}");
        }
        let bytes: [u8; 11] = core::array::from_fn(|index| (index * 37) as u8);
        for len in 0..=bytes.len() {
            assert_eq!(CRC.checksum(&bytes[..len]), bit_by_bit(&bytes[..len]), "{len} bytes");
        }
    }
}

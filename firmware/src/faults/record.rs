//! What is known of a fault, and the form in which it outlives a reset.
//!
//! ```text
//! word 0      magic: the bytes "trip"
//! word 1      kind; bit 8: pc is known; bit 9: lr is known; bits 16..24: length of the message
//! word 2, 3   pc, lr
//! word 4      faults since power came on
//! word 5      faults since the last request that was answered
//! word 6..30  message, UTF-8
//! word 30     zero
//! word 31     CRC-32/ISO-HDLC of the words before it, each little-endian
//! ```
//! Memory that power has just come back to holds anything: a record whose magic or CRC is wrong is none.

use core::fmt;

use trident::blob::CRC;
use trident::wire::{Text, text};

/// Words of a [`History`].
pub const WORDS: usize = 32;

const MAGIC: u32 = u32::from_le_bytes(*b"trip");
const PC_KNOWN: u32 = 1 << 8;
const LR_KNOWN: u32 = 1 << 9;
const LEN_SHIFT: u32 = 16;
const MESSAGE: core::ops::Range<usize> = 6..30;

/// What ended the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A panic.
    Panic = 1,
    /// The processor could not go on.
    HardFault = 2,
    /// The stack's end was reached.
    StackOverflow = 3,
    /// The program no longer fed the watchdog.
    Watchdog = 4,
    /// An interrupt that nobody had asked for.
    Interrupt = 5,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Panic,
        Self::HardFault,
        Self::StackOverflow,
        Self::Watchdog,
        Self::Interrupt,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Panic => "panic",
            Self::HardFault => "hard fault",
            Self::StackOverflow => "stack overflow",
            Self::Watchdog => "watchdog",
            Self::Interrupt => "stray interrupt",
        })
    }
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What ended the program.
    pub kind: Kind,
    /// Where, if that is known.
    pub pc: Option<u32>,
    /// The link register there: often where it was called from, or whatever the program kept in it.
    pub lr: Option<u32>,
    /// More, in words; may be empty.
    pub message: Text,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(pc) = self.pc {
            write!(f, " at {pc:#010x}")?;
        }
        if let Some(lr) = self.lr {
            write!(f, ", lr {lr:#010x}")?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

/// The last fault, and how many there have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The last fault.
    pub last: Record,
    /// Faults since power came on, at least 1.
    pub total: u32,
    /// Faults since the last request that was answered.
    pub in_a_row: u32,
}

impl History {
    /// One more fault after what was before.
    pub fn after(before: Option<&Self>, last: Record) -> Self {
        let (total, in_a_row) = before.map_or((0, 0), |before| (before.total, before.in_a_row));
        Self {
            last,
            total: total.saturating_add(1),
            in_a_row: in_a_row.saturating_add(1),
        }
    }

    /// The words to keep.
    pub fn encode(&self) -> [u32; WORDS] {
        let mut words = [0; WORDS];
        let message = self.last.message.as_bytes();
        let known = |address: Option<u32>, flag| if address.is_some() { flag } else { 0 };
        words[0] = MAGIC;
        words[1] = self.last.kind as u32
            | known(self.last.pc, PC_KNOWN)
            | known(self.last.lr, LR_KNOWN)
            | (message.len() as u32) << LEN_SHIFT;
        words[2] = self.last.pc.unwrap_or(0);
        words[3] = self.last.lr.unwrap_or(0);
        words[4] = self.total;
        words[5] = self.in_a_row;
        for (word, bytes) in words[MESSAGE].iter_mut().zip(message.chunks(4)) {
            let mut padded = [0; 4];
            padded[..bytes.len()].copy_from_slice(bytes);
            *word = u32::from_le_bytes(padded);
        }
        words[WORDS - 1] = checksum(&words);
        words
    }

    /// What was kept, if anything was.
    pub fn decode(words: &[u32; WORDS]) -> Option<Self> {
        if words[0] != MAGIC || words[WORDS - 1] != checksum(words) {
            return None;
        }
        let known = |address, flag| (words[1] & flag != 0).then_some(address);
        let mut bytes = [0; 4 * (MESSAGE.end - MESSAGE.start)];
        for (bytes, word) in bytes.chunks_exact_mut(4).zip(&words[MESSAGE]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        let message = bytes.get(..(words[1] >> LEN_SHIFT & 0xff) as usize)?;
        Some(Self {
            last: Record {
                kind: Kind::ALL.into_iter().find(|&kind| kind as u32 == words[1] & 0xff)?,
                pc: known(words[2], PC_KNOWN),
                lr: known(words[3], LR_KNOWN),
                message: text(core::str::from_utf8(message).ok()?),
            },
            total: words[4],
            in_a_row: words[5],
        })
    }
}

fn checksum(words: &[u32; WORDS]) -> u32 {
    CRC.checksum(bytemuck::cast_slice(&words[..WORDS - 1]))
}

const _: () = assert!(
    4 * (MESSAGE.end - MESSAGE.start) == 96,
    "a message of wire::Text fits whole"
);

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: Kind, message: &str) -> Record {
        let (pc, lr) = (Some(0x1234), None);
        let message = text(message);
        Record { kind, pc, lr, message }
    }

    #[test]
    fn what_was_kept_is_read_again() {
        for kind in Kind::ALL {
            for message in ["", "odd", "an index of 12 is beyond 7", &"ä".repeat(100)] {
                let history = History::after(None, record(kind, message));
                assert_eq!(History::decode(&history.encode()), Some(history));
            }
        }
    }

    #[test]
    fn faults_are_counted_over_resets() {
        let mut history = History::after(None, record(Kind::Panic, "first"));
        history = History::after(Some(&history), record(Kind::Watchdog, "second"));
        assert_eq!((history.total, history.in_a_row), (2, 2));
        history.in_a_row = 0;
        history = History::after(Some(&history), record(Kind::Watchdog, "third"));
        assert_eq!((history.total, history.in_a_row), (3, 1));
        history.total = u32::MAX;
        assert_eq!(History::after(Some(&history), history.last.clone()).total, u32::MAX);
    }

    #[test]
    fn memory_after_power_on_holds_no_record() {
        for word in [0, u32::MAX, 0xAAAA_AAAA, MAGIC] {
            assert_eq!(History::decode(&[word; WORDS]), None, "{word:#x}");
        }
        let good = History::after(None, record(Kind::HardFault, "undefined instruction")).encode();
        for bit in 0..WORDS * 32 {
            let mut flipped = good;
            flipped[bit / 32] ^= 1 << (bit % 32);
            assert_eq!(History::decode(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn a_record_reads_as_a_sentence() {
        let mut record = record(Kind::HardFault, "undefined instruction");
        assert_eq!(record.to_string(), "hard fault at 0x00001234: undefined instruction");
        record.lr = Some(0x88);
        record.message = text("");
        assert_eq!(record.to_string(), "hard fault at 0x00001234, lr 0x00000088");
    }
}

//! NOR flash that loses power at any byte, and refuses what real flash would not bear.
//!
//! Every byte that is erased or programmed is a step. Before the step at which the power goes everything has happened, at
//! that step something, behind it nothing, and no operation works any more until [`Simulator::restart`]. A word is programmed once
//! between erasures, even to ones; [`Simulator`] keeps account of that besides the bytes. A word whose programming was cut may still be
//! programmed to zeros, as flash with a code per word allows, too (ST RM0351, PROGERR).

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use trident::slots::{Flash, Mapped, Region};

use crate::aligned::Aligned;
use crate::noise::Noise;

/// What an operation leaves behind that the power did not last for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tear {
    /// What came before the cut is done, what comes behind it is untouched; the byte at the cut is in between.
    Clean,
    /// Any bits of the word or block that was being changed have changed.
    Ragged,
}

/// Why the simulator refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The power is gone.
    PowerCut,
    /// A rule of NOR flash is broken, which no code under test may do.
    Rule(&'static str),
}

impl NorFlashError for Refusal {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

/// The simulator. Blocks have `BLOCK` bytes, words 4.
#[derive(Clone, Debug)]
pub struct Simulator<const BLOCK: usize> {
    bytes: Aligned,
    programmed: Vec<Word>,
    power: Power,
    broken: Option<&'static str>,
}

#[derive(Clone, Debug)]
struct Power {
    steps: u64,
    operations: u64,
    cut: Option<Cut>,
    gone: bool,
    noise: Noise,
}

/// When the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// At that byte of all that are erased and programmed.
    Step(u64, Tear),
    /// At the beginning of that operation.
    Operation(u64),
}

const WORD: usize = 4;

/// What was done to a word since it was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// Nothing.
    Erased,
    /// It was programmed.
    Programmed,
    /// It was being programmed when the power went.
    Torn,
}

impl<const BLOCK: usize> Simulator<BLOCK> {
    /// A flash that came from the factory: erased.
    pub fn erased(len: usize) -> Self {
        let mut flash = Self::holding(len, 0xff);
        flash.programmed.fill(Word::Erased);
        flash
    }

    /// A flash of nothing but that byte, each programmed.
    pub fn holding(len: usize, byte: u8) -> Self {
        assert!(len.is_multiple_of(BLOCK), "whole blocks");
        let mut bytes = Aligned::zeroed(len);
        bytes.bytes_mut().fill(byte);
        let power = Power {
            steps: 0,
            operations: 0,
            cut: None,
            gone: false,
            noise: Noise::new(1),
        };
        Self {
            bytes,
            programmed: vec![Word::Programmed; len / WORD],
            power,
            broken: None,
        }
    }

    /// Puts bytes there by other means than programming, as a programmer or a fault does.
    pub fn place(&mut self, offset: u32, bytes: &[u8]) {
        let start = offset as usize;
        self.bytes.bytes_mut()[start..start + bytes.len()].copy_from_slice(bytes);
        self.programmed[start / WORD..(start + bytes.len()).div_ceil(WORD)].fill(Word::Programmed);
    }

    /// Gives the power back; it goes again at `cut`, counted from now on.
    pub fn restart(&mut self, cut: Option<Cut>) {
        let seed = match cut {
            Some(Cut::Step(step, _)) => step,
            _ => 0,
        };
        self.power = Power {
            steps: 0,
            operations: 0,
            cut,
            gone: false,
            noise: Noise::new(seed),
        };
    }

    /// Whether the power is gone.
    pub fn is_dark(&self) -> bool {
        self.power.gone
    }

    /// Bytes erased and programmed since the restart.
    pub fn steps(&self) -> u64 {
        self.power.steps
    }

    /// Erasures and programmings since the restart.
    pub fn operations(&self) -> u64 {
        self.power.operations
    }

    /// The rule that was broken first, if any was.
    pub fn broken(&self) -> Option<&'static str> {
        self.broken
    }

    /// All of it, to be written.
    fn view(&mut self) -> Rest<'_, BLOCK> {
        self.split(Region { start: 0, len: 0 }).1
    }
}

/// All of a simulator's flash but the region that is read.
pub struct Rest<'f, const BLOCK: usize> {
    before: &'f mut [u8],
    hole: usize,
    after: &'f mut [u8],
    programmed: &'f mut [Word],
    power: &'f mut Power,
    broken: &'f mut Option<&'static str>,
}

impl<const BLOCK: usize> Rest<'_, BLOCK> {
    fn part(&mut self, start: usize, len: usize) -> Option<&mut [u8]> {
        match start.checked_sub(self.before.len() + self.hole) {
            Some(start) => self.after.get_mut(start..start + len),
            None => self.before.get_mut(start..start + len),
        }
    }

    fn refuse<T>(&mut self, rule: &'static str) -> Result<T, Refusal> {
        self.broken.get_or_insert(rule);
        Err(Refusal::Rule(rule))
    }

    /// Changes bytes to `new`, as far as the power lasts.
    fn change(&mut self, start: usize, new: &[u8]) -> Result<(), Refusal> {
        let power = &mut *self.power;
        if power.gone {
            return Err(Refusal::PowerCut);
        }
        let done = match power.cut {
            Some(Cut::Operation(at)) if at == power.operations => 0,
            Some(Cut::Step(at, _)) => usize::try_from(at - power.steps).map_or(new.len(), |left| left.min(new.len())),
            _ => new.len(),
        };
        let torn = match power.cut {
            Some(Cut::Step(_, tear)) if done < new.len() => Some(tear),
            _ => None,
        };
        power.gone = done < new.len();
        power.steps += done as u64;
        power.operations += 1;
        let gone = power.gone;
        let mut noise = power.noise.clone();
        let Some(bytes) = self.part(start, new.len()) else {
            return self.refuse("a part that is read is written");
        };
        bytes[..done].copy_from_slice(&new[..done]);
        // Bits that differ have changed or not.
        let mut tear = |at: usize, bytes: &mut [u8]| {
            let changing = bytes[at] ^ new[at];
            bytes[at] ^= changing & noise.bits() as u8;
        };
        match torn {
            Some(Tear::Clean) => tear(done, bytes),
            Some(Tear::Ragged) => {
                let erasing = new.len() >= BLOCK && new.iter().all(|&byte| byte == 0xff);
                let unit = if erasing { BLOCK } else { WORD };
                let end = (done - done % unit + unit).min(new.len());
                (done..end).for_each(|at| tear(at, bytes));
            }
            None => {}
        }
        if gone { Err(Refusal::PowerCut) } else { Ok(()) }
    }
}

impl<const BLOCK: usize> ErrorType for Rest<'_, BLOCK> {
    type Error = Refusal;
}

impl<const BLOCK: usize> ReadNorFlash for Rest<'_, BLOCK> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Refusal> {
        if self.power.gone {
            return Err(Refusal::PowerCut);
        }
        if check_read(self, offset, bytes.len()).is_err() {
            return self.refuse("a read outside");
        }
        match self.part(offset as usize, bytes.len()) {
            Some(part) => {
                bytes.copy_from_slice(part);
                Ok(())
            }
            None => self.refuse("a read of what was split off"),
        }
    }

    fn capacity(&self) -> usize {
        self.before.len() + self.hole + self.after.len()
    }
}

impl<const BLOCK: usize> NorFlash for Rest<'_, BLOCK> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = BLOCK;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Refusal> {
        if check_erase(self, from, to).is_err() {
            return self.refuse("an erase that is not of whole blocks inside");
        }
        let (from, to) = (from as usize, to as usize);
        let result = self.change(from, &vec![0xff; to - from]);
        // What looks erased is, even where an erasure was cut short.
        for word in from / WORD..to / WORD {
            let erased = self
                .part(word * WORD, WORD)
                .is_some_and(|bytes| bytes.iter().all(|&byte| byte == 0xff));
            self.programmed[word] = if erased { Word::Erased } else { Word::Programmed };
        }
        result
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Refusal> {
        if check_write(self, offset, bytes.len()).is_err() {
            return self.refuse("a write that is not of whole words inside");
        }
        let start = offset as usize;
        let words = start / WORD..(start + bytes.len()) / WORD;
        if self.power.gone {
            return Err(Refusal::PowerCut);
        }
        let finishing = bytes.iter().all(|&byte| byte == 0);
        let bears = |word: &Word| *word == Word::Erased || (*word == Word::Torn && finishing);
        if !self.programmed[words.clone()].iter().all(bears) {
            return self.refuse("a word is programmed twice");
        }
        let before = self.power.steps;
        let result = self.change(start, bytes);
        let done = (self.power.steps - before) as usize;
        self.programmed[words.start..words.start + done / WORD].fill(Word::Programmed);
        if result.is_err() {
            // A word whose programming has changed no bit yet looks erased, and is taken for it.
            let word = words.start + done / WORD;
            let part = self.part(word * WORD, WORD);
            if part.is_some_and(|bytes| bytes.iter().any(|&byte| byte != 0xff)) {
                self.programmed[word] = Word::Torn;
            }
        }
        result
    }
}

impl<const BLOCK: usize> Mapped for Rest<'_, BLOCK> {
    fn bytes(&self, region: Region) -> &[u8] {
        let (start, len) = (region.start as usize, region.len as usize);
        match start.checked_sub(self.before.len() + self.hole) {
            Some(start) => &self.after[start..start + len],
            None => &self.before[start..start + len],
        }
    }
}

impl<const BLOCK: usize> ErrorType for Simulator<BLOCK> {
    type Error = Refusal;
}

impl<const BLOCK: usize> ReadNorFlash for Simulator<BLOCK> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Refusal> {
        self.view().read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.bytes.bytes().len()
    }
}

impl<const BLOCK: usize> NorFlash for Simulator<BLOCK> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = BLOCK;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Refusal> {
        self.view().erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Refusal> {
        self.view().write(offset, bytes)
    }
}

impl<const BLOCK: usize> Mapped for Simulator<BLOCK> {
    fn bytes(&self, region: Region) -> &[u8] {
        let start = region.start as usize;
        &self.bytes.bytes()[start..start + region.len as usize]
    }
}

impl<const BLOCK: usize> Flash for Simulator<BLOCK> {
    type Rest<'f> = Rest<'f, BLOCK>;

    fn split(&mut self, region: Region) -> (&[u8], Rest<'_, BLOCK>) {
        let (before, rest) = self.bytes.bytes_mut().split_at_mut(region.start as usize);
        let (bytes, after) = rest.split_at_mut(region.len as usize);
        let rest = Rest {
            before,
            hole: bytes.len(),
            after,
            programmed: &mut self.programmed,
            power: &mut self.power,
            broken: &mut self.broken,
        };
        (bytes, rest)
    }
}

//! Flash of any content under boot and update: what is served passed its checks, and the next update works.

use std::fmt::Display;

use trident::slots::{Booted, Event, FlashMap, NorMemory, Region, SlotId, Update, UpdateError, boot};
use trident::wire::CHUNK_LEN;
use trident::{Blob, Network};

use super::blob::seal;
use super::memory::Memory;
use super::portions::Portions;
use crate::aligned::Aligned;

/// The least blob there is.
const MINIMAL: &[u8] = include_bytes!("../../../../tests/golden/minimal.tri");

const BLOCK: u32 = 4096;
const STATE_START: u32 = 2 * BLOCK;
const FLASH_LEN: u32 = STATE_START + 4 * BLOCK;
const MAP: FlashMap = FlashMap {
    slots: [
        Region { start: 0, len: BLOCK },
        Region {
            start: BLOCK,
            len: BLOCK,
        },
    ],
    state: Region {
        start: STATE_START,
        len: FLASH_LEN - STATE_START,
    },
};
const ARENA_LEN: usize = 4096;
/// What is done to the flash at most.
const MOST_STEPS: usize = 24;

/// Fills a flash with the first byte, does to it what the others say, and boots. What they can say: any bytes anywhere, records and marks with right
/// checksums as the state's library writes them, whole blobs and spoiled ones, boots, updates and parts of them.
///
/// # Panics
/// If anything panics; if a model is served that fails its checks; if an update to a good blob, newer than all that the state
/// knows, is refused or is not served by the next boot and the one behind it.
pub fn slots(input: &[u8]) {
    let mut input = Portions(input);
    let mut flash = Memory(Aligned::zeroed(FLASH_LEN as usize));
    flash.0.bytes_mut().fill(input.byte());
    for _ in 0..MOST_STEPS {
        if input.is_empty() {
            break;
        }
        step(&mut input, &mut flash);
    }
    let floor = booted(&mut flash, |booted| booted.slots.state().floor);
    let Some(newer) = floor.map_or(Some(1), |floor| floor.checked_add(1)) else {
        let sequence = u32::MAX;
        let refused = update(&mut flash, &numbered(sequence), u32::MAX);
        let floor = sequence;
        assert_eq!(refused, Err(UpdateError::NotNewer { sequence, floor }));
        return;
    };
    let blob = numbered(newer);
    assert_eq!(update(&mut flash, &blob, u32::MAX), Ok(()));
    for _ in 0..2 {
        let served = booted(&mut flash, |booted| {
            let model = booted.model.as_ref().map_err(|none| none.reason.clone())?;
            Ok::<_, trident::wire::Text>(model.network.blob().header().sequence)
        });
        assert_eq!(served, Ok(newer), "the update is what is served");
    }
}

/// One thing that is done to the flash.
fn step(input: &mut Portions<'_>, memory: &mut Memory) {
    let flash = memory.0.bytes_mut();
    match input.byte() % 7 {
        0 => {
            let at = usize::from(input.half()) % flash.len();
            let len = input.byte().into();
            place(flash, at, input.slice(len));
        }
        1 => {
            let at = STATE_START as usize + usize::from(input.half()) % (4 * BLOCK as usize) / 4 * 4;
            let len = input.byte().into();
            place(flash, at, &item(input.slice(len)));
        }
        2 => {
            // A block's first and last word say whether it is in use, and full.
            let marks = input.byte();
            let page = (STATE_START + u32::from(marks % 4) * BLOCK) as usize;
            let mark = |bit: u8| if marks & bit == 0 { [0; 4] } else { [0xff; 4] };
            if marks & 16 == 0 {
                flash[page..page + BLOCK as usize].fill(0xff);
            }
            place(flash, page, &mark(32));
            place(flash, page + BLOCK as usize - 4, &mark(64));
        }
        3 => {
            let slot = slot(input.byte());
            let blob = numbered(input.word());
            place(flash, MAP.slot(slot).start as usize, &blob);
        }
        4 => {
            let slot = slot(input.byte());
            let mut blob = numbered(input.word());
            let at = 4 + usize::from(input.half()) % (blob.len() - 4);
            blob[at] ^= input.byte();
            if input.byte() & 1 == 1 {
                seal(&mut blob);
            }
            place(flash, MAP.slot(slot).start as usize, &blob);
        }
        5 => booted(memory, |_| ()),
        _ => {
            let (sequence, most) = (input.word(), input.half().into());
            let _ = update(memory, &numbered(sequence), most);
        }
    }
}

fn slot(byte: u8) -> SlotId {
    SlotId::ALL[usize::from(byte) % 2]
}

/// As much of `bytes` as has room from `at` on.
fn place(flash: &mut [u8], at: usize, bytes: &[u8]) {
    let end = flash.len().min(at + bytes.len());
    flash[at..end].copy_from_slice(&bytes[..end - at]);
}

/// The least blob with that sequence number.
fn numbered(sequence: u32) -> Vec<u8> {
    let mut blob = MINIMAL.to_vec();
    blob[16..20].copy_from_slice(&sequence.to_le_bytes());
    seal(&mut blob);
    blob
}

/// Boots; whatever model is served is checked. Every event is put into words, as a log would.
fn booted<R>(flash: &mut Memory, then: impl FnOnce(&mut Booted<'_, NorMemory<'_>>) -> R) -> R {
    let mut arena = Aligned::zeroed(ARENA_LEN);
    boot(flash, MAP, None, arena.bytes_mut(), observe, |mut booted| {
        match &booted.model {
            Ok(model) => passes(model.network.blob().bytes()),
            Err(none) => assert!(!none.reason.is_empty()),
        }
        then(&mut booted)
    })
}

fn observe(event: Event<'_>) {
    let told = |words: &dyn Display| assert!(!words.to_string().is_empty());
    match event {
        Event::State(error) | Event::Refused(_, _, error) => told(error),
        Event::Empty(slot) | Event::Checking(slot) | Event::Testing(slot) | Event::Passed(slot, _) => told(&slot),
        Event::Alive => {}
    }
}

/// All checks of a blob, anew.
fn passes(bytes: &[u8]) {
    let bytes = Aligned::copy_of(bytes);
    let blob = Blob::new_exact(bytes.bytes()).expect("what is served is a blob");
    let mut arena = Aligned::zeroed(ARENA_LEN);
    let mut network = Network::load(blob, arena.bytes_mut()).expect("what is served loads");
    network.self_test().expect("what is served passes its self-test");
}

/// Boots and takes an update, as far as `most` bytes.
fn update(flash: &mut Memory, blob: &[u8], most: u32) -> Result<(), UpdateError<trident::slots::NorError>> {
    booted(flash, |booted| {
        let served = booted.model.as_ref().ok().map(|model| model.slot);
        let (slots, flash) = (&mut booted.slots, &mut booted.flash);
        let header = blob.first_chunk().expect("a header");
        let mut update = Update::begin(slots, flash, served, header, 0)?;
        for (number, chunk) in blob.chunks(CHUNK_LEN).enumerate() {
            let offset = (number * CHUNK_LEN) as u32;
            if offset >= most {
                return Ok(());
            }
            update.write(flash, offset, chunk)?;
        }
        update.finish(slots, flash, ARENA_LEN, || ())
    })
}

/// A record as `sequential-storage` writes it with words of four bytes: checksum, length, the length's checksum, the bytes.
fn item(bytes: &[u8]) -> Vec<u8> {
    let reflected = |initial: u32, polynomial: u32, bytes: &[u8]| {
        bytes.iter().fold(initial, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                crc >> 1 ^ if crc & 1 == 1 { polynomial } else { 0 }
            })
        })
    };
    let crc = match !reflected(0xeeee_eeee, 0x82f6_3b78, bytes) {
        0 => 1,
        crc if matches!(crc & 0xff, 0 | 0xff) => crc ^ 1,
        crc => crc,
    };
    let len = (bytes.len() as u16).to_le_bytes();
    let len_crc = match reflected(0xffff, 0x1a2e, &len) as u16 ^ 0xffff {
        0xffff => 0xfffe,
        crc => crc,
    };
    let mut item = [&crc.to_le_bytes()[..], &len, &len_crc.to_le_bytes(), bytes].concat();
    item.resize(item.len().next_multiple_of(4), 0);
    item
}

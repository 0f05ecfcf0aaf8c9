//! The smallest ELF file that an emulator boots and a symbol table fits into (ELF for the ARM Architecture, 32 bits).

use crate::program::{FUNCTIONS, RESET, VECTORS};

const HEADER_LEN: u32 = 52;
const SEGMENT_HEADER_LEN: u32 = 32;
const SECTION_HEADER_LEN: u32 = 40;
const SYMBOL_LEN: u32 = 16;
/// The program lies here in the file.
const CODE_OFFSET: u32 = HEADER_LEN + SEGMENT_HEADER_LEN;

const LOADED: u32 = 1;
const ARM: u16 = 40;
const FUNCTION: u32 = 2;
const CODE: u32 = 1;
const SYMBOLS: u32 = 2;
const STRINGS: u32 = 3;
const READ_AND_EXECUTE: u32 = 5;

/// The program as a file.
pub fn file() -> Vec<u8> {
    let code = memory();
    let (symbols, names) = symbols();
    let symbols_offset = CODE_OFFSET + len(&code);
    let names_offset = symbols_offset + len(&symbols);
    let sections_offset = names_offset + len(&names);

    let mut file = b"\x7fELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    halves(&mut file, &[2, ARM]);
    words(&mut file, &[1, RESET | 1, HEADER_LEN, sections_offset, 0x0500_0000]);
    halves(
        &mut file,
        &[
            HEADER_LEN as u16,
            SEGMENT_HEADER_LEN as u16,
            1,
            SECTION_HEADER_LEN as u16,
            4,
            STRINGS as u16,
        ],
    );
    words(
        &mut file,
        &[LOADED, CODE_OFFSET, 0, 0, len(&code), len(&code), READ_AND_EXECUTE, 4],
    );
    file.extend([code.as_slice(), &symbols, &names].concat());
    // Name, type, flags, address, offset, size, link, info, alignment, entry size.
    words(&mut file, &[0; 10]);
    words(&mut file, &[0, 1, 6, 0, CODE_OFFSET, len(&code), 0, 0, 4, 0]);
    words(
        &mut file,
        &[
            0,
            SYMBOLS,
            0,
            0,
            symbols_offset,
            len(&symbols),
            STRINGS,
            1,
            4,
            SYMBOL_LEN,
        ],
    );
    words(&mut file, &[0, STRINGS, 0, 0, names_offset, len(&names), 0, 0, 1, 0]);
    file
}

/// Flash from address 0.
fn memory() -> Vec<u8> {
    let mut memory = Vec::new();
    words(&mut memory, &VECTORS);
    for function in FUNCTIONS {
        assert!(memory.len() <= function.address as usize, "{} overlaps", function.name);
        memory.resize(function.address as usize, 0);
        halves(&mut memory, function.code);
    }
    memory.resize(memory.len().next_multiple_of(4), 0);
    memory
}

fn symbols() -> (Vec<u8>, Vec<u8>) {
    let (mut symbols, mut names) = (vec![0; SYMBOL_LEN as usize], vec![0]);
    for function in FUNCTIONS {
        let size = 2 * function.code.len() as u32;
        words(
            &mut symbols,
            &[len(&names), function.address | 1, size, CODE << 16 | FUNCTION],
        );
        names.extend([function.name.as_bytes(), &[0]].concat());
    }
    // Headers follow, which are read in place.
    names.resize(names.len().next_multiple_of(4), 0);
    (symbols, names)
}

fn len(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}

fn words(bytes: &mut Vec<u8>, words: &[u32]) {
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}

fn halves(bytes: &mut Vec<u8>, halves: &[u16]) {
    bytes.extend(halves.iter().flat_map(|half| half.to_le_bytes()));
}

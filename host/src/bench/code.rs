//! What an image takes of flash and RAM, read from its ELF file.

use std::path::Path;

use object::{Object, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};
use serde::Serialize;

use super::BenchError;

/// An image's memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Code {
    /// Flash: vectors, instructions, constants, first values of statics.
    pub flash_bytes: u64,
    /// RAM of all statics.
    #[serde(skip)]
    pub static_bytes: u64,
    /// The functions by size, the largest first. What was inlined counts where it went.
    pub functions: Vec<Function>,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Function {
    /// Its symbol.
    pub symbol: String,
    /// Its instructions and the constants between them, in bytes.
    pub bytes: u64,
}

/// Reads an image for a 32-bit core.
///
/// # Errors
/// If it cannot be read or is none.
pub fn read(elf: &Path) -> Result<Code, BenchError> {
    let fault = |reason: String| BenchError::Elf {
        path: elf.to_owned(),
        reason,
    };
    let bytes = std::fs::read(elf).map_err(|error| fault(error.to_string()))?;
    parse(&bytes).map_err(|error| fault(error.to_string()))
}

fn parse(bytes: &[u8]) -> Result<Code, object::Error> {
    let file = object::File::parse(bytes)?;
    let len = |kinds: &[SectionKind]| -> u64 {
        // The stack, a section where another linker script lays it, is measured and not reserved.
        let of_kind =
            |section: &object::Section<'_, '_>| kinds.contains(&section.kind()) && section.name() != Ok(".stack");
        file.sections().filter(of_kind).map(|section| section.size()).sum()
    };
    let mut functions: Vec<Function> = file
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
        .filter_map(|symbol| {
            Some(Function {
                symbol: format!("{:#}", rustc_demangle::demangle(symbol.name().ok()?)),
                bytes: symbol.size(),
            })
        })
        .collect();
    functions.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.symbol.cmp(&b.symbol)));
    functions.dedup();
    Ok(Code {
        flash_bytes: len(&[
            SectionKind::Text,
            SectionKind::ReadOnlyData,
            SectionKind::ReadOnlyString,
            SectionKind::Data,
        ]),
        static_bytes: len(&[SectionKind::Data, SectionKind::UninitializedData]),
        functions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_elf_file_is_refused() {
        assert!(parse(b"#!/bin/sh\n").is_err());
    }
}

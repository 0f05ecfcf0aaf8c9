//! A firmware image: where its functions lie and what its code is.

use std::path::Path;

use object::{Object, ObjectSegment, ObjectSymbol, SymbolKind};

use super::Unavailable;

/// An ELF file, read.
#[derive(Debug)]
pub(super) struct Image {
    segments: Vec<Segment>,
    /// By address.
    functions: Vec<Function>,
}

#[derive(Debug)]
struct Segment {
    address: u32,
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Function {
    address: u32,
    /// In bytes; 0 if the file does not tell.
    length: u32,
    symbol: String,
    name: String,
}

impl Image {
    pub(super) fn read(path: &Path) -> Result<Self, Unavailable> {
        let bytes = std::fs::read(path).map_err(Unavailable::io("read", path))?;
        Self::parse(&bytes).map_err(|error| Unavailable::io("read", path)(std::io::Error::other(error)))
    }

    fn parse(bytes: &[u8]) -> Result<Self, object::Error> {
        let file = object::File::parse(bytes)?;
        let segment = |segment: object::Segment<'_, '_>| {
            let bytes = segment.data()?.to_vec();
            Ok(Segment {
                address: segment.address() as u32,
                bytes,
            })
        };
        let segments = file.segments().map(segment).collect::<Result<_, object::Error>>()?;
        let mut functions = Vec::new();
        for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text) {
            // `$t` and `$d` tell code from data.
            let text = symbol.name()?;
            if symbol.is_definition() && !text.starts_with('$') {
                functions.push(Function {
                    address: symbol.address() as u32 & !1,
                    length: symbol.size() as u32,
                    symbol: text.to_owned(),
                    name: format!("{:#}", rustc_demangle::demangle(text)),
                });
            }
        }
        functions.sort_by_key(|function| function.address);
        Ok(Self { segments, functions })
    }

    /// The address of the one function of that name, mangled or not.
    pub(super) fn entry(&self, name: &str) -> Result<u32, Unavailable> {
        let named = |function: &&Function| function.symbol == name || function.name == name;
        let mut addresses: Vec<u32> = self
            .functions
            .iter()
            .filter(named)
            .map(|function| function.address)
            .collect();
        addresses.dedup();
        match addresses[..] {
            [address] => Ok(address),
            _ => Err(Unavailable::Symbol {
                symbol: name.to_owned(),
                found: addresses.len(),
            }),
        }
    }

    /// The function that code at an address belongs to.
    pub(super) fn function_at(&self, address: u32) -> Option<&str> {
        let behind = self.functions.partition_point(|function| function.address <= address);
        let function = self.functions[..behind].last()?;
        (function.length == 0 || address - function.address < function.length).then_some(&*function.name)
    }

    /// The two halfwords from an address on; the second is 0 at the end of a segment.
    pub(super) fn code(&self, address: u32) -> Option<[u16; 2]> {
        let within = |segment: &Segment| {
            address
                .checked_sub(segment.address)
                .filter(|at| (*at as usize) + 2 <= segment.bytes.len())
        };
        let (segment, start) = self
            .segments
            .iter()
            .find_map(|segment| Some((segment, within(segment)? as usize)))?;
        let code = &segment.bytes[start..];
        let halfword = |at: usize| {
            code.get(at..at + 2)
                .map_or(0, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]))
        };
        Some([halfword(0), halfword(2)])
    }
}

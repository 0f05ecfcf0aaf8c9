//! Source code that pins firmware to one model: a [`Pin`] as a Rust expression.

use trident::blob::{Header, Span};
use trident::{Pin, arithmetic};

/// The expression, to be included by firmware: `const PIN: trident::Pin = include!("model.pin.rs");`.
pub fn source(pin: &Pin) -> String {
    let Header {
        crc,
        version,
        flags,
        total_len,
        sequence,
        metadata_len,
        parameters_offset,
    } = pin.header;
    let heads = listed(pin.heads.iter().map(|head| format!(".with(Head::{head:?})")), "");
    let operators = listed(pin.operators.iter().map(|op| format!("Op::{op:?}")), ", ");
    let inputs = listed(pin.golden_inputs.iter().map(span), ", ");
    format!(
        "\
// Written by `trident pin`. The blob has {total_len} bytes, CRC-32 {crc:08x}.
// Needs these features of trident: {features}.
{{
    use trident::blob::{{Header, Span}};
    use trident::graph::{{Op, OpSet}};
    use trident::{{Head, HeadSet, Pin}};
    const PIN: Pin = Pin {{
        header: Header {{
            crc: {crc:#010x},
            version: {version},
            flags: {flags},
            total_len: {total_len},
            sequence: {sequence},
            metadata_len: {metadata_len},
            parameters_offset: {parameters_offset},
        }},
        tensors: {tensors},
        nodes: {nodes},
        arena_len: {arena_len},
        heads: HeadSet::EMPTY{heads},
        operators: OpSet::of(&[{operators}]),
        golden_inputs: [{inputs}],
    }};
    PIN.computed_by({arithmetic:?})
}}
",
        features = listed(pin.operators.iter().map(|op| op.feature().to_owned()), ", "),
        tensors = span(&pin.tensors),
        nodes = span(&pin.nodes),
        arena_len = pin.arena_len,
        arithmetic = arithmetic::NAME,
    )
}

fn span(span: &Span) -> String {
    format!("Span {{ offset: {}, len: {} }}", span.offset, span.len)
}

fn listed(words: impl Iterator<Item = String>, between: &str) -> String {
    words.collect::<Vec<_>>().join(between)
}

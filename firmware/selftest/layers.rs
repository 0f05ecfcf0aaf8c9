//! Linear layers in an arena: what lies where, and how far they write.

use trident::kernels::micro::{Places, linear, narrow, portable};
use trident::layout::narrow::{COLUMNS, row_words};
use trident::layout::rows::{BLOCK, CHUNK, WIDE, block_words, input_words};

use crate::buffers::{Buffers, same};
use crate::figures::Instructions;
use crate::random::Random;

/// A form of a layer; those that keep sums need no zero point.
type Form = fn(&mut [u8], &Places, &[u32], i8);

/// A layer of this many columns at most, in multiples of so many; bytes of a code that it reads and of an output; both forms.
struct Layer {
    columns: usize,
    multiple: usize,
    code: usize,
    output: usize,
    ours: Form,
    plain: Form,
}

const LAYERS: [Layer; 6] = [
    Layer {
        columns: 2 * CHUNK,
        multiple: 1,
        code: 1,
        output: 1,
        ours: linear::layer,
        plain: portable::linear::layer,
    },
    Layer {
        columns: 2 * CHUNK,
        multiple: 1,
        code: 1,
        output: 4,
        ours: |arena, places, stream, _| linear::layer_of_sums(arena, places, stream),
        plain: |arena, places, stream, _| portable::linear::layer_of_sums(arena, places, stream),
    },
    Layer {
        columns: CHUNK,
        multiple: WIDE,
        code: 2,
        output: 1,
        ours: linear::wide_layer,
        plain: portable::linear::wide_layer,
    },
    Layer {
        columns: CHUNK,
        multiple: WIDE,
        code: 2,
        output: 4,
        ours: |arena, places, stream, _| linear::wide_layer_of_sums(arena, places, stream),
        plain: |arena, places, stream, _| portable::linear::wide_layer_of_sums(arena, places, stream),
    },
    Layer {
        columns: CHUNK,
        multiple: WIDE,
        code: 1,
        output: 4,
        ours: |arena, places, stream, _| linear::single_sum(arena, places, stream),
        plain: |arena, places, stream, _| portable::linear::single_sum(arena, places, stream),
    },
    Layer {
        columns: COLUMNS,
        multiple: 1,
        code: 1,
        output: 2,
        ours: narrow::layer,
        plain: portable::narrow::layer,
    },
];

/// Compares all functions.
pub fn compare(random: &mut Random, buffers: &mut Buffers) -> u32 {
    let cases = 3000;
    for case in 0..cases {
        one(random, buffers, &LAYERS[case as usize % LAYERS.len()]);
    }
    cases
}

fn one(random: &mut Random, buffers: &mut Buffers, layer: &Layer) {
    let Buffers {
        stream, codes, arenas, ..
    } = buffers;
    let columns = (1 + random.below(layer.columns / layer.multiple)) * layer.multiple;
    let rows = 1 + random.below(20);
    let whole = rows.next_multiple_of(BLOCK);
    // Codes and outputs of one byte begin anywhere.
    let from = if layer.code == 1 { random.below(4) } else { 4 };
    let scratch = (from + layer.code * columns).next_multiple_of(4);
    let to = scratch + 4 * input_words(columns) + if layer.output == 1 { random.below(4) } else { 0 };
    let places = Places {
        from,
        columns,
        to,
        rows,
        scratch,
    };
    let words = whole * row_words(columns).max(block_words(columns, true));
    let stream = &mut stream[..words.min(20_000)];
    random.words(stream);
    let content = &mut codes[0][..to + layer.output * whole + random.below(4)];
    random.codes(content);
    let zero_point = random.zero_point();
    let run = |form: Form, arena: &mut [u8]| {
        let bytes = arena.iter_mut().zip(&*content);
        bytes.for_each(|(byte, &code)| *byte = code as u8);
        form(arena, &places, stream, zero_point);
    };
    same(
        arenas,
        (0, content.len(), 0x5A),
        |arena| run(layer.ours, arena),
        |arena| run(layer.plain, arena),
    );
}

/// None: `linear` and `narrow` tell the loops'.
pub fn figures(_: &Instructions, _: &mut Buffers) {}

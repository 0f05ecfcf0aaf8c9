//! Two pixels times four channels.

use core::hint::black_box;

use trident::kernels::micro::{Line, MAX_LINES, Windows, portable::tile as plain, tile};
use trident::layout::tiles::{CHANNELS, PIXELS, group_words, stream_words, window_words};

use crate::buffers::{Buffers, MARGIN, same};
use crate::figures::Instructions;
use crate::random::Random;

/// Compares all functions.
pub fn compare(random: &mut Random, buffers: &mut Buffers) -> u32 {
    let cases = 4000;
    for _ in 0..cases {
        let most = if random.below(20) == 0 { 300 } else { 70 };
        let columns = 1 + random.below(most);
        let groups = random.below(if columns > 70 { 4 } else { 12 });
        one(random, buffers, columns, groups);
        row(random, buffers);
    }
    cases
}

fn one(random: &mut Random, buffers: &mut Buffers, columns: usize, groups: usize) {
    let Buffers {
        stream,
        words,
        codes,
        out,
        sums,
        ..
    } = buffers;
    let pixels = codes.each_mut().map(|codes| {
        let codes = &mut codes[random.below(4)..][..columns];
        random.codes(codes);
        &*codes
    });
    let window = window_words(1, columns);
    same(
        words,
        (0, 2 * window, 0x5A5A_5A5A),
        |out| tile::widen(pixels, out),
        |out| plain::widen(pixels, out),
    );

    let x = &mut words[0][..2 * window];
    match random.below(4) {
        // Words that no codes widen to.
        0 => random.words(x),
        _ => plain::widen(pixels, x),
    }
    let zero_point = random.zero_point();
    let stream = &mut stream[..groups * group_words(window)];
    random.words(stream);
    // The second pixel's codes lie at any distance behind the first's.
    let (len, between) = (groups * CHANNELS, random.below(20));
    same(
        out,
        (random.below(4), 2 * len + between, 0x5A),
        |out| {
            let (first, rest) = out.split_at_mut(len);
            tile::codes(stream, x, zero_point, [first, &mut rest[between..]]);
        },
        |out| {
            let (first, rest) = out.split_at_mut(len);
            plain::codes(stream, x, zero_point, [first, &mut rest[between..]]);
        },
    );
    if groups > 0 {
        let weights = &stream[..CHANNELS * window];
        same(
            sums,
            (random.below(4), 8, 0x5A5A_5A5A),
            |out| tile::sums(weights, x, out.as_mut_array().unwrap()),
            |out| plain::sums(weights, x, out.as_mut_array().unwrap()),
        );
    }
}

/// Pairs of windows over rows that lie anywhere, some of them padding.
fn row(random: &mut Random, buffers: &mut Buffers) {
    let Buffers {
        stream,
        words,
        codes: [codes, _],
        out,
        ..
    } = buffers;
    random.codes(codes);
    let most = if random.below(20) == 0 { 100 } else { 24 };
    let (segment, step, pairs) = (1 + random.below(most), random.below(40), random.below(6));
    // Windows of one pixel in whole quads, or of three codes side by side, have a function of their own.
    let pixel = random.below(3) == 0;
    let (segment, step) = match segment % 10 {
        3 if pixel => (3, 3),
        quads if pixel => ((quads + 1) * 4, step),
        _ => (segment, step),
    };
    let mut lines = [Line {
        codes: &[],
        first: 0,
        step: 0,
    }; MAX_LINES];
    let lines = &mut lines[..if pixel { 1 } else { 1 + random.below(MAX_LINES) }];
    let count = lines.len();
    for line in lines.iter_mut() {
        let step = if random.below(4) == 0 { 0 } else { step };
        let first = tile::codes_before(count, segment, step) + random.below(5);
        let last = first + (PIXELS * pairs).saturating_sub(1) * step;
        let codes = &codes[random.below(1000)..][..last + segment + random.below(2) * random.below(9)];
        *line = Line { codes, first, step };
    }
    let windows = Windows { lines, segment, pairs };
    let channels = match random.below(3) {
        0 => 1 + random.below(CHANNELS - 1),
        _ => (1 + random.below(5)) * CHANNELS,
    };
    let x_words = window_words(windows.lines.len(), segment);
    let stream = &mut stream[..stream_words(channels, x_words)];
    random.words(stream);
    let (zero_point, offset) = (random.zero_point(), random.below(4));
    let behind = channels.next_multiple_of(CHANNELS) - channels + random.below(2);
    let x = MARGIN..MARGIN + PIXELS * x_words;
    let [ours, plain] = words.each_mut().map(|words| &mut words[..x.end + MARGIN]);
    ours.fill(0x5A5A_5A5A);
    plain.fill(0x5A5A_5A5A);
    same(
        out,
        (offset, PIXELS * pairs * channels + behind, 0x5A),
        |out| tile::row(stream, &windows, &mut ours[x.clone()], zero_point, (out, channels)),
        |out| plain::row(stream, &windows, &mut plain[x.clone()], zero_point, (out, channels)),
    );
    for beside in [0..x.start, x.end..x.end + MARGIN] {
        assert!(ours[beside.clone()] == plain[beside], "words beside");
    }
}

/// Typical shapes.
pub fn figures(instructions: &Instructions, buffers: &mut Buffers) {
    for (columns, channels) in [(8, 16), (16, 32), (32, 16), (27, 8), (36, 8), (108, 32), (288, 64)] {
        let Buffers {
            stream,
            words: [x, _],
            codes: [first, second],
            out: [out_first, out_second],
            sums: [sums, _],
            ..
        } = &mut *buffers;
        let (columns, channels) = black_box((columns, channels));
        let x = &mut x[..2 * window_words(1, columns)];
        let macs = (2 * columns * channels) as u32;
        semihosting::println!("tile {columns} to {channels}");
        instructions.tell("  widen", 2 * columns as u32, || {
            tile::widen([&first[..columns], &second[..columns]], x);
        });
        instructions.tell("  codes", macs, || {
            tile::codes(
                &stream[..],
                x,
                3,
                [&mut out_first[..channels], &mut out_second[..channels]],
            );
        });
        instructions.tell("  sums ", (8 * columns) as u32, || {
            tile::sums(&stream[..], x, sums[..8].as_mut_array().unwrap());
        });
    }
    for (lines, segment, channels) in [(3, 9, 8), (3, 9, 32), (1, 8, 16), (1, 32, 16), (1, 8, 3)] {
        let Buffers {
            stream,
            words: [x, _],
            codes: [codes, _],
            out: [out, _],
            ..
        } = &mut *buffers;
        let line = Line {
            codes,
            first: 4,
            step: segment,
        };
        let all = [line; MAX_LINES];
        let windows = black_box(Windows {
            lines: &all[..lines],
            segment,
            pairs: 8,
        });
        let macs = (16 * lines * segment * channels) as u32;
        semihosting::println!("tile row of 8 pairs, {lines} of {segment} to {channels}");
        instructions.tell("  row  ", macs, || {
            tile::row(&stream[..], &windows, x, 3, (&mut out[..], channels));
        });
    }
}

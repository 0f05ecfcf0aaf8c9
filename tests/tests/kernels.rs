//! Each kernel equals the oracle: odd sizes, every window and border, extreme codes and weights, every shift.

use proptest::prelude::*;
use trident::arithmetic::{AddCodes, Requantize};
use trident::kernels::conv2d::{Window, conv2d};
use trident::kernels::depthwise::depthwise;
use trident::kernels::elementwise::{add, concat, lut};
use trident::kernels::linear::{linear, linear_sums};
use trident::kernels::resample::{max_pool2d, upsample2d};
use trident::spec::{Padding, Shape};
use trident_tests::naive::{self, Map};
use trident_tests::noise::Noise;

/// Multipliers and all else that requantisation needs, for the kernel and for the oracle.
struct Output {
    multipliers: Vec<i32>,
    naive: naive::Output,
}

impl Output {
    fn random(noise: &mut Noise, channels: usize, right_shift: u8) -> Self {
        let multipliers = noise.multipliers(channels);
        let (lo, hi) = noise.code_range();
        let naive = naive::Output {
            multipliers: multipliers.iter().map(|&q| q.into()).collect(),
            right_shift: right_shift.into(),
            zero_point: noise.code().into(),
            lo: lo.into(),
            hi: hi.into(),
        };
        Self { multipliers, naive }
    }

    fn requantize(&self) -> Requantize<'_> {
        Requantize {
            multipliers: &self.multipliers,
            right_shift: self.naive.right_shift as u8,
            zero_point: self.naive.zero_point as i8,
            lo: self.naive.lo as i8,
            hi: self.naive.hi as i8,
        }
    }
}

/// A window over one side: input side, output side, padding before.
#[derive(Clone, Copy, Debug)]
struct Side {
    n: u16,
    out: u16,
    before: u8,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    kernel: u8,
    stride: u8,
    rows: Side,
    columns: Side,
    channels: u16,
    filters: u16,
    right_shift: u8,
    seed: u64,
}

impl Case {
    fn windows(&self) -> (Window, naive::Window, Shape, i8) {
        let pad_code = Noise::new(!self.seed).code();
        let [kernel, stride, top, left] =
            [self.kernel, self.stride, self.rows.before, self.columns.before].map(usize::from);
        let window = Window {
            kernel,
            stride,
            pad_top: top,
            pad_left: left,
            pad_code,
        };
        let naive = naive::Window {
            kernel,
            stride,
            top,
            left,
        };
        (
            window,
            naive,
            Shape::new(self.rows.n, self.columns.n, self.channels),
            pad_code,
        )
    }
}

/// Sides by the two border rules, and any other that the format allows: fewer windows, more padding before.
fn side(kernel: u8, stride: u8) -> impl Strategy<Value = Side> {
    (1u16..=11, 0..4, 0..kernel, 0.0..1.0f64).prop_map(move |(n, rule, before, part)| {
        let rule = [Padding::Valid, Padding::Same].get(rule as usize);
        if let Some((out, before, _)) = rule.and_then(|rule| rule.extent(n, kernel, stride)) {
            return Side { n, out, before };
        }
        let most = (n + u16::from(before) - 1) / u16::from(stride) + 1;
        let out = 1 + (f64::from(most - 1) * part).round() as u16;
        Side { n, out, before }
    })
}

fn case() -> impl Strategy<Value = Case> {
    (1u8..=7, 1u8..=2).prop_flat_map(|(kernel, stride)| {
        let sides = (side(kernel, stride), side(kernel, stride));
        let rest = (1u16..=9, 1u16..=9, 32u8..=54, any::<u64>());
        (sides, rest).prop_map(move |((rows, columns), (channels, filters, right_shift, seed))| Case {
            kernel,
            stride,
            rows,
            columns,
            channels,
            filters,
            right_shift,
            seed,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn conv2d_equals_the_oracle(case in case()) {
        let (window, naive_window, input, pad_code) = case.windows();
        let mut noise = Noise::new(case.seed);
        let filters = usize::from(case.filters);
        let codes = noise.codes(input.len());
        let weights = noise.weights(filters * window.kernel * window.kernel * usize::from(input.c));
        let bias = noise.biases(filters);
        let output = Output::random(&mut noise, filters, case.right_shift);
        let shape = Shape::new(case.rows.out, case.columns.out, case.filters);
        let mut out = vec![0; shape.len()];
        conv2d((&codes, input), &window, &weights, &bias, &output.requantize(), (&mut out, shape));
        let sides = (shape.h.into(), shape.w.into());
        let map = Map::of_codes(input, &codes);
        let expected = naive::conv2d(&map, pad_code.into(), naive_window, &weights, &bias, &output.naive, sides);
        prop_assert_eq!(out, expected.codes());
    }

    #[test]
    fn depthwise_equals_the_oracle(case in case()) {
        let (window, naive_window, input, pad_code) = case.windows();
        let mut noise = Noise::new(case.seed);
        let channels = usize::from(input.c);
        let codes = noise.codes(input.len());
        let weights = noise.weights(window.kernel * window.kernel * channels);
        let bias = noise.biases(channels);
        let output = Output::random(&mut noise, channels, case.right_shift);
        let shape = Shape::new(case.rows.out, case.columns.out, input.c);
        let mut out = vec![0; shape.len()];
        depthwise((&codes, input), &window, &weights, &bias, &output.requantize(), (&mut out, shape));
        let sides = (shape.h.into(), shape.w.into());
        let map = Map::of_codes(input, &codes);
        let expected = naive::depthwise(&map, pad_code.into(), naive_window, &weights, &bias, &output.naive, sides);
        prop_assert_eq!(out, expected.codes());
    }

    #[test]
    fn linear_equals_the_oracle(n in 1u16..=300, units in 1usize..=40, right_shift in 32u8..=54, seed: u64) {
        let mut noise = Noise::new(seed);
        let codes = noise.codes(n.into());
        let weights = noise.weights(units * usize::from(n));
        let bias = noise.biases(units);
        let output = Output::random(&mut noise, units, right_shift);
        let sums = naive::linear_sums(&Map::of_codes(Shape::row(n), &codes), &weights, &bias);
        let mut whole = vec![0; units];
        linear_sums(&codes, &weights, &bias, &mut whole);
        prop_assert_eq!(whole.iter().map(|&sum| i64::from(sum)).collect::<Vec<_>>(), sums.clone());
        let mut out = vec![0; units];
        linear(&codes, &weights, &bias, &output.requantize(), &mut out);
        let expected: Vec<i64> = (0..units).map(|unit| output.naive.requantize(sums[unit], unit)).collect();
        prop_assert_eq!(out.iter().map(|&code| i64::from(code)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn requantize_equals_the_formula(acc: i32, right_shift in 32u8..=54, seed: u64) {
        let output = Output::random(&mut Noise::new(seed), 1, right_shift);
        prop_assert_eq!(i64::from(output.requantize().apply(acc, 0)), output.naive.requantize(acc.into(), 0));
    }

    #[test]
    fn pooling_and_upsampling_equal_the_oracle(h in 1u16..=13, w in 1u16..=13, c in 1u16..=9, size in 1u8..=8, seed: u64) {
        let shape = Shape::new(h, w, c);
        let codes = Noise::new(seed).codes(shape.len());
        let map = Map::of_codes(shape, &codes);
        let size = usize::from(size);
        if usize::from(h.min(w)) >= size {
            let expected = naive::max_pool2d(&map, size).codes();
            let mut out = vec![0; expected.len()];
            max_pool2d((&codes, shape), size, &mut out);
            prop_assert_eq!(out, expected);
        }
        let expected = naive::upsample2d(&map, size).codes();
        let mut out = vec![0; expected.len()];
        upsample2d((&codes, shape), size, &mut out);
        prop_assert_eq!(out, expected);
    }

    #[test]
    fn concat_equals_the_oracle(h in 1u16..=9, w in 1u16..=9, channels in (1u16..=9, 1u16..=9), seed: u64) {
        let mut noise = Noise::new(seed);
        let shapes = [channels.0, channels.1].map(|c| Shape::new(h, w, c));
        let [a, b] = shapes.map(|shape| noise.codes(shape.len()));
        let expected = naive::concat(&Map::of_codes(shapes[0], &a), &Map::of_codes(shapes[1], &b)).codes();
        let mut out = vec![0; expected.len()];
        concat((&a, channels.0.into()), (&b, channels.1.into()), &mut out);
        prop_assert_eq!(out, expected);
    }

    #[test]
    fn add_equals_the_oracle(n in 1u16..=300, right_shift in 1u8..=30, seed: u64) {
        let mut noise = Noise::new(seed);
        let (a, b) = (noise.codes(n.into()), noise.codes(n.into()));
        // The largest that the blob's checks let pass: 128·|qa| + 128·|qb| + |bias| < 2^31.
        let most = 1 << noise.int(8..=22);
        let [qa, qb, bias] = [(); 3].map(|()| noise.int(-most..=most) as i32);
        let mut output = Output::random(&mut noise, 1, 32).naive;
        output.right_shift = right_shift.into();
        let rule = AddCodes {
            qa,
            qb,
            bias,
            right_shift,
            zero_point: output.zero_point as i8,
            lo: output.lo as i8,
            hi: output.hi as i8,
        };
        let mut out = vec![0; n.into()];
        add(&a, &b, &rule, &mut out);
        let [a, b] = [a, b].map(|codes| Map::of_codes(Shape::row(n), &codes));
        prop_assert_eq!(out, naive::add(&a, &b, [qa, qb, bias], &output).codes());
    }

    #[test]
    fn lut_equals_the_oracle(n in 1u16..=300, seed: u64) {
        let mut noise = Noise::new(seed);
        let (codes, table) = (noise.codes(n.into()), noise.codes(256));
        let mut out = vec![0; n.into()];
        lut(&codes, &table, &mut out);
        prop_assert_eq!(out, naive::lut(&Map::of_codes(Shape::row(n), &codes), &table).codes());
    }
}

/// The border is real zero: with the zero point folded into the bias, padding adds nothing to the sum of real numbers.
#[test]
fn padding_adds_nothing_in_real_numbers() {
    let (zero_point, bias) = (-37i8, 4321);
    let weights: Vec<i8> = (1..=9).collect();
    let total: i32 = weights.iter().map(|&weight| i32::from(weight)).sum();
    let window = Window {
        kernel: 3,
        stride: 1,
        pad_top: 1,
        pad_left: 1,
        pad_code: zero_point,
    };
    let requantize = Requantize {
        multipliers: &[1 << 30],
        right_shift: 36, // one code is 64 accumulator steps
        zero_point: 0,
        lo: -128,
        hi: 127,
    };
    let pixel = Shape::new(1, 1, 1);
    let mut out = [0];
    conv2d(
        (&[90], pixel),
        &window,
        &weights,
        &[bias - i32::from(zero_point) * total],
        &requantize,
        (&mut out, pixel),
    );
    // Only the centre tap, weight 5, meets the picture: (90 + 37)·5 + 4321 = 4956; 4956 / 64 = 77.4.
    assert_eq!(out, [77]);
}

//! The float steps that host and device share, to the bit: a change of compiler, of micromath or of a host's float unit shows here.
//! `BLESS=1` rewrites the golden file.

use std::f32::consts::LN_2;
use std::fmt::Write;

use trident::arithmetic::{quantize, sigmoid, softmax};
use trident::input::{Segment, piecewise_linear};
use trident_tests::golden::assert_golden;
use trident_tests::naive::Output;
use trident_tests::noise::Noise;

#[test]
fn float_steps_keep_their_bits() {
    let mut text = String::new();
    let mut line = |what: &str, argument: f32, value: f32| {
        writeln!(text, "{what} {argument:>10} {:08x}  {value:e}", value.to_bits()).expect("a string takes all");
    };
    let logits = [
        -40.0, -20.0, -9.5, -5.0, -2.5, -1.0, -LN_2, -0.25, -0.015_625, 0.0, 0.015_625, 0.25, LN_2, 1.0, 2.5, 5.0, 9.5,
        17.0, 20.0, 40.0,
    ];
    for logit in logits {
        line("sigmoid", logit, sigmoid(logit));
    }
    for rest in logits {
        let mut row = [0.5, rest, -0.125];
        softmax(&mut row);
        for value in row {
            line("softmax", rest, value);
        }
    }
    let table = [-2.0, -0.3, 0.1, 1.7].map(|start: f32| Segment {
        start,
        base: start * 0.7,
        slope: 1.1 - start * 0.3,
    });
    for x in [-7.3, -2.0, -0.3, -0.299_999_98, 0.0, 0.1, 1.1, 33.3] {
        line("piecewise", x, piecewise_linear(&table, x));
    }
    for x in [-1.7, -0.499_999_97, 0.1, 0.499_999_97, 0.7, 1.699_99] {
        line("quantize", x, quantize(x, 37.3, -11).into());
    }
    assert_golden("arithmetic.txt", &text);
}

/// The quantiser's promise: with `q = round(scale · 2^s)` the code is off by at most |acc|·2^−(s+1) before rounding.
#[test]
fn requantisation_is_as_near_as_the_design_says() {
    let mut noise = Noise::new(5);
    for _ in 0..10_000 {
        let right_shift = noise.int(32..=54) as u32;
        let scale =
            (noise.int(1 << 29..=(1 << 31) - 2) as f64 + f64::from(noise.unit()) / 2.0) / 2f64.powi(right_shift as i32);
        let q = (scale * 2f64.powi(right_shift as i32)).round();
        let acc = noise.int(-(1 << 30)..=1 << 30);
        let (exact, close) = (acc as f64 * scale, acc as f64 * q / 2f64.powi(right_shift as i32));
        let bound = acc.unsigned_abs() as f64 * 2f64.powi(-(right_shift as i32) - 1);
        assert!((exact - close).abs() <= bound * 1.000_001, "{acc} · {scale}");
        let output = Output {
            multipliers: vec![q as i64],
            right_shift,
            zero_point: 0,
            lo: -128,
            hi: 127,
        };
        let code = output.requantize(acc, 0) as f64;
        let nearest = exact.clamp(-128.0, 127.0);
        assert!((code - nearest).abs() <= 0.5 + bound, "{acc} · {scale}: {code}");
    }
}

//! The float steps that host and device share, to the bit: a change of compiler, of micromath or of a host's float unit shows here.
//! `BLESS=1` rewrites the golden file.

use std::f32::consts::LN_2;
use std::fmt::Write;

use trident::arithmetic::{quantize, requantize, sigmoid, softmax};
use trident::input::{Segment, piecewise_linear};
use trident_tests::golden::assert_golden;
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

/// The quantiser's promise: with `q = round(scale · 2^32)` a sum is off by at most |acc|·2^−33 codes before it is rounded once.
#[test]
fn requantisation_is_as_near_as_the_design_says() {
    let mut noise = Noise::new(5);
    let one = 2f64.powi(32);
    for _ in 0..10_000 {
        let magnitude = noise.int(0..=30);
        let scale = ((1 << magnitude) as f64 + f64::from(noise.unit()) / 2.0) / one;
        let q = (scale * one).round();
        let acc = noise.int(-(1 << 30)..=1 << 30) as i32;
        let (exact, close) = (f64::from(acc) * scale, f64::from(acc) * q / one);
        let bound = f64::from(acc.unsigned_abs()) * 2f64.powi(-33);
        assert!((exact - close).abs() <= bound * 1.000_001, "{acc} · {scale}");
        let code = f64::from(requantize(acc, q as i32, 0));
        let nearest = exact.clamp(-128.0, 127.0);
        assert!((code - nearest).abs() <= 0.5 + bound, "{acc} · {scale}: {code}");
    }
}

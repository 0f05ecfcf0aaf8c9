//! Our convolutions against Burn's: outputs and slopes, for every window, on maps larger than one run of pictures. That the
//! slopes are right at all is `model::gradients`' to show.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::model::numbers;

fn drawn<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let draw = (0..shape.iter().product()).map(|_| rng.random_range(-1.0f32..1.0));
    let data = TensorData::new(draw.collect::<Vec<f32>>(), shape);
    Tensor::from_data(data, &Device::flex().autodiff()).require_grad()
}

/// Outputs, and the slopes of their weighted sum in map, weight and bias.
fn all(
    convolve: impl Fn(Tensor<4>, Tensor<4>, Option<Tensor<1>>, Window) -> Tensor<4>,
    window: Window,
) -> [Vec<f32>; 4] {
    let (filters, inputs) = if window.depthwise { (5, 1) } else { (7, 5) };
    let map = drawn([19, 5, 9, 6], 1);
    let kernel = usize::from(window.kernel);
    let weight = drawn([filters, inputs, kernel, kernel], 2);
    let bias = drawn([filters], 3);
    let out = convolve(map.clone(), weight.clone(), Some(bias.clone()), window);
    let gradients = (out.clone() * drawn(out.dims(), 4)).sum().backward();
    [
        numbers(out),
        numbers(map.grad(&gradients).unwrap()),
        numbers(weight.grad(&gradients).unwrap()),
        numbers(bias.grad(&gradients).unwrap()),
    ]
}

fn windows() -> impl Iterator<Item = Window> {
    let paddings = [Padding::Same, Padding::Valid];
    let kinds = paddings
        .into_iter()
        .flat_map(|padding| [true, false].map(|depthwise| (padding, depthwise)));
    let kinds = kinds.flat_map(|kind| [1, 2].map(|stride| (kind, stride)));
    kinds.flat_map(|((padding, depthwise), stride)| {
        [1, 2, 3, 5].map(|kernel| Window {
            kernel,
            stride,
            padding,
            depthwise,
        })
    })
}

#[test]
fn they_equal_burns_but_for_rounding() {
    for window in windows() {
        let (found, expected) = (all(convolve, window), all(by_burn, window));
        for (part, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(found.len(), expected.len(), "{window:?}, part {part}");
            let largest = expected.iter().fold(0f32, |most, number| most.max(number.abs()));
            for (f, e) in found.iter().zip(expected) {
                assert!((f - e).abs() <= 1e-5 * largest, "{window:?}, part {part}: {f}, not {e}");
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let in_pool = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let bits = |numbers: Vec<f32>| numbers.into_iter().map(f32::to_bits).collect::<Vec<u32>>();
        pool.install(|| {
            windows()
                .map(|window| all(convolve, window).map(bits))
                .collect::<Vec<_>>()
        })
    };
    assert!(in_pool(1) == in_pool(3));
}

//! A whole Burn model against plain loops over the device's layout, and its gradients against a second backend and finite
//! differences. Layer by layer, and to many more digits: see `gradients`.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trident::spec::{HeadSpec, InputSpec, LayerSpec, Padding, PixelScale};

use super::plain::{PlainWeights, plain_activation, plain_sums};
use super::*;

/// Every kind of layer, odd sides, strides with uneven padding.
fn spec() -> ModelSpec {
    let conv = |filters, kernel, stride, padding, activation, norm| Layer::Conv2d {
        filters,
        kernel,
        stride,
        padding,
        activation,
        norm,
    };
    let depthwise = |stride, norm| Layer::DepthwiseConv2d {
        kernel: 3,
        stride,
        padding: Padding::Same,
        activation: Activation::Relu,
        norm,
    };
    let layers: [(&[u8], Layer); 10] = [
        (&[0], conv(4, 3, 2, Padding::Same, Activation::Relu, true)),
        (&[1], depthwise(1, true)),
        (&[2], depthwise(2, false)),
        (&[3], conv(4, 1, 1, Padding::Same, Activation::None, true)),
        (
            &[3, 4],
            Layer::Add {
                activation: Activation::Relu,
            },
        ),
        (&[5, 3], Layer::Concat),
        (&[6], Layer::Upsample2d { factor: 2 }),
        (&[7], conv(5, 2, 1, Padding::Valid, Activation::Relu, false)),
        (&[8], Layer::MaxPool2d { size: 2 }),
        (
            &[9],
            Layer::Linear {
                out: Shape::new(2, 3, 2),
                activation: Activation::Sigmoid,
            },
        ),
    ];
    ModelSpec {
        inputs: [InputSpec {
            slot: InputSlot::Picture,
            shape: Shape::new(9, 12, 3),
            pixels: PixelScale::Centred,
        }]
        .into_iter()
        .collect(),
        layers: layers
            .into_iter()
            .map(|(inputs, layer)| LayerSpec {
                inputs: inputs.iter().copied().collect(),
                layer,
            })
            .collect(),
        heads: [HeadSpec {
            head: trident::spec::Head::Segmentation,
            value: 10,
        }]
        .into_iter()
        .collect(),
    }
}

/// Weights of which nothing is zero or one.
fn state(spec: &ModelSpec) -> ModelState {
    let mut state = ModelState::random(spec, Initializer::He, |layer| ChaCha8Rng::seed_from_u64(layer as u64));
    let mut rng = ChaCha8Rng::seed_from_u64(99);
    for layer in state.layers.iter_mut().flatten() {
        layer
            .bias
            .iter_mut()
            .for_each(|bias| *bias = rng.random_range(-0.5..0.5));
        if let Some(norm) = &mut layer.norm {
            norm.gamma
                .iter_mut()
                .for_each(|gamma| *gamma = rng.random_range(0.5..1.5));
            norm.beta
                .iter_mut()
                .for_each(|beta| *beta = rng.random_range(-0.5..0.5));
            norm.mean
                .iter_mut()
                .for_each(|mean| *mean = rng.random_range(-0.5..0.5));
            norm.variance
                .iter_mut()
                .for_each(|variance| *variance = rng.random_range(0.2..2.0));
        }
    }
    state
}

fn pictures(spec: &ModelSpec, rows: usize) -> HostInputs {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let bytes = (0..rows * spec.inputs[0].shape.len()).map(|_| rng.random()).collect();
    HostInputs {
        rows,
        picture: Some(bytes),
        ..HostInputs::default()
    }
}

#[test]
fn values_equal_plain_loops_over_the_folded_weights() {
    let spec = spec();
    let state = state(&spec);
    let folded = FoldedModel::from(&state);
    let shapes = spec.shapes().unwrap();
    let rows = 3;
    let inputs = pictures(&spec, rows);
    let values = Model::new(&state, &Device::flex()).values(&inputs);
    let reloaded = Model::from_folded(&folded, &Device::flex()).values(&inputs);
    for row in 0..rows {
        let of_row = |values: &[Option<Vec<f32>>], v: usize| {
            let n = shapes[v].len();
            values[v].as_ref().unwrap()[row * n..(row + 1) * n].to_vec()
        };
        for (index, layer) in spec.layers.iter().enumerate() {
            let wide = |numbers: &[f32]| -> Vec<f64> { numbers.iter().copied().map(f64::from).collect() };
            let read: Vec<(Vec<f64>, Shape)> = layer
                .inputs
                .iter()
                .map(|&v| (wide(&of_row(&values, v.into())), shapes[usize::from(v)]))
                .collect();
            let read: Vec<(&[f64], Shape)> = read.iter().map(|(numbers, shape)| (&numbers[..], *shape)).collect();
            let weights = folded.layers[index].as_ref();
            let weights = weights.map(|layer| (wide(&layer.weights), wide(&layer.bias)));
            let weights = weights.as_ref().map(|(weights, bias)| PlainWeights { weights, bias });
            let expected: Vec<f32> = plain_sums(&layer.layer, weights.as_ref(), &read, shapes[index + 1])
                .into_iter()
                .map(|sum| plain_activation(layer.layer.activation(), sum) as f32)
                .collect();
            for found in [of_row(&values, index + 1), of_row(&reloaded, index + 1)] {
                assert_eq!(found.len(), expected.len());
                for (f, e) in found.iter().zip(&expected) {
                    assert!(
                        (f - e).abs() < 2e-5 * (1.0 + e.abs()),
                        "{} {index}: {f} {e}",
                        layer.layer.name()
                    );
                }
            }
        }
    }
}

#[test]
fn pixels_stand_for_what_the_spec_says() {
    let spec = spec();
    let mut input = spec.inputs[0];
    let bytes: Vec<u8> = (0..input.shape.len()).map(|i| i as u8).collect();
    let at = |input: &InputSpec| numbers(picture_tensor(&bytes, input, &Device::flex()).permute([0, 2, 3, 1]));
    let centred = at(&input);
    input.pixels = PixelScale::Unit;
    let unit = at(&input);
    for (i, &byte) in bytes.iter().enumerate() {
        assert_eq!(centred[i], (f32::from(byte) - 128.0) / 128.0);
        assert!((unit[i] - f32::from(byte) / 255.0).abs() < 1e-6);
    }
}

/// The mean square of the head's value in training, and its slope in every weight of every layer.
fn loss_and_slopes(state: &ModelState, inputs: &HostInputs, device: &Device) -> (f64, Vec<Vec<f32>>) {
    let device = device.clone().autodiff();
    let model = Model::new(state, &device);
    let tensors = inputs.tensors(&state.spec, 0..inputs.rows, &device);
    let (mut values, _) = model.forward(&tensors, Pass::Train(None));
    let output = values.pop().flatten().unwrap().into_rows();
    let loss = (output.clone() * output).mean();
    let gradients = loss.backward();
    let slopes = model
        .blocks
        .iter()
        .flatten()
        .map(|block| block.slopes(&gradients).weight)
        .collect();
    (f64::from(numbers(loss)[0]), slopes)
}

#[test]
#[expect(deprecated, reason = "the second opinion")]
fn gradients_agree_with_ndarray_and_finite_differences() {
    let spec = spec();
    let state = state(&spec);
    let inputs = pictures(&spec, 4);
    let (loss, slopes) = loss_and_slopes(&state, &inputs, &Device::flex());
    let (other_loss, other_slopes) = loss_and_slopes(&state, &inputs, &Device::ndarray());
    assert!((loss - other_loss).abs() < 1e-6, "{loss} {other_loss}");
    let largest = slopes.iter().flatten().fold(0f32, |most, slope| most.max(slope.abs()));
    for (slope, other) in slopes.iter().flatten().zip(other_slopes.iter().flatten()) {
        assert!((slope - other).abs() < 1e-4 * largest, "{slope} {other}");
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let layers: Vec<usize> = (0..state.layers.len()).filter(|&i| state.layers[i].is_some()).collect();
    for (&layer, slopes) in layers.iter().zip(&slopes) {
        for _ in 0..6 {
            let index = rng.random_range(0..slopes.len());
            let nudged = |step: f32| {
                let mut state = state.clone();
                state.layers[layer].as_mut().unwrap().weight[index] += step;
                loss_and_slopes(&state, &inputs, &Device::flex()).0
            };
            let numeric = (nudged(4e-3) - nudged(-4e-3)) / 8e-3;
            let slope = f64::from(slopes[index]);
            let scale = f64::from(largest);
            assert!(
                (numeric - slope).abs() < 0.02 * scale,
                "layer {layer} weight {index}: {numeric} {slope} of {scale}"
            );
        }
    }
}

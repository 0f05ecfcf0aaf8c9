//! Every kind of layer, in training and in evaluation: outputs and slopes on Burn's fast device against plain loops in `f64`
//! with central differences, and against Burn's other device.
//!
//! The loss is a sum of the outputs with fixed factors, so every output counts, and all slopes of it are looked at: those of
//! inputs, weights, biases, and of normalisation's scales and offsets. A number may be off by [`TOLERANCE`] times the largest
//! of its kind in the case, which is `f32`'s rounding over some tens of terms and nothing more.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trident::spec::{Head, HeadSpec, InputSpec, LayerSpec, Padding, PixelScale};

use super::folded::NORM_EPSILON;
use super::plain::{PlainWeights, plain_activation, plain_sums};
use super::*;

const TOLERANCE: f64 = 1e-5;
/// How far a number is nudged to either side: the cube root of `f64`'s precision, about.
const STEP: f64 = 1e-5;
const ROWS: usize = 3;

/// A few layers of which the last, or the one with weights, is looked at.
struct Case {
    spec: ModelSpec,
    training: bool,
    dropout: bool,
}

/// Every number that the loss depends on, weights in the device's order; in evaluation running statistics besides.
#[derive(Clone)]
struct Numbers {
    inputs: Vec<Vec<f64>>,
    layers: Vec<Option<LayerNumbers>>,
}

#[derive(Clone, Default)]
struct LayerNumbers {
    weights: Vec<f64>,
    bias: Vec<f64>,
    gamma: Vec<f64>,
    beta: Vec<f64>,
    statistics: [Vec<f64>; 2],
}

/// Outputs, and slopes in the order of [`Numbers::trained`].
struct Found {
    outputs: Vec<f64>,
    slopes: Vec<Vec<f64>>,
}

/// Leaves out every third unit.
struct Thirds;

impl Dropout for Thirds {
    fn mask(&self, _: usize, rows: usize, units: usize) -> Vec<f32> {
        (0..rows * units).map(|i| if i % 3 == 1 { 0.0 } else { 1.5 }).collect()
    }
}

const MAP: Shape = Shape::new(5, 6, 3);

/// One layer behind a picture, or behind a row.
fn single(layer: Layer, input: Shape, training: bool) -> Case {
    chain(&[(&[0], layer)], &[input], training)
}

fn chain(layers: &[(&[u8], Layer)], inputs: &[Shape], training: bool) -> Case {
    let slots = match inputs {
        [one] if one.h == 1 => vec![InputSlot::Classification],
        [_] => vec![InputSlot::Picture],
        _ => vec![InputSlot::Classification, InputSlot::Regression],
    };
    let input = |(&shape, slot): (&Shape, InputSlot)| InputSpec {
        slot,
        shape,
        pixels: PixelScale::Centred,
    };
    let layer = |&(inputs, layer): &(&[u8], Layer)| LayerSpec {
        inputs: inputs.iter().copied().collect(),
        layer,
    };
    let head = match layers[layers.len() - 1].1 {
        Layer::Linear { out, .. } if out.h == 1 => Head::Classification,
        _ if inputs[0].h == 1 => Head::Classification,
        _ => Head::Segmentation,
    };
    let head = HeadSpec {
        head,
        value: (inputs.len() + layers.len() - 1) as u8,
    };
    Case {
        spec: ModelSpec {
            inputs: inputs.iter().zip(slots).map(input).collect(),
            layers: layers.iter().map(layer).collect(),
            heads: [head].into_iter().collect(),
        },
        training,
        dropout: false,
    }
}

fn cases() -> Vec<Case> {
    let linear = |out, activation| Layer::Linear { out, activation };
    let conv = |kernel, stride, padding, activation, norm| Layer::Conv2d {
        filters: 4,
        kernel,
        stride,
        padding,
        activation,
        norm,
    };
    let depthwise = |kernel, stride, padding, activation, norm| Layer::DepthwiseConv2d {
        kernel,
        stride,
        padding,
        activation,
        norm,
    };
    let pointwise = Layer::Conv2d {
        filters: 3,
        kernel: 1,
        stride: 1,
        padding: Padding::Same,
        activation: Activation::None,
        norm: false,
    };
    let mut cases = Vec::new();
    for activation in [Activation::None, Activation::Relu, Activation::Sigmoid] {
        cases.push(single(linear(Shape::row(4), activation), Shape::row(7), true));
        cases.push(single(linear(Shape::new(2, 3, 2), activation), MAP, true));
        cases.push(chain(
            &[(&[0, 1], Layer::Add { activation })],
            &[Shape::row(5), Shape::row(5)],
            true,
        ));
        cases.push(chain(
            &[(&[0], pointwise), (&[0, 1], Layer::Add { activation })],
            &[MAP],
            true,
        ));
        for stride in [1, 2] {
            for padding in [Padding::Same, Padding::Valid] {
                for kernel in [1, 2, 3] {
                    cases.push(single(conv(kernel, stride, padding, activation, false), MAP, true));
                    cases.push(single(depthwise(kernel, stride, padding, activation, false), MAP, true));
                }
                for training in [true, false] {
                    cases.push(single(conv(3, stride, padding, activation, true), MAP, training));
                    cases.push(single(depthwise(3, stride, padding, activation, true), MAP, training));
                }
            }
        }
    }
    for n in [2, 3] {
        cases.push(single(Layer::MaxPool2d { size: n }, MAP, true));
        cases.push(single(Layer::Upsample2d { factor: n }, MAP, true));
    }
    cases.push(chain(
        &[(&[0, 1], Layer::Concat)],
        &[Shape::row(5), Shape::row(2)],
        true,
    ));
    cases.push(chain(&[(&[0], pointwise), (&[1, 0], Layer::Concat)], &[MAP], true));
    cases.push(Case {
        dropout: true,
        ..single(linear(Shape::row(8), Activation::Relu), Shape::row(7), true)
    });
    cases
}

impl Case {
    fn shapes(&self) -> Vec<Shape> {
        self.spec.shapes().unwrap().to_vec()
    }

    fn factor(output: usize) -> f64 {
        f64::from((output * 37 % 19) as u8) / 8.0 - 1.0
    }

    fn state(&self) -> ModelState {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let draw = |layer| ChaCha8Rng::seed_from_u64(layer as u64);
        let mut state = ModelState::random(&self.spec, Initializer::He, draw);
        for layer in state.layers.iter_mut().flatten() {
            let mut fill =
                |numbers: &mut Vec<f32>, low, high| numbers.iter_mut().for_each(|n| *n = rng.random_range(low..high));
            fill(&mut layer.bias, -0.5, 0.5);
            if let Some(norm) = &mut layer.norm {
                fill(&mut norm.gamma, 0.5, 1.5);
                fill(&mut norm.beta, -0.5, 0.5);
                fill(&mut norm.mean, -0.5, 0.5);
                fill(&mut norm.variance, 0.2, 2.0);
            }
        }
        state
    }

    fn inputs(&self) -> Vec<Vec<f32>> {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut draw = |spec: &InputSpec| {
            (0..ROWS * spec.shape.len())
                .map(|_| rng.random_range(-1.0..1.0))
                .collect()
        };
        self.spec.inputs.iter().map(&mut draw).collect()
    }

    /// The same numbers for the plain loops.
    fn numbers(&self) -> Numbers {
        Numbers {
            inputs: self.inputs().iter().map(|input| wide(input)).collect(),
            layers: in_device_order(&self.state()),
        }
    }

    /// By the definition.
    fn plain(&self, numbers: &Numbers) -> Vec<f64> {
        let shapes = self.shapes();
        let mut values = numbers.inputs.clone();
        for (index, (spec, numbers)) in self.spec.layers.iter().zip(&numbers.layers).enumerate() {
            let shape = shapes[self.spec.inputs.len() + index];
            let weights = numbers.as_ref().map(|numbers| PlainWeights {
                weights: &numbers.weights,
                bias: &numbers.bias,
            });
            let sums = |row: usize| {
                let read = spec.inputs.iter().map(|&value| {
                    let n = shapes[usize::from(value)].len();
                    let value = usize::from(value);
                    (&values[value][row * n..(row + 1) * n], shapes[value])
                });
                plain_sums(&spec.layer, weights.as_ref(), &read.collect::<Vec<_>>(), shape)
            };
            let mut sums: Vec<f64> = (0..ROWS).flat_map(sums).collect();
            if let Some(numbers) = numbers.as_ref().filter(|numbers| !numbers.gamma.is_empty()) {
                self.normalise(&mut sums, numbers);
            }
            if self.dropout {
                let mask = Thirds.mask(index, ROWS, shape.len());
                sums.iter_mut().zip(mask).for_each(|(sum, m)| *sum *= f64::from(m));
            }
            let activation = spec.layer.activation();
            values.push(sums.into_iter().map(|sum| plain_activation(activation, sum)).collect());
        }
        values.pop().unwrap()
    }

    fn normalise(&self, sums: &mut [f64], numbers: &LayerNumbers) {
        let channels = numbers.gamma.len();
        let [means, variances] = match self.training {
            true => statistics(sums, channels),
            false => numbers.statistics.clone(),
        };
        for (i, sum) in sums.iter_mut().enumerate() {
            let c = i % channels;
            *sum = (*sum - means[c]) / (variances[c] + NORM_EPSILON).sqrt() * numbers.gamma[c] + numbers.beta[c];
        }
    }

    /// Outputs by plain loops, slopes by central differences of them.
    fn expected(&self) -> Found {
        let mut numbers = self.numbers();
        let outputs = self.plain(&numbers);
        let mut slopes = Vec::new();
        for part in 0..numbers.trained().len() {
            let mut of_part = Vec::new();
            for i in 0..numbers.trained()[part].len() {
                let at = numbers.trained()[part][i];
                let mut nudged = |to: f64| {
                    numbers.trained()[part][i] = to;
                    let outputs = self.plain(&numbers).into_iter().enumerate();
                    outputs.map(|(i, output)| Self::factor(i) * output).sum::<f64>()
                };
                of_part.push((nudged(at + STEP) - nudged(at - STEP)) / (2.0 * STEP));
                numbers.trained()[part][i] = at;
            }
            slopes.push(of_part);
        }
        Found { outputs, slopes }
    }

    /// By Burn.
    fn found(&self, device: &Device) -> Found {
        let device = device.clone().autodiff();
        let model = Model::new(&self.state(), &device);
        let (inputs, given) = self.tensors(&device);
        let dropout = self.dropout.then_some(&Thirds as &dyn Dropout);
        let pass = if self.training {
            Pass::Train(dropout)
        } else {
            Pass::Evaluate
        };
        let (mut values, batches) = model.forward(&given, pass);
        let output = values.pop().flatten().unwrap().into_rows();
        let outputs = wide(&numbers(output.clone()));
        let factors: Vec<f32> = (0..outputs.len()).map(|i| Self::factor(i) as f32).collect();
        let factors = Tensor::<2>::from_data(TensorData::new(factors, output.dims()), &device);
        let gradients = (output * factors).sum().backward();
        assert_eq!(batches.len(), usize::from(self.training && self.has_norm()));
        let layers = model
            .blocks
            .iter()
            .map(|block| block.as_ref().map(|block| block.slopes(&gradients)));
        let slopes = ModelState {
            spec: self.spec.clone(),
            layers: layers.collect(),
        };
        let mut slopes = Numbers {
            inputs: inputs.iter().map(|input| wide(&input.slope(&gradients))).collect(),
            layers: in_device_order(&slopes),
        };
        Found {
            outputs,
            slopes: slopes.trained().into_iter().map(std::mem::take).collect(),
        }
    }

    fn tensors(&self, device: &Device) -> (Vec<Value>, ModelInputs) {
        let mut given = ModelInputs::default();
        let mut inputs = Vec::new();
        for (spec, numbers) in self.spec.inputs.iter().zip(self.inputs()) {
            let [h, w, c] = [spec.shape.h, spec.shape.w, spec.shape.c].map(usize::from);
            let value = match spec.slot {
                InputSlot::Picture => {
                    let map = Tensor::<4>::from_data(TensorData::new(numbers, [ROWS, h, w, c]), device);
                    Value::Map(map.permute([0, 3, 1, 2]).detach().require_grad())
                }
                _ => Value::Row(Tensor::from_data(TensorData::new(numbers, [ROWS, c]), device).require_grad()),
            };
            match (spec.slot, &value) {
                (InputSlot::Picture, Value::Map(map)) => given.picture = Some(map.clone()),
                (InputSlot::Classification, Value::Row(rows)) => given.classification = Some(rows.clone()),
                (InputSlot::Regression, Value::Row(rows)) => given.regression = Some(rows.clone()),
                _ => unreachable!("rows for readings, a map for the picture"),
            }
            inputs.push(value);
        }
        (inputs, given)
    }

    fn has_norm(&self) -> bool {
        self.state().layers.iter().flatten().any(|layer| layer.norm.is_some())
    }

    fn name(&self) -> String {
        let layers: Vec<String> = self
            .spec
            .layers
            .iter()
            .map(|layer| format!("{:?}", layer.layer))
            .collect();
        format!("{}, training: {}", layers.join(" → "), self.training)
    }
}

impl Numbers {
    /// All that has a slope.
    fn trained(&mut self) -> Vec<&mut Vec<f64>> {
        let mut parts: Vec<&mut Vec<f64>> = self.inputs.iter_mut().collect();
        for layer in self.layers.iter_mut().flatten() {
            parts.extend([&mut layer.weights, &mut layer.bias, &mut layer.gamma, &mut layer.beta]);
        }
        parts
    }
}

impl Value {
    /// The slope of a loss in an input, in the device's order.
    fn slope(&self, gradients: &burn::tensor::Gradients) -> Vec<f32> {
        match self {
            Value::Row(rows) => numbers(rows.grad(gradients).unwrap()),
            Value::Map(map) => numbers(map.grad(gradients).unwrap().permute([0, 2, 3, 1])),
        }
    }
}

fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

/// Numbers, or their slopes, as the plain loops read them. Nothing is folded.
fn in_device_order(state: &ModelState) -> Vec<Option<LayerNumbers>> {
    let mut bare = state.clone();
    bare.layers.iter_mut().flatten().for_each(|layer| layer.norm = None);
    let folded = FoldedModel::from(&bare).layers;
    let of_layer = |(weights, numbers): (LayerWeights, &LayerState)| {
        let norm = |part: fn(&NormState) -> &Vec<f32>| numbers.norm.as_ref().map_or_else(Vec::new, |n| wide(part(n)));
        LayerNumbers {
            weights: wide(&weights.weights),
            bias: wide(&weights.bias),
            gamma: norm(|norm| &norm.gamma),
            beta: norm(|norm| &norm.beta),
            statistics: [norm(|norm| &norm.mean), norm(|norm| &norm.variance)],
        }
    };
    let layers = folded.into_iter().zip(&state.layers);
    layers
        .map(|(weights, numbers)| Some(of_layer((weights?, numbers.as_ref()?))))
        .collect()
}

/// Mean and variance per channel, by two passes.
fn statistics(sums: &[f64], channels: usize) -> [Vec<f64>; 2] {
    let count = (sums.len() / channels) as f64;
    let of_channel = |c: usize| sums.iter().skip(c).step_by(channels);
    let means: Vec<f64> = (0..channels).map(|c| of_channel(c).sum::<f64>() / count).collect();
    let square = |c: usize| of_channel(c).map(|sum| (sum - means[c]).powi(2)).sum::<f64>() / count;
    let variances = (0..channels).map(square).collect();
    [means, variances]
}

fn assert_near(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0f64, |most, number| most.max(number.abs()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!(
            (f - e).abs() <= TOLERANCE * largest,
            "{what} {i}: {f}, not {e} (of {largest})"
        );
    }
}

fn assert_agree(found: &Found, expected: &Found, what: &str) {
    assert_near(&found.outputs, &expected.outputs, &format!("{what}: output"));
    assert_eq!(found.slopes.len(), expected.slopes.len(), "{what}");
    for (part, (found, expected)) in found.slopes.iter().zip(&expected.slopes).enumerate() {
        assert_near(found, expected, &format!("{what}: part {part}, slope"));
    }
}

#[test]
#[expect(deprecated, reason = "the second opinion")]
fn every_layer_agrees_with_central_differences_and_with_ndarray() {
    for case in cases() {
        let (name, expected) = (case.name(), case.expected());
        let any = expected.slopes[0].iter().any(|slope| slope.abs() > 1e-3);
        assert!(any, "{name}: a loss that nothing moves checks nothing");
        assert_agree(&case.found(&Device::flex()), &expected, &format!("flex: {name}"));
        assert_agree(&case.found(&Device::ndarray()), &expected, &format!("ndarray: {name}"));
    }
}

#[test]
fn folding_leaves_outputs_and_the_slopes_of_inputs() {
    let with_norm = |case: &Case| !case.training && case.has_norm();
    let cases: Vec<Case> = cases().into_iter().filter(with_norm).collect();
    assert_eq!(cases.len(), 24);
    for case in cases {
        let folded = FoldedModel::from(&case.state()).to_state();
        let device = Device::flex().autodiff();
        let (inputs, given) = case.tensors(&device);
        let (mut values, _) = Model::new(&folded, &device).forward(&given, Pass::Evaluate);
        let output = values.pop().flatten().unwrap().into_rows();
        let expected = case.found(&Device::flex());
        assert_near(&wide(&numbers(output.clone())), &expected.outputs, &case.name());
        let factors: Vec<f32> = (0..expected.outputs.len()).map(|i| Case::factor(i) as f32).collect();
        let factors = Tensor::<2>::from_data(TensorData::new(factors, output.dims()), &device);
        let slopes = inputs[0].slope(&(output * factors).sum().backward());
        assert_near(&wide(&slopes), &expected.slopes[0], &case.name());
    }
}

#[test]
fn running_statistics_move_a_tenth_towards_the_batch() {
    let layer = Layer::DepthwiseConv2d {
        kernel: 3,
        stride: 1,
        padding: Padding::Same,
        activation: Activation::Relu,
        norm: true,
    };
    let case = single(layer, MAP, true);
    let numbers = case.numbers();
    let of_layer = numbers.layers[0].as_ref().unwrap();
    let weights = PlainWeights {
        weights: &of_layer.weights,
        bias: &of_layer.bias,
    };
    let sums = |row: &[f64]| plain_sums(&layer, Some(&weights), &[(row, MAP)], MAP);
    let sums: Vec<f64> = numbers.inputs[0].chunks_exact(MAP.len()).flat_map(sums).collect();
    let device = Device::flex();
    let mut model = Model::new(&case.state(), &device);
    let (_, batches) = model.forward(&case.tensors(&device.clone().autodiff()).1, Pass::Train(None));
    model.absorb(batches);
    let moved = model.state().layers[0].as_ref().unwrap().norm.clone().unwrap();
    let moved = [wide(&moved.mean), wide(&moved.variance)];
    let newest = statistics(&sums, 3);
    for ((moved, newest), old) in moved.iter().zip(&newest).zip(&of_layer.statistics) {
        let expected: Vec<f64> = old
            .iter()
            .zip(newest)
            .map(|(old, new)| old + 0.1 * (new - old))
            .collect();
        assert_near(moved, &expected, "running statistics");
    }
}

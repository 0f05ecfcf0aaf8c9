//! Burn modules of the layers that hold weights.

use burn::module::{Module, Param, ParamId};
use burn::tensor::module::{batch_norm_train, linear};
use burn::tensor::{Device, Tensor, TensorData};

use super::convolution::{Window, convolve};
use super::folded::NORM_EPSILON;
use super::state::{LayerState, NormState};

/// Weight of the newest batch in running mean and variance.
const MOMENTUM: f32 = 0.1;

/// A layer that holds weights.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "a few per model; a box would be in the way of every use"
)]
pub(super) enum Block {
    /// Every output sums all inputs.
    Linear(Linear),
    /// Full or depthwise convolution.
    Conv(Conv),
}

/// A fully connected layer: weights `[in, out]`.
#[derive(Module, Debug)]
pub(super) struct Linear {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

/// A square convolution, NCHW: weights `[out, in / groups, kernel, kernel]`.
#[derive(Module, Debug)]
pub(super) struct Conv {
    weight: Param<Tensor<4>>,
    bias: Option<Param<Tensor<1>>>,
    norm: Option<Norm>,
}

/// Batch normalisation: trained scale and offset, running mean and variance.
#[derive(Module, Debug)]
struct Norm {
    gamma: Param<Tensor<1>>,
    beta: Param<Tensor<1>>,
    #[module(skip)]
    mean: Vec<f32>,
    #[module(skip)]
    variance: Vec<f32>,
}

/// Mean and variance of one batch, per channel.
#[derive(Debug)]
pub struct BatchStatistics {
    pub(super) layer: usize,
    mean: Tensor<1>,
    variance: Tensor<1>,
}

/// Hands out parameters whose identity is fixed, so that an optimiser's record finds them again.
pub(super) struct Parameters<'d> {
    pub device: &'d Device,
    next: u64,
}

impl<'d> Parameters<'d> {
    pub fn new(device: &'d Device) -> Self {
        Self { device, next: 1 }
    }

    pub fn take<const D: usize>(&mut self, numbers: &[f32], shape: [usize; D]) -> Param<Tensor<D>> {
        let tensor = Tensor::from_data(TensorData::new(numbers.to_vec(), shape), self.device);
        let id = ParamId::from(self.next);
        self.next += 1;
        Param::initialized(
            id,
            if self.device.is_autodiff() {
                tensor.require_grad()
            } else {
                tensor
            },
        )
    }
}

/// A tensor's numbers in row-major order.
///
/// # Panics
/// If the device lost them, which a CPU does not.
pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor
        .try_into_vec_as::<f32>()
        .expect("a float tensor on this computer")
}

impl Linear {
    pub fn new(state: &LayerState, units: usize, parameters: &mut Parameters) -> Self {
        Self {
            weight: parameters.take(&state.weight, [state.weight.len() / units, units]),
            bias: parameters.take(&state.bias, [units]),
        }
    }

    /// `change` is added to weights and bias.
    pub fn forward(&self, rows: Tensor<2>, change: Option<&LayerState>) -> Tensor<2> {
        let weight = changed(&self.weight, change.map(|change| &change.weight));
        linear(
            rows,
            weight,
            Some(changed(&self.bias, change.map(|change| &change.bias))),
        )
    }
}

impl Conv {
    pub fn new(state: &LayerState, channels: usize, window: Window, parameters: &mut Parameters) -> Self {
        let kernel = usize::from(window.kernel);
        let inputs = state.weight.len() / (channels * kernel * kernel);
        Self {
            weight: parameters.take(&state.weight, [channels, inputs, kernel, kernel]),
            bias: state.norm.is_none().then(|| parameters.take(&state.bias, [channels])),
            norm: state.norm.as_ref().map(|norm| Norm::new(norm, parameters)),
        }
    }

    /// The sum, normalised; in training by the batch's own statistics, which are handed out. `change` is added to weights and bias.
    pub fn forward(
        &self,
        map: Tensor<4>,
        window: Window,
        change: Option<&LayerState>,
        training: bool,
    ) -> (Tensor<4>, Option<[Tensor<1>; 2]>) {
        let bias = (self.bias.as_ref()).map(|bias| changed(bias, change.map(|change| &change.bias)));
        let weight = changed(&self.weight, change.map(|change| &change.weight));
        let sum = convolve(map, weight, bias, window);
        match &self.norm {
            None => (sum, None),
            Some(norm) if training => norm.by_batch(sum),
            Some(norm) => (norm.by_running(sum), None),
        }
    }
}

impl Norm {
    fn new(state: &NormState, parameters: &mut Parameters) -> Self {
        let channels = state.gamma.len();
        Self {
            gamma: parameters.take(&state.gamma, [channels]),
            beta: parameters.take(&state.beta, [channels]),
            mean: state.mean.clone(),
            variance: state.variance.clone(),
        }
    }

    fn by_batch(&self, sum: Tensor<4>) -> (Tensor<4>, Option<[Tensor<1>; 2]>) {
        let result = batch_norm_train(sum, self.gamma.val(), self.beta.val(), NORM_EPSILON);
        (result.output, Some([result.mean, result.variance]))
    }

    fn by_running(&self, sum: Tensor<4>) -> Tensor<4> {
        let device = sum.device();
        let row = |numbers: &[f32]| Tensor::from_data(TensorData::new(numbers.to_vec(), [numbers.len()]), &device);
        let (mean, variance) = (row(&self.mean), row(&self.variance));
        burn::tensor::module::batch_norm(sum, self.gamma.val(), self.beta.val(), mean, variance, NORM_EPSILON)
    }
}

impl Block {
    /// The layer's numbers as they stand.
    pub fn state(&self) -> LayerState {
        match self {
            Block::Linear(layer) => LayerState {
                weight: numbers(layer.weight.val()),
                bias: numbers(layer.bias.val()),
                norm: None,
            },
            Block::Conv(layer) => LayerState {
                weight: numbers(layer.weight.val()),
                bias: layer.bias.as_ref().map_or_else(Vec::new, |bias| numbers(bias.val())),
                norm: layer.norm.as_ref().map(|norm| NormState {
                    gamma: numbers(norm.gamma.val()),
                    beta: numbers(norm.beta.val()),
                    mean: norm.mean.clone(),
                    variance: norm.variance.clone(),
                }),
            },
        }
    }

    /// The slopes of a loss, each in the place of the number that it belongs to; running statistics have none.
    #[cfg(test)]
    pub fn slopes(&self, gradients: &burn::tensor::Gradients) -> LayerState {
        fn slope<const D: usize>(parameter: &Param<Tensor<D>>, gradients: &burn::tensor::Gradients) -> Vec<f32> {
            numbers(parameter.val().grad(gradients).expect("a trained parameter"))
        }
        match self {
            Block::Linear(layer) => LayerState {
                weight: slope(&layer.weight, gradients),
                bias: slope(&layer.bias, gradients),
                norm: None,
            },
            Block::Conv(layer) => LayerState {
                weight: slope(&layer.weight, gradients),
                bias: layer.bias.as_ref().map_or_else(Vec::new, |bias| slope(bias, gradients)),
                norm: layer.norm.as_ref().map(|norm| NormState {
                    gamma: slope(&norm.gamma, gradients),
                    beta: slope(&norm.beta, gradients),
                    mean: Vec::new(),
                    variance: Vec::new(),
                }),
            },
        }
    }

    /// Moves running mean and variance towards those of a batch.
    pub fn absorb(&mut self, statistics: BatchStatistics) {
        if let Block::Conv(Conv { norm: Some(norm), .. }) = self {
            let newest = [numbers(statistics.mean), numbers(statistics.variance)];
            for (running, newest) in [&mut norm.mean, &mut norm.variance].into_iter().zip(newest) {
                for (r, n) in running.iter_mut().zip(newest) {
                    *r += MOMENTUM * (n - *r);
                }
            }
        }
    }
}

impl BatchStatistics {
    pub(super) fn new(layer: usize, [mean, variance]: [Tensor<1>; 2]) -> Self {
        Self { layer, mean, variance }
    }
}

/// A parameter plus constants: a gradient with respect to the sum is one with respect to the parameter.
fn changed<const D: usize>(parameter: &Param<Tensor<D>>, change: Option<&Vec<f32>>) -> Tensor<D> {
    let own = parameter.val();
    match change {
        None => own,
        Some(change) => {
            let change = TensorData::new(change.clone(), own.dims());
            let change = Tensor::from_data(change, &own.device());
            own + change
        }
    }
}

//! Adam and AdamW in one pass over memory: weights and both moments change where they lie.
//!
//! Burn's own rules write every intermediate result as a tensor of its own. Here the same operations follow each other on one
//! number at a time, in the same order and with the same roundings, so the weights are Burn's, bit for bit; the tests hold
//! both to that. The state is Burn's too, under the same names, so a checkpoint of either goes on with the other.
//!
//! It is for Flex alone, whose tensors are plain memory that this computer owns.
//!
//! Adam: Kingma and Ba 2015; AdamW: Loshchilov and Hutter 2019.

use burn::optim::{AdamState, AdaptiveMomentumState, LearningRate, Optimizer};
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

/// How much of the moments is kept.
const BETAS: [f32; 2] = [0.9, 0.999];
/// Numbers that one thread takes at a time: their four arrays fit a second-level cache.
const CHUNK: usize = 1 << 14;

/// The rule, made once and used for every parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct InPlaceAdam {
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Pull of weights towards zero.
    pub decay: Decay,
}

/// Where weight decay acts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Decay {
    /// Adam: added to the gradient; 0 adds nothing.
    Gradient(f32),
    /// AdamW: shrinks the weights, apart from the gradient.
    Weights(f32),
}

impl Optimizer for InPlaceAdam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        slopes: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let device = weights.device();
        let shape = weights.shape();
        let (time, moments) = match state {
            Some(AdamState { momentum }) => (momentum.time + 1, Some([momentum.moment_1, momentum.moment_2])),
            None => (1, None),
        };
        let first = moments.is_none();
        let moments = moments.unwrap_or_else(|| [(); 2].map(|()| Tensor::zeros(shape.clone(), &device)));
        let mut weights = weights.into_data();
        let slopes = slopes.into_data();
        let [mut moment_1, mut moment_2] = moments.map(Tensor::into_data);
        self.update(
            Step::new(time, first, learning_rate),
            numbers(&mut weights),
            slopes.as_slice().expect(FLOATS),
            [numbers(&mut moment_1), numbers(&mut moment_2)],
        );
        let tensor = |data| Tensor::from_data(data, &device);
        let momentum = AdaptiveMomentumState {
            time,
            moment_1: tensor(moment_1),
            moment_2: tensor(moment_2),
            max_moment_2: None,
        };
        (tensor(weights), Some(AdamState { momentum }))
    }

    fn to_device<const D: usize>(state: AdamState<D>, device: &Device) -> AdamState<D> {
        AdamState {
            momentum: state.momentum.to_device(device),
        }
    }
}

const FLOATS: &str = "numbers of a model are f32";

fn numbers(data: &mut TensorData) -> &mut [f32] {
    data.as_mut_slice().expect(FLOATS)
}

/// What a step's number and learning rate make of the rule.
#[derive(Clone, Copy)]
struct Step {
    /// Moments begin with the first gradient, not with zeros: 0 · β + x may be another zero than x.
    first: bool,
    learning_rate: f64,
    /// What moments kept this long fall short of, per moment.
    corrections: [f32; 2],
}

impl Step {
    fn new(time: usize, first: bool, learning_rate: f64) -> Self {
        Self {
            first,
            learning_rate,
            corrections: BETAS.map(|beta| 1.0 - beta.powi(time as i32)),
        }
    }

    /// The next moment.
    fn moment(self, beta: f32, old: f32, new: f32) -> f32 {
        let new = new * (1.0 - beta);
        if self.first { new } else { old * beta + new }
    }
}

impl InPlaceAdam {
    fn update(&self, step: Step, weights: &mut [f32], slopes: &[f32], [moment_1, moment_2]: [&mut [f32]; 2]) {
        let rate = step.learning_rate as f32;
        match self.decay {
            Decay::Gradient(penalty) => {
                let root = step.corrections[1].sqrt();
                let (factor, epsilon) = (root / step.corrections[0], self.epsilon * root);
                each(weights, slopes, moment_1, moment_2, |weight, slope, first, second| {
                    let slope = if penalty > 0.0 {
                        *weight * penalty + slope
                    } else {
                        slope
                    };
                    *first = step.moment(BETAS[0], *first, slope);
                    *second = step.moment(BETAS[1], *second, slope * slope);
                    *weight -= *first * factor / (second.sqrt() + epsilon) * rate;
                });
            }
            Decay::Weights(decay) => {
                let decay = step.learning_rate * f64::from(decay);
                let kept = (1.0 - decay) as f32;
                let [correction_1, correction_2] = step.corrections;
                each(weights, slopes, moment_1, moment_2, |weight, slope, first, second| {
                    *first = step.moment(BETAS[0], *first, slope);
                    *second = step.moment(BETAS[1], *second, slope * slope);
                    let change = *first / correction_1 / ((*second / correction_2).sqrt() + self.epsilon);
                    *weight = *weight * kept - change * rate;
                });
            }
        }
    }
}

/// Goes through four arrays in step, in parallel where they are long.
fn each(
    weights: &mut [f32],
    slopes: &[f32],
    moment_1: &mut [f32],
    moment_2: &mut [f32],
    change: impl Fn(&mut f32, f32, &mut f32, &mut f32) + Sync,
) {
    let parts = weights.par_chunks_mut(CHUNK).zip(slopes.par_chunks(CHUNK));
    let moments = moment_1.par_chunks_mut(CHUNK).zip(moment_2.par_chunks_mut(CHUNK));
    parts
        .zip(moments)
        .for_each(|((weights, slopes), (moment_1, moment_2))| {
            let numbers = weights.iter_mut().zip(slopes).zip(moment_1).zip(moment_2);
            numbers.for_each(|(((weight, &slope), first), second)| change(weight, slope, first, second));
        });
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, Param, ParamId};
    use burn::optim::decay::WeightDecayConfig;
    use burn::optim::{AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer};
    use burn::tensor::Bytes;

    use super::*;

    #[derive(Module, Debug)]
    struct Pair {
        matrix: Param<Tensor<2>>,
        row: Param<Tensor<1>>,
    }

    /// More than a chunk, so that a matrix is worked on in several.
    const SIDES: [usize; 2] = [130, 257];

    fn drawn(count: usize, seed: usize) -> Vec<f32> {
        let draw = |i: usize| ((i * 7919 + seed * 104_729) % 2003) as f32 / 1001.0 - 1.0;
        (0..count).map(|i| draw(i).powi(3)).collect()
    }

    fn tensor<const D: usize>(shape: [usize; D], seed: usize, device: &Device) -> Tensor<D> {
        let count = shape.iter().product();
        Tensor::from_data(TensorData::new(drawn(count, seed), shape), device)
    }

    fn pair() -> Pair {
        let device = Device::flex().autodiff();
        Pair {
            matrix: Param::initialized(1.into(), tensor(SIDES, 1, &device).require_grad()),
            row: Param::initialized(2.into(), tensor([SIDES[1]], 2, &device).require_grad()),
        }
    }

    fn step(optimizer: &mut ModuleOptimizer, pair: Pair, number: usize) -> Pair {
        let device = Device::flex();
        let mut slopes = GradientsParams::new();
        slopes.register(ParamId::from(1), tensor(SIDES, 10 + number, &device));
        // Some slopes are zero, some of them negative zero.
        let factor = if number.is_multiple_of(2) { -0.0 } else { 1e-3 };
        let row = tensor([SIDES[1]], 20 + number, &device).mul_scalar(factor);
        slopes.register(ParamId::from(2), row);
        optimizer.step(1e-3 * (number + 1) as f64, pair, slopes)
    }

    fn bits(pair: &Pair) -> Vec<u32> {
        let numbers = [
            crate::model::numbers(pair.matrix.val()),
            crate::model::numbers(pair.row.val()),
        ];
        numbers.concat().iter().map(|number| number.to_bits()).collect()
    }

    /// Burn's optimisers with the same settings.
    fn pairs() -> Vec<(InPlaceAdam, ModuleOptimizer)> {
        let epsilon = 1e-7;
        let adam = |penalty: f32| {
            let decay = (penalty > 0.0).then(|| WeightDecayConfig::new(penalty));
            let burns = AdamConfig::new().with_epsilon(epsilon).with_weight_decay(decay).init();
            let decay = Decay::Gradient(penalty);
            (InPlaceAdam { epsilon, decay }, burns)
        };
        let adamw = |decay: f32| {
            let burns = AdamWConfig::new().with_epsilon(epsilon).with_weight_decay(decay).init();
            let decay = Decay::Weights(decay);
            (InPlaceAdam { epsilon, decay }, burns)
        };
        vec![adam(0.0), adam(0.3), adamw(0.0), adamw(0.2)]
    }

    #[test]
    fn it_takes_burns_steps_to_the_bit() {
        for (own, mut burns) in pairs() {
            let mut optimizer = ModuleOptimizer::from(own);
            let (mut found, mut expected) = (pair(), pair());
            for number in 0..12 {
                found = step(&mut optimizer, found, number);
                expected = step(&mut burns, expected, number);
                assert!(bits(&found) == bits(&expected), "{own:?}, step {number}");
            }
            assert!(bits(&found) != bits(&pair()), "{own:?} moves nothing");
        }
    }

    #[test]
    fn either_goes_on_from_the_others_checkpoint() {
        for (own, burns) in pairs() {
            let mut before = burns.clone();
            let mut expected = (0..3).fold(pair(), |pair, number| step(&mut before, pair, number));
            let mut found = expected.clone();
            let bytes = before.into_bytes().unwrap().to_vec();
            let restored = ModuleOptimizer::from(own).from_bytes(Bytes::from_bytes_vec(bytes));
            let mut optimizer = restored.unwrap();
            for number in 3..6 {
                found = step(&mut optimizer, found, number);
                expected = step(&mut before, expected, number);
            }
            assert!(bits(&found) == bits(&expected), "{own:?} after Burn");
            let bytes = optimizer.into_bytes().unwrap().to_vec();
            let mut after = burns.from_bytes(Bytes::from_bytes_vec(bytes)).unwrap();
            let (found, expected) = (step(&mut after, found, 6), step(&mut before, expected, 6));
            assert!(bits(&found) == bits(&expected), "Burn after {own:?}");
        }
    }
}

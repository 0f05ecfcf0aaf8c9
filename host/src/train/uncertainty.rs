//! Losses weighed by variances that are learnt (Kendall, Gal, Cipolla: Multi-Task Learning Using Uncertainty, 2018).
//!
//! With `s = ln σ²` of each head the sum is `Σ c · e^−s · loss + s / 2`, the negative logarithm of a Gaussian (regression) or of
//! a scaled softmax (classes), up to constants. `c` is 1 for cross-entropy and for Huber's distance, which halves the square
//! already, and ½ for the squared error. Each `s` starts at 0 and takes Adam's steps at the weights' learning rate.

use burn::module::{Module, Param};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Bytes, Device, Gradients, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::TrainError;
use crate::model::numbers;

/// Learnt variances, one per head.
pub(super) struct Uncertainty {
    /// `None` only while a step is made.
    variances: Option<LogVariances>,
    optimizer: ModuleOptimizer,
    factors: Vec<f64>,
    device: Device,
}

#[derive(Module, Debug)]
struct LogVariances {
    values: Param<Tensor<1>>,
}

/// All that is needed to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UncertaintyState {
    /// `ln σ²` per head.
    pub log_variances: Vec<f32>,
    /// Burn's record of their optimiser.
    pub optimizer: Vec<u8>,
}

impl LogVariances {
    fn new(values: &[f32], device: &Device) -> Self {
        let tensor = Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device);
        Self {
            // Its only parameter: any fixed name finds its state again.
            values: Param::initialized(1u64.into(), tensor.require_grad()),
        }
    }
}

impl Uncertainty {
    /// Variances of one; `factors` holds each head's `c`. The device is an autodiff one.
    pub fn new(factors: Vec<f64>, device: &Device) -> Self {
        Self {
            variances: Some(LogVariances::new(&vec![0.0; factors.len()], device)),
            optimizer: AdamConfig::new().init(),
            factors,
            device: device.clone(),
        }
    }

    /// The sum to make small, of one loss per head.
    pub fn sum(&self, losses: Vec<Tensor<1>>) -> Tensor<1> {
        let values = self.variances().values.val();
        let half = values.clone().sum().mul_scalar(0.5);
        let weighed = losses
            .into_iter()
            .zip(&self.factors)
            .enumerate()
            .map(|(head, (loss, &factor))| {
                let precision = values.clone().narrow(0, head, 1).neg().exp();
                loss * precision.mul_scalar(factor)
            });
        weighed.fold(half, |sum, loss| sum + loss)
    }

    /// Takes a step by the gradients of [`Uncertainty::sum`].
    pub fn step(&mut self, gradients: &mut Gradients, learning_rate: f64) {
        if let Some(variances) = self.variances.take() {
            let gradients = GradientsParams::from_module(gradients, &variances);
            self.variances = Some(self.optimizer.step(learning_rate, variances, gradients));
        }
    }

    /// `ln σ²` per head.
    pub fn log_variances(&self) -> Vec<f32> {
        numbers(self.variances().values.val())
    }

    /// All that is needed to go on.
    pub fn state(&self) -> Result<UncertaintyState, TrainError> {
        let optimizer = self.optimizer.into_bytes();
        Ok(UncertaintyState {
            log_variances: self.log_variances(),
            optimizer: optimizer
                .map_err(|error| TrainError::Optimizer(error.to_string()))?
                .to_vec(),
        })
    }

    /// Goes on from a state of as many heads.
    pub fn restore(&mut self, state: &UncertaintyState) -> Result<(), TrainError> {
        let bytes = Bytes::from_bytes_vec(state.optimizer.clone());
        let optimizer = AdamConfig::new().init().from_bytes(bytes);
        self.optimizer = optimizer.map_err(|error| TrainError::Optimizer(error.to_string()))?;
        self.variances = Some(LogVariances::new(&state.log_variances, &self.device));
        Ok(())
    }

    fn variances(&self) -> &LogVariances {
        self.variances.as_ref().expect("variances between two steps")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(value: f32, device: &Device) -> Tensor<1> {
        Tensor::from_data(TensorData::new(vec![value], [1]), device).require_grad()
    }

    #[test]
    fn sum_and_slopes_worked_by_hand() {
        let device = Device::flex().autodiff();
        let mut uncertainty = Uncertainty::new(vec![1.0, 0.5], &device);
        let state = UncertaintyState {
            log_variances: vec![2.0f32.ln(), 0.0],
            ..uncertainty.state().unwrap()
        };
        uncertainty.restore(&state).unwrap();
        let losses = [loss(3.0, &device), loss(8.0, &device)];
        let sum = uncertainty.sum(losses.to_vec());
        // 3/2 + ½ ln 2 + 8/2 + 0.
        assert!((numbers(sum.clone())[0] - (5.5 + 0.5 * 2.0f32.ln())).abs() < 1e-6);
        let mut gradients = sum.backward();
        let of_loss: Vec<f32> = losses
            .iter()
            .map(|loss| numbers(loss.grad(&gradients).unwrap())[0])
            .collect();
        assert_eq!(of_loss, [0.5, 0.5], "each loss counts c / σ²");
        // −c·loss/σ² + ½: −1.5 + ½ and −4 + ½.
        let slopes = numbers(uncertainty.variances().values.val().grad(&gradients).unwrap());
        assert!(
            (slopes[0] + 1.0).abs() < 1e-6 && (slopes[1] + 3.5).abs() < 1e-6,
            "{slopes:?}"
        );
        uncertainty.step(&mut gradients, 0.1);
        // Adam's first step is the learning rate against the slope's sign.
        let after = uncertainty.log_variances();
        assert!(
            (after[0] - 2.0f32.ln() - 0.1).abs() < 1e-4 && (after[1] - 0.1).abs() < 1e-4,
            "{after:?}"
        );
    }

    #[test]
    fn variances_find_the_losses() {
        // At rest the slope is zero: c · loss = σ² / 2.
        let device = Device::flex().autodiff();
        let mut uncertainty = Uncertainty::new(vec![1.0, 1.0], &device);
        let mut middle = None;
        for step in 0..1_500 {
            if step == 700 {
                middle = Some(uncertainty.state().unwrap());
            }
            let sum = uncertainty.sum(vec![loss(0.1, &device), loss(4.0, &device)]);
            uncertainty.step(&mut sum.backward(), 0.01);
        }
        for (found, loss) in uncertainty.log_variances().into_iter().zip([0.1f32, 4.0]) {
            assert!((found - (2.0 * loss).ln()).abs() < 0.02, "{found} for {loss}");
        }
        let mut again = Uncertainty::new(vec![1.0, 1.0], &device);
        again.restore(&middle.unwrap()).unwrap();
        for _ in 700..1_500 {
            let sum = again.sum(vec![loss(0.1, &device), loss(4.0, &device)]);
            again.step(&mut sum.backward(), 0.01);
        }
        assert_eq!(
            again.log_variances(),
            uncertainty.log_variances(),
            "a restored one goes on to the same bits"
        );
    }
}

//! The weights that several heads train, as one vector per head.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use super::groups::Group;
use crate::model::{Model, numbers};

/// Names of the parameters that more than one head of a group trains.
#[derive(Clone, Debug)]
pub(super) struct SharedWeights {
    ids: Vec<ParamId>,
}

impl SharedWeights {
    /// Those of `group` in `model`, which is of the group's spec.
    pub fn new(group: &Group, model: &Model) -> Self {
        let trained_by = group.trained_by();
        let shared = (0..trained_by.len()).filter(|&layer| trained_by[layer].iter().count() > 1);
        Self {
            ids: shared.flat_map(|layer| model.parameter_ids(layer)).collect(),
        }
    }

    /// One head's gradient in them, parameter by parameter; zero where the head has none.
    pub fn gather(&self, model: &Model, gradients: &GradientsParams) -> Vec<f32> {
        let mut gather = Gather {
            shared: self,
            gradients,
            gathered: Vec::new(),
        };
        model.visit(&mut gather);
        gather.gathered
    }

    /// Gradients of a whole model: `shared` where heads share weights, elsewhere those of the head that has them.
    ///
    /// # Panics
    /// If `shared` is not as long as [`SharedWeights::gather`] gives.
    pub fn scatter(&self, model: &Model, heads: Vec<GradientsParams>, shared: &[f32]) -> GradientsParams {
        let mut scatter = Scatter {
            shared: self,
            heads,
            rest: shared,
            all: GradientsParams::new(),
        };
        model.visit(&mut scatter);
        assert!(scatter.rest.is_empty(), "as many numbers as the shared weights have");
        scatter.all
    }
}

struct Gather<'g> {
    shared: &'g SharedWeights,
    gradients: &'g GradientsParams,
    gathered: Vec<f32>,
}

impl ModuleVisitor for Gather<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.shared.ids.contains(&param.id) {
            return;
        }
        match self.gradients.get::<D>(param.id) {
            Some(gradient) => self.gathered.extend(numbers(gradient)),
            None => self
                .gathered
                .extend(std::iter::repeat_n(0.0, param.val().shape().num_elements())),
        }
    }
}

struct Scatter<'g> {
    shared: &'g SharedWeights,
    heads: Vec<GradientsParams>,
    rest: &'g [f32],
    all: GradientsParams,
}

impl ModuleVisitor for Scatter<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.shared.ids.contains(&param.id) {
            let value = param.val();
            let (own, rest) = self.rest.split_at(value.shape().num_elements());
            self.rest = rest;
            let data = TensorData::new(own.to_vec(), value.dims());
            let gradient = Tensor::<D>::from_data(data, &value.device().without_autodiff());
            self.all.register(param.id, gradient);
        } else if let Some(gradient) = self.heads.iter_mut().find_map(|head| head.remove::<D>(param.id)) {
            self.all.register(param.id, gradient);
        }
    }
}

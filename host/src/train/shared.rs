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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets::{FusedWidths, PictureTask, RowTask, Tasks, fused};
    use crate::model::{Initializer, ModelInputs, ModelState, Pass};
    use crate::train::groups::partition;
    use burn::module::list_param_ids;
    use burn::tensor::Device;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use trident::spec::{Head, HeadSet};

    fn inputs(device: &Device) -> ModelInputs {
        let numbers = |n: usize| {
            (0..n)
                .map(|i| ((i * 7919 + i * i * 31) % 200) as f32 / 100.0 - 1.0)
                .collect()
        };
        let row = |n: usize| Some(Tensor::from_data(TensorData::new(numbers(3 * n), [3, n]), device));
        let picture: Vec<f32> = numbers(3 * 3 * 256);
        ModelInputs {
            classification: row(6),
            picture: Some(Tensor::from_data(TensorData::new(picture, [3, 3, 16, 16]), device)),
            regression: row(4),
        }
    }

    /// Gradients of the sum of the mean squares of those heads' values.
    fn gradients(model: &Model, inputs: &ModelInputs, heads: HeadSet) -> GradientsParams {
        let (mut values, _) = model.forward_for(heads, inputs, Pass::Train(None));
        let asked = model.spec().heads.iter().filter(|head| heads.contains(head.head));
        let losses = asked.map(|head| {
            let rows = values[usize::from(head.value)].take().unwrap().into_rows();
            (rows.clone() * rows).mean()
        });
        GradientsParams::from_grads(losses.reduce(|sum, loss| sum + loss).unwrap().backward(), model)
    }

    #[test]
    fn heads_one_by_one_add_up_to_all_at_once() {
        let tasks = Tasks {
            classification: Some(RowTask { inputs: 6, classes: 2 }),
            segmentation: Some(PictureTask {
                height: 16,
                width: 16,
                classes: 3,
            }),
            regression: Some(4),
        };
        let spec = fused(&tasks, &FusedWidths::default()).unwrap();
        let group = partition(&spec, false).remove(0);
        let state = ModelState::random(&spec, Initializer::He, |layer| ChaCha8Rng::seed_from_u64(layer as u64));
        let device = Device::flex().autodiff();
        let model = Model::new(&state, &device);
        let inputs = inputs(&device);
        let shared = SharedWeights::new(&group, &model);
        let everything = SharedWeights {
            ids: list_param_ids(&model),
        };
        assert!(!shared.ids.is_empty() && shared.ids.len() < everything.ids.len());

        let all = gradients(&model, &inputs, HeadSet::ALL);
        let heads = Head::ALL.map(|head| gradients(&model, &inputs, head.into()));
        let mut sum = vec![0.0; shared.gather(&model, &all).len()];
        for head in &heads {
            let own = shared.gather(&model, head);
            assert!(own.iter().any(|&g| g != 0.0), "every head trains the shared weights");
            sum.iter_mut().zip(own).for_each(|(sum, g)| *sum += g);
        }
        let scattered = shared.scatter(&model, heads.into(), &sum);
        let (found, expected) = (everything.gather(&model, &scattered), everything.gather(&model, &all));
        assert_eq!(found.len(), expected.len());
        let largest = expected.iter().fold(0f32, |most, g| most.max(g.abs()));
        for (f, e) in found.iter().zip(&expected) {
            assert!((f - e).abs() < 1e-5 * largest, "{f} {e}");
        }
    }
}

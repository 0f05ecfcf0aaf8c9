//! Which heads are trained together, and the part of the model that each group trains.
//!
//! Heads that share no layer are independent: each group trains a model of its own with its own epochs and batches, which
//! equals training the sum of their losses. Heads that share layers see the same rows in every step.

use trident::spec::{Head, HeadSet, HeadSpec, InputSlot, LayerSpec, ModelSpec};

use crate::model::state::geometries;
use crate::model::{FoldedModel, LayerState, ModelState};

/// Heads trained together.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its heads.
    pub heads: HeadSet,
    /// The part of the model that they need.
    pub spec: ModelSpec,
    /// Of every value of that part, its number in the whole model.
    pub values: Vec<usize>,
    /// The head whose name the group's random draws go by.
    pub lead: Head,
    /// Of every layer of that part, the number that its random draws go by.
    pub drawn_as: Vec<usize>,
    /// Of every layer of that part, its index in the whole model.
    layers: Vec<usize>,
}

impl Group {
    fn new(whole: &ModelSpec, heads: HeadSet) -> Self {
        let need = whole.heads_of_values();
        let inputs = whole.inputs.len();
        let kept: Vec<usize> = (0..need.len()).filter(|&value| need[value].intersects(heads)).collect();
        let renumber = |value: u8| {
            let position = kept.iter().position(|&kept| kept == usize::from(value));
            position.expect("what a kept layer reads is kept") as u8
        };
        let layers: Vec<usize> = kept.iter().filter(|&&v| v >= inputs).map(|v| v - inputs).collect();
        let part = ModelSpec {
            inputs: kept.iter().filter(|&&v| v < inputs).map(|&v| whole.inputs[v]).collect(),
            layers: layers
                .iter()
                .map(|&index| LayerSpec {
                    inputs: whole.layers[index]
                        .inputs
                        .iter()
                        .map(|&value| renumber(value))
                        .collect(),
                    layer: whole.layers[index].layer,
                })
                .collect(),
            heads: whole
                .heads
                .iter()
                .filter(|head| heads.contains(head.head))
                .map(|head| HeadSpec {
                    value: renumber(head.value),
                    ..*head
                })
                .collect(),
        };
        Self {
            heads,
            spec: part,
            values: kept,
            lead: heads.iter().next().expect("a group has a head"),
            drawn_as: (0..layers.len()).collect(),
            layers,
        }
    }

    /// One of its heads by itself, with every layer and input that it needs. Its draws are those that it has in the group: it
    /// starts with the same weights and meets the same rows.
    pub fn alone(&self, head: Head) -> Self {
        let part = Self::new(&self.spec, head.into());
        Self {
            lead: self.lead,
            drawn_as: part.layers.iter().map(|&layer| self.drawn_as[layer]).collect(),
            layers: part.layers.iter().map(|&layer| self.layers[layer]).collect(),
            ..part
        }
    }

    /// Of every layer, the heads that its weights are trained by.
    pub fn trained_by(&self) -> Vec<HeadSet> {
        self.spec.heads_of_values()[self.spec.inputs.len()..].to_vec()
    }

    /// Whether some layer with weights is trained by more than one head.
    pub fn shares_weights(&self) -> bool {
        let mut layers = geometries(&self.spec).into_iter().zip(self.trained_by());
        layers.any(|(weights, heads)| weights.is_some() && heads.iter().count() > 1)
    }

    /// Whether a head reads what belongs to another: then rows of one number must belong together.
    pub fn crosses_rows(&self) -> bool {
        let own = |slot: InputSlot| match slot {
            InputSlot::Classification => Head::Classification,
            InputSlot::Picture => Head::Segmentation,
            InputSlot::Regression => Head::Regression,
        };
        let need = self.spec.heads_of_values();
        let mut read = self.spec.inputs.iter().zip(&need);
        read.any(|(input, &heads)| heads != own(input.slot).into())
    }

    /// A word for files and messages: its heads' names.
    pub fn name(&self) -> String {
        let names: Vec<&str> = self.heads.iter().map(trident::spec::Head::name).collect();
        names.join("+")
    }

    /// The same group of a model whose batch normalisation is folded into its weights.
    pub(super) fn folded(&self, part: &FoldedModel) -> Self {
        Self {
            spec: part.to_state().spec,
            ..self.clone()
        }
    }

    /// Puts the group's trained numbers where they belong in the whole model's.
    pub fn place(&self, part: Vec<Option<LayerState>>, whole: &mut ModelState) {
        for (&index, numbers) in self.layers.iter().zip(part) {
            whole.layers[index] = numbers;
        }
    }
}

/// The fewest heads per group: those that share a layer are together, the others alone. `together` makes one group of all.
pub fn partition(spec: &ModelSpec, together: bool) -> Vec<Group> {
    let all = spec.heads.iter().fold(HeadSet::EMPTY, |all, head| all.with(head.head));
    let mut sets: Vec<HeadSet> = if together {
        vec![all]
    } else {
        all.iter().map(HeadSet::from).collect()
    };
    for shared in &spec.heads_of_values()[spec.inputs.len()..] {
        let (joined, apart): (Vec<_>, Vec<_>) = sets.into_iter().partition(|set| set.intersects(*shared));
        sets = apart;
        sets.extend(joined.into_iter().reduce(HeadSet::union));
    }
    sets.sort_by_key(|set| set.iter().next());
    sets.into_iter().map(|heads| Group::new(spec, heads)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets::{EdgeWidths, FusedWidths, PictureTask, RowTask, Tasks, edge, fused};
    use trident::spec::{Activation, InputSpec, Layer, PixelScale, Shape};

    #[test]
    fn towers_are_groups_of_their_own() {
        let tasks = Tasks {
            classification: Some(RowTask { inputs: 10, classes: 2 }),
            segmentation: Some(PictureTask {
                height: 16,
                width: 16,
                classes: 3,
            }),
            regression: Some(5),
        };
        let whole = edge(&tasks, &EdgeWidths::default()).unwrap();
        let groups = partition(&whole, false);
        let names: Vec<String> = groups.iter().map(Group::name).collect();
        assert_eq!(names, ["classification", "segmentation", "regression"]);
        let layers: usize = groups.iter().map(|group| group.spec.layers.len()).sum();
        assert_eq!(layers, whole.layers.len());
        for group in &groups {
            let alone = group.spec.shapes().unwrap();
            let head = group.spec.heads[0];
            let shapes = whole.shapes().unwrap();
            let value = whole.heads.iter().find(|h| h.head == head.head).unwrap().value;
            assert_eq!(alone[usize::from(head.value)], shapes[usize::from(value)]);
        }
        let together = partition(&whole, true);
        assert_eq!(together.len(), 1);
        assert_eq!(together[0].spec, whole);
    }

    #[test]
    fn heads_on_one_trunk_stay_together() {
        let linear = |out| Layer::Linear {
            out: Shape::row(out),
            activation: Activation::None,
        };
        let layer = |input, out| LayerSpec {
            inputs: [input].into_iter().collect(),
            layer: linear(out),
        };
        let spec = ModelSpec {
            inputs: [InputSpec {
                slot: InputSlot::Regression,
                shape: Shape::row(4),
                pixels: PixelScale::Centred,
            }]
            .into_iter()
            .collect(),
            layers: [layer(0, 8), layer(1, 1), layer(1, 1)].into_iter().collect(),
            heads: [(Head::Classification, 2), (Head::Regression, 3)]
                .map(|(head, value)| HeadSpec { head, value })
                .into_iter()
                .collect(),
        };
        let groups = partition(&spec, false);
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0].name(), "classification+regression");
        assert!(groups[0].shares_weights() && groups[0].crosses_rows());
    }

    #[test]
    fn a_head_alone_draws_what_it_draws_among_others() {
        let tasks = Tasks {
            classification: Some(RowTask { inputs: 10, classes: 2 }),
            segmentation: Some(PictureTask {
                height: 16,
                width: 16,
                classes: 3,
            }),
            regression: Some(5),
        };
        let whole = fused(&tasks, &FusedWidths::default()).unwrap();
        let [joint] = &partition(&whole, false)[..] else {
            panic!("one group")
        };
        for head in Head::ALL {
            let alone = joint.alone(head);
            assert_eq!(alone.lead, Head::Classification);
            assert!(!alone.shares_weights() && alone.crosses_rows());
            assert_eq!(alone.spec.inputs, joint.spec.inputs);
            for (layer, &index) in alone.spec.layers.iter().zip(&alone.drawn_as) {
                assert_eq!(layer.layer, joint.spec.layers[index].layer);
            }
        }
    }
}

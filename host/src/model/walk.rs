//! A forward pass, layer by layer.

use trident::spec::Layer;

use super::rounding::Settled;
use super::{BatchStatistics, Model, Pass, Value, activate, add, concat};

/// A forward pass under way: for each layer in turn, [`Walk::sum`], then [`Walk::push`].
pub(crate) struct Walk<'m> {
    model: &'m Model,
    pass: Pass<'m>,
    rounding: Option<Settled>,
    values: Vec<Option<Value>>,
    statistics: Vec<BatchStatistics>,
}

impl<'m> Walk<'m> {
    /// Begins with the model's inputs.
    pub fn new(model: &'m Model, inputs: Vec<Option<Value>>, pass: Pass<'m>, rounding: Option<Settled>) -> Self {
        let round = |(number, value)| match &rounding {
            Some(rounding) => rounding.input(number, value),
            None => value,
        };
        let inputs = inputs.into_iter().enumerate();
        Self {
            values: inputs.map(|(number, value)| Some(round((number, value?)))).collect(),
            statistics: Vec::new(),
            model,
            pass,
            rounding,
        }
    }

    /// What a layer makes before its activation; `None` where an input is absent.
    ///
    /// # Panics
    /// If the layers before it have not been walked.
    pub fn sum(&mut self, layer: usize) -> Option<Value> {
        let spec = &self.model.spec.layers[layer];
        let read = |i: usize| self.values[usize::from(spec.inputs[i])].clone();
        let one = read(0)?;
        Some(match &spec.layer {
            Layer::Add { .. } => add(one, read(1)?),
            Layer::Concat => concat(one, read(1)?),
            kind => {
                let change = self.rounding.as_ref().and_then(|rounding| rounding.change(layer));
                self.model
                    .apply(layer, kind, one, change, self.pass, &mut self.statistics)
            }
        })
    }

    /// Applies the layer's activation and goes on behind it.
    pub fn push(&mut self, layer: usize, sum: Option<Value>) {
        let activation = self.model.spec.layers[layer].layer.activation();
        let value = sum.map(|sum| match &self.rounding {
            None => activate(sum, activation),
            Some(rounding) => rounding.output(layer, activate(rounding.sum(layer, sum), activation)),
        });
        self.values.push(value);
    }

    /// Every value, inputs first, and what batch normalisation saw.
    pub fn end(self) -> (Vec<Option<Value>>, Vec<BatchStatistics>) {
        (self.values, self.statistics)
    }
}

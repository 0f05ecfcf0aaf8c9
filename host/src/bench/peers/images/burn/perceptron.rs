//! W1 and W2: 10 or 5 → linear 64 → linear 32 → linear 1 → sigmoid.

use burn::tensor::Tensor;
use burn::tensor::activation::{relu, sigmoid};

use crate::layers::{Linear, draw, init_heap};
use crate::start::{Memory, Random};

const INPUTS: usize = if cfg!(feature = "w1") { 10 } else { 5 };

struct Model {
    input: Tensor<2>,
    first: Linear,
    second: Linear,
    third: Linear,
}

static MODEL: Memory<Option<Model>> = Memory::new(None);

pub fn prepare() {
    init_heap();
    let random = &mut Random(1);
    *MODEL.get() = Some(Model {
        input: draw([1, INPUTS], random),
        first: Linear::draw(INPUTS, 64, random),
        second: Linear::draw(64, 32, random),
        third: Linear::draw(32, 1, random),
    });
}

pub fn run() {
    let model = MODEL.get().as_ref().expect("it was prepared");
    let wide = relu(model.first.forward(model.input.clone()));
    let narrow = relu(model.second.forward(wide));
    core::hint::black_box(sigmoid(model.third.forward(narrow)).into_data());
}

//! W1 and W2: 10 or 5 → linear 64 → linear 32 → linear 1 → sigmoid.

use crate::layers::{Layer, sigmoid};
use crate::start::{Memory, Random};

const INPUTS: usize = if cfg!(feature = "w1") { 10 } else { 5 };

struct Model {
    input: [i8; INPUTS],
    first: Layer<{ INPUTS * 64 }, 64>,
    second: Layer<{ 64 * 32 }, 32>,
    third: Layer<32, 1>,
    output: [i8; 1],
}

static MODEL: Memory<Model> = Memory::new(Model {
    input: [0; INPUTS],
    first: Layer::EMPTY,
    second: Layer::EMPTY,
    third: Layer::EMPTY,
    output: [0],
});

pub fn prepare() {
    let (model, random) = (MODEL.get(), &mut Random(1));
    model.input.iter_mut().for_each(|code| *code = (random.next() >> 24) as i8);
    model.first.draw(random);
    model.second.draw(random);
    model.third.draw(random);
}

pub fn run() {
    let model = MODEL.get();
    let (mut wide, mut narrow, mut sum) = ([0; 64], [0; 32], [0; 1]);
    model.first.linear(&model.input, &mut wide);
    model.second.linear(&wide, &mut narrow);
    model.third.linear(&narrow, &mut sum);
    sigmoid(&sum, &mut model.output);
}

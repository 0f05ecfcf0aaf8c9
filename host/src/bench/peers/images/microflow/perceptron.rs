//! W1 and W2 without their sigmoid: 10 or 5 → linear 64 → linear 32 → linear 1.

use core::hint::black_box;

use microflow::buffer::Buffer2D;
use microflow::model;

use crate::start::{Memory, Random};

const INPUTS: usize = if cfg!(feature = "w1") { 10 } else { 5 };

#[cfg_attr(feature = "w1", model("W1-without-sigmoid.tflite"))]
#[cfg_attr(feature = "w2", model("W2-without-sigmoid.tflite"))]
struct Model;

static INPUT: Memory<Buffer2D<i8, 1, INPUTS>> = Memory::new(Buffer2D::from_array_storage(
    nalgebra::ArrayStorage([[0]; INPUTS]),
));

pub fn prepare() {
    let random = &mut Random(1);
    INPUT.get().iter_mut().for_each(|code| *code = (random.next() >> 24) as i8);
}

pub fn run() {
    black_box(Model::predict_quantized(*INPUT.get()));
}

//! W3: 32×32×3 → conv 32 → max-pool → conv 64 → max-pool → linear 3072 → sigmoid.

use embedded_nn::Padding2D;

use crate::layers::{Layer, Map, max_pool, sigmoid};
use crate::start::{Memory, Random};

struct Model {
    input: [i8; 32 * 32 * 3],
    first: Layer<{ 32 * 9 * 3 }, 32>,
    second: Layer<{ 64 * 9 * 32 }, 64>,
    third: Layer<{ 2304 * 3072 }, 3072>,
    ping: [i8; 30 * 30 * 32],
    pong: [i8; 15 * 15 * 32],
    sums: [i8; 3072],
    output: [i8; 3072],
}

static MODEL: Memory<Model> = Memory::new(Model {
    input: [0; 32 * 32 * 3],
    first: Layer::EMPTY,
    second: Layer::EMPTY,
    third: Layer::EMPTY,
    ping: [0; 30 * 30 * 32],
    pong: [0; 15 * 15 * 32],
    sums: [0; 3072],
    output: [0; 3072],
});

pub fn prepare() {
    let (model, random) = (MODEL.get(), &mut Random(1));
    model.input.iter_mut().for_each(|code| *code = (random.next() >> 24) as i8);
    model.first.draw(random);
    model.second.draw(random);
    model.third.draw(random);
}

pub fn run() {
    let Model { input, first, second, third, ping, pong, sums, output } = MODEL.get();
    let valid = Padding2D::default();
    let shape = first.conv(3, 1, valid, Map { codes: input, shape: [32, 32, 3] }, ping);
    let shape = max_pool(Map { codes: ping, shape }, pong);
    let shape = second.conv(3, 1, valid, Map { codes: pong, shape }, ping);
    let [h, w, c] = max_pool(Map { codes: ping, shape }, pong);
    third.linear(&pong[..(h * w * c) as usize], sums);
    sigmoid(sums, output);
}

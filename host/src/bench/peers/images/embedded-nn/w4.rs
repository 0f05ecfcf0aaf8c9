//! W4: the depthwise-separable encoder-decoder, 32×32×3 to 32×32×3.

use embedded_nn::Padding2D;

use crate::layers::{Layer, Map, sigmoid, upsample};
use crate::start::{Memory, Random};

struct Model {
    input: [i8; 32 * 32 * 3],
    conv_1: Layer<{ 8 * 9 * 3 }, 8>,
    depthwise_1: Layer<{ 9 * 8 }, 8>,
    pointwise_1: Layer<{ 16 * 8 }, 16>,
    depthwise_2: Layer<{ 9 * 16 }, 16>,
    pointwise_2: Layer<{ 32 * 16 }, 32>,
    depthwise_3: Layer<{ 9 * 32 }, 32>,
    pointwise_3: Layer<{ 16 * 32 }, 16>,
    conv_2: Layer<{ 3 * 9 * 16 }, 3>,
    ping: [i8; 32 * 32 * 16],
    pong: [i8; 32 * 32 * 16],
    output: [i8; 32 * 32 * 3],
}

static MODEL: Memory<Model> = Memory::new(Model {
    input: [0; 32 * 32 * 3],
    conv_1: Layer::EMPTY,
    depthwise_1: Layer::EMPTY,
    pointwise_1: Layer::EMPTY,
    depthwise_2: Layer::EMPTY,
    pointwise_2: Layer::EMPTY,
    depthwise_3: Layer::EMPTY,
    pointwise_3: Layer::EMPTY,
    conv_2: Layer::EMPTY,
    ping: [0; 32 * 32 * 16],
    pong: [0; 32 * 32 * 16],
    output: [0; 32 * 32 * 3],
});

pub fn prepare() {
    let (model, random) = (MODEL.get(), &mut Random(1));
    model.input.iter_mut().for_each(|code| *code = (random.next() >> 24) as i8);
    model.conv_1.draw(random);
    model.depthwise_1.draw(random);
    model.pointwise_1.draw(random);
    model.depthwise_2.draw(random);
    model.pointwise_2.draw(random);
    model.depthwise_3.draw(random);
    model.pointwise_3.draw(random);
    model.conv_2.draw(random);
}

pub fn run() {
    let model = MODEL.get();
    let (ping, pong) = (&mut model.ping, &mut model.pong);
    let (none, all, after) = (Padding2D::default(), Padding2D::symmetric(1, 1), Padding2D::new(0, 1, 0, 1));
    let picture = Map { codes: &model.input, shape: [32, 32, 3] };
    let shape = model.conv_1.conv(3, 2, after, picture, ping);
    let shape = model.depthwise_1.depthwise(2, after, Map { codes: ping, shape }, pong);
    let shape = model.pointwise_1.conv(1, 1, none, Map { codes: pong, shape }, ping);
    let shape = model.depthwise_2.depthwise(1, all, Map { codes: ping, shape }, pong);
    let shape = model.pointwise_2.conv(1, 1, none, Map { codes: pong, shape }, ping);
    let shape = upsample(Map { codes: ping, shape }, pong);
    let shape = model.depthwise_3.depthwise(1, all, Map { codes: pong, shape }, ping);
    let shape = model.pointwise_3.conv(1, 1, none, Map { codes: ping, shape }, pong);
    let shape = upsample(Map { codes: pong, shape }, ping);
    let [h, w, c] = model.conv_2.conv(3, 1, all, Map { codes: ping, shape }, pong);
    sigmoid(&pong[..(h * w * c) as usize], &mut model.output);
}

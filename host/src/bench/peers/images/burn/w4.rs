//! W4: the depthwise-separable encoder-decoder, 32×32×3 to 32×32×3.

use burn::tensor::Tensor;
use burn::tensor::activation::{relu, sigmoid};

use crate::layers::{Conv, draw, init_heap, upsample};
use crate::start::{Memory, Random};

struct Model {
    input: Tensor<4>,
    conv_1: Conv,
    depthwise_1: Conv,
    pointwise_1: Conv,
    depthwise_2: Conv,
    pointwise_2: Conv,
    depthwise_3: Conv,
    pointwise_3: Conv,
    conv_2: Conv,
}

static MODEL: Memory<Option<Model>> = Memory::new(None);

pub fn prepare() {
    init_heap();
    let random = &mut Random(1);
    *MODEL.get() = Some(Model {
        input: draw([1, 3, 32, 32], random),
        conv_1: Conv::draw(3, 8, 3, 2, random),
        depthwise_1: Conv::draw_depthwise(8, 2, random),
        pointwise_1: Conv::draw(8, 16, 1, 1, random),
        depthwise_2: Conv::draw_depthwise(16, 1, random),
        pointwise_2: Conv::draw(16, 32, 1, 1, random),
        depthwise_3: Conv::draw_depthwise(32, 1, random),
        pointwise_3: Conv::draw(32, 16, 1, 1, random),
        conv_2: Conv::draw(16, 3, 3, 1, random),
    });
}

pub fn run() {
    let model = MODEL.get().as_ref().expect("it was prepared");
    let map = relu(model.conv_1.forward(model.input.clone()));
    let map = relu(model.depthwise_1.forward(map));
    let map = relu(model.pointwise_1.forward(map));
    let map = relu(model.depthwise_2.forward(map));
    let map = relu(model.pointwise_2.forward(map));
    let map = relu(model.depthwise_3.forward(upsample(map)));
    let map = relu(model.pointwise_3.forward(map));
    core::hint::black_box(sigmoid(model.conv_2.forward(upsample(map))).into_data());
}

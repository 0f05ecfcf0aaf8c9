//! The workloads' layers as Burn has them: f32, on the heap.

extern crate alloc;

use alloc::vec::Vec;

use burn::tensor::module::{conv2d, interpolate, linear};
use burn::tensor::ops::{ConvOptions, InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor, TensorData};
use embedded_alloc::LlffHeap;

use crate::start::{Memory, Random};

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();
static HEAP_MEMORY: Memory<[u8; HEAP_LEN]> = Memory::new([0; HEAP_LEN]);
const HEAP_LEN: usize = 12 << 20;

/// Gives the allocator its memory; called once, before anything allocates.
pub fn init_heap() {
    let memory = HEAP_MEMORY.get();
    // SAFETY: the memory is the allocator's alone from here on, and this is called once.
    unsafe { HEAP.init(memory.as_mut_ptr().addr(), memory.len()) }
}

#[cfg(feature = "flex")]
pub fn device() -> Device {
    Device::flex()
}

#[cfg(feature = "ndarray")]
pub fn device() -> Device {
    Device::ndarray()
}

/// A tensor of numbers between −1 and 1.
pub fn draw<const D: usize>(shape: [usize; D], random: &mut Random) -> Tensor<D> {
    let number = |_| random.next() as i32 as f32 / i32::MAX as f32;
    let numbers: Vec<f32> = (0..shape.iter().product()).map(number).collect();
    Tensor::from_data(TensorData::new(numbers, shape), &device())
}

pub struct Linear {
    weight: Tensor<2>,
    bias: Tensor<1>,
}

impl Linear {
    pub fn draw(inputs: usize, outputs: usize, random: &mut Random) -> Self {
        Self {
            weight: draw([inputs, outputs], random),
            bias: draw([outputs], random),
        }
    }

    pub fn forward(&self, rows: Tensor<2>) -> Tensor<2> {
        linear(rows, self.weight.clone(), Some(self.bias.clone()))
    }
}

pub struct Conv {
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    groups: usize,
}

impl Conv {
    pub fn draw(inputs: usize, outputs: usize, kernel: usize, stride: usize, random: &mut Random) -> Self {
        Self {
            weight: draw([outputs, inputs, kernel, kernel], random),
            bias: draw([outputs], random),
            stride,
            groups: 1,
        }
    }

    pub fn draw_depthwise(channels: usize, stride: usize, random: &mut Random) -> Self {
        Self {
            groups: channels,
            ..Self::draw(1, channels, 3, stride, random)
        }
    }

    /// "Same" padding: of a kernel of 3, one all around, or at stride 2 one behind and below.
    pub fn forward(&self, map: Tensor<4>) -> Tensor<4> {
        let [.., kernel, _] = self.weight.dims();
        let side = match (kernel, self.stride) {
            (1, _) => (0, 0),
            (_, 1) => (1, 1),
            _ => (0, 1),
        };
        let options = ConvOptions::new_with_padding([self.stride; 2], [side; 2], [1; 2], self.groups);
        conv2d(map, self.weight.clone(), Some(self.bias.clone()), options)
    }
}

pub fn upsample(map: Tensor<4>) -> Tensor<4> {
    let [.., h, w] = map.dims();
    let options = InterpolateOptions::new(InterpolateMode::Nearest).with_output_size([2 * h, 2 * w]);
    interpolate(map, options)
}

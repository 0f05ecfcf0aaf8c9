//! All steps of one node on tensors of their own, as the engine takes them.

use trident::graph::{Element, NO_TABLE, Node, Op, Tensor};
use trident::kernels::micro::bytes;
use trident::kernels::{Rows, Weighted, Window, scratch_words};
use trident::kernels::{conv2d, depthwise, elementwise, resample, upsampled, winograd};
use trident::schedule::rows_per_step;
use trident::spec::Shape;
use trident_tests::noise::Noise;

/// A tensor of codes, all rows kept.
pub fn tensor(shape: Shape, zero_point: i8) -> Tensor {
    Tensor {
        offset: 0,
        shape,
        kept: shape.h,
        zero_point,
        element: Element::I8,
        scale: 1.0,
    }
}

/// The codes that a node with windows makes of `codes`, in steps as a band takes them and in one, which must not differ. Scratch
/// memory and outputs hold noise before every step.
pub fn run(
    node: &Node,
    (input, codes): (&Tensor, &[i8]),
    stream: &[u32],
    output: &Tensor,
    table: Option<&[i8; 256]>,
) -> Vec<i8> {
    let rows_per_step = usize::from(rows_per_step(node, input, output));
    let [in_turns, at_once] = [rows_per_step, output.shape.h.into()]
        .map(|rows| run_in_steps(node, (input, codes), stream, output, table, rows));
    assert!(in_turns == at_once, "{node:?}: rows differ when they are one step");
    at_once
}

fn run_in_steps(
    node: &Node,
    (input, codes): (&Tensor, &[i8]),
    stream: &[u32],
    output: &Tensor,
    table: Option<&[i8; 256]>,
    rows_per_step: usize,
) -> Vec<i8> {
    let mut noise = Noise::new(codes.len() as u64);
    let mut out: Vec<i8> = (0..output.shape.len()).map(|_| noise.code()).collect();
    let mut scratch = vec![0; scratch_words(node, input, output)];
    let rows = Rows::of(input, codes);
    // What follows a stream is none of the layer's.
    let stream: Vec<u32> = stream
        .iter()
        .copied()
        .chain((0..99).map(|_| noise.bits() as u32))
        .collect();
    for (step, to) in out.chunks_mut(rows_per_step * output.row_len()).enumerate() {
        scratch.fill_with(|| noise.bits() as u32);
        let row = step * rows_per_step;
        let layer = Weighted {
            stream: &stream,
            zero_point: output.zero_point,
            window: Window::of(node),
            output: output.shape,
            row,
        };
        match node.op {
            Op::Conv2d => conv2d::conv2d(&rows, &layer, &mut scratch, to),
            Op::CompactConv2d => conv2d::compact_conv2d(&rows, &layer, &mut scratch, to),
            Op::WinogradConv3x3 => winograd::conv3x3(&rows, &layer, &mut scratch, to),
            Op::UpsampledConv3x3 => upsampled::conv3x3(&rows, &layer, &mut scratch, to),
            Op::DepthwiseConv2d => depthwise::depthwise(&rows, &layer, to),
            Op::DepthwiseConv3x3 => depthwise::depthwise3x3(&rows, &layer, &mut scratch, to),
            Op::UpsampledDepthwiseConv3x3 => depthwise::doubled3x3(&rows, &layer, &mut scratch, to),
            Op::MaxPool2d => resample::max_pool2d(&rows, node.kernel.into(), (to, row)),
            Op::Upsample2d => resample::upsample2d(&rows, node.kernel.into(), (to, row)),
            op => panic!("{op:?} has no windows"),
        }
        if node.op.is_weighted() {
            elementwise::clamp(to, node.lo, node.hi);
        }
        if let Some(table) = table.filter(|_| node.table != NO_TABLE) {
            bytes::look_up(table, to);
        }
    }
    out
}

//! One step of an operator on the arena.

use core::iter::StepBy;
use core::ops::Range;

use super::proven;
use crate::arithmetic::AddCodes;
use crate::graph::{Element, Graph, NO_TABLE, Node, Op, Tensor};
use crate::kernels::micro::bytes;
use crate::kernels::{self, Rows, Window, conv2d, depthwise, elementwise, linear, resample, upsampled, winograd};
use crate::parameters::Parameters;
use crate::schedule::rows_per_step;

/// The tensors of a node; those that it does not have repeat one that it has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operands {
    /// Read, or of an input node written.
    pub input: Tensor,
    /// Read second.
    pub second: Tensor,
    /// Written, or of an output node read.
    pub output: Tensor,
}

impl Operands {
    pub(super) fn of(graph: &Graph<'_>, node: &Node) -> Self {
        let tensor = |number: u8| proven(graph.tensor(number.into()));
        let output = tensor(if node.op.is_output() { node.input } else { node.output });
        let input = if node.op.is_input() { output } else { tensor(node.input) };
        let second = if node.op.is_binary() {
            tensor(node.second)
        } else {
            input
        };
        Self { input, second, output }
    }

    /// The first row of each step.
    pub(super) fn first_rows(&self, node: &Node) -> StepBy<Range<usize>> {
        let height = usize::from(self.output.shape.h);
        match node.op {
            op if op.is_output() => (0..1).step_by(1),
            _ => (0..height).step_by(self.rows_per_step(node)),
        }
    }

    fn rows_per_step(&self, node: &Node) -> usize {
        rows_per_step(node, &self.input, &self.output).into()
    }

    /// The bytes that a step writes.
    pub(super) fn rows_written(&self, node: &Node, row: usize) -> Range<usize> {
        let output = &self.output;
        let size = match output.element {
            Element::I8 => 1,
            Element::I32 => 4,
        };
        let place = if output.is_streamed() {
            row % usize::from(output.kept)
        } else {
            row
        };
        let rows = self.rows_per_step(node).min(usize::from(output.shape.h) - row);
        let start = output.offset as usize + place * output.row_len() * size;
        start..start + rows * output.row_len() * size
    }
}

/// Runs a step of a node that reads tensors and writes one.
pub(super) fn run(arena: &mut [u8], node: &Node, operands: &Operands, row: usize, parameters: Parameters<'_>) {
    let written = operands.rows_written(node, row);
    if node.op.is_binary() {
        return combine(arena, node, operands, (row, written));
    }
    let Operands { input, output, .. } = operands;
    let stream = parameters.proven::<u32>(node.weights, kernels::stream_words(node, input, output));
    // A linear layer writes whole blocks.
    let reach = if node.op.is_linear() { output.range() } else { written };
    let scratch = kernels::scratch(node, input, output);
    let [from, to, scratch] = disjoint(arena, [input.range(), reach, scratch]);
    let (codes, scratch) = (bytemuck::cast_slice(from), bytemuck::cast_slice_mut(scratch));
    let zero_point = node.p[1] as i8;
    if output.element == Element::I32 {
        return linear::linear_sums(
            &codes[..input.shape.len()],
            stream,
            scratch,
            bytemuck::cast_slice_mut(to),
        );
    }
    let to: &mut [i8] = bytemuck::cast_slice_mut(to);
    let (rows, window, channels) = (Rows::of(input, codes), Window::of(node), usize::from(output.shape.c));
    match node.op {
        Op::Linear => linear::linear(&codes[..input.shape.len()], stream, zero_point, scratch, to),
        Op::NarrowLinear => linear::narrow_linear(&codes[..input.shape.len()], stream, zero_point, to),
        Op::Conv2d => conv2d::conv2d(&rows, &window, stream, zero_point, scratch, (to, output.shape, row)),
        Op::CompactConv2d => {
            conv2d::compact_conv2d(&rows, &window, stream, zero_point, scratch, (to, output.shape, row));
        }
        Op::WinogradConv3x3 => {
            winograd::conv3x3(&rows, &window, stream, zero_point, scratch, (to, output.shape, row));
        }
        Op::UpsampledConv3x3 => upsampled::conv3x3(&rows, stream, zero_point, scratch, (to, channels, row)),
        Op::DepthwiseConv2d => depthwise::depthwise(&rows, &window, stream, zero_point, (to, row)),
        Op::DepthwiseConv3x3 => {
            depthwise::depthwise3x3(&rows, &window, stream, zero_point, scratch, (to, output.shape, row));
        }
        Op::UpsampledDepthwiseConv3x3 => depthwise::doubled3x3(&rows, stream, zero_point, scratch, (to, row)),
        Op::MaxPool2d => return resample::max_pool2d(&rows, node.kernel.into(), (to, row)),
        Op::Upsample2d => return resample::upsample2d(&rows, node.kernel.into(), (to, row)),
        Op::Lut if input.shape == output.shape => to.copy_from_slice(rows.row(row as isize).unwrap_or_default()),
        Op::Lut => to.copy_from_slice(&codes[..to.len()]),
        _ => unreachable!("every operator that reads one tensor stands above"),
    }
    if node.op.is_weighted() && (node.lo, node.hi) != (i8::MIN, i8::MAX) {
        elementwise::clamp(to, node.lo, node.hi);
    }
    if node.table != NO_TABLE {
        bytes::look_up(proven(parameters.proven::<i8>(node.table, 256).first_chunk()), to);
    }
}

/// Runs a step of a node that reads two tensors, or one of them twice.
fn combine(arena: &mut [u8], node: &Node, operands: &Operands, (row, written): (usize, Range<usize>)) {
    let Operands {
        input: a,
        second: b,
        output,
    } = operands;
    let rule = AddCodes {
        qa: node.p[0],
        qb: node.p[1],
        bias: node.p[2],
        right_shift: node.right_shift,
        zero_point: output.zero_point,
        lo: node.lo,
        hi: node.hi,
    };
    if node.op == Op::Add && a.offset == output.offset {
        let [to, from] = disjoint(arena, [written, b.range()]);
        let from = Rows::of(b, bytemuck::cast_slice(from))
            .row(row as isize)
            .unwrap_or_default();
        return bytes::add_in_place(bytemuck::cast_slice_mut(to), from, &rule);
    }
    let (from_a, from_b, to): (&[u8], &[u8], &mut [u8]) = if node.input == node.second {
        let [from, to] = disjoint(arena, [a.range(), written]);
        (from, from, to)
    } else {
        let [from_a, from_b, to] = disjoint(arena, [a.range(), b.range(), written]);
        (from_a, from_b, to)
    };
    let [from_a, from_b] = [(a, from_a), (b, from_b)].map(|(tensor, codes)| {
        Rows::of(tensor, bytemuck::cast_slice(codes))
            .row(row as isize)
            .unwrap_or_default()
    });
    let to = bytemuck::cast_slice_mut(to);
    match node.op {
        Op::Concat => elementwise::concat((from_a, a.shape.c.into()), (from_b, b.shape.c.into()), to),
        _ => bytes::add(from_a, from_b, &rule, to),
    }
}

/// Parts of the arena that the blob's checks have proven not to overlap.
fn disjoint<const N: usize>(arena: &mut [u8], ranges: [Range<usize>; N]) -> [&mut [u8]; N] {
    match arena.get_disjoint_mut(ranges) {
        Ok(parts) => parts,
        Err(_) => unreachable!("live tensors do not overlap: checked when the blob was opened"),
    }
}

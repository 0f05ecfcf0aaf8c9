//! One step of an operator on the arena.

use core::iter::StepBy;
use core::ops::Range;

use super::proven;
use crate::arithmetic::AddCodes;
use crate::graph::{Element, Graph, NO_TABLE, Node, Op, Tensor};
use crate::kernels::micro::bytes;
use crate::kernels::{self, Rows, Weighted, Window};
use crate::kernels::{conv2d, depthwise, elementwise, linear, resample, upsampled, winograd};
use crate::layout::rows::BLOCK;
use crate::parameters::Parameters;
use crate::schedule::rows_per_step;

/// The tensors of a node with rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operands {
    /// Read, or by an input node written.
    pub input: Tensor,
    /// Read second, by the operators that read two; else as `input`.
    pub second: Tensor,
    /// Written.
    pub output: Tensor,
}

impl Operands {
    pub(super) fn of(graph: &Graph<'_>, node: &Node) -> Self {
        let output = proven(graph.tensor(node.output.into()));
        let input = if node.op.is_input() {
            output
        } else {
            proven(graph.tensor(node.input.into()))
        };
        let second = if node.op.is_binary() {
            proven(graph.tensor(node.second.into()))
        } else {
            input
        };
        Self { input, second, output }
    }

    /// The first row of each step.
    pub(super) fn first_rows(&self, node: &Node) -> StepBy<Range<usize>> {
        (0..usize::from(self.output.shape.h)).step_by(self.rows_per_step(node))
    }

    fn rows_per_step(&self, node: &Node) -> usize {
        rows_per_step(node, &self.input, &self.output).into()
    }

    /// The bytes that a step writes.
    pub(super) fn rows_written(&self, node: &Node, row: usize) -> Range<usize> {
        let output = &self.output;
        let place = if output.is_streamed() {
            row % usize::from(output.kept)
        } else {
            row
        };
        let rows = self.rows_per_step(node).min(usize::from(output.shape.h) - row);
        let start = output.offset as usize + place * output.row_len();
        start..start + rows * output.row_len()
    }
}

/// Runs a linear layer, in the one step that it takes; gives the bytes that it wrote.
#[inline(never)]
pub(super) fn linear(arena: &mut [u8], graph: &Graph<'_>, number: usize, parameters: Parameters<'_>) -> Range<usize> {
    let node = &proven(graph.node(number));
    let [input, output] = [node.input, node.output].map(|tensor| proven(graph.tensor(tensor.into())));
    let (columns, rows, codes) = (input.count(), output.count(), output.element == Element::I8);
    let stream = parameters.words_from(node.weights);
    let from = input.offset as usize..input.offset as usize + columns;
    // Whole blocks are written, so that the last may reach beyond the output's elements, though not its place.
    let blocks = rows.next_multiple_of(BLOCK) * if codes { 1 } else { 4 };
    let to = output.offset as usize..output.offset as usize + blocks;
    if node.op == Op::NarrowLinear {
        let [from, to] = disjoint(arena, [from, to]);
        let to = bytemuck::cast_slice_mut(to);
        linear::narrow_linear(bytemuck::cast_slice(from), stream, node.p[1] as i8, to);
        finish(node, parameters, to);
        return output.elements();
    }
    let scratch = node.p[0] as u32 as usize;
    let scratch = scratch..scratch + 4 * linear::scratch_words(columns);
    let [from, to, scratch] = disjoint(arena, [from, to, scratch]);
    let (from, scratch) = (bytemuck::cast_slice(from), bytemuck::cast_slice_mut(scratch));
    if codes {
        let to = bytemuck::cast_slice_mut(to);
        linear::linear(from, stream, node.p[1] as i8, scratch, to);
        finish(node, parameters, to);
    } else {
        linear::linear_sums(from, stream, scratch, bytemuck::cast_slice_mut(to));
    }
    output.elements()
}

/// What is left to do with codes: keep those of a layer with weights in its range, and look them up.
fn finish(node: &Node, parameters: Parameters<'_>, codes: &mut [i8]) {
    if node.op.is_weighted() && (node.lo, node.hi) != (i8::MIN, i8::MAX) {
        elementwise::clamp(codes, node.lo, node.hi);
    }
    if node.table != NO_TABLE {
        bytes::look_up(proven(parameters.proven::<i8>(node.table, 256).first_chunk()), codes);
    }
}

/// Runs a step of a node with rows that reads tensors.
pub(super) fn run(
    arena: &mut [u8],
    node: &Node,
    operands: &Operands,
    (row, written): (usize, Range<usize>),
    parameters: Parameters<'_>,
) {
    if node.op.is_binary() {
        return combine(arena, node, operands, (row, written));
    }
    let Operands { input, output, .. } = operands;
    // An operator without weights has none to read.
    let stream = if node.op.is_weighted() {
        parameters.words_from(node.weights)
    } else {
        &[]
    };
    let [from, to, scratch] = disjoint(arena, [input.range(), written, kernels::scratch(node, input, output)]);
    let (codes, scratch) = (bytemuck::cast_slice(from), bytemuck::cast_slice_mut(scratch));
    let to: &mut [i8] = bytemuck::cast_slice_mut(to);
    let rows = Rows::of(input, codes);
    let weighted = Weighted {
        stream,
        zero_point: node.p[1] as i8,
        window: Window::of(node),
        output: output.shape,
        row,
    };
    match node.op {
        Op::Conv2d => conv2d::conv2d(&rows, &weighted, scratch, to),
        Op::CompactConv2d => conv2d::compact_conv2d(&rows, &weighted, scratch, to),
        Op::WinogradConv3x3 => winograd::conv3x3(&rows, &weighted, scratch, to),
        Op::UpsampledConv3x3 => upsampled::conv3x3(&rows, &weighted, scratch, to),
        Op::DepthwiseConv2d => depthwise::depthwise(&rows, &weighted, to),
        Op::DepthwiseConv3x3 => depthwise::depthwise3x3(&rows, &weighted, scratch, to),
        Op::UpsampledDepthwiseConv3x3 => depthwise::doubled3x3(&rows, &weighted, scratch, to),
        Op::MaxPool2d => return resample::max_pool2d(&rows, node.kernel.into(), (to, row)),
        Op::Upsample2d => return resample::upsample2d(&rows, node.kernel.into(), (to, row)),
        Op::Lut if input.shape == output.shape => to.copy_from_slice(rows.row(row as isize).unwrap_or_default()),
        Op::Lut => to.copy_from_slice(&codes[..to.len()]),
        _ => unreachable!("every operator with rows that reads one tensor stands above"),
    }
    finish(node, parameters, to);
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

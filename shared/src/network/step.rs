//! One step of an operator on the arena.

use core::ops::Range;

use super::proven;
use crate::arithmetic::AddCodes;
use crate::blob::Blob;
use crate::graph::{NO_TABLE, NODE_LEN, Node, Op, Place, Tensor};
use crate::kernels::micro::{Places, bytes};
use crate::kernels::{self, Rows, Weighted, Window};
use crate::kernels::{conv2d, depthwise, elementwise, linear, resample, upsampled, winograd};
use crate::parameters::Parameters;

/// Runs [`Op::Linear`] into codes, in the one step that it takes.
///
/// The commonest form goes here, and what else there is into functions of their own: each then has the registers that it needs.
#[inline(never)]
pub(super) fn linear(arena: &mut [u8], blob: &Blob<'_>, record: &[u8; NODE_LEN]) {
    let node = Node::decode_as(Op::Linear, record);
    let [input, output] = places(blob, &node);
    if !input.wide || is_unfinished(&node) {
        return other_linear(arena, blob, record);
    }
    let (places, stream) = layer(blob, &node, [&input, &output]);
    linear::wide_linear(arena, &places, stream, node.p[1] as i8);
}

#[inline(never)]
fn other_linear(arena: &mut [u8], blob: &Blob<'_>, record: &[u8; NODE_LEN]) {
    let node = Node::decode_as(Op::Linear, record);
    let [input, output] = places(blob, &node);
    let (places, stream) = layer(blob, &node, [&input, &output]);
    if input.wide {
        linear::wide_linear(arena, &places, stream, node.p[1] as i8);
    } else {
        linear::linear(arena, &places, stream, node.p[1] as i8);
    }
    finish_whole(arena, blob, record);
}

/// Runs [`Op::Linear`] into sums.
#[inline(never)]
pub(super) fn linear_sums(arena: &mut [u8], blob: &Blob<'_>, record: &[u8; NODE_LEN]) {
    let node = Node::decode_as(Op::Linear, record);
    let [input, output] = places(blob, &node);
    let (places, stream) = layer(blob, &node, [&input, &output]);
    if linear::is_single_sum(&places) && !input.wide {
        linear::single_sum(arena, &places, stream);
    } else {
        linear_several_sums(arena, blob, record);
    }
}

#[inline(never)]
fn linear_several_sums(arena: &mut [u8], blob: &Blob<'_>, record: &[u8; NODE_LEN]) {
    let node = Node::decode_as(Op::Linear, record);
    let [input, output] = places(blob, &node);
    let (places, stream) = layer(blob, &node, [&input, &output]);
    if input.wide {
        linear::wide_linear_sums(arena, &places, stream);
    } else {
        linear::linear_sums(arena, &places, stream);
    }
}

/// Runs [`Op::NarrowLinear`], in the one step that it takes.
#[inline(never)]
pub(super) fn narrow_linear(arena: &mut [u8], blob: &Blob<'_>, record: &[u8; NODE_LEN]) {
    let node = Node::decode_as(Op::NarrowLinear, record);
    let [input, output] = places(blob, &node);
    if !output.wide {
        return narrow_linear_codes(arena, blob, record);
    }
    let (places, stream) = layer(blob, &node, [&input, &output]);
    linear::narrow_linear(arena, &places, stream, node.p[1] as i8);
}

#[inline(never)]
fn narrow_linear_codes(arena: &mut [u8], blob: &Blob<'_>, record: &[u8; NODE_LEN]) {
    let node = Node::decode_as(Op::NarrowLinear, record);
    let [input, output] = places(blob, &node);
    let (places, stream) = layer(blob, &node, [&input, &output]);
    linear::narrow_linear_codes(arena, &places, stream, node.p[1] as i8);
    finish_whole(arena, blob, record);
}

/// Places of what a node reads first and of what it writes.
#[inline(always)]
fn places(blob: &Blob<'_>, node: &Node) -> [Place; 2] {
    [node.input, node.output].map(|tensor| proven(blob.graph().place(tensor)))
}

/// What a linear layer reads and writes, and its parameters.
#[inline(always)]
fn layer<'a>(blob: &Blob<'a>, node: &Node, [input, output]: [&Place; 2]) -> (Places, &'a [u32]) {
    let places = Places {
        from: input.offset,
        columns: input.count,
        to: output.offset,
        rows: output.count,
        scratch: node.p[0] as u32 as usize,
    };
    (places, blob.typed_parameters().words_from(node.weights))
}

/// Whether codes are still to be clamped or looked up.
#[inline(always)]
fn is_unfinished(node: &Node) -> bool {
    // Both ends at once, as they lie in the record.
    const ALL_CODES: u16 = u16::from_le_bytes([i8::MIN as u8, i8::MAX as u8]);
    u16::from_le_bytes([node.lo as u8, node.hi as u8]) != ALL_CODES || node.table != NO_TABLE
}

/// [`finish`] of all codes of a layer.
fn finish_whole(arena: &mut [u8], blob: &Blob<'_>, record: &[u8; NODE_LEN]) {
    let node = proven(Node::decode_checked(record));
    let output = proven(blob.graph().tensor(node.output.into()));
    let codes = bytemuck::cast_slice_mut(&mut arena[output.elements()]);
    finish(&node, blob.typed_parameters(), codes);
}

/// What is left to do with codes: keep those of a layer with weights in its range, and look them up.
fn finish(node: &Node, parameters: &Parameters<'_>, codes: &mut [i8]) {
    if node.op.is_weighted() && (node.lo, node.hi) != (i8::MIN, i8::MAX) {
        elementwise::clamp(codes, node.lo, node.hi);
    }
    if node.table != NO_TABLE {
        bytes::look_up(proven(parameters.proven::<i8>(node.table, 256).first_chunk()), codes);
    }
}

/// Runs a step of a node with rows that reads one tensor: those rows of `output`, from `row` on, that are `written`.
// Inlined, nothing of a record is decoded that its operator does not ask for.
#[inline(always)]
pub(super) fn run(
    arena: &mut [u8],
    node: &Node,
    output: &Tensor,
    (row, written): (usize, Range<usize>),
    blob: &Blob<'_>,
) {
    let parameters = blob.typed_parameters();
    let input = &proven(blob.graph().tensor_at_once(node.input.into()));
    // An operator without weights has none to read.
    let stream = if node.op.is_weighted() {
        parameters.words_from(node.weights)
    } else {
        &[]
    };
    let [from, to, scratch] = disjoint(arena, [input.held(), written, kernels::scratch(node, input, output)]);
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
    // Each is asked for by itself: of those that are not built in, nothing is left.
    let is = |op: Op| op.is_built_in() && node.op == op;
    if is(Op::Conv2d) {
        conv2d::conv2d(&rows, &weighted, scratch, to);
    } else if is(Op::DepthwiseConv3x3) {
        depthwise::depthwise3x3(&rows, &weighted, scratch, to);
    } else if is(Op::UpsampledDepthwiseConv3x3) {
        depthwise::doubled3x3(&rows, &weighted, scratch, to);
    } else if is(Op::UpsampledConv3x3) {
        upsampled::conv3x3(&rows, &weighted, scratch, to);
    } else if is(Op::WinogradConv3x3) {
        winograd::conv3x3(&rows, &weighted, scratch, to);
    } else if is(Op::CompactConv2d) {
        conv2d::compact_conv2d(&rows, &weighted, scratch, to);
    } else if is(Op::DepthwiseConv2d) {
        depthwise::depthwise(&rows, &weighted, to);
    } else if is(Op::MaxPool2d) {
        return resample::max_pool2d(&rows, node.kernel.into(), (to, row));
    } else if is(Op::Upsample2d) {
        return resample::upsample2d(&rows, node.kernel.into(), (to, row));
    } else if is(Op::Lut) {
        let same_rows = input.shape == output.shape;
        let codes = if same_rows {
            rows.codes_from(row, to.len())
        } else {
            &codes[..to.len()]
        };
        to.copy_from_slice(codes);
    } else {
        unreachable!("every operator with rows that reads one tensor stands above")
    }
    finish(node, parameters, to);
}

/// Runs a step of a node that reads two tensors, or one of them twice.
#[inline(never)]
pub(super) fn combine(arena: &mut [u8], blob: &Blob<'_>, number: usize, (row, written): (usize, Range<usize>)) {
    let graph = blob.graph();
    let node = &proven(graph.node_at_once(number));
    let [a, b, output] =
        &[node.input, node.second, node.output].map(|tensor| proven(graph.tensor_at_once(tensor.into())));
    let rule = AddCodes {
        qa: node.p[0],
        qb: node.p[1],
        bias: node.p[2],
        right_shift: node.right_shift,
        zero_point: output.zero_point,
        lo: node.lo,
        hi: node.hi,
    };
    let doubled = Op::UpsampledAdd.is_built_in() && node.op == Op::UpsampledAdd;
    if node.op.is_sum() && a.offset == output.offset {
        let [to, from] = disjoint(arena, [written, b.held()]);
        let (to, from) = (bytemuck::cast_slice_mut(to), Rows::of(b, bytemuck::cast_slice(from)));
        return if doubled {
            upsampled::add_in_place((to, row), &from, &rule)
        } else {
            bytes::add_in_place(to, from.codes_from(row, to.len()), &rule)
        };
    }
    let (from_a, from_b, to): (&[u8], &[u8], &mut [u8]) = if node.input == node.second {
        let [from, to] = disjoint(arena, [a.held(), written]);
        (from, from, to)
    } else {
        let [from_a, from_b, to] = disjoint(arena, [a.held(), b.held(), written]);
        (from_a, from_b, to)
    };
    let count = to.len() / output.row_len();
    let [rows_a, rows_b] =
        [(a, from_a), (b, from_b)].map(|(tensor, codes)| Rows::of(tensor, bytemuck::cast_slice(codes)));
    let from_a = rows_a.codes_from(row, count * a.row_len());
    let to = bytemuck::cast_slice_mut(to);
    if doubled {
        return upsampled::add((from_a, row), &rows_b, &rule, to);
    }
    let from_b = rows_b.codes_from(row, count * b.row_len());
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

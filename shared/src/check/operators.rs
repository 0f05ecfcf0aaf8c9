//! Shapes, windows and parameters fit each operator.

use crate::graph::{Element, NO_TABLE, Node, Op, Tensor};
use crate::input::{MAX_INPUTS_PER_READING, ModelInput, Segment};
use crate::layout::{narrow, rows};
use crate::parameters::Parameters;
use crate::spec::{Head, HeadSet, InputSlot, Shape};
use crate::{MAX_CLASSES, MAX_READINGS, kernels};

pub(super) fn input_fits(node: &Node, output: &Tensor) -> bool {
    let codes = output.element == Element::I8;
    match node.op.built_in() {
        Op::Readings => {
            let row = (output.shape.h, output.shape.w) == (1, 1);
            let slot = [InputSlot::Classification as u8, InputSlot::Regression as u8].contains(&node.input);
            let few = output.shape.len() <= MAX_READINGS * MAX_INPUTS_PER_READING;
            codes && row && slot && few && (1..=MAX_READINGS as i32).contains(&node.p[2])
        }
        Op::Picture => codes && node.input == InputSlot::Picture as u8 && output.shape.c == 3,
        _ => false,
    }
}

pub(super) fn output_fits(node: &Node, input: &Tensor) -> bool {
    let shape = input.shape;
    match node.op.built_in() {
        Op::Probabilities => {
            let row = (shape.h, shape.w) == (1, 1) && usize::from(shape.c) <= MAX_CLASSES;
            node.heads == HeadSet::from(Head::Classification) && input.element == Element::I32 && row
        }
        Op::Logits => {
            let classes = (2..=MAX_CLASSES).contains(&usize::from(shape.c));
            node.heads == HeadSet::from(Head::Segmentation) && input.element == Element::I8 && classes
        }
        Op::Value => {
            let finite = node.p[..2].iter().all(|&bits| f32::from_bits(bits as u32).abs() < 1e20);
            node.heads == HeadSet::from(Head::Regression) && input.element == Element::I32 && shape.len() == 1 && finite
        }
        _ => false,
    }
}

pub(super) fn operator_fits(node: &Node, input: &Tensor, second: Option<&Tensor>, output: &Tensor) -> bool {
    let codes = |tensor: &Tensor| tensor.element == Element::I8;
    let same_code = |other: &Tensor| input.zero_point == other.zero_point;
    let range = node.lo <= node.hi;
    let zero_point = i8::try_from(node.p[1]).is_ok();
    let requantized = codes(output) && range && zero_point;
    let quads = |shape: Shape| shape.c.is_multiple_of(4);
    let side = node.kernel;
    let wide = |tensor: &Tensor| tensor.element == Element::I16 && is_wide_len(tensor.shape.len());
    (codes(input) || node.op == Op::Linear && wide(input))
        && match (node.op.built_in(), second) {
            (Op::Linear, None) => requantized || output.element == Element::I32,
            (Op::NarrowLinear, None) => {
                let whole = (node.lo, node.hi) == (i8::MIN, i8::MAX) && node.table == NO_TABLE;
                let wide = wide(output) && whole && zero_point;
                (requantized || wide) && input.shape.len() <= narrow::COLUMNS
            }
            (Op::Conv2d | Op::CompactConv2d, None) => requantized && window_fits(node, input.shape, output.shape),
            (Op::WinogradConv3x3, None) => {
                let window = (node.kernel, node.stride) == (3, 1) && window_fits(node, input.shape, output.shape);
                requantized && window && quads(input.shape) && quads(output.shape)
            }
            (Op::DepthwiseConv2d, None) => {
                requantized && input.shape.c == output.shape.c && window_fits(node, input.shape, output.shape)
            }
            (Op::DepthwiseConv3x3, None) => {
                let window = node.kernel == 3 && window_fits(node, input.shape, output.shape);
                requantized && window && quads(input.shape) && input.shape.c == output.shape.c
            }
            (Op::UpsampledConv3x3 | Op::UpsampledDepthwiseConv3x3, None) => {
                let window = (node.kernel, node.stride, node.pad_top, node.pad_left) == (3, 1, 1, 1);
                let channels = node.op == Op::UpsampledConv3x3 || input.shape.c == output.shape.c;
                requantized && is_doubled(input.shape, output.shape) && window && channels && quads(input.shape)
            }
            (Op::MaxPool2d, None) => {
                let s = u16::from(side);
                let pooled = |n: u16| n.checked_div(s);
                let (h, w) = (pooled(input.shape.h), pooled(input.shape.w));
                let fits = h == Some(output.shape.h) && w == Some(output.shape.w) && input.shape.c == output.shape.c;
                side >= 2 && fits && codes(output) && same_code(output)
            }
            (Op::Upsample2d, None) => {
                let grown = |n: u16| n.checked_mul(side.into());
                let (h, w) = (grown(input.shape.h), grown(input.shape.w));
                let fits = h == Some(output.shape.h) && w == Some(output.shape.w) && input.shape.c == output.shape.c;
                side >= 2 && fits && codes(output) && same_code(output)
            }
            (Op::Lut, None) => codes(output) && input.shape.len() == output.shape.len(),
            (Op::Add | Op::UpsampledAdd, Some(second)) => {
                let terms = if node.op == Op::Add {
                    input.shape == second.shape
                } else {
                    is_doubled(second.shape, input.shape) && input.shape.c == second.shape.c && quads(input.shape)
                };
                let shapes = terms && input.shape == output.shape;
                shapes && codes(second) && codes(output) && range && (1..=30).contains(&node.right_shift)
            }
            (Op::Concat, Some(second)) => {
                let sides = |shape: Shape| (shape.h, shape.w);
                let same = sides(input.shape) == sides(second.shape) && sides(input.shape) == sides(output.shape);
                let channels = input.shape.c.checked_add(second.shape.c) == Some(output.shape.c);
                same && channels && codes(second) && codes(output) && same_code(second) && same_code(output)
            }
            _ => false,
        }
}

/// Whether one has twice the rows and columns of the other.
fn is_doubled(half: Shape, whole: Shape) -> bool {
    let doubled = |n: u16| n.checked_mul(2);
    doubled(half.h) == Some(whole.h) && doubled(half.w) == Some(whole.w)
}

/// Whether so many codes may be handed on wide: one chunk of columns, read sixteen at a time.
const fn is_wide_len(len: usize) -> bool {
    len.is_multiple_of(rows::WIDE) && len <= rows::CHUNK
}

/// Whether every window begins and ends at most one kernel outside the input.
fn window_fits(node: &Node, input: Shape, output: Shape) -> bool {
    let (k, s) = (u32::from(node.kernel), u32::from(node.stride));
    let side = |input: u16, output: u16, before: u8| {
        let last = (u32::from(output) - 1) * s; // the last window's start, counted from the padded border
        u32::from(before) < k && last < u32::from(input) + u32::from(before)
    };
    (1..=7).contains(&k)
        && (1..=2).contains(&s)
        && side(input.h, output.h, node.pad_top)
        && side(input.w, output.w, node.pad_left)
}

pub(super) fn parameters_fit(
    node: &Node,
    input: Option<&Tensor>,
    output: Option<&Tensor>,
    parameters: Parameters<'_>,
) -> Option<()> {
    if node.op.is_weighted() {
        let (input, output) = (input?, output?);
        parameters.slice::<u32>(node.weights, kernels::stream_words(node, input, output))?;
        return table_fits(node, parameters);
    }
    match node.op.built_in() {
        Op::Readings => {
            let inputs = parameters.slice::<ModelInput>(node.weights, output?.shape.len())?;
            let segments = parameters.slice::<Segment>(node.table, usize::try_from(node.p[0]).ok()?)?;
            let inverse_scale = f32::from_bits(node.p[1] as u32);
            (inverse_scale > 0.0 && inverse_scale < 1e20 && tables_fit(inputs, segments, node.p[2] as usize))
                .then_some(())
        }
        Op::Lut if node.table == NO_TABLE => None,
        Op::Lut => table_fits(node, parameters),
        Op::Probabilities => {
            let scales = parameters.slice::<f32>(node.weights, input?.shape.len())?;
            scales.iter().all(|scale| *scale > 0.0 && *scale < 1e20).then_some(())
        }
        Op::Add | Op::UpsampledAdd => {
            let reach = node
                .p
                .iter()
                .zip([128, 128, 1])
                .map(|(&word, most)| i64::from(word).abs() * most);
            (reach.sum::<i64>() < 1 << 31).then_some(())
        }
        _ => Some(()),
    }
}

fn table_fits(node: &Node, parameters: Parameters<'_>) -> Option<()> {
    if node.table == NO_TABLE {
        return Some(());
    }
    parameters.slice::<i8>(node.table, 256).map(|_| ())
}

fn tables_fit(inputs: &[ModelInput], segments: &[Segment], readings: usize) -> bool {
    let finite = segments
        .iter()
        .all(|piece| piece.start.is_finite() && piece.base.is_finite() && piece.slope.is_finite());
    finite
        && inputs.iter().all(|input| {
            let first = input.first as usize;
            let table = first
                .checked_add(input.segments.into())
                .and_then(|end| segments.get(first..end));
            usize::from(input.feature) < readings
                && table.is_some_and(|table| !table.is_empty() && table.is_sorted_by(|a, b| a.start < b.start))
        })
}

//! A whole graph the slow way: node after node, every tensor a whole map of its own, parameters read by [`streams`] and byte by byte,
//! operators from [`naive`].
//!
//! Only the record layouts and the last float step are the engine's: `sigmoid` and `softmax` have one definition.

use trident::graph::{Element, Graph, NO_TABLE, Node, Op, Tensor};
use trident::spec::HeadSet;
use trident::{Blob, Inputs, arithmetic};

use crate::naive::{self, Map, Output, Window};
use crate::streams;

/// What a graph makes of its inputs.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// Every tensor that was written.
    pub tensors: Vec<Option<Map>>,
    /// The classification head's answer.
    pub probabilities: Option<Vec<f32>>,
    /// The segmentation head's codes.
    pub logits: Option<Map>,
    /// The regression head's answer.
    pub value: Option<f32>,
}

impl Values {
    /// A tensor's bytes as they stand in the arena.
    ///
    /// # Panics
    /// If it was not written.
    pub fn bytes(&self, graph: &Graph<'_>, tensor: usize) -> Vec<u8> {
        let map = self.tensors[tensor].as_ref().expect("the oracle wrote this tensor");
        match graph.tensor(tensor).expect("known").element {
            Element::I8 => map.codes().iter().map(|&code| code as u8).collect(),
            Element::I16 => {
                let quads = map
                    .numbers
                    .chunks(4)
                    .flat_map(|quad| [0, 2, 1, 3].map(|code| quad[code]));
                quads.flat_map(|code| (code as i16).to_le_bytes()).collect()
            }
            Element::I32 => map.numbers.iter().flat_map(|&sum| (sum as i32).to_le_bytes()).collect(),
        }
    }
}

/// Runs the nodes that those heads need.
///
/// # Panics
/// If the graph is not one that `Blob::new_checked` accepts, or an input is missing.
pub fn interpret(blob: &Blob<'_>, heads: HeadSet, inputs: &Inputs<'_>) -> Values {
    let graph = blob.graph();
    let run = Interpreter {
        graph,
        parameters: blob.parameters(),
        inputs,
    };
    let mut values = Values {
        tensors: vec![None; graph.tensor_count()],
        ..Values::default()
    };
    for node in graph.nodes().filter(|node| node.heads.intersects(heads)) {
        run.step(&node, &mut values);
    }
    values
}

struct Interpreter<'a> {
    graph: Graph<'a>,
    parameters: &'a [u8],
    inputs: &'a Inputs<'a>,
}

impl Interpreter<'_> {
    fn step(&self, node: &Node, values: &mut Values) {
        let read = |number: u8| values.tensors[usize::from(number)].clone().expect("written before");
        match node.op {
            Op::Probabilities => values.probabilities = Some(self.probabilities(node, &read(node.input))),
            Op::Logits => values.logits = Some(read(node.input)),
            Op::Value => {
                let [scale, offset] = [node.p[0], node.p[1]].map(|bits| f32::from_bits(bits as u32));
                values.value = Some(read(node.input).numbers[0] as f32 * scale + offset);
            }
            Op::Readings | Op::Picture => values.tensors[usize::from(node.output)] = Some(self.input(node)),
            _ => {
                let second = node.op.is_binary().then(|| read(node.second));
                let map = self.operator(node, &read(node.input), second.as_ref());
                values.tensors[usize::from(node.output)] = Some(map);
            }
        }
    }

    fn tensor(&self, number: u8) -> Tensor {
        self.graph.tensor(number.into()).expect("known")
    }

    fn input(&self, node: &Node) -> Map {
        let tensor = self.tensor(node.output);
        if node.op == Op::Picture {
            let pixels = self.inputs.picture.expect("handed over");
            let codes: Vec<i8> = pixels.iter().map(|&byte| (i16::from(byte) - 128) as i8).collect();
            return Map::of_codes(tensor.shape, &codes);
        }
        let row = match node.input {
            0 => self.inputs.classification,
            _ => self.inputs.regression,
        };
        let row = row.expect("handed over");
        let inverse_scale = f32::from_bits(node.p[1] as u32);
        let codes: Vec<i8> = (0..tensor.shape.len())
            .map(|index| {
                let record = node.weights as usize + index * 8;
                let feature = u16::from_le_bytes([self.parameters[record], self.parameters[record + 1]]);
                let count = u16::from_le_bytes([self.parameters[record + 2], self.parameters[record + 3]]);
                let first = self.word(record + 4) as usize;
                let x = row[usize::from(feature)];
                let pieces = (first..first + usize::from(count)).map(|i| node.table as usize + i * 12);
                let pieces: Vec<[f32; 3]> = pieces
                    .map(|at| [0, 4, 8].map(|field| f32::from_bits(self.word(at + field) as u32)))
                    .collect();
                // The last piece that begins at or before x, or else the first.
                let begun = pieces.iter().rev().find(|[start, ..]| *start <= x);
                let [start, base, slope] = *begun.unwrap_or(&pieces[0]);
                arithmetic::quantize(base + (x - start) * slope, inverse_scale, tensor.zero_point)
            })
            .collect();
        Map::of_codes(tensor.shape, &codes)
    }

    fn operator(&self, node: &Node, input: &Map, second: Option<&Map>) -> Map {
        let (from, to) = (self.tensor(node.input), self.tensor(node.output));
        let (out_h, out_w, channels) = (
            usize::from(to.shape.h),
            usize::from(to.shape.w),
            usize::from(to.shape.c),
        );
        let window = Window {
            kernel: node.kernel.into(),
            stride: node.stride.into(),
            top: node.pad_top.into(),
            left: node.pad_left.into(),
        };
        let border = i64::from(from.zero_point);
        let output = Output {
            zero_point: if node.op.is_weighted() {
                i64::from(node.p[1] as i8)
            } else {
                to.zero_point.into()
            },
            lo: node.lo.into(),
            hi: node.hi.into(),
            table: (node.table != NO_TABLE).then(|| self.codes(node.table, 256)),
        };
        match node.op {
            op if op.is_linear() => {
                let (layer, _) = streams::unpack(node, &from, &to, self.parameters);
                let mut numbers = naive::linear_sums(input, &layer);
                for (sum, &multiplier) in numbers.iter_mut().zip(&layer.multipliers) {
                    *sum = output.requantize(*sum, multiplier);
                }
                Map {
                    h: out_h,
                    w: out_w,
                    c: channels,
                    numbers,
                }
            }
            op if op.is_windowed() => {
                let (layer, _) = streams::unpack(node, &from, &to, self.parameters);
                naive::windows(op, input, border, window, &layer, &output, (out_h, out_w))
            }
            Op::MaxPool2d => naive::max_pool2d(input, window.kernel),
            Op::Upsample2d => naive::upsample2d(input, window.kernel),
            Op::Concat => naive::concat(input, second.expect("two inputs")),
            Op::Add | Op::UpsampledAdd => {
                let second = second.expect("two inputs");
                let doubled = (node.op == Op::UpsampledAdd).then(|| naive::upsample2d(second, 2));
                let second = doubled.as_ref().unwrap_or(second);
                naive::add(input, second, node.p, node.right_shift, &output)
            }
            Op::Lut => {
                let looked_up = naive::lut(input, &self.codes(node.table, 256));
                Map {
                    h: out_h,
                    w: out_w,
                    c: channels,
                    ..looked_up
                }
            }
            op => panic!("{op:?} is no operator"),
        }
    }

    fn probabilities(&self, node: &Node, sums: &Map) -> Vec<f32> {
        let scale = |index: usize| f32::from_bits(self.word(node.weights as usize + 4 * index) as u32);
        let sums = sums.numbers.iter().enumerate();
        let mut logits: Vec<f32> = sums.map(|(index, &sum)| sum as f32 * scale(index)).collect();
        if logits.len() == 1 {
            return vec![arithmetic::sigmoid(logits[0])];
        }
        arithmetic::softmax(&mut logits);
        logits
    }

    fn word(&self, at: usize) -> i32 {
        i32::from_le_bytes(self.parameters[at..at + 4].try_into().expect("four bytes"))
    }

    fn codes(&self, offset: u32, count: usize) -> Vec<i8> {
        self.parameters[offset as usize..][..count]
            .iter()
            .map(|&byte| byte as i8)
            .collect()
    }
}

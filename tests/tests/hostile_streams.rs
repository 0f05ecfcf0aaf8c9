//! Bands and scratch memory that break one rule each.

use trident::blob::BlobError;
use trident::check::{GraphError, MAX_TURNS};
use trident::graph::{Element, Node, Op};
use trident::schedule::MAX_BAND;
use trident::spec::{Head, HeadSet, Shape};
use trident::{Blob, kernels};
use trident_tests::bands;
use trident_tests::builder::Builder;
use trident_tests::hostile::{WEIGHTED, error_of, first, load, output_of, tiny_with};
use trident_tests::layer::Layer;
use trident_tests::noise::Noise;
use trident_tests::{random, tiny};

/// Operators with weights that need no scratch memory.
const NO_SCRATCH: [Op; 2] = [Op::DepthwiseConv2d, Op::NarrowLinear];

fn stream_error(node: usize) -> BlobError {
    BlobError::Graph(GraphError::Stream { node })
}

fn scratch_error(node: usize) -> BlobError {
    BlobError::Graph(GraphError::Scratch { node })
}

#[test]
fn tensors_that_keep_no_row_or_more_than_they_have_are_refused() {
    for tensor in 0..tiny::tiny().tensors.len() {
        for more in [1, 2, u16::MAX - 16] {
            let error = tiny_with(|builder| builder.tensors[tensor].kept = builder.tensors[tensor].shape.h + more);
            assert_eq!(error, BlobError::Graph(GraphError::Tensor { tensor }), "{more} more");
        }
        let error = tiny_with(|builder| builder.tensors[tensor].kept = 0);
        assert_eq!(error, BlobError::Graph(GraphError::Tensor { tensor }));
    }
}

#[test]
fn accumulators_are_not_streamed() {
    let tensor = tiny::minimal().tensors.len() - 1;
    let mut builder = tiny::minimal();
    builder.tensors[tensor].shape = Shape::new(2, 1, 1);
    builder.tensors[tensor].kept = 1;
    assert_eq!(error_of(&builder), BlobError::Graph(GraphError::Tensor { tensor }));
}

/// Each streamed tensor of many graphs keeps the fewest rows that will do: of a step less, the node that misses them is named.
#[test]
fn too_few_kept_rows_are_refused() {
    let mut tried = 0;
    for seed in 0..640 {
        let builder = random::graph(seed);
        for (tensor, _) in builder
            .tensors
            .iter()
            .enumerate()
            .filter(|(_, tensor)| tensor.is_streamed())
        {
            let mut fewer = builder.clone();
            let writer = fewer
                .nodes
                .iter()
                .position(|node| node.writes() == Some(tensor))
                .expect("written");
            for kept in (1..builder.tensors[tensor].kept).rev() {
                fewer.tensors[tensor].kept = kept;
                let error = error_of(&fewer);
                let BlobError::Graph(GraphError::Stream { node }) = error else {
                    panic!("seed {seed}, tensor {tensor}, {kept} rows: {error:?}");
                };
                // The node that misses them, or the writer, whose steps must lie in one piece.
                let reads = builder.nodes[node].reads().any(|read| read == tensor);
                assert!(
                    reads || node == writer,
                    "seed {seed}, tensor {tensor}, {kept} rows: node {node}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "only {tried} tried");
}

#[test]
fn rows_of_one_step_lie_in_one_piece() {
    // Two rows a step; of its four, three are kept.
    let (tensor, node) = (
        output_of(Op::UpsampledDepthwiseConv3x3),
        first(Op::UpsampledDepthwiseConv3x3),
    );
    let error = tiny_with(|builder| builder.tensors[tensor].kept = 3);
    assert_eq!(error, stream_error(node));
}

#[test]
fn streamed_tensors_are_read_in_their_band_alone() {
    // Each of these is read by a later band, by a head, or at once as a whole.
    for op in [Op::Conv2d, Op::Upsample2d, Op::Lut, Op::WinogradConv3x3] {
        let tensor = output_of(op);
        let error = tiny_with(|builder| {
            let tensor = &mut builder.tensors[tensor];
            tensor.kept = tensor.shape.h - 1;
        });
        assert!(
            matches!(error, BlobError::Graph(GraphError::Stream { .. })),
            "{op:?}: {error:?}"
        );
    }
}

#[test]
fn what_is_read_as_a_whole_is_not_streamed() {
    let mut builder = Builder::default();
    let picture = builder.picture(4, 2);
    builder.sums(picture, &[1; 24], &[0]);
    builder.tensors[usize::from(picture)].kept = 3;
    assert_eq!(error_of(&builder), stream_error(1));
}

/// Nor is a step of all rows one of a band, though what is streamed there be read by nobody.
#[test]
fn linear_layers_and_readings_end_no_band() {
    let mut builder = Builder::default();
    let picture = builder.picture(4, 2);
    let unread = Node {
        input: picture,
        table: builder.table(&[0; 256]),
        ..Node::new(Op::Lut, HeadSet::ALL)
    };
    let unread = builder.codes(unread, Shape::new(4, 2, 3), 0);
    let sum = builder.sums(picture, &[1; 24], &[0]);
    let node = Node {
        input: sum,
        ..Node::new(Op::Value, Head::Regression.into())
    };
    builder.head(node, "level", &[]);
    builder
        .nodes
        .iter_mut()
        .for_each(|node| node.heads = Head::Regression.into());
    assert_eq!(load(&builder), Ok(()));
    builder.tensors[usize::from(unread)].kept = 1;
    assert_eq!(error_of(&builder), stream_error(2));

    let mut builder = tiny::tiny();
    let readings = first(Op::Readings);
    let picture = builder.nodes[first(Op::Picture)];
    let again = Node {
        heads: builder.nodes[readings].heads,
        ..picture
    };
    let unread = builder.codes(again, Shape::new(4, 4, 3), 0);
    let again = builder.nodes.pop().expect("just added");
    builder.nodes.insert(readings, again);
    assert_eq!(load(&builder), Ok(()));
    builder.tensors[usize::from(unread)].kept = 1;
    assert_eq!(error_of(&builder), stream_error(readings + 1));
}

#[test]
fn a_band_serves_one_set_of_heads() {
    let mut builder = chain(3, 3);
    assert!(bands::stream(&mut builder, 0..3));
    assert_eq!(load(&builder), Ok(()));
    // More than those behind it need, which alone is no fault.
    builder.nodes[0].heads = HeadSet::ALL;
    assert_eq!(error_of(&builder), stream_error(1));
    builder.tensors[0].kept = 3;
    assert_eq!(load(&builder), Ok(()));
}

#[test]
fn a_band_that_has_no_end_is_refused() {
    let mut builder = Builder::default();
    let picture = builder.picture(4, 2);
    builder.tensors[usize::from(picture)].kept = 1;
    assert_eq!(error_of(&builder), stream_error(0));
    builder.head(
        Node {
            input: picture,
            ..Node::new(Op::Logits, Head::Segmentation.into())
        },
        "ground",
        &["a", "b", "c"],
    );
    assert!(matches!(
        error_of(&builder),
        BlobError::Graph(GraphError::Stream { .. })
    ));
}

/// A picture of that many rows through so many tables, each row by row.
fn chain(rows: u16, nodes: usize) -> Builder {
    let mut builder = Builder::default();
    let mut input = builder.picture(rows, 2);
    for number in 1..nodes {
        let node = Node {
            input,
            table: builder.table(&[number as i8; 256]),
            ..Node::new(Op::Lut, HeadSet::ALL)
        };
        input = builder.codes(node, Shape::new(rows, 2, 3), 0);
    }
    let node = Node {
        input,
        ..Node::new(Op::Logits, Head::Segmentation.into())
    };
    builder.head(node, "ground", &["a", "b", "c"]);
    builder.assign_heads();
    builder
}

#[test]
fn bands_of_too_many_nodes_are_refused() {
    let mut builder = chain(3, MAX_BAND);
    assert!(bands::stream(&mut builder, 0..MAX_BAND));
    assert_eq!(load(&builder), Ok(()));
    let mut builder = chain(3, MAX_BAND + 1);
    for tensor in 0..MAX_BAND {
        builder.tensors[tensor].kept = 1;
    }
    assert_eq!(error_of(&builder), stream_error(0));
}

/// The checks follow every step of a band: a few bytes must not make that take minutes.
#[test]
fn bands_of_too_many_steps_are_refused() {
    let rows = (MAX_TURNS / 2) as u16;
    let mut builder = chain(rows, 2);
    assert!(bands::stream(&mut builder, 0..2));
    assert_eq!(load(&builder), Ok(()));
    let mut builder = chain(rows + 1, 2);
    assert!(bands::stream(&mut builder, 0..2));
    assert_eq!(error_of(&builder), stream_error(0));
}

/// A band whose nodes stand in the wrong order: the reader before the writer.
#[test]
fn a_band_reads_what_was_written() {
    let mut builder = chain(3, 4);
    assert!(bands::stream(&mut builder, 0..4));
    builder.nodes.swap(1, 2);
    assert_eq!(error_of(&builder), BlobError::Graph(GraphError::Order { node: 1 }));
}

#[test]
fn scratch_memory_outside_or_off_its_boundary_is_refused() {
    for op in WEIGHTED.into_iter().filter(|&op| !NO_SCRATCH.contains(&op)) {
        let node = first(op);
        let arena_len = tiny::tiny().arena_len as i32;
        for start in [arena_len, (arena_len + 3) & !3, i32::MIN, -4] {
            let error = tiny_with(|builder| builder.nodes[node].p[0] = start);
            assert_eq!(error, scratch_error(node), "{op:?}, {start}");
        }
        for step in [1, 2, 3] {
            let error = tiny_with(|builder| {
                builder.nodes[node].p[0] += step;
                builder.arena_len += 8;
            });
            assert_eq!(error, scratch_error(node), "{op:?}, {step} off");
        }
    }
}

/// The arena ends exactly where the largest scratch memory does, or one byte earlier.
#[test]
fn scratch_memory_may_reach_to_the_arenas_end() {
    let builder = tiny::tiny();
    let end = |node: &Node| {
        let tensor = |number: u8| builder.tensors[usize::from(number)];
        kernels::scratch(node, &tensor(node.input), &tensor(node.output)).end
    };
    let weighted = builder
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.op.is_weighted());
    let ends = weighted.map(|(number, node)| (end(node), number));
    let (last, node) = ends
        .max_by_key(|&(end, number)| (end, usize::MAX - number))
        .expect("tiny has weights");
    assert_eq!(last, builder.arena_len as usize);
    assert_eq!(tiny_with(|builder| builder.arena_len -= 1), scratch_error(node));
}

#[test]
fn scratch_memory_in_use_is_refused() {
    for op in WEIGHTED.into_iter().filter(|&op| !NO_SCRATCH.contains(&op)) {
        let node = first(op);
        let original = tiny::tiny();
        for tensor in [original.nodes[node].input, original.nodes[node].output] {
            // On its first word, and with its last word on the tensor's first.
            let words = {
                let tensor = |number: u8| original.tensors[usize::from(number)];
                kernels::scratch_words(
                    &original.nodes[node],
                    &tensor(original.nodes[node].input),
                    &tensor(original.nodes[node].output),
                )
            };
            let offset = original.tensors[usize::from(tensor)].offset as i32;
            for start in [offset, offset + 4 - 4 * words as i32] {
                let error = tiny_with(|builder| builder.nodes[node].p[0] = start);
                assert_eq!(error, scratch_error(node), "{op:?}, tensor {tensor}");
            }
        }
    }
}

/// Nodes of a band run in turns: what one of them has no part in may still be in use.
#[test]
fn scratch_memory_spares_all_tensors_of_its_band() {
    let (node, concat) = (first(Op::WinogradConv3x3), first(Op::Concat));
    let original = tiny::tiny();
    let concat = original.nodes[concat];
    assert!(
        !original.nodes[node]
            .reads()
            .any(|tensor| tensor == usize::from(concat.output))
    );
    for tensor in [concat.input, concat.second, concat.output] {
        let error = tiny_with(|builder| {
            builder.nodes[node].p[0] = builder.tensors[usize::from(tensor)].offset as i32;
        });
        assert_eq!(error, scratch_error(node), "tensor {tensor}");
    }
}

/// Likewise tensors: one that a band's first node reads lives until its last has written.
#[test]
fn tensors_live_as_long_as_their_band() {
    let original = tiny::tiny();
    let (upsampled, written) = (output_of(Op::Upsample2d), output_of(Op::WinogradConv3x3));
    let error = tiny_with(|builder| builder.tensors[written].offset = builder.tensors[upsampled].offset);
    let (first_tensor, second) = (upsampled.min(written), upsampled.max(written));
    assert_eq!(
        error,
        BlobError::Graph(GraphError::Overlap {
            first: first_tensor,
            second
        })
    );
    // Without a band it is dead by then.
    let mut builder = original;
    for tensor in &mut builder.tensors {
        tensor.kept = tensor.shape.h;
    }
    builder.place();
    builder.tensors[written].offset = builder.tensors[upsampled].offset;
    assert_eq!(load(&builder), Ok(()));
}

/// `picture ► Conv2d a ┬► … ► Add`: a sum of `a` and a map made of it row by row.
fn skip(kept_rows_of_a: bool) -> Builder {
    let mut builder = Builder::default();
    let mut noise = Noise::new(2);
    let shape = Shape::new(6, 2, 3);
    let picture = builder.picture(6, 2);
    let mut convolution = |builder: &mut Builder, input: u8, kernel: u8| {
        let node = Node {
            input,
            lo: -128,
            hi: 127,
            kernel,
            stride: 1,
            pad_top: kernel / 2,
            pad_left: kernel / 2,
            ..Node::new(Op::CompactConv2d, HeadSet::ALL)
        };
        let layer = Layer::random(&mut noise, 3, 3 * usize::from(kernel).pow(2));
        builder.weighted(node, &layer, shape, 0)
    };
    let a = convolution(&mut builder, picture, 1);
    let b = convolution(&mut builder, a, 3);
    let sum = Node {
        input: a,
        second: b,
        right_shift: 1,
        hi: 127,
        p: [1, 1, 1],
        ..Node::new(Op::Add, HeadSet::ALL)
    };
    let sum = builder.codes(sum, shape, 0);
    let node = Node {
        input: sum,
        ..Node::new(Op::Logits, Head::Segmentation.into())
    };
    builder.head(node, "ground", &["a", "b", "c"]);
    builder.assign_heads();
    if kept_rows_of_a {
        assert!(bands::stream(&mut builder, 1..4));
    } else {
        assert!(bands::stream(&mut builder, 2..4));
    }
    builder.place();
    builder
}

/// A sum lies in place of its first input only if nothing else of its band reads that, and rows are where they were.
#[test]
fn sums_take_no_place_that_a_band_still_reads() {
    for kept_rows_of_a in [false, true] {
        let mut builder = skip(kept_rows_of_a);
        assert_eq!(load(&builder), Ok(()));
        let add = builder.nodes[3];
        let [first, second] = [add.input, add.output].map(usize::from);
        builder.tensors[second].offset = builder.tensors[first].offset;
        assert_eq!(
            error_of(&builder),
            BlobError::Graph(GraphError::Overlap { first, second })
        );
        assert_eq!(builder.tensors[first].element, Element::I8);
    }
}

/// A band of whole tensors alone is none: each node ends its own.
#[test]
fn sums_in_place_outside_of_bands_are_accepted() {
    let mut builder = skip(false);
    for tensor in &mut builder.tensors {
        tensor.kept = tensor.shape.h;
    }
    builder.place();
    let add = builder.nodes[3];
    builder.tensors[usize::from(add.output)].offset = builder.tensors[usize::from(add.input)].offset;
    assert!(Blob::new_checked(builder.pack().bytes()).is_ok());
}

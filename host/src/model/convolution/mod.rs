//! Convolutions on this computer's memory, as an extension of Burn's Flex backend.
//!
//! Flex's own turn a map's axes over and over, and take one pass per channel for the slopes of depthwise weights: half of a
//! training step. Here a picture's windows are laid out once and multiplied ([`dense`]), and a depthwise window slides over
//! rows ([`depthwise`]). Other devices keep Burn's own operation.
//!
//! Pictures are worked on side by side; every sum over pictures has an order of its own, which no number of threads changes.

mod dense;
mod depthwise;
mod geometry;
mod product;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Shape, Tensor, TensorData};
use trident::spec::Padding;

use geometry::Geometry;

/// How a window moves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub kernel: u8,
    pub stride: u8,
    pub padding: Padding,
    pub depthwise: bool,
}

/// A convolution that pads as [`Padding::extent`] says.
///
/// # Shapes
/// `map` `[n, in, h, w]`, `weight` `[out, in, kernel, kernel]`, or `[in, 1, kernel, kernel]` if it is depthwise.
pub(super) fn convolve(map: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>, window: Window) -> Tensor<4> {
    let device = map.device();
    if device.clone().without_autodiff() != Device::flex() {
        return by_burn(map, weight, bias, window);
    }
    let [filters, ..] = weight.dims();
    let bias = bias.unwrap_or_else(|| Tensor::zeros([filters], &device));
    let [map, weight] = [map, weight].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::convolve(map, weight, bias.into_dispatch(), window))
}

fn by_burn(map: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>, window: Window) -> Tensor<4> {
    let [_, channels, h, w] = map.dims();
    let side = |n: usize| {
        let extent = window.padding.extent(n as u16, window.kernel, window.stride);
        let (_, before, after) = extent.expect("the spec was checked");
        (usize::from(before), usize::from(after))
    };
    let stride = usize::from(window.stride);
    let groups = if window.depthwise { channels } else { 1 };
    let options = ConvOptions::new_with_padding([stride; 2], [side(h), side(w)], [1; 2], groups);
    conv2d(map, weight, bias, options)
}

/// What the extension adds to a backend.
#[backend_extension(Flex, Autodiff)]
trait ConvolutionOps: Backend {
    /// `[n, out, h, w]`.
    fn convolve(
        map: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        window: Window,
    ) -> FloatTensor<Self>;

    /// The slope of a loss in every number of the map, whose shape is `map`.
    fn slope_of_map(
        weight: FloatTensor<Self>,
        slopes: FloatTensor<Self>,
        map: Shape,
        window: Window,
    ) -> FloatTensor<Self>;

    /// The slope of a loss in every weight.
    fn slope_of_weight(map: FloatTensor<Self>, slopes: FloatTensor<Self>, window: Window) -> FloatTensor<Self>;
}

impl ConvolutionOps for Flex {
    fn convolve(map: FlexTensor, weight: FlexTensor, bias: FlexTensor, window: Window) -> FlexTensor {
        let geometry = Geometry::new(&map.shape(), weight.shape()[0], window);
        let [map, weight, bias] = [map, weight, bias].map(|tensor| tensor.to_contiguous());
        let sums = match window.depthwise {
            true => depthwise::sums(&geometry, floats(&map), floats(&weight), floats(&bias)),
            false => dense::sums(&geometry, floats(&map), floats(&weight), floats(&bias)),
        };
        tensor(
            sums,
            [geometry.pictures, geometry.filters, geometry.out[0], geometry.out[1]],
        )
    }

    fn slope_of_map(weight: FlexTensor, slopes: FlexTensor, map: Shape, window: Window) -> FlexTensor {
        let geometry = Geometry::new(&map, weight.shape()[0], window);
        let [weight, slopes] = [weight, slopes].map(|tensor| tensor.to_contiguous());
        let of_map = match window.depthwise {
            true => depthwise::slope_of_map(&geometry, floats(&weight), floats(&slopes)),
            false => dense::slope_of_map(&geometry, floats(&weight), floats(&slopes)),
        };
        tensor(of_map, [map[0], map[1], map[2], map[3]])
    }

    fn slope_of_weight(map: FlexTensor, slopes: FlexTensor, window: Window) -> FlexTensor {
        let geometry = Geometry::new(&map.shape(), slopes.shape()[1], window);
        let [map, slopes] = [map, slopes].map(|tensor| tensor.to_contiguous());
        let of_weight = match window.depthwise {
            true => depthwise::slope_of_weight(&geometry, floats(&map), floats(&slopes)),
            false => dense::slope_of_weight(&geometry, floats(&map), floats(&slopes)),
        };
        let inputs = if window.depthwise { 1 } else { geometry.channels };
        tensor(of_weight, [geometry.filters, inputs, geometry.kernel, geometry.kernel])
    }
}

/// The numbers of a contiguous tensor.
fn floats(tensor: &FlexTensor) -> &[f32] {
    tensor
        .as_slice()
        .expect("contiguous and f32, as all of a model's numbers are")
}

fn tensor(numbers: Vec<f32>, shape: [usize; 4]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers, shape))
}

impl<B: ConvolutionOps, C: CheckpointStrategy> ConvolutionOps for Autodiff<B, C> {
    fn convolve(
        map: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        window: Window,
    ) -> FloatTensor<Self> {
        let nodes = [map.node(), weight.node(), bias.node()];
        match Convolution.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let state = (step.checkpoint(&map), step.checkpoint(&weight), window);
                let [map, weight, bias] = [map, weight, bias].map(|tensor| tensor.into_primitive());
                step.finish(state, B::convolve(map, weight, bias, window))
            }
            OpsKind::UnTracked(step) => {
                let [map, weight, bias] = [map, weight, bias].map(|tensor| tensor.into_primitive());
                step.finish(B::convolve(map, weight, bias, window))
            }
        }
    }

    fn slope_of_map(_: FloatTensor<Self>, _: FloatTensor<Self>, _: Shape, _: Window) -> FloatTensor<Self> {
        unreachable!("a slope is not differentiated")
    }

    fn slope_of_weight(_: FloatTensor<Self>, _: FloatTensor<Self>, _: Window) -> FloatTensor<Self> {
        unreachable!("a slope is not differentiated")
    }
}

/// The backward step of a convolution.
#[derive(Debug)]
struct Convolution;

impl<B: ConvolutionOps> Backward<B, 3> for Convolution {
    type State = (NodeId, NodeId, Window);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [of_map, of_weight, of_bias] = ops.parents;
        let slopes = gradients.consume::<B>(&ops.node);
        let (map, weight, window) = ops.state;
        let map = checkpointer.retrieve_node_output::<FloatTensor<B>>(map);
        let weight = checkpointer.retrieve_node_output::<FloatTensor<B>>(weight);
        if let Some(node) = of_map {
            let slope = B::slope_of_map(weight, slopes.clone(), map.shape(), window);
            gradients.register::<B>(node.id, slope);
        }
        if let Some(node) = of_weight {
            gradients.register::<B>(node.id, B::slope_of_weight(map, slopes.clone(), window));
        }
        if let Some(node) = of_bias {
            let filters = slopes.shape()[1];
            let sums = [0, 2, 3]
                .into_iter()
                .fold(slopes, |sums, side| B::float_sum_dim(sums, side));
            gradients.register::<B>(node.id, B::float_reshape(sums, Shape::new([filters])));
        }
    }
}

#[cfg(test)]
mod tests;

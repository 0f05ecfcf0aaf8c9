//! Which numbers of a map a window sees, and its windows laid out as a matrix.

use burn::tensor::Shape;

use super::Window;

/// Sizes of one convolution.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    pub pictures: usize,
    pub channels: usize,
    pub filters: usize,
    pub kernel: usize,
    pub stride: usize,
    /// Height and width of what is read.
    pub side: [usize; 2],
    /// Height and width of what is made.
    pub out: [usize; 2],
    /// Rows of padding above and columns to the left.
    pub before: [usize; 2],
}

/// Which outputs a tap reaches on one axis, and the input of the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    pub first: usize,
    pub count: usize,
    pub from: usize,
}

impl Geometry {
    /// # Panics
    /// If the window does not fit the map, which a checked spec rules out.
    pub fn new(map: &Shape, filters: usize, window: Window) -> Self {
        let extent = |n: usize| {
            let extent = window.padding.extent(n as u16, window.kernel, window.stride);
            let (out, before, _) = extent.expect("the spec was checked");
            (usize::from(out), usize::from(before))
        };
        let side = [map[2], map[3]];
        let [(out_h, top), (out_w, left)] = side.map(extent);
        Self {
            pictures: map[0],
            channels: map[1],
            filters,
            kernel: window.kernel.into(),
            stride: window.stride.into(),
            side,
            out: [out_h, out_w],
            before: [top, left],
        }
    }

    /// Numbers of one channel of the map.
    pub fn plane(&self) -> usize {
        self.side[0] * self.side[1]
    }

    /// Numbers of one channel of the result.
    pub fn out_plane(&self) -> usize {
        self.out[0] * self.out[1]
    }

    pub fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// Whether the windows of a map are the map itself.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1
    }

    /// The outputs on `axis` (0 down, 1 across) for which tap `tap` lies inside the map.
    pub fn reach(&self, axis: usize, tap: usize) -> Reach {
        let (side, out, before) = (self.side[axis], self.out[axis], self.before[axis]);
        let first = before.saturating_sub(tap).div_ceil(self.stride);
        let end = match (side - 1 + before).checked_sub(tap) {
            Some(last) => out.min(last / self.stride + 1),
            None => 0,
        };
        Reach {
            first,
            count: end.saturating_sub(first),
            from: (first * self.stride + tap).saturating_sub(before),
        }
    }

    /// Every tap with the rows and columns that it reaches: `(tap, down, across)`.
    pub fn reaches(&self) -> impl Iterator<Item = (usize, Reach, Reach)> {
        let pair = |tap: usize| (tap, self.reach(0, tap / self.kernel), self.reach(1, tap % self.kernel));
        (0..self.taps()).map(pair)
    }

    /// One picture's windows: `[channels · taps, out plane]`; zero where a window leaves the map.
    pub fn unfold(&self, picture: &[f32], windows: &mut [f32]) {
        let rows = windows.chunks_exact_mut(self.out_plane());
        let taps = (0..self.channels).flat_map(|channel| self.reaches().map(move |reaches| (channel, reaches)));
        for (row, (channel, (_, down, across))) in rows.zip(taps) {
            row.fill(0.0);
            let plane = &picture[channel * self.plane()..][..self.plane()];
            for step in 0..down.count {
                let to = &mut row[(down.first + step) * self.out[1] + across.first..][..across.count];
                let from = &plane[(down.from + step * self.stride) * self.side[1] + across.from.min(self.side[1])..];
                match self.stride {
                    1 => to.copy_from_slice(&from[..across.count]),
                    stride => to
                        .iter_mut()
                        .zip(from.iter().step_by(stride))
                        .for_each(|(to, &from)| *to = from),
                }
            }
        }
    }

    /// Adds every number of unfolded windows to where it came from.
    pub fn fold(&self, windows: &[f32], picture: &mut [f32]) {
        let rows = windows.chunks_exact(self.out_plane());
        let taps = (0..self.channels).flat_map(|channel| self.reaches().map(move |reaches| (channel, reaches)));
        for (row, (channel, (_, down, across))) in rows.zip(taps) {
            let plane = &mut picture[channel * self.plane()..][..self.plane()];
            for step in 0..down.count {
                let from = &row[(down.first + step) * self.out[1] + across.first..][..across.count];
                let to = &mut plane[(down.from + step * self.stride) * self.side[1] + across.from.min(self.side[1])..];
                match self.stride {
                    1 => to.iter_mut().zip(from).for_each(|(to, from)| *to += from),
                    stride => {
                        let to = to.iter_mut().step_by(stride);
                        to.zip(from).for_each(|(to, from)| *to += from);
                    }
                }
            }
        }
    }
}

//! Few channels: the pixels of a row in the lanes.

use super::Site;
use crate::algorithms::channels::Output;
use crate::algorithms::pixels::{PixelJob, Planes};
use crate::packing::{self, Source};
use crate::scratch::grow;

/// What the algorithm reads.
#[derive(Clone, Debug)]
pub(super) struct Pixels {
    /// Where quads lie, and are found: for all outputs, and without a last odd row and column,
    /// which a max-pool leaves out.
    views: [(Planes, Vec<[usize; 2]>); 2],
    weights: Vec<u8>,
    bias: Vec<i32>,
}

impl Pixels {
    /// Whether the algorithm can run there, and pixels fill more of the lanes than channels
    /// would.
    pub(super) fn pays(site: &Site) -> bool {
        let [rows, columns, channels] = site.output;
        let lanes = site.table.lanes;
        let filled = |used: usize, of: usize| used as f64 / used.next_multiple_of(of) as f64;
        site.geometry.groups == 1
            && site.geometry.stride[1] * site.input.channels <= 4
            && site.geometry.dilation[1] == 1
            && filled(rows.div_ceil(2) * columns, 2 * lanes) > filled(channels, lanes)
    }

    pub(super) fn new(site: &Site, source: &Source<'_>, bias: Vec<i32>) -> Self {
        let [height, width, _] = site.output;
        let quads = (site.kernel[1] * site.input.channels).div_ceil(4);
        let [stride, dilation] = [site.geometry.stride[0], site.geometry.dilation[0]];
        let kernel_rows = site.kernel[0];
        // Without a pair there is nothing to pool, and the second is not used.
        let even = [height, width].map(|outputs| (outputs / 2 * 2).max(1));
        let views = [[height, width], even].map(|outputs| {
            let steps = [stride, dilation, kernel_rows];
            let planes = Planes::new(site.table.lanes, outputs, quads, steps);
            let taps = planes.taps(kernel_rows, dilation);
            (planes, taps)
        });
        Self {
            views,
            weights: packing::for_pixels(&site.table, source),
            bias,
        }
    }

    /// Makes room for the quads of an image.
    pub(super) fn reserve(&self, scratch: &mut Vec<i32>) {
        for (planes, _) in &self.views {
            grow(scratch, planes.len());
        }
    }

    /// Makes rows and columns of outputs.
    pub(super) fn run(
        &self,
        site: &Site,
        input: &[u8],
        [rows, columns]: [usize; 2],
        output: Output<'_>,
        scratch: &mut Vec<i32>,
    ) {
        let [height, width, _] = site.output;
        let [all, even] = &self.views;
        let (planes, taps) = match [rows, columns] == [height, width] {
            true => all,
            false => even,
        };
        let quads = grow(scratch, planes.len());
        let job = PixelJob {
            input: input.as_ptr(),
            pitch: site.input.pitch(),
            rows,
            columns,
            step: site.geometry.stride[1] * site.input.channels,
            planes: *planes,
            taps,
            weights: &self.weights,
            bias: &self.bias,
            channels: site.output[2],
            scratch: quads.as_mut_ptr(),
            output,
        };
        // SAFETY: the table is this CPU's. A vector of quads starts at a window inside of the
        // maps and reads SLACK bytes at most; the scratch is as long as the planes; outputs and
        // constants were checked by the callers.
        unsafe { (site.table.pixels)(&job) }
    }
}

//! One channel a group.

use super::Site;
use crate::algorithms::channels::Output;
use crate::algorithms::depthwise::{DepthwiseJob, rows_at_once};
use crate::aligned::Aligned;
use crate::packing::{self, LaneOrder, Source};
use crate::requantizer::Requantizer;

/// What the algorithm reads, and how it sees a row of outputs.
#[derive(Clone, Debug)]
pub(super) struct Depthwise {
    weights: Aligned<u8>,
    bias: Aligned<i32>,
    order: LaneOrder,
    rows_at_once: usize,
    /// Bytes of outputs after which the weights repeat, and of the image from there to there.
    period: [usize; 2],
}

impl Depthwise {
    /// Whether every channel is a group.
    pub(super) fn fits(site: &Site) -> bool {
        let groups = site.geometry.groups;
        groups > 1 && groups == site.input.channels && groups == site.output[2]
    }

    pub(super) fn new(site: &Site, source: &Source<'_>, bias: &[i32]) -> Self {
        let [rows, _, channels] = site.output;
        let [sy, sx] = site.geometry.stride;
        let block = 4 * site.table.lanes;
        let repeats = sx == 1 && block.is_multiple_of(channels);
        let order = LaneOrder {
            isa: site.table.isa,
            channels,
            repeats,
        };
        let rows_at_once = rows_at_once(rows, site.kernel[0], sy, site.geometry.dilation[0]);
        let weights = packing::for_depthwise(&site.table, source, &order, [rows_at_once, sy]);
        Self {
            weights: Aligned::new(&weights),
            bias: Aligned::new(&packing::in_lanes(&site.table, bias, 0, &order)),
            order,
            rows_at_once,
            period: match repeats {
                true => [block; 2],
                false => [channels, sx * channels],
            },
        }
    }

    /// The order of its constants.
    pub(super) fn lane_order(&self) -> LaneOrder {
        self.order
    }

    /// The constants in the order of its lanes.
    pub(super) fn arranged(&self, site: &Site, requantizer: Requantizer) -> Requantizer {
        requantizer.in_lanes(&site.table, self.order)
    }

    /// Makes rows of outputs.
    pub(super) fn run(&self, site: &Site, input: &[u8], rows: usize, output: Output<'_>) {
        let [_, columns, channels] = site.output;
        let [period, period_step] = self.period;
        let job = DepthwiseJob {
            input: input.as_ptr(),
            input_rows: site.input_rows(rows),
            pitch: site.input.pitch(),
            rows,
            rows_at_once: self.rows_at_once,
            row: columns * channels,
            period,
            period_step,
            stride: site.geometry.stride[0],
            dilation: site.geometry.dilation[0],
            kernel: site.kernel,
            column_step: site.geometry.dilation[1] * channels,
            weights: &self.weights,
            bias: &self.bias,
            output,
        };
        // SAFETY: the table is this CPU's. A block starts inside of the maps and reads SLACK
        // bytes at most from there; outputs and constants were checked by the callers.
        unsafe { (site.table.depthwise)(&job) }
    }
}

//! The general path: output channels in the lanes, group by group.

use super::Site;
use crate::algorithms::channels::{ChannelJob, Output};
use crate::layout::padded_channels;
use crate::packing::{self, Element, Runs, Source};

/// What the algorithm reads.
#[derive(Clone, Debug)]
pub(super) struct Channels {
    runs: Runs,
    /// Of each group: weights and biases.
    groups: Vec<(Vec<u8>, Vec<i32>)>,
}

impl Channels {
    pub(super) fn new(site: &Site, source: &Source<'_>, bias: &[i32]) -> Self {
        let runs = Runs::new(
            site.kernel,
            site.geometry.dilation,
            site.input.pitch(),
            site.input.channels,
            source.inputs,
        );
        let outputs = source.outputs / site.geometry.groups;
        let groups = (0..site.geometry.groups)
            .map(|group| {
                let of_group = Source {
                    outputs,
                    at: &|o, ky, kx, i| (source.at)(group * outputs + o, ky, kx, i),
                    ..*source
                };
                let weights = packing::for_channels(&site.table, Element::Byte, &of_group, &runs);
                let mut bias = bias[group * outputs..][..outputs].to_vec();
                bias.resize(padded_channels(outputs), 0);
                (weights, bias)
            })
            .collect();
        Self { runs, groups }
    }

    /// Makes rows and columns of outputs.
    pub(super) fn run(
        &self,
        site: &Site,
        input: *const u8,
        [rows, columns]: [usize; 2],
        output: Output<'_>,
    ) {
        let shape = site.input;
        let [sy, sx] = site.geometry.stride;
        let inputs = shape.channels / self.groups.len();
        let channels = site.output[2] / self.groups.len();
        for (group, (weights, bias)) in self.groups.iter().enumerate() {
            let job = ChannelJob {
                input: input.wrapping_add(group * inputs),
                rows,
                columns,
                window_step: [sy * shape.pitch(), sx * shape.channels],
                runs: &self.runs.starts,
                quads: self.runs.quads(Element::Byte),
                weights,
                bias,
                channels,
                output: output.of_group(group * channels),
            };
            // SAFETY: the table is this CPU's. The last window ends inside of the maps, and its
            // last quad within SLACK behind them; outputs and constants were checked by the
            // callers, weights packed for these runs.
            unsafe { (site.table.channels_of_bytes)(&job) }
        }
    }
}

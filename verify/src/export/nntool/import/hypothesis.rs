//! Ways in which the files may have come about, each carried out.

use std::cell::OnceCell;
use std::collections::HashSet;

use quant::scheme::Granularity;
use quant::sq8::{NodeRanges, Sq8Network, Sq8Options, Sq8Weights};
use reference::{InputSpec, Network};

use super::{Against, Folder};
use crate::export::ExportError;
use crate::export::nntool::Release;
use crate::export::nntool::source::Source;
use crate::export::nntool::steps::Steps;

/// The parameters that a network would have.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    /// In words.
    pub name: String,
    /// What the files would hold.
    pub steps: Steps,
    /// The parameters of the weighted layers.
    pub layers: Vec<Sq8Weights>,
    /// Their float biases.
    pub biases: Vec<Option<Vec<f32>>>,
}

impl Hypothesis {
    /// As the cause of a difference.
    pub(super) fn reason(&self) -> String {
        self.name.clone()
    }
}

/// What a folder is held against, and what it is made of.
pub(super) struct Maker<'a> {
    folder: &'a Folder,
    against: &'a Against<'a>,
    source: Source,
    others: OnceCell<Vec<Hypothesis>>,
}

/// Ranges, and in words whose they are.
type Ranges = (String, NodeRanges);

impl<'a> Maker<'a> {
    /// # Errors
    /// A network that is none of NNTool's.
    pub(super) fn new(folder: &'a Folder, against: &'a Against<'a>) -> Result<Self, ExportError> {
        Ok(Self {
            folder,
            against,
            source: Source::new(against.float)?,
            others: OnceCell::new(),
        })
    }

    /// What the files should hold: of the state's ranges, or without a state of those of Karat's
    /// images.
    ///
    /// # Errors
    /// A state that lacks a range, or ranges by which the network cannot be quantized.
    pub(super) fn basis(&self) -> Result<Hypothesis, ExportError> {
        let ranges = match self.of_state()? {
            Some(ranges) => ranges,
            None => self.of_images()?,
        };
        let asymmetric = self.asymmetric();
        self.make(&ranges, asymmetric, Granularity::PerChannel)
    }

    /// What they may hold by another setting; made when it is first asked for.
    pub(super) fn others(&self) -> &[Hypothesis] {
        self.others.get_or_init(|| {
            // What cannot be carried out explains nothing.
            let of_state = self.of_state().ok().flatten();
            let own = [self.of_images(), self.of_plain_pixels()];
            let ranges: Vec<Ranges> = of_state
                .into_iter()
                .chain(own.into_iter().flatten())
                .collect();
            let asymmetric = self.asymmetric();
            let settings = [Granularity::PerChannel, Granularity::PerTensor];
            let settings = settings.map(|weights| [(asymmetric, weights), (!asymmetric, weights)]);
            (ranges.iter())
                .flat_map(|ranges| {
                    settings
                        .as_flattened()
                        .iter()
                        .map(move |setting| (ranges, setting))
                })
                .filter_map(|(ranges, &(shifted, weights))| {
                    self.make(ranges, shifted, weights).ok()
                })
                .collect()
        })
    }

    fn make(
        &self,
        (name, ranges): &Ranges,
        asymmetric_outputs: bool,
        weights: Granularity,
    ) -> Result<Hypothesis, ExportError> {
        let options = Sq8Options {
            asymmetric_outputs,
            weights,
        };
        let network = Sq8Network::quantize(&self.source.network, ranges, &options)?;
        let layers: Vec<Sq8Weights> = (network.network().weighted())
            .map(|(_, weights)| weights.clone())
            .collect();
        let of: Vec<&Sq8Weights> = layers.iter().collect();
        let mut words = Vec::new();
        if asymmetric_outputs != self.asymmetric() {
            words.push(symmetry(asymmetric_outputs));
        }
        if weights == Granularity::PerTensor {
            words.push("one weight scale a tensor: quantized_dimension=tensor");
        }
        words.push(name);
        Ok(Hypothesis {
            name: words.join("; "),
            steps: Steps::new(&self.source, &of, self.against.options.release)?,
            layers,
            biases: (self.source.network.weighted())
                .map(|(_, weights)| weights.bias.clone())
                .collect(),
        })
    }

    /// Whether outputs should have zero points: as the commands say, else by the release.
    fn asymmetric(&self) -> bool {
        asked(self.folder).unwrap_or(self.against.options.release == Release::V4_22)
    }

    fn of_state(&self) -> Result<Option<Ranges>, ExportError> {
        let Some((file, state)) = &self.folder.state else {
            return Ok(None);
        };
        let ranges = self.source.ranges_of(state);
        let ranges = ranges.map_err(|node| ExportError::Statistics {
            file: file.clone(),
            node,
        })?;
        Ok(Some((format!("the ranges of {file}"), ranges)))
    }

    fn of_images(&self) -> Result<Ranges, ExportError> {
        let ranges = self.source.ranges(&self.against.images.calibration)?;
        Ok(("the ranges of Karat's calibration images".into(), ranges))
    }

    /// As `-D 255` alone would give them.
    fn of_plain_pixels(&self) -> Result<Ranges, ExportError> {
        let network = &self.source.network;
        let plain = InputSpec {
            mean: 0.0,
            std: 1.0,
            ..network.input().clone()
        };
        let network = Network::new(network.name(), plain, network.layers().to_vec())?;
        let images = network.input().normalize(&self.against.images.calibration);
        let ranges = NodeRanges::observe(&network, &images)?;
        let what = "the ranges of Karat's calibration images under pixel/255 (-D 255), which is \
                    not what the network was trained on";
        Ok((what.into(), ranges))
    }
}

/// What the commands say of zero points of outputs.
fn asked(folder: &Folder) -> Option<bool> {
    let (_, state) = folder.state.as_ref()?;
    let words: HashSet<&str> = (state.history.iter())
        .flat_map(|command| command.split_whitespace())
        .collect();
    let said = |of: [&str; 2]| of.iter().any(|word| words.contains(word));
    match said(["--no_allow_asymmetric_out", "--no_allow_asymmetric"]) {
        true => Some(false),
        false => said(["--allow_asymmetric_out", "--allow_asymmetric"]).then_some(true),
    }
}

fn symmetry(asymmetric: bool) -> &'static str {
    match asymmetric {
        true => "outputs with zero points, the default of release 4.22",
        false => {
            "outputs without zero points, the default of releases 4.0 to 4.13 \
             (--no_allow_asymmetric_out in 4.22)"
        }
    }
}

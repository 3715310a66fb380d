//! What the report says of a network: sections of words and tables.

use super::{decibel, percent, short, text};
use crate::study::{BitsRow, Executed, NetworkStudy, Study, TensorStatistics};

/// A table's heading and rows, numbers to the right.
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    fn new<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> Self {
        Self {
            head: head.map(str::to_owned).to_vec(),
            rows: rows.map(Vec::from).collect(),
        }
    }
}

/// One section: what is seen, and the tables it is seen in.
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) text: String,
    pub(super) tables: Vec<Table>,
}

pub(super) fn subtitle(network: &NetworkStudy) -> String {
    let note = match network.note.as_str() {
        "" => String::new(),
        note => format!("; {note}"),
    };
    format!(
        "{}: accuracies over {} test images (one standard error is {:.1} points), ranges from {} training images{note}.",
        network.data,
        network.images,
        network.float.standard_error(),
        network.calibration_images
    )
}

/// All networks side by side.
pub(super) fn overview(study: &Study) -> Table {
    let bits = |bits: Option<u32>| bits.map_or("more than 16".into(), |bits| bits.to_string());
    Table::new(
        [
            "network",
            "float",
            "int8, symmetric",
            "asymmetric",
            "least bits, symmetric",
            "asymmetric",
            "int8 file / float32",
        ],
        study.networks.iter().map(|network| {
            let int8 = network.bits.iter().find(|row| row.bits == 8);
            let accuracy = |of: fn(&BitsRow) -> &Executed| {
                int8.map_or(String::new(), |row| percent(of(row).integer.percent()))
            };
            let bytes = |stored: &str| {
                let row = network.storage.iter().find(|row| row.stored == stored);
                row.map_or(f64::NAN, |row| row.file as f64)
            };
            [
                network.name.clone(),
                percent(network.float.percent()),
                accuracy(|row| &row.symmetric),
                accuracy(|row| &row.asymmetric),
                bits(network.least_bits.symmetric),
                bits(network.least_bits.asymmetric),
                percent(bytes("int8") / bytes("float32") * 100.0),
            ]
        }),
    )
}

fn statistics(tensors: &[TensorStatistics]) -> Table {
    Table::new(
        [
            "tensor",
            "values",
            "min",
            "max",
            "μ",
            "σ",
            "3σ range",
            "outside 1σ",
            "2σ",
            "3σ",
        ],
        tensors.iter().map(|tensor| {
            let outside = |n: usize| percent(tensor.outside[n].fraction * 100.0);
            let three = &tensor.outside[2];
            [
                tensor.name.clone(),
                tensor.count.to_string(),
                short(tensor.min),
                short(tensor.max),
                short(tensor.mean),
                short(tensor.deviation),
                format!("{} … {}", short(three.low), short(three.high)),
                outside(0),
                outside(1),
                outside(2),
            ]
        }),
    )
}

/// The sections of one network, in the order of the page.
pub(super) fn sections(network: &NetworkStudy) -> Vec<Section> {
    let accuracy = |accuracy: &crate::study::Accuracy| percent(accuracy.percent());
    let executed = |run: &Executed| [&run.weights_only, &run.simulated, &run.integer].map(accuracy);
    let optional = |value: Option<f64>| value.map_or(String::new(), short);
    let training = (!network.training.is_empty()).then(|| Section {
        id: "training",
        title: "Quantization-aware training",
        text: text::training(network),
        tables: vec![Table::new(
            [
                "bits",
                "quantized after training, min–max",
                "least squares",
                "trained with fake quantization",
                "float",
            ],
            network.training.iter().map(|row| {
                [
                    row.bits.to_string(),
                    accuracy(&row.post_training),
                    accuracy(&row.least_squares),
                    accuracy(&row.aware),
                    accuracy(&network.float),
                ]
            }),
        )],
    });
    let mut sections = vec![
        Section {
            id: "weights",
            title: "Weights",
            text: text::weights(network),
            tables: vec![statistics(&network.weights)],
        },
        Section {
            id: "activations",
            title: "Activations",
            text: text::activations(network),
            tables: vec![statistics(&network.activations)],
        },
        Section {
            id: "scales",
            title: "Scales",
            text: text::scales(network),
            tables: vec![
                Table::new(
                    [
                        "layer",
                        "s_W",
                        "s_O relative",
                        "n_W (n_I)",
                        "n_O = M",
                        "S_O absolute",
                        "accumulator bits",
                    ],
                    network.scales.iter().map(|row| {
                        [
                            row.layer.clone(),
                            optional(row.weight),
                            optional(row.relative),
                            short(row.multiply_weight),
                            optional(row.multiply),
                            short(row.absolute),
                            row.accumulator_bits
                                .map_or(String::new(), |bits| bits.to_string()),
                        ]
                    }),
                ),
                Table::new(
                    [
                        "layer",
                        "s_W",
                        "z_W",
                        "S_O",
                        "z_O",
                        "M = s_W·S_I/S_O",
                        "accumulator bits",
                    ],
                    network.zero_points.iter().map(|row| {
                        let (scale, zero_point) = row.output;
                        [
                            row.layer.clone(),
                            optional(row.weight.map(|weight| weight.0)),
                            row.weight
                                .map_or(String::new(), |weight| weight.1.to_string()),
                            short(scale),
                            zero_point.to_string(),
                            optional(row.multiplier),
                            row.accumulator_bits
                                .map_or(String::new(), |bits| bits.to_string()),
                        ]
                    }),
                ),
            ],
        },
        Section {
            id: "ranges",
            title: "Accuracy against range",
            text: text::ranges(network),
            tables: vec![Table::new(
                [
                    "range",
                    "weights only",
                    "int8, activations max-abs",
                    "int8, both at this range",
                ],
                network.ranges.iter().map(|row| {
                    [
                        row.range.clone(),
                        accuracy(&row.weights_only),
                        accuracy(&row.integer),
                        accuracy(&row.everything),
                    ]
                }),
            )],
        },
        Section {
            id: "errors",
            title: "Clipping and rounding, apart",
            text: text::errors(network),
            tables: vec![Table::new(
                [
                    "layer",
                    "tensor",
                    "range",
                    "SQNR",
                    "of clipping alone",
                    "of rounding alone",
                ],
                network.errors.iter().map(|row| {
                    [
                        row.layer.clone(),
                        row.tensor.to_owned(),
                        row.range.clone(),
                        decibel(row.sqnr),
                        decibel(row.clipping),
                        decibel(row.rounding),
                    ]
                }),
            )],
        },
        Section {
            id: "bits",
            title: "Accuracy against bits",
            text: text::bits(network),
            tables: vec![Table::new(
                [
                    "bits",
                    "symmetric, weights only",
                    "simulated",
                    "integer",
                    "asymmetric, weights only",
                    "simulated",
                    "integer",
                ],
                network.bits.iter().map(|row| {
                    let [a, b, c] = executed(&row.symmetric);
                    let [d, e, f] = executed(&row.asymmetric);
                    [row.bits.to_string(), a, b, c, d, e, f]
                }),
            )],
        },
    ];
    sections.push(simulation(network));
    sections.extend(training);
    sections.extend([
        Section {
            id: "storage",
            title: "Memory",
            text: text::storage(network),
            tables: vec![Table::new(
                ["stored as", "parameters, bytes", "file, bytes", "accuracy"],
                network.storage.iter().map(|row| {
                    [
                        row.stored.clone(),
                        row.parameters.to_string(),
                        row.file.to_string(),
                        accuracy(&row.accuracy),
                    ]
                }),
            )],
        },
        Section {
            id: "calibration",
            title: "Calibration",
            text: text::calibration(network),
            tables: vec![Table::new(
                [
                    "calibrated on",
                    "images",
                    "narrowest range, of all images'",
                    "int8",
                ],
                network.calibration.iter().map(|row| {
                    [
                        row.set.clone(),
                        row.images.to_string(),
                        percent(row.narrowest * 100.0),
                        accuracy(&row.accuracy),
                    ]
                }),
            )],
        },
    ]);
    sections
}

fn simulation(network: &NetworkStudy) -> Section {
    let differences = network.simulation.iter().flat_map(|row| {
        (row.differences.iter()).map(|difference| {
            [
                row.scheme.clone(),
                difference.layer.clone(),
                format!("{:?}", difference.position),
                difference.code.to_string(),
                difference.expected.to_string(),
                short(difference.to_boundary),
                short(difference.allowed),
            ]
        })
    });
    let listed = Table::new(
        [
            "scheme",
            "layer",
            "at",
            "code",
            "PyTorch's",
            "steps from a boundary",
            "at most",
        ],
        differences,
    );
    let counted = Table::new(
        ["scheme", "codes compared", "differing", "not explained"],
        network.simulation.iter().map(|row| {
            let unexplained = row.differences.iter().filter(|d| !d.explained);
            [
                row.scheme.clone(),
                row.compared.to_string(),
                row.differences.len().to_string(),
                unexplained.count().to_string(),
            ]
        }),
    );
    let mut tables = vec![counted];
    if !listed.rows.is_empty() {
        tables.push(listed);
    }
    Section {
        id: "simulation",
        title: "The simulated network beside PyTorch's",
        text: text::simulation(network),
        tables,
    }
}

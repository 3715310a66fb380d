//! The registry against what the real libraries computed: by contract, not one code differs.

use fixtures::Fixtures;
use fixtures::contracts::{ContractBias, ContractCase, ContractVectors};
use quant::contracts::{ALL, Channel, Clamp, Contract};
use quant::scheme::Granularity;
use rstest::rstest;

/// The contract of a kernel; of LiteRT's fully connected one and depthwise tails it depends on
/// the case and the channel.
fn contract(library: &str, case: &ContractCase, channel: usize) -> &'static Contract {
    let per_tensor = case.weight_scales.len() == 1;
    let name = match (library, case.kernel()) {
        ("torch", "fbgemm_linear" | "fbgemm_conv2d") => "pytorch-fbgemm",
        ("torch", "x86_linear") => "pytorch-x86-linear",
        ("torch", "x86_conv2d") => "pytorch-x86-conv",
        ("torch", "onednn_linear") => "pytorch-onednn-linear",
        ("torch", "onednn_conv2d") => "pytorch-onednn-conv",
        ("torch", "qnnpack_linear" | "qnnpack_conv2d") => "pytorch-qnnpack",
        ("torch", "pt2e_linear" | "pt2e_conv2d") => "pt2e-x86-inductor",
        ("onnxruntime", _) => "onnxruntime-qlinear",
        ("litert", "reference_conv_2d" | "reference_depthwise_conv_2d") => "litert-reference-conv",
        ("litert", "reference_fully_connected") => "litert-reference-fc",
        ("litert", "optimized_fully_connected") if per_tensor => "litert-optimized-fc-per-tensor",
        // Blocks of eight channels are vectorized, and what is left over is as the reference.
        ("litert", "optimized_depthwise_conv_2d") if channel >= case.channels() / 8 * 8 => {
            "litert-reference-conv"
        }
        (
            "litert",
            "optimized_conv_2d" | "optimized_fully_connected" | "optimized_depthwise_conv_2d",
        ) => "litert-optimized",
        ("litert", "xnnpack_conv_2d" | "xnnpack_depthwise_conv_2d" | "xnnpack_fully_connected") => {
            "litert-xnnpack"
        }
        ("tflite_micro", _) => "tflite-micro",
        (_, kernel) => panic!("no contract for {library}, {kernel}"),
    };
    ALL.iter()
        .find(|contract| contract.name == name)
        .expect(name)
}

/// What was compared of one library.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    compared: usize,
    /// The contract has no numbers for these scales, and says so.
    refused: usize,
    differing: usize,
    first: Option<String>,
}

fn check(library: &str) -> Seen {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    let vectors = ContractVectors::load(&fixtures, library).unwrap();
    let mut seen = Seen::default();
    for case in &vectors.cases {
        let channels = case.channels();
        for block in &case.blocks {
            let (accumulators, outputs) = (case.accumulators(block), case.outputs(block));
            for channel in 0..channels {
                let contract = contract(library, case, channel);
                let (low, high) = block.clamp;
                let made = contract.prepare(&Channel {
                    input_scale: case.input_scale,
                    weight_scale: case.weight_scale(channel),
                    output_scale: case.output_scale,
                    output_zero_point: block.zero_point,
                    clamp: Clamp { low, high },
                    bias: match &case.bias {
                        ContractBias::Float32(bias) => Some(bias[channel]),
                        _ => None,
                    },
                    granularity: match case.weight_scales.len() {
                        1 => Granularity::PerTensor,
                        _ => Granularity::PerChannel,
                    },
                });
                let rows = accumulators.len() / channels;
                let Ok(made) = made else {
                    seen.refused += rows;
                    continue;
                };
                for row in 0..rows {
                    let at = row * channels + channel;
                    let (acc, expected) = (accumulators[at], outputs[at]);
                    seen.compared += 1;
                    let got = made.requantize(acc);
                    if got != expected {
                        seen.differing += 1;
                        seen.first.get_or_insert_with(|| {
                            format!("{}, {contract:?}, channel {channel}, acc {acc}, z {}: expected {expected}, got {got}, {made:?}", case.name, block.zero_point)
                        });
                    }
                }
            }
        }
    }
    println!("{library}: {seen:?}");
    seen
}

#[rstest]
#[case("torch")]
#[case("onnxruntime")]
#[case("litert")]
#[case("tflite_micro")]
fn no_code_differs(#[case] library: &str) {
    let seen = check(library);
    assert_eq!((seen.differing, seen.first), (0, None), "{library}");
    assert!(seen.compared > 200_000, "{library}: {}", seen.compared);
    assert_eq!(seen.refused, 0, "{library}");
}

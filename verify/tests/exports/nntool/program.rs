//! `model.c`, compiled with calls of our own in the AutoTiler's place, and run: what it declares
//! fits together, and the files that it names.

mod faults;
mod said;

use reference::{Layer, Network, Op};

use super::*;
use crate::exports::c::compiler;
use faults::faults;
use said::run;

/// What is wrong with `lab` once a text in its program is another one.
fn faults_after(from: &str, to: &str) -> Vec<String> {
    let mut files = export(lab(), NntoolOptions::default());
    let file = files
        .iter_mut()
        .find(|file| file.path == "model.c")
        .unwrap();
    let program = String::from_utf8(std::mem::take(&mut file.bytes)).unwrap();
    assert_eq!(program.matches(from).count(), 1, "{from}");
    file.bytes = program.replace(from, to).into_bytes();
    faults(lab(), &files)
}

#[test]
fn the_program_of_lab() {
    let lab = Subject::new("lab", ModelScheme::NntoolSq8, GOLDEN);
    let files = export(&lab, NntoolOptions::default());
    insta::assert_snapshot!("model_c", text(&files, "model.c"));
}

#[rstest]
fn every_program_fits_together(
    #[values("lab", "lab-bias", "lenet5-cifar10", "lenet5-mnist", "mlp-mnist")] network: &str,
    #[values(ModelScheme::NntoolSq8, ModelScheme::NntoolSq8Symmetric)] scheme: ModelScheme,
) {
    if !compiler::found() {
        return;
    }
    assert!(fixtures::NETWORKS.contains(&network));
    assert_eq!(fixtures::NETWORKS.len(), 5);
    let subject = Subject::new(network, scheme, GOLDEN);
    for release in Release::ALL {
        let options = NntoolOptions {
            release,
            ..NntoolOptions::default()
        };
        let faults = faults(&subject, &export(&subject, options));
        assert!(
            faults.is_empty(),
            "{network}, {scheme}:\n{}",
            faults.join("\n")
        );
    }
}

#[rstest]
#[case::a_multiplier_and_a_shift(
    r#"READS("S6_Mul_scale"), READS("S6_Mul_shift")"#,
    r#"READS("S6_Mul_shift"), READS("S6_Mul_scale")"#,
    &["S6__conv2_Conv_fusion: S6_Mul_shift is signed char, expected unsigned char",
      "S6__conv2_Conv_fusion: S6_Mul_shift is not the node's _Mul_scale"]
)]
#[case::bias_before_filter(
    r#"READS("_fc2_matmul_weights"), READS("_fc2_matmul_biases")"#,
    r#"READS("_fc2_matmul_biases"), READS("_fc2_matmul_weights")"#,
    &["S12__fc2_MatMul_fusion: _fc2_matmul_biases is signed int, expected signed char",
      "S12__fc2_MatMul_fusion: tensors/_fc2_matmul_weights.tensor has 10080 bytes, expected 84: [84]"]
)]
#[case::infos_of_another_node(
    r#"READS("S9_Infos")"#,
    r#"READS("S12_Infos")"#,
    &["S9__fc1_MatMul_fusion: S12_Infos is not the node's _Infos", "no node reads S9_Infos"]
)]
#[case::a_reader_that_writes(
    r#"WRITES("output_1")"#,
    r#"READS("output_1")"#,
    &["S15__fc3_MatMul: reads output_1", "no node writes output_1"]
)]
#[case::a_name_that_is_none(
    r#"READS("S3_Output")"#,
    r#"READS("S4_Output")"#,
    &["S6__conv2_Conv_fusion: binds S4_Output, which is not declared"]
)]
#[case::the_output_of_the_layer_before(
    r#"READS("S9_Output")"#,
    r#"READS("S6_Output")"#,
    &["S12__fc2_MatMul_fusion: reads [120] of S6_Output, which is [16, 5, 5]",
      "no node reads S9_Output"]
)]
#[case::an_argument_that_nobody_reads(
    r#"READS("input_1")"#,
    r#"READS("_conv1_conv_weights")"#,
    &["S3__conv1_Conv_fusion: _conv1_conv_weights is a constant", "no node reads input_1"]
)]
#[case::columns_of_a_filter(
    "6, 16, 14, 14,\n        KOP_CONV, 5, 5",
    "6, 16, 14, 14,\n        KOP_CONV, 3, 5",
    &["S6__conv2_Conv_fusion: tensors/_conv2_conv_weights.tensor has 2400 bytes, expected 1440: [16, 6, 5, 3]",
      "S9__fc1_MatMul_fusion: reads [400] of S6_Output, which is [16, 5, 6]"]
)]
#[case::the_size_of_the_input(
    "3, 6, 32, 32",
    "3, 6, 28, 32",
    &["S3__conv1_Conv_fusion: reads [3, 32, 28] of input_1, which is [3, 32, 32]"]
)]
#[case::a_pool_that_is_gone(
    "6, 16, 14, 14,\n        KOP_CONV, 5, 5, 1, 1, 1, 1, 0,\n        KOP_MAXPOOL, 2, 2, 1, 1, 2, 2, 0,",
    "6, 16, 14, 14,\n        KOP_CONV, 5, 5, 1, 1, 1, 1, 0,\n        NO_POOL,",
    &["S9__fc1_MatMul_fusion: reads [400] of S6_Output, which is [16, 10, 10]"]
)]
#[case::an_activation_too_many(
    "84, 10, KOP_LINEAR, KOP_NONE",
    "84, 10, KOP_LINEAR, KOP_RELU",
    &["S15__fc3_MatMul: has the activation relu, expected none"]
)]
#[case::another_file(
    r#"KARAT_TENSORS "tensors/""#,
    r#"KARAT_TENSORS "tensor/""#,
    &["S3__conv1_Conv_fusion: there is no tensor/_conv1_conv_weights.tensor"]
)]
#[case::another_type(
    r#"INT32("_fc3_matmul_biases")"#,
    r#"INT8("_fc3_matmul_biases")"#,
    &["S15__fc3_MatMul: _fc3_matmul_biases is signed char, expected signed int",
      "S15__fc3_MatMul: tensors/_fc3_matmul_biases.tensor has 40 bytes, expected 10: [10]"]
)]
#[case::bits_that_are_not_those_of_the_type(
    r#"TENSOR("unsigned char", 8"#,
    r#"TENSOR("unsigned char", 16"#,
    &["S3__conv1_Conv_fusion: tensors/S3_Mul_scale.tensor has 6 bytes, expected 12: [6]"]
)]
#[case::a_shape_beside_a_tensor(
    r#"[84] */ INT32("_fc2"#,
    r#"[48] */ INT32("_fc2"#,
    &["_fc2_matmul_biases: the comment says 192 bytes"]
)]
#[case::a_count("CArgs(27,", "CArgs(26,", &["CArgs says 26 and has 27 entries"])]
#[case::an_argument_twice(
    r#"UINT8("S6_Mul_scale")"#,
    r#"UINT8("S3_Mul_scale")"#,
    &["S3_Mul_scale is declared twice",
      "S6__conv2_Conv_fusion: binds S6_Mul_scale, which is not declared",
      "tensors/S6_Mul_scale.tensor is no constant of the graph"]
)]
#[case::a_node_under_another_name(
    r#"AddNode("S15__fc3_MatMul""#,
    r#"AddNode("S15__fc3""#,
    &["S15__fc3: is no kernel, or a second one", "S15__fc3_MatMul is in no node", "output_1 is None, expected [10]"]
)]
#[case::an_end_that_goes_in(
    r#"OUTPUT_END("output_1")"#,
    r#"INPUT_END("output_1")"#,
    &["output_1 is end in signed char L2  0"]
)]
#[case::no_code("    GenerateTilingCode();\n", "", &["the calls are in the order"])]
#[case::a_number_for_a_word("KOP_LINEAR, KOP_NONE", "KOP_LINEAR, 7", &["int-conversion"])]
fn a_program_that_is_wrong_is_noticed(
    #[case] from: &str,
    #[case] to: &str,
    #[case] expected: &[&str],
) {
    if !compiler::found() {
        return;
    }
    let faults = faults_after(from, to);
    for expected in expected {
        assert!(
            faults.iter().any(|fault| fault.contains(expected)),
            "{expected}, not in:\n{}",
            faults.join("\n")
        );
    }
}

#[test]
fn what_depends_on_the_board_can_be_said_otherwise() {
    if !compiler::found() {
        return;
    }
    let mut files = export(lab(), NntoolOptions::default());
    let said = run(&files).unwrap();
    assert!(
        said.contains("memory\tL1\t49152\tlab_L1_Memory\n"),
        "{said}"
    );
    assert!(
        said.contains("generates\tlabKernels.c\tlabKernels.h\n"),
        "{said}"
    );
    let file = files
        .iter_mut()
        .find(|file| file.path == "model.c")
        .unwrap();
    let defined =
        "#define KARAT_L1_BYTES 114688\n#define KARAT_RAM AT_MEM_L2\n#define KARAT_TENSORS \"\"\n";
    file.bytes.splice(0..0, defined.bytes());
    let other = run(&files).unwrap();
    assert!(
        other.contains("memory\tL1\t114688\tlab_L1_Memory\n"),
        "{other}"
    );
    assert!(
        other.contains("memory\tL2\t8388608\tlab_L3_Memory\n"),
        "{other}"
    );
    assert!(other.contains("\tflash\tS3_Infos.tensor\t8\n"), "{other}");
}

/// `lab` with other layers, whose parameters are left as they are.
fn refused(change: impl FnOnce(&mut [Layer<reference::Weights<f32>>])) -> String {
    let mut subject = lab().clone();
    let float = &subject.model.origin.float;
    let mut layers = float.layers().to_vec();
    change(&mut layers);
    let network = Network::new(float.name(), float.input().clone(), layers);
    subject.model.origin.float = network.unwrap();
    let options = Options::default();
    subject.export("nntool", &options).unwrap_err().to_string()
}

#[test]
fn what_the_autotiler_has_no_call_for_is_refused() {
    let padded = refused(|layers| {
        let pools = layers.iter_mut().filter_map(|layer| match &mut layer.op {
            Op::MaxPool2d(geometry) => Some(geometry),
            _ => None,
        });
        pools.take(1).for_each(|pool| pool.padding = [1, 1]);
    });
    assert_eq!(
        padded,
        "lab, _conv1_Conv_fusion: nntool cannot express a pool with padding [1, 1]; choose a network without it"
    );
    let name = refused(|layers| layers[0].name = "conv-1".into());
    assert_eq!(
        name,
        "lab, S1__conv-1_conv_weights: nntool cannot express the name \"S1__conv-1_conv_weights\"; take ASCII letters, digits and _, no digit first"
    );
}

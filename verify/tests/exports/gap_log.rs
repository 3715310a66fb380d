//! A log of a board, as it is written and as it comes back.

use rstest::rstest;
use verify::export::gap_log::{Comparison, LogOutcome, LogTensor, parse, write};

fn tensor(node: &str, shape: &[usize], values: impl Iterator<Item = i32>) -> LogTensor {
    LogTensor {
        node: node.into(),
        argument: "Out".into(),
        shape: shape.to_vec(),
        item_size: 1,
        values: values.take(shape.iter().product()).collect(),
    }
}

/// Every int8 in turn.
fn codes() -> impl Iterator<Item = i32> {
    (-128..128).cycle()
}

#[test]
fn the_text_is_as_the_board_prints_it() {
    let two = [
        tensor("S3_conv", &[2, 1, 31], codes()),
        tensor("S6_fc", &[2], codes()),
    ];
    insta::assert_snapshot!(write(&two));
}

#[rstest]
#[case(&[1])]
#[case(&[10])]
#[case(&[30])]
#[case(&[31])]
#[case(&[3, 61])]
#[case(&[1, 1, 1])]
#[case(&[6, 14, 14])]
#[case(&[3, 2, 60])]
#[case(&[2, 3, 2, 5])]
#[case(&[2, 1, 3, 2, 4])]
fn every_shape_comes_back(#[case] shape: &[usize]) {
    let mut wide = tensor("lab_S1_a", shape, (-100_000..).step_by(99_991));
    (wide.item_size, wide.argument) = (4, "Bias".into());
    let tensors = [tensor("S0_b", shape, codes()), wide];
    assert_eq!(parse(&write(&tensors)), Ok(tensors.to_vec()));
}

#[test]
fn whatever_else_a_board_prints_is_passed_over() {
    let tensors = [
        tensor("S3_conv", &[2, 3, 40], codes()),
        tensor("S6_fc", &[7], codes()),
    ];
    let mut text = String::from(" 12 13\nD0: 4\nbooting\r\n");
    for line in write(&tensors).lines() {
        let noise = [
            "[cluster] 3 cycles: 400\r\n",
            "\n",
            "  x 1 2\n",
            "D9: 1\n",
            // An axis more than there are, the last one's index, a range of another axis.
            "D3: 1\n",
            "D2: 5\n",
            "D1:0..3\n",
            "7\n",
            "Node: idle\n",
        ];
        // The tensor before it is whole.
        if line.starts_with("Node: S6_fc") {
            text.push_str("D0: 7\n");
        }
        text.push_str(line);
        text.push_str("\r\n");
        for noise in noise {
            text.push_str(noise);
        }
    }
    text.push_str(" 99 98\nD0: 7\n");
    assert_eq!(parse(&text), Ok(tensors.to_vec()));
}

#[test]
fn a_lost_line_is_noticed_wherever_it_is() {
    let tensors = [
        tensor("S3_conv", &[2, 3, 40], codes()),
        tensor("S6_fc", &[31], codes()),
    ];
    let text = write(&tensors);
    let lines: Vec<&str> = text.lines().collect();
    let mut lost = 0;
    for at in 0..lines.len() {
        let mut rest = lines.clone();
        let line = rest.remove(at);
        // A plane's line says nothing that the rows do not.
        if line.starts_with("D0: ") && !line.contains("..") {
            assert_eq!(parse(&rest.join("\n")), Ok(tensors.to_vec()), "{line}");
            continue;
        }
        match parse(&rest.join("\n")) {
            Err(_) => lost += 1,
            // The whole of a tensor but its values.
            Ok(read) => assert!(
                line.starts_with("Node") && read.len() == 1,
                "{line}: {read:?}"
            ),
        }
    }
    assert!(lost > 15, "{lost}");
}

#[rstest]
#[case("", "holds no tensor; build the model with GRAPH_DUMP_TENSOR")]
#[case(
    "Node: , Argument: Out, Dim: 1, [1][1][1][1][1] ItemSize: 1",
    "it names no node"
)]
#[case(
    "Node: a, Argument: , Dim: 1, [1][1][1][1][1] ItemSize: 1",
    "it names no argument"
)]
#[case(
    "Node: a, Argument: Out, Dim: 0, [1][1][1][1][1] ItemSize: 1",
    "Dim is not 1 to 5"
)]
#[case(
    "Node: a, Argument: Out, Dim: 6, [1][1][1][1][1] ItemSize: 1",
    "Dim is not 1 to 5"
)]
#[case(
    "Node: a, Argument: Out, Dim: 1, [1][1][1][1][1] ItemSize: 3",
    "ItemSize is not 1, 2 or 4"
)]
#[case(
    "Node: a, Argument: Out, Dim: 1, [1][1][1][1][1]",
    "ItemSize is not 1, 2 or 4"
)]
#[case(
    "Node: a, Argument: Out, Dim: 1, [1][1][1][1] ItemSize: 1",
    "it has no five extents"
)]
#[case(
    "Node: a, Argument: Out, Dim: 1, [1][1][1][1][0] ItemSize: 1",
    "it has no five extents above 0"
)]
#[case(
    "Node: a, Argument: Out, Dim: 1, ][ ItemSize: 1",
    "it has no five extents"
)]
#[case(
    "Node: a, Argument: Out, Dim: 1, [1][1][1][2][1] ItemSize: 1",
    "more extents than Dim says"
)]
#[case(
    "Node: a, Argument: Out, Dim: 5, [9][9][9][9][9] ItemSize: 1",
    "more than the log can hold"
)]
#[case(
    "Node: a, Argument: Out, Dim: 1, [1][1][1][1][50] ItemSize: 1",
    "more than the log can hold"
)]
#[case(
    "Node: a, Argument: Out, Dim: 3, [1][1][4294967296][4294967296][2] ItemSize: 1",
    "more than the log can hold"
)]
#[case(
    "HEAD 2 [1][1][1][2][2]\nD0: 1 - D1:0..2",
    "line 2: a, Out: D0 is 1, expected 0: lines of the log are lost"
)]
#[case("HEAD 3 [1][1][2][1][2]\nD0: 1", "line 2: a, Out: D0 is 1, expected 0")]
#[case(
    "HEAD 1 [1][1][1][1][2]\nD0:0..2\n 1 2 3",
    "line 3: a, Out: row 0 has 3 values, expected 2"
)]
#[case(
    "HEAD 1 [1][1][1][1][2]\nD0:0..2\n 1",
    "line 3: a, Out: row 0 has 1 values, expected 2"
)]
#[case(
    "HEAD 2 [1][1][1][2][2]\nD0: 0 - D1:0..2\n 1\nD0: 1 - D1:0..2",
    "line 4: a, Out: row 0 has 1 values"
)]
#[case(
    "HEAD 2 [1][1][1][2][2]\nD0: 0 - D1:0..2\n 1 2\n",
    "a, Out ends after 1 of 2 rows"
)]
#[case("HEAD 1 [1][1][1][1][1]\nD0:0..1\n 256", "256 is no value of 1 bytes")]
#[case(
    "HEAD 1 [1][1][1][1][1]\nD0:0..1\n -129",
    "-129 is no value of 1 bytes"
)]
#[case(
    "HEAD 1 [1][1][1][1][1]\nD0:0..1\n 99999999999999999999999999",
    "9999 is no value of 1 bytes"
)]
fn a_damaged_log_is_refused(#[case] text: &str, #[case] expected: &str) {
    // Long enough for the shape that is claimed.
    let text = match text.strip_prefix("HEAD ") {
        Some(rest) => format!(
            "Node: a, Argument: Out, Dim: {}",
            rest.replacen(" [", ", [", 1)
                .replacen("]\n", "] ItemSize: 1\n", 1)
        ),
        None => text.to_owned(),
    };
    let error = parse(&text).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[rstest]
#[case(1, -128, 255)]
#[case(2, -32_768, 65_535)]
#[case(4, i32::MIN.into(), i32::MAX.into())]
fn values_are_those_of_their_bytes(#[case] size: usize, #[case] low: i64, #[case] high: i64) {
    let read = |value: i64| {
        parse(&format!(
            "Node: a, Argument: In, Dim: 1, [1][1][1][1][1] ItemSize: {size}\nD0:0..1\n {value}\n"
        ))
    };
    for value in [low, high] {
        assert_eq!(i64::from(read(value).unwrap()[0].values[0]), value);
    }
    for value in [low - 1, high + 1] {
        assert!(read(value).is_err(), "{value}");
    }
}

#[test]
fn a_comparison_names_the_first_node_and_place() {
    let expected = [
        tensor("S3_conv", &[2, 2, 3], codes()),
        tensor("S6_fc", &[10], codes()),
        tensor("S9_out", &[2], codes()),
    ];
    let same = Comparison::new(&expected, &expected);
    assert_eq!(same.first_difference(), None);
    assert_eq!(
        (same.nodes.len(), same.missing.len(), same.unknown.len()),
        (3, 0, 0)
    );

    // Another count of steps, the graph's name, and its input, which is no output.
    let mut log = expected.clone();
    log[0].node = "lab_S4_conv".into();
    log[1].node = "S7_fc".into();
    log[2].node = "S10_other".into();
    (log[1].values[3], log[1].values[9]) = (-120, 9);
    let mut input = tensor("S4_conv", &[1], codes());
    input.argument = "In".into();
    let log = [vec![input], log.to_vec()].concat();
    let comparison = Comparison::new(&expected, &log);
    assert_eq!(comparison.missing, ["S9_out"]);
    assert_eq!(comparison.unknown, ["S10_other"]);
    assert_eq!(
        comparison.nodes[0].outcome,
        LogOutcome::Equal { values: 12 }
    );
    let first = comparison.first_difference().unwrap();
    assert_eq!(first.node, "S6_fc");
    assert_eq!(
        first.outcome.to_string(),
        "2 of 10 values differ, by at most 128; the first at [3]: -120, expected -125"
    );
}

#[test]
fn places_are_counted_by_their_axes_and_shapes_must_agree() {
    let expected = [tensor("S3_conv", &[2, 2, 3], codes())];
    let mut got = expected.clone();
    got[0].values[10] += 1;
    let first = |got: &[LogTensor]| Comparison::new(&expected, got).nodes[0].outcome.to_string();
    assert!(first(&got).ends_with("the first at [1, 1, 1]: -117, expected -118"));
    got[0].shape = vec![3, 2, 2];
    assert_eq!(first(&got), "has shape [3, 2, 2], expected [2, 2, 3]");
    got[0].shape = vec![12];
    assert_eq!(first(&got), "has shape [12], expected [2, 2, 3]");
    // Extents of 1 in front are no other shape.
    got[0].shape = vec![1, 2, 2, 3];
    assert!(first(&got).starts_with("1 of 12"));
}

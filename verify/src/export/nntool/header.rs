//! `model.h`: what firmware knows of every node's output.
//!
//! ```c
//! #define <graph>_<node>_OUT_SCALE 0.030612245
//! #define <graph>_<node>_OUT_QSCALE 125
//! #define <graph>_<node>_OUT_QNORM 12
//! #define <graph>_<node>_OUT_ZERO_POINT -128
//! ```
//!
//! Before release 4.7 names had no graph before them, before 3.9.1 there was no zero point: both
//! are read.

use std::collections::HashMap;
use std::fmt::Write;

use super::qscale::{Form, QScale};

/// What the header says of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeScale {
    /// As it is written: with the graph before it, where the header has it.
    pub node: String,
    /// The real size of an output code; of a constant with a scale a channel, of the first.
    pub scale: f64,
    /// The same in 7 bits.
    pub constants: QScale,
    /// The code that stands for 0; none before release 3.9.1.
    pub zero_point: Option<i32>,
}

/// A header that is none of a scaled model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// A value that cannot be.
    #[error("line {line}: {name} is {value:?}, expected {expected}")]
    Value {
        /// Counted from 1.
        line: usize,
        /// The name defined.
        name: String,
        /// Its value.
        value: String,
        /// What had to be there.
        expected: &'static str,
    },
    /// Two values for one name.
    #[error("line {line}: {name} is defined twice")]
    Twice {
        /// Counted from 1.
        line: usize,
        /// The name.
        name: String,
    },
    /// A node of which a constant is missing.
    #[error("{node} has no {missing}")]
    Missing {
        /// The node.
        node: String,
        /// What is missing.
        missing: &'static str,
    },
    /// A model of powers of two.
    #[error(
        "line {line}: {name} is a constant of a POW2 model; quantize with --scheme SQ8, the only scheme that is read here"
    )]
    PowerOfTwo {
        /// Counted from 1.
        line: usize,
        /// The name.
        name: String,
    },
    /// No constant at all.
    #[error(
        "defines no <node>_OUT_SCALE; expected the file that nntool writes with -H of an SQ8 model"
    )]
    Empty,
}

/// The header of a graph: `nodes` are names as they are to be written, scales, zero points.
pub fn write<'a>(
    graph: &str,
    form: Form,
    nodes: impl IntoIterator<Item = (&'a str, f64, i32)>,
) -> String {
    let guard = format!("{}_MODEL_H", graph.to_uppercase());
    let mut text = format!(
        "#ifndef {guard}\n#define {guard}\n\
         // A code q of a node stands for OUT_SCALE * (q - OUT_ZERO_POINT), or\n\
         // ((q - OUT_ZERO_POINT) * OUT_QSCALE) >> OUT_QNORM in whole units.\n"
    );
    // Writing to a string does not fail.
    for (node, scale, zero_point) in nodes {
        let QScale { scale: q, norm } = QScale::new(scale, form);
        let _ = writeln!(text, "\n// {node}");
        if QScale::is_at_fault(scale) {
            let _ = writeln!(text, "// {}", fault(scale, form));
        }
        let name = format!("{node}_OUT");
        // As many digits as float64 needs to come back.
        let _ = writeln!(text, "#define {name}_SCALE {scale:?}");
        let _ = writeln!(text, "#define {name}_QSCALE {q}");
        let _ = writeln!(text, "#define {name}_QNORM {norm}");
        let _ = writeln!(text, "#define {name}_ZERO_POINT {zero_point}");
    }
    let _ = writeln!(text, "\n#endif // {guard}");
    text
}

/// What is to be known of a scale for which the two forms differ.
pub fn fault(scale: f64, form: Form) -> String {
    let [right, faithful] = [Form::Right, Form::Faithful].map(|form| QScale::new(scale, form).norm);
    match form {
        Form::Right => format!("nntool writes QNORM {faithful} here: 4 times too small"),
        Form::Faithful => format!("4 times too small, as nntool writes it: right is QNORM {right}"),
    }
}

/// What is known of a node so far.
#[derive(Default)]
struct Partial {
    scale: Option<f64>,
    q: Option<u8>,
    norm: Option<i32>,
    zero_point: Option<i32>,
}

/// The nodes of a header, in its order.
///
/// # Errors
/// A value that cannot be, one that is missing or there twice, or none at all.
pub fn parse(text: &str) -> Result<Vec<NodeScale>, HeaderError> {
    let mut nodes: Vec<(&str, Partial)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (at, text) in text.lines().enumerate() {
        let line = at + 1;
        let mut words = text.split_whitespace();
        let (Some("#define"), Some(name)) = (words.next(), words.next()) else {
            continue;
        };
        if name.ends_with("_Q") {
            let name = name.to_owned();
            return Err(HeaderError::PowerOfTwo { line, name });
        }
        // The longer ending first: a node may be called anything.
        let endings = ["_OUT_QSCALE", "_OUT_QNORM", "_OUT_ZERO_POINT", "_OUT_SCALE"];
        let Some((node, ending)) = (endings.iter())
            .find_map(|ending| Some((name.strip_suffix(ending)?, *ending)))
            .filter(|(node, _)| !node.is_empty())
        else {
            continue;
        };
        let value = words.next().unwrap_or_default();
        let wrong = |expected| HeaderError::Value {
            line,
            name: name.to_owned(),
            value: value.to_owned(),
            expected,
        };
        let place = *places.entry(node).or_insert_with(|| {
            nodes.push((node, Partial::default()));
            nodes.len() - 1
        });
        let of = &mut nodes[place].1;
        let is_twice = match ending {
            "_OUT_SCALE" => {
                let scale = value
                    .parse()
                    .ok()
                    .filter(|s: &f64| *s > 0.0 && s.is_finite());
                let scale = scale.ok_or_else(|| wrong("a positive number"))?;
                of.scale.replace(scale).is_some()
            }
            "_OUT_QSCALE" => {
                let q = value.parse().map_err(|_| wrong("0 to 255"))?;
                of.q.replace(q).is_some()
            }
            "_OUT_QNORM" => {
                let norm = value.parse().map_err(|_| wrong("an integer"))?;
                of.norm.replace(norm).is_some()
            }
            _ => {
                let zero_point = value.parse().map_err(|_| wrong("an integer"))?;
                of.zero_point.replace(zero_point).is_some()
            }
        };
        if is_twice {
            let name = name.to_owned();
            return Err(HeaderError::Twice { line, name });
        }
    }
    if nodes.is_empty() {
        return Err(HeaderError::Empty);
    }
    (nodes.into_iter().map(|(node, of)| whole(node, &of))).collect()
}

fn whole(node: &str, of: &Partial) -> Result<NodeScale, HeaderError> {
    let missing = |missing| HeaderError::Missing {
        node: node.to_owned(),
        missing,
    };
    Ok(NodeScale {
        node: node.to_owned(),
        scale: of.scale.ok_or_else(|| missing("_OUT_SCALE"))?,
        constants: QScale {
            scale: of.q.ok_or_else(|| missing("_OUT_QSCALE"))?,
            norm: of.norm.ok_or_else(|| missing("_OUT_QNORM"))?,
        },
        zero_point: of.zero_point,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn what_is_written_reads_back_exactly() {
        let scales = [
            (2.0 / 255.0, 0),
            (0.030_612_245_343_625_545, -128),
            (f64::from(0.1f32), 127),
            (1.0, 0),
            (f64::MIN_POSITIVE, -1),
            (1e300, 3),
            (0.9999, -128),
        ];
        let names: Vec<String> = (0..scales.len()).map(|at| format!("S{at}_node")).collect();
        for form in [Form::Right, Form::Faithful] {
            let nodes = (names.iter().zip(scales)).map(|(name, (s, z))| (name.as_str(), s, z));
            let read = parse(&write("lab", form, nodes.clone())).unwrap();
            let expected: Vec<NodeScale> = nodes
                .map(|(name, scale, z)| NodeScale {
                    node: name.into(),
                    scale,
                    constants: QScale::new(scale, form),
                    zero_point: Some(z),
                })
                .collect();
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn a_scale_at_the_fault_has_a_remark_and_no_other_has() {
        let nodes = [("a", 0.5, 0), ("b", 0.9999, 0)];
        let right = write("g", Form::Right, nodes);
        assert_eq!(right.matches("times too small").count(), 1);
        assert!(right.contains("// b\n// nntool writes QNORM 8 here: 4 times too small\n"));
        assert!(right.contains("b_OUT_QNORM 6"));
        let faithful = write("g", Form::Faithful, nodes);
        assert!(faithful.contains("as nntool writes it: right is QNORM 6\n"));
        assert!(faithful.contains("b_OUT_QNORM 8"));
    }

    #[test]
    fn older_headers_are_read() {
        let text = "#ifndef X\r\n#define X\r\n#define S0_in_OUT_SCALE\t0.0078125\r\n\
                    #define S0_in_OUT_QSCALE\t64\r\n#define S0_in_OUT_QNORM\t13\r\n#endif\r\n";
        let expected = NodeScale {
            node: "S0_in".into(),
            scale: 0.0078125,
            constants: QScale {
                scale: 64,
                norm: 13,
            },
            zero_point: None,
        };
        assert_eq!(parse(text), Ok(vec![expected]));
    }

    #[rstest]
    #[case("", "defines no <node>_OUT_SCALE")]
    #[case("#define _OUT_SCALE 1", "defines no <node>_OUT_SCALE")]
    #[case(
        "#define a_OUT_SCALE",
        "line 1: a_OUT_SCALE is \"\", expected a positive number"
    )]
    #[case("\n#define a_OUT_SCALE nan", "line 2: a_OUT_SCALE is \"nan\"")]
    #[case("#define a_OUT_SCALE inf", "expected a positive number")]
    #[case("#define a_OUT_SCALE 0", "expected a positive number")]
    #[case("#define a_OUT_SCALE -1", "expected a positive number")]
    #[case(
        "#define a_OUT_QSCALE 256",
        "a_OUT_QSCALE is \"256\", expected 0 to 255"
    )]
    #[case("#define a_OUT_QNORM 1.5", "expected an integer")]
    #[case("#define a_OUT_ZERO_POINT 99999999999", "expected an integer")]
    #[case(
        "#define a_OUT_SCALE 1\n#define a_OUT_SCALE 1",
        "line 2: a_OUT_SCALE is defined twice"
    )]
    #[case(
        "#define a_OUT_QNORM 1\n#define a_OUT_QNORM 1",
        "line 2: a_OUT_QNORM is defined twice"
    )]
    #[case("#define a_OUT_QSCALE 1", "a has no _OUT_SCALE")]
    #[case("#define a_OUT_SCALE 1", "a has no _OUT_QSCALE")]
    #[case(
        "#define a_OUT_SCALE 1\n#define a_OUT_QSCALE 64",
        "a has no _OUT_QNORM"
    )]
    #[case("#define a_Q 7", "line 1: a_Q is a constant of a POW2 model")]
    fn a_header_that_is_none_is_refused(#[case] text: &str, #[case] expected: &str) {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

//! The state: what `save_state` keeps, the commands and the ranges that they collected.
//!
//! ```json
//! {
//!   "history": ["open lab.onnx", "adjust", "fusions --scale8", "aquant ..."],
//!   "stats": {"input_1": {"range_out": [{"min": -1.0, "max": 1.0}]}}
//! }
//! ```
//!
//! No weights and no scales: those are made anew from the network whenever it is loaded. Whatever
//! else stands in an entry of `stats` is passed over. A key is a node's name, or ends in it: of a
//! node inside of a fusion it names both.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

/// Commands and ranges.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// What was typed.
    pub history: Vec<String>,
    /// The least and the greatest output of each node.
    pub stats: BTreeMap<String, Extremes>,
}

/// What a node's output ranged over.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Extremes {
    /// The least value.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

/// A state that is none.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// No JSON.
    #[error("is no JSON: {why}{}", hint(*is_number))]
    Json {
        /// Why.
        why: String,
        /// Whether NaN or Infinity stand in it.
        is_number: bool,
    },
    /// A key that has to be there.
    #[error("has no {key:?}, expected {expected}")]
    Missing {
        /// The key.
        key: String,
        /// What it holds.
        expected: &'static str,
    },
    /// A value of another kind.
    #[error("{key} is {got}, expected {expected}")]
    Kind {
        /// Where it stands.
        key: String,
        /// What there is.
        got: String,
        /// What had to be there.
        expected: &'static str,
    },
    /// A range that ends before it begins.
    #[error("{key} ranges from {min} to {max}; collect the statistics anew")]
    Range {
        /// The node.
        key: String,
        /// The least value.
        min: f64,
        /// The greatest.
        max: f64,
    },
}

fn hint(is_number: bool) -> &'static str {
    match is_number {
        true => {
            "; NaN and Infinity are no numbers of JSON: an output was none, quantize with other images"
        }
        false => "",
    }
}

/// The file, keys in order.
pub fn write(state: &State) -> String {
    let stats: Map<String, Value> = (state.stats.iter())
        .map(|(node, Extremes { min, max })| {
            let range = serde_json::json!({"range_out": [{"min": min, "max": max}]});
            (node.clone(), range)
        })
        .collect();
    let whole = serde_json::json!({"history": state.history, "stats": stats});
    format!("{whole:#}\n")
}

/// Reads what [`write()`] or `save_state` wrote.
///
/// # Errors
/// No JSON, a key that is missing, a value of another kind, a range that is none.
pub fn parse(text: &str) -> Result<State, StateError> {
    // The depth of its brackets is limited by serde_json.
    let whole: Value = serde_json::from_str(text).map_err(|error| StateError::Json {
        why: error.to_string(),
        is_number: ["NaN", "Infinity"].iter().any(|word| text.contains(word)),
    })?;
    let whole = object("the file", &whole)?;
    let history = member(whole, "history", "the commands")?;
    let Value::Array(commands) = history else {
        return Err(kind("history", history, "a list of commands"));
    };
    let command = |(at, command): (usize, &Value)| match command {
        Value::String(text) => Ok(text.clone()),
        other => Err(kind(&format!("history[{at}]"), other, "a command")),
    };
    let history = (commands.iter().enumerate().map(command)).collect::<Result<_, _>>()?;
    let entries = object("stats", member(whole, "stats", "a range for each node")?)?;
    let stats = (entries.iter())
        .map(|(node, entry)| Ok((node.clone(), extremes(node, entry)?)))
        .collect::<Result<_, StateError>>()?;
    Ok(State { history, stats })
}

/// `{"range_out": [{"min": …, "max": …}]}`, or min and max at once.
fn extremes(node: &str, entry: &Value) -> Result<Extremes, StateError> {
    let key = format!("stats of {node}");
    let mut range = object(&key, entry)?;
    if let Some(outputs) = range.get("range_out") {
        let first = match outputs {
            Value::Array(outputs) => outputs.first(),
            _ => None,
        };
        let expected = "a list of one range for each output";
        let first = first.ok_or_else(|| kind(&format!("{key}: range_out"), outputs, expected))?;
        range = object(&format!("{key}: range_out[0]"), first)?;
    }
    let end = |name: &str| {
        let expected = "an end of the range";
        let value = range.get(name).ok_or_else(|| StateError::Missing {
            key: format!("{key}: {name}"),
            expected,
        })?;
        (value.as_f64().filter(|x| x.is_finite()))
            .ok_or_else(|| kind(&format!("{key}: {name}"), value, "a number"))
    };
    let (min, max) = (end("min")?, end("max")?);
    match min <= max {
        true => Ok(Extremes { min, max }),
        false => Err(StateError::Range { key, min, max }),
    }
}

fn member<'a>(
    of: &'a Map<String, Value>,
    key: &str,
    expected: &'static str,
) -> Result<&'a Value, StateError> {
    of.get(key).ok_or_else(|| StateError::Missing {
        key: key.to_owned(),
        expected,
    })
}

fn object<'a>(key: &str, value: &'a Value) -> Result<&'a Map<String, Value>, StateError> {
    value
        .as_object()
        .ok_or_else(|| kind(key, value, "an object"))
}

fn kind(key: &str, got: &Value, expected: &'static str) -> StateError {
    let got = match got {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(_) => "a text".into(),
        Value::Array(values) => format!("a list of {}", values.len()),
        Value::Object(_) => "an object".into(),
    };
    StateError::Kind {
        key: key.to_owned(),
        got,
        expected,
    }
}

impl State {
    /// The range of the node of this name.
    ///
    /// A key is the name itself, or a text whose last name it is.
    pub fn of(&self, node: &str) -> Option<Extremes> {
        let named = |key: &&String| last_name(key) == Some(node);
        let key = (self.stats.contains_key(node)).then_some(node);
        let key = key.or_else(|| self.stats.keys().find(named).map(String::as_str));
        key.and_then(|key| self.stats.get(key)).copied()
    }
}

/// The last name in a key like `('fusion', 'node', None)`.
fn last_name(key: &str) -> Option<&str> {
    key.split(|c: char| !c.is_alphanumeric() && c != '_')
        .rfind(|word| !word.is_empty() && *word != "None")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn state() -> State {
        let range = |min, max| Extremes { min, max };
        State {
            history: vec!["open \"a b\".onnx".into(), "adjust".into()],
            stats: BTreeMap::from([
                ("input_1".into(), range(-1.0, 0.1)),
                ("_conv1_Conv".into(), range(-0.3, 1e-300)),
                ("_Relu".into(), range(0.0, 7.123_456_789_012_345)),
            ]),
        }
    }

    #[test]
    fn what_is_written_reads_back_exactly() {
        let state = state();
        assert_eq!(parse(&write(&state)), Ok(state));
        let empty = State::default();
        assert_eq!(parse(&write(&empty)), Ok(empty));
    }

    #[test]
    fn ranges_among_more_are_found() {
        let text = r#"{"version": 3, "history": [], "stats": {
            "('fusion', '_conv1_Conv', None)": {"mean": 0, "min": -2, "max": 3},
            "fusion": {"range_in": [], "range_out": [{"std": 1, "min": 0, "max": 4}, {}]}}}"#;
        let state = parse(text).unwrap();
        let range = |min, max| Some(Extremes { min, max });
        assert_eq!(state.of("_conv1_Conv"), range(-2.0, 3.0));
        assert_eq!(state.of("fusion"), range(0.0, 4.0));
        assert_eq!(state.of("_conv1"), None);
        assert_eq!(state.of("None"), None);
        assert_eq!(state.of(""), None);
    }

    #[rstest]
    #[case("", "is no JSON: EOF")]
    #[case(
        "{\"history\": [], \"stats\": {\"a\": {\"min\": NaN, \"max\": 1}}}",
        "an output was none, quantize with other images"
    )]
    #[case("{\"history\": [}", "is no JSON: expected value at line 1 column 14")]
    #[case("[]", "the file is a list of 0, expected an object")]
    #[case("{\"stats\": {}}", "has no \"history\", expected the commands")]
    #[case(
        "{\"history\": []}",
        "has no \"stats\", expected a range for each node"
    )]
    #[case(
        "{\"history\": {}, \"stats\": {}}",
        "history is an object, expected a list of commands"
    )]
    #[case(
        "{\"history\": [\"a\", 1], \"stats\": {}}",
        "history[1] is 1, expected a command"
    )]
    #[case(
        "{\"history\": [], \"stats\": []}",
        "stats is a list of 0, expected an object"
    )]
    #[case(
        "{\"history\": [], \"stats\": {\"a\": null}}",
        "stats of a is null, expected an object"
    )]
    #[case(
        "{\"history\": [], \"stats\": {\"a\": {\"min\": 1}}}",
        "has no \"stats of a: max\""
    )]
    #[case(
        "{\"history\": [], \"stats\": {\"a\": {\"max\": 1}}}",
        "has no \"stats of a: min\""
    )]
    #[case(
        "{\"history\": [], \"stats\": {\"a\": {\"min\": \"1\", \"max\": 1}}}",
        "stats of a: min is a text, expected a number"
    )]
    #[case(
        "{\"history\": [], \"stats\": {\"a\": {\"min\": 0, \"max\": 1e999}}}",
        "is no JSON: number out of range"
    )]
    #[case(
        "{\"history\": [], \"stats\": {\"a\": {\"min\": 2, \"max\": 1}}}",
        "stats of a ranges from 2 to 1"
    )]
    #[case(
        "{\"history\": [], \"stats\": {\"a\": {\"range_out\": []}}}",
        "stats of a: range_out is a list of 0, expected a list of one range"
    )]
    #[case(
        "{\"history\": [], \"stats\": {\"a\": {\"range_out\": {}}}}",
        "range_out is an object"
    )]
    #[case(
        "{\"history\": [], \"stats\": {\"a\": {\"range_out\": [true]}}}",
        "range_out[0] is true, expected an object"
    )]
    fn a_state_that_is_none_is_refused(#[case] text: &str, #[case] expected: &str) {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn depth_is_an_error_and_no_overflow() {
        let deep = format!("{{\"history\": {}", "[".repeat(1_000_000));
        let error = parse(&deep).unwrap_err().to_string();
        assert!(error.contains("recursion limit exceeded"), "{error}");
    }
}

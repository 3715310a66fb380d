//! What a person reads of a study: Markdown and JSON, and that the page needs nothing else.

use std::sync::LazyLock;

use fixtures::Fixtures;
use kernels::dispatch;
use verify::study::{Executor, Study, StudyOptions, render, study};

fn options(networks: &[&str]) -> StudyOptions {
    StudyOptions {
        fixtures: Fixtures::committed_root(),
        networks: networks.iter().map(|&name| name.to_owned()).collect(),
        data: None,
        images: Some(IMAGES),
        executor: Executor::Kernels(dispatch::select().unwrap()),
        cap_sigma: false,
    }
}

/// Few: a snapshot is of the page, not of the accuracy.
const IMAGES: usize = 20;

static STUDY: LazyLock<Study> =
    LazyLock::new(|| study(&options(&["mlp-mnist"]), &|_, _| {}).unwrap());

#[test]
fn markdown() {
    insta::assert_snapshot!(render::markdown(&STUDY));
}

#[test]
fn json() {
    let text = render::json(&STUDY);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["networks"].as_array().unwrap().len(), 1);
    insta::assert_snapshot!(serde_json::to_string_pretty(&outline(value)).unwrap());
}

/// Of every list the first item, and how many there are.
fn outline(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(entries) => (entries.into_iter())
            .map(|(key, value)| (key, outline(value)))
            .collect(),
        Value::Array(values) => {
            let count = format!("{} in all", values.len());
            let first = values.into_iter().next().map(outline);
            first.into_iter().chain([count.into()]).collect()
        }
        // The last digits of a logarithm are the platform's.
        Value::Number(number) if number.is_f64() => {
            format!("{:.6e}", number.as_f64().unwrap()).into()
        }
        other => other,
    }
}

#[test]
fn the_page_is_one_file_with_every_table_and_plot() {
    let page = render::html(&STUDY).unwrap();
    for from_elsewhere in ["http", "src=", "<link", "@import", "url("] {
        let found = page.matches(from_elsewhere).count();
        let names = page.matches("http://www.w3.org/2000/svg").count();
        let expected = if from_elsewhere == "http" { names } else { 0 };
        assert_eq!(found, expected, "{from_elsewhere}");
    }
    let histograms: usize = (STUDY.networks.iter())
        .map(|network| network.weights.len() + network.activations.len())
        .sum();
    // Ranges and bits of each, and all together.
    assert_eq!(
        page.matches("<svg").count(),
        histograms + 2 * STUDY.networks.len() + 1
    );
    let rows = render::markdown(&STUDY).matches("\n| ").count();
    let heads = page.matches("<thead>").count();
    // A table's head and rule are two lines of Markdown and one row of the page.
    assert_eq!(page.matches("<tr>").count(), rows - heads);
    // Every colour is the page's own.
    assert!(!page.contains("\"#0"), "a sentinel colour is left");
    assert!(page.contains("\"var(--s1)\""));
}

#[test]
fn every_executor_measures_the_same() {
    let by_kernels = render::json(&STUDY);
    for executor in [Executor::Golden, Executor::Floats] {
        let options = StudyOptions {
            executor,
            ..options(&["mlp-mnist"])
        };
        let study = study(&options, &|_, _| {}).unwrap();
        assert_eq!(render::json(&study), by_kernels);
    }
}

#[test]
fn an_unknown_network_is_named() {
    let error = study(&options(&["resnet"]), &|_, _| {}).unwrap_err();
    assert!(error.to_string().contains("there is no network \"resnet\""));
}

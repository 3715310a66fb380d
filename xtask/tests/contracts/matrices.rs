//! `contracts`: terminal, page, one alone; and the figures of the README.

use std::fs;

use crate::contracts::{text, xtask};

/// Ends well; what it printed.
fn contracts(arguments: &[&str]) -> String {
    let output = xtask(&[&["contracts"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn the_matrices_have_every_contract_and_every_class() {
    let printed = contracts(&["--channels", "4"]);
    for contract in quant::contracts::ALL {
        assert!(printed.contains(contract.name), "{contract:?}");
        assert!(printed.contains(contract.formula), "{contract:?}");
        assert!(printed.contains(contract.source), "{contract:?}");
    }
    let rows = printed
        .lines()
        .filter(|line| line.starts_with("24 pulp-nn-bn-quant "));
    assert_eq!(rows.count(), 3, "{printed}");
    assert!(!printed.contains("(none"), "{printed}");
    assert!(printed.lines().all(|line| line == line.trim_end()));
    insta::assert_snapshot!("contracts", printed);
}

#[test]
fn one_contract_is_shown_alone() {
    insta::assert_snapshot!(
        "contract_q31_double",
        contracts(&["--name", "tflite-micro"])
    );
    insta::assert_snapshot!(
        "contract_idealized",
        contracts(&["--name", "power-of-two-rounded"])
    );
    for contract in quant::contracts::ALL {
        let printed = contracts(&["--name", contract.name]);
        for line in contract.latex.lines() {
            assert!(printed.contains(line.trim_start()), "{contract:?}");
        }
    }
    let output = xtask(&["contracts", "--name", "tflite"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("tflite-micro"));
    let output = xtask(&["contracts", "--name", "nemo", "--out", "nowhere"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_page_needs_nothing_else_and_has_every_contract() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new").join("folder");
    let arguments = ["--channels", "2", "--out", out.to_str().unwrap()];
    let printed = contracts(&arguments);
    let names = ["contracts.html", "contracts.json", "contracts.md"];
    let [html, json, markdown] = names.map(|name| {
        assert!(
            printed.contains(out.join(name).to_str().unwrap()),
            "{printed}"
        );
        fs::read_to_string(out.join(name)).unwrap()
    });
    // Written beside, then moved: nothing is left over, and a second run replaces the files.
    fs::write(out.join(names[2]), "old").unwrap();
    contracts(&arguments);
    let mut there: Vec<String> = (fs::read_dir(&out).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    assert_eq!(there, names);
    assert_eq!(fs::read_to_string(out.join(names[2])).unwrap(), markdown);

    for load in [
        "://", "src=", "@import", "url(", "<script", "<link", "<iframe",
    ] {
        assert!(!html.contains(load), "{load}");
    }
    let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
    let all = (parsed["classes"].as_array().unwrap().iter())
        .flat_map(|class| class["contracts"].as_array().unwrap());
    let names: Vec<&str> = all
        .map(|contract| contract["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), quant::contracts::ALL.len());
    for contract in quant::contracts::ALL {
        assert!(
            html.contains(&format!("<strong>{}</strong>", contract.name)),
            "{contract:?}"
        );
        assert!(
            markdown.contains(&format!("- `{}`: ", contract.name)),
            "{contract:?}"
        );
        assert!(names.contains(&contract.name), "{contract:?}");
    }
    // Each formula is mathematics, none is shown as its source alone.
    let formulas = html.matches("<summary>LaTeX</summary>").count();
    assert_eq!(
        html.matches("<math").count(),
        formulas + quant::contracts::SYMBOLS.len()
    );
    assert_eq!(html.matches("<tr>").count(), 3 * 25);
    assert_eq!(html.matches("class=\"diagonal\"").count(), 3 * 24);
    assert_eq!(
        parsed["populations"][2]["pairs"].as_array().unwrap().len(),
        276
    );
    insta::assert_snapshot!("contracts_markdown", markdown);
}

#[test]
fn the_readme_counts_what_the_matrices_count() {
    let printed = contracts(&[]);
    let printed: Vec<&str> = printed.split_whitespace().collect();
    let counts: Vec<&str> = (printed.windows(8))
        .filter(|words| words[3..] == ["differ,", "and", "it", "notices", "0."])
        .map(|words| words[0])
        .collect();
    let readme = include_str!("../../../README.md").replace('\n', " ");
    let sentence = format!(
        "{} of 36 that differ on generic scales and {} of 36 near ties",
        counts[0], counts[2]
    );
    assert_eq!(counts.len(), 3);
    assert!(readme.contains(&sentence), "{sentence}");
}

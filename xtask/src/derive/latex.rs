//! A LaTeX document.

use std::fmt::Write;

use quant::symbolic::render::{latex, power_of_ten};

use super::lecture::Lecture;

pub(super) fn print(lecture: &Lecture) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, lecture);
    text
}

fn write(text: &mut String, lecture: &Lecture) -> std::fmt::Result {
    writeln!(
        text,
        "\\documentclass{{article}}\n\\usepackage{{amsmath}}\n\\setlength{{\\parindent}}{{0pt}}\n\\begin{{document}}"
    )?;
    writeln!(text, "\\section*{{{}}}", escaped(&lecture.title))?;
    writeln!(text, "{}", escaped(lecture.convention()))?;
    for (number, section) in lecture.sections.iter().enumerate() {
        writeln!(text, "\n\\subsection*{{{}}}", escaped(&section.heading))?;
        for (line, step) in section.steps.iter().enumerate() {
            let (place, formula) = (line + 1, latex(&step.equation));
            writeln!(text, "{}", escaped(&step.why))?;
            writeln!(text, "\\[ {formula} \\tag{{{}.{place}}} \\]", number + 1)?;
        }
        let numbered = lecture.numbered(section);
        if numbered.is_empty() {
            continue;
        }
        writeln!(text, "In numbers:\n\\begin{{align*}}")?;
        for (i, n) in numbered.iter().enumerate() {
            let formula = latex(&n.quantity.equation);
            let (name, right) = formula.split_once(" = ").unwrap_or_default();
            let start = if n.quantity.named {
                format!("{name} &= {right}")
            } else {
                format!("{right} &")
            };
            let end = if i + 1 < numbered.len() { " \\\\" } else { "" };
            writeln!(
                text,
                "{start} = {} = {}{end}",
                n.latex,
                power_of_ten(&n.value)
            )?;
        }
        writeln!(text, "\\end{{align*}}")?;
    }
    writeln!(text, "\n{}\n\\end{{document}}", escaped(&lecture.checked()))
}

/// Prose: these are symbols.
fn escaped(prose: &str) -> String {
    let symbols = [
        ("s_O", "$s_O$"),
        ("n_O", "$n_O$"),
        ("zO", "$z_O$"),
        ("i > 1", "$i > 1$"),
    ];
    (symbols.iter()).fold(prose.to_owned(), |text, (symbol, latex)| {
        text.replace(symbol, latex)
    })
}

//! For a page that renders LaTeX between dollar signs.

use std::fmt::Write;

use quant::symbolic::render::latex;

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
        "# {}\n\n{}\n",
        lecture.title,
        capitalized(lecture.convention())
    )?;
    for (number, section) in lecture.sections.iter().enumerate() {
        writeln!(text, "## {}\n", section.heading)?;
        for (line, step) in section.steps.iter().enumerate() {
            writeln!(text, "({}.{}) {}\n", number + 1, line + 1, step.why)?;
            writeln!(text, "$$ {} $$\n", latex(&step.equation))?;
        }
        let numbered = lecture.numbered(section);
        if numbered.is_empty() {
            continue;
        }
        writeln!(text, "In numbers:\n\n| | | |\n| --- | --- | ---: |")?;
        for n in &numbered {
            let formula = latex(&n.quantity.equation);
            let (_, right) = formula.split_once(" = ").unwrap_or_default();
            let shown = if n.quantity.named { &formula } else { right };
            // A bar would end the cell.
            let shown = format!("{shown} = {}", n.latex).replace('|', "\\vert ");
            writeln!(text, "| {} | ${shown}$ | {} |", n.quantity.what, n.value)?;
        }
        writeln!(text)?;
    }
    writeln!(text, "{}", lecture.checked())
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first
        .into_iter()
        .flatten()
        .chain(letters)
        .collect::<String>()
        + "."
}

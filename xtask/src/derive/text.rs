//! For a terminal: the formulas as `check-formula` reads them.

use std::fmt::Write;

use owo_colors::OwoColorize;

use super::lecture::Lecture;

pub(super) fn print(lecture: &Lecture) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, lecture);
    text
}

fn write(text: &mut String, lecture: &Lecture) -> std::fmt::Result {
    writeln!(text, "{}\n{}", lecture.title.bold(), lecture.convention())?;
    for (number, section) in lecture.sections.iter().enumerate() {
        writeln!(text, "\n{}\n", section.heading.bold())?;
        for (line, step) in section.steps.iter().enumerate() {
            let place = format!("{}.{}", number + 1, line + 1);
            writeln!(text, "  {:<6}{}", place.dimmed(), step.why)?;
            writeln!(text, "            {}", step.formula.cyan())?;
        }
        let numbered = lecture.numbered(section);
        if numbered.is_empty() {
            continue;
        }
        writeln!(text, "\n  In numbers")?;
        for n in &numbered {
            let (name, right) = n.quantity.formula.split_once(" = ").unwrap_or_default();
            let formula = if n.quantity.named {
                format!("{name} = {right}")
            } else {
                right.to_owned()
            };
            writeln!(text, "        {:<22}{}", n.quantity.what, formula.cyan())?;
            writeln!(text, "        {:<22}= {}", "", n.text)?;
            writeln!(text, "        {:<22}= {}", "", n.value.bold())?;
        }
    }
    writeln!(text, "\n{}", lecture.checked())
}

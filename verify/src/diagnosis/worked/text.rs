//! Lines that fit.

use super::{Stage, Worked};

/// `[channel, row, column]`, without the image.
pub(super) fn position(position: &[usize]) -> String {
    let inner: Vec<String> = position.iter().skip(1).map(ToString::to_string).collect();
    format!("[{}]", inner.join(","))
}

/// Numbers with commas between; of many the first.
pub(super) fn list(values: &[f64]) -> String {
    const SHOWN: usize = 9;
    let mut shown: Vec<String> = values.iter().take(SHOWN).map(ToString::to_string).collect();
    if values.len() > SHOWN {
        shown.push(format!("… {} more", values.len() - SHOWN));
    }
    shown.join(", ")
}

/// In parentheses if negative.
pub(super) fn signed(x: i32) -> String {
    if x < 0 {
        format!("({x})")
    } else {
        x.to_string()
    }
}

/// Stages of both sides: what is the same once.
pub(super) fn side_by_side(names: &[String], right: &[Stage], wrong: &[Stage]) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, (right, wrong)) in names.iter().zip(right.iter().zip(wrong)) {
        let (right, wrong) = (&right.lines, &wrong.lines);
        let same = right.iter().zip(wrong).take_while(|(a, b)| a == b).count();
        let all = same == right.len() && same == wrong.len();
        if same > 0 {
            lines.extend(labelled(&format!("{name}:"), &right[..same]));
        }
        if !all {
            for (side, text) in [("golden", right), ("theirs", wrong)] {
                lines.extend(labelled(&format!("{name}, {side}:"), &text[same..]));
            }
        }
    }
    lines
}

/// A label and what follows it, on as few lines as hold it.
fn labelled(label: &str, parts: &[String]) -> Vec<String> {
    let text = format!("  {label} {}", parts.join("; "));
    fold(&text, "      ")
}

/// Broken at blanks after `;` where it can be, else at any blank.
fn fold(text: &str, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest: Vec<char> = text.chars().collect();
    while rest.len() > Worked::MAX_COLUMNS {
        let blank = |after: &dyn Fn(usize) -> bool| {
            (indent.len() + 1..Worked::MAX_COLUMNS)
                .rev()
                .find(|&at| rest[at] == ' ' && after(at))
        };
        let at = blank(&|at| rest[at - 1] == ';' && at > Worked::MAX_COLUMNS / 2)
            .or_else(|| blank(&|_| true))
            .unwrap_or(Worked::MAX_COLUMNS);
        lines.push(rest[..at].iter().collect::<String>().trim_end().to_owned());
        let tail: String = rest[at..].iter().collect();
        rest = format!("{indent}{}", tail.trim_start()).chars().collect();
    }
    lines.push(rest.into_iter().collect());
    lines
}

/// What is left of too much: the first lines and the last.
pub(super) fn fit(lines: Vec<String>) -> Worked {
    let mut lines: Vec<String> = lines.iter().flat_map(|line| fold(line, "      ")).collect();
    if lines.len() > Worked::MAX_LINES {
        let last = lines.pop();
        lines.truncate(Worked::MAX_LINES - 2);
        lines.push("  …".into());
        lines.extend(last);
    }
    Worked { lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_by_hand() {
        assert_eq!([-1, 0, 1].map(signed), ["(-1)", "0", "1"]);
        assert_eq!(position(&[3, 1, 4]), "[1,4]");
        let nine = "1, 2, 3, 4, 5, 6, 7, 8, 9";
        let values: Vec<f64> = (1..=11).map(f64::from).collect();
        assert_eq!(list(&values[..9]), nine);
        assert_eq!(list(&values), format!("{nine}, … 2 more"));
    }

    #[test]
    fn what_is_the_same_is_said_once() {
        let stage = |lines: &[&str]| Stage {
            lines: lines.iter().map(ToString::to_string).collect(),
            from: Vec::new(),
        };
        let said = |right: &[&str], wrong: &[&str]| {
            side_by_side(&["it".into()], &[stage(right)], &[stage(wrong)])
        };
        assert_eq!(said(&["a", "b"], &["a", "b"]), ["  it: a; b"]);
        assert_eq!(
            said(&["a", "b"], &["a", "c"]),
            ["  it: a", "  it, golden: b", "  it, theirs: c"]
        );
        // One that ends where the other goes on.
        assert_eq!(
            said(&["a"], &["a", "c"]),
            ["  it: a", "  it, golden: ", "  it, theirs: c"]
        );
        assert_eq!(
            said(&["a", "b"], &["a"]),
            ["  it: a", "  it, golden: b", "  it, theirs: "]
        );
    }

    #[test]
    fn a_line_is_broken_behind_a_semicolon_or_at_a_blank() {
        let word = |count: usize| "x".repeat(count);
        // The last semicolon in the second half.
        let text = format!("{}; {}; {}", word(60), word(30), word(30));
        let lines = [
            format!("{}; {};", word(60), word(30)),
            format!("  {}", word(30)),
        ];
        assert_eq!(fold(&text, "  "), lines);
        // None there: a blank.
        let text = format!("{}; {} {}", word(20), word(60), word(30));
        let lines = [
            format!("{}; {}", word(20), word(60)),
            format!("  {}", word(30)),
        ];
        assert_eq!(fold(&text, "  "), lines);
        // No blank at all.
        assert_eq!(
            fold(&word(130), "  "),
            [word(100), format!("  {}", word(30))]
        );
        assert_eq!(fold(&word(100), "  "), [word(100)]);
        // What is indented is not broken at its own indent.
        let lines = [
            word(100),
            format!("  {}", word(98)),
            format!("  {}", word(32)),
        ];
        assert_eq!(fold(&word(230), "  "), lines);
    }

    #[test]
    fn of_too_many_lines_the_last_stays() {
        let lines = |count: usize| (0..count).map(|at| at.to_string()).collect::<Vec<_>>();
        assert_eq!(fit(lines(20)).lines, lines(20));
        let fitted = fit(lines(30)).lines;
        assert_eq!(fitted.len(), Worked::MAX_LINES);
        assert_eq!(fitted[..18], lines(18));
        assert_eq!(fitted[18..], ["  …", "29"]);
    }
}

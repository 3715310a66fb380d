//! Names of nodes that were written by another release, or for a graph with other steps.

/// The one among some that is the node of this name: by its whole name, which the graph's may
/// stand before; else by what follows its step, where one alone has it.
pub(in crate::export) fn same_node<'a, T>(
    name: &str,
    among: &'a [T],
    name_of: impl Fn(&T) -> &str,
) -> Option<&'a T> {
    let whole = |other: &&T| {
        let graph = name_of(other).strip_suffix(name);
        graph.is_some_and(|graph| graph.is_empty() || graph.ends_with('_'))
    };
    let (_, rest) = without_step(name);
    let by_rest = || {
        let mut found = (among.iter()).filter(|other| without_step(name_of(other)).1 == rest);
        found.next().filter(|_| found.next().is_none())
    };
    among.iter().find(whole).or_else(by_rest)
}

/// The digits of `S<step>_` and what follows; without a step the name.
pub(in crate::export) fn without_step(name: &str) -> (Option<&str>, &str) {
    let starts = name.match_indices('S');
    let starts = starts.filter(|(at, _)| *at == 0 || name[..*at].ends_with('_'));
    for (at, _) in starts {
        let digits = &name[at + 1..];
        let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = &digits[..digits.len() - rest.len()];
        if let (Some(rest), false) = (rest.strip_prefix('_'), digits.is_empty()) {
            return (Some(digits), rest);
        }
    }
    (None, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("S3__conv1_Conv_fusion", Some("3"), "_conv1_Conv_fusion")]
    #[case("lab_S12_Mul_scale", Some("12"), "Mul_scale")]
    #[case("S_S7_x", Some("7"), "x")]
    #[case("ResS3_x", None, "ResS3_x")]
    #[case("S3", None, "S3")]
    #[case("S_x", None, "S_x")]
    #[case("input_1", None, "input_1")]
    fn a_step_is_taken_away(#[case] name: &str, #[case] step: Option<&str>, #[case] rest: &str) {
        assert_eq!(without_step(name), (step, rest));
    }

    #[test]
    fn a_node_is_found_under_another_count() {
        let among = ["lab_input_1", "lab_S2_w", "lab_S4_conv", "lab_S7_conv"];
        let find = |name| same_node(name, &among, |name| name).copied();
        assert_eq!(find("input_1"), Some("lab_input_1"));
        assert_eq!(find("S4_conv"), Some("lab_S4_conv"));
        assert_eq!(find("S1_w"), Some("lab_S2_w"));
        // Two have this name, and none this step.
        assert_eq!(find("S3_conv"), None);
        assert_eq!(find("nput_1"), None);
    }
}

//! Names of networks and layers as parts of C identifiers.

/// C99 to C23, what they reserve in every context.
const KEYWORDS: &[&str] = &[
    "auto",
    "bool",
    "break",
    "case",
    "char",
    "const",
    "constexpr",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "false",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "nullptr",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "thread_local",
    "true",
    "typedef",
    "typeof",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
];

/// What the names inside of `model.c` begin with.
const OWN: &[&str] = &["bias", "layer", "rescale", "weight_zero", "weights"];

/// What every name that `model.h` declares begins with.
///
/// # Errors
/// What is wrong with the name.
pub(super) fn prefix(name: &str) -> Result<String, &'static str> {
    let prefix = suffix(name)?;
    if !prefix.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err("it does not begin with a letter");
    }
    if KEYWORDS.contains(&&*prefix) {
        return Err("it is a keyword");
    }
    if OWN.contains(&&*prefix) {
        return Err("the names of layers begin so");
    }
    Ok(prefix)
}

/// What the names of a layer end with: `-` and `.` become `_`.
///
/// # Errors
/// What is wrong with the name.
pub(super) fn suffix(name: &str) -> Result<String, &'static str> {
    let suffix = name.replace(['-', '.'], "_");
    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
    match suffix.as_str() {
        "" => Err("it is empty"),
        _ if suffix.len() > LONGEST => Err("it is longer than 40 characters"),
        _ if suffix.chars().all(is_part) => Ok(suffix),
        _ => Err("it has characters other than A to Z, a to z, 0 to 9, '_', '-' and '.'"),
    }
}

/// C99 tells 63 characters of a name apart; ours have up to 20 of their own.
const LONGEST: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("lab", Ok("lab"))]
    #[case("lab-bias", Ok("lab_bias"))]
    #[case("v1.2_x", Ok("v1_2_x"))]
    #[case("", Err("it is empty"))]
    #[case("2nd", Err("it does not begin with a letter"))]
    #[case("_lab", Err("it does not begin with a letter"))]
    #[case("while", Err("it is a keyword"))]
    #[case("weights", Err("the names of layers begin so"))]
    #[case("weight-zero", Err("the names of layers begin so"))]
    #[case(
        "réseau",
        Err("it has characters other than A to Z, a to z, 0 to 9, '_', '-' and '.'")
    )]
    #[case(
        "a b",
        Err("it has characters other than A to Z, a to z, 0 to 9, '_', '-' and '.'")
    )]
    #[case(
        "a/../b",
        Err("it has characters other than A to Z, a to z, 0 to 9, '_', '-' and '.'")
    )]
    fn a_name_becomes_an_identifier_or_says_why_not(
        #[case] name: &str,
        #[case] expected: Result<&str, &'static str>,
    ) {
        assert_eq!(prefix(name).as_deref(), expected.as_ref().map(|x| *x));
    }

    #[test]
    fn a_layer_may_begin_with_a_digit_but_has_an_end() {
        assert_eq!(suffix("0.conv").as_deref(), Ok("0_conv"));
        assert_eq!(suffix(&"a".repeat(40)).map(|name| name.len()), Ok(40));
        assert!(suffix(&"a".repeat(41)).is_err());
    }
}

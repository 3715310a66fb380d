//! Constants as C text: arrays of integers, floats that lose no bit.

use std::fmt::Display;

/// The longest line.
const WIDTH: usize = 96;

/// `static const <type> <name>[n] = { … };`
pub(super) fn array<T: Display>(of: &str, name: &str, values: &[T]) -> String {
    let mut text = format!("static const {of} {name}[{}] = {{\n", values.len());
    let mut line = String::from("   ");
    for value in values {
        let value = format!(" {value},");
        if line.len() + value.len() > WIDTH {
            text += &line;
            text.push('\n');
            line.replace_range(3.., "");
        }
        line += &value;
    }
    text + &line + "\n};\n"
}

/// An int32. The lowest one has no literal of its own.
pub(super) fn int32(value: i32) -> String {
    match value {
        i32::MIN => "-2147483647 - 1".into(),
        _ => value.to_string(),
    }
}

/// A positive float32, in base 16: exact. None of zero, infinity, NaN.
pub(super) fn float32(value: f32) -> Option<String> {
    Some(float64(value.into())? + "f")
}

/// The same of a float64.
pub(super) fn float64(value: f64) -> Option<String> {
    if !(value > 0.0 && value.is_finite()) {
        return None;
    }
    let bits = value.to_bits();
    let fraction = format!("{:013x}", bits & ((1 << 52) - 1));
    let fraction = fraction.trim_end_matches('0');
    // A subnormal number has no implicit one.
    let (whole, exponent) = match bits >> 52 {
        0 => (0, -1022),
        field => (1, field as i64 - 1023),
    };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("0x{whole}{point}{fraction}p{exponent}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(1.0, "0x1p0")]
    #[case(0.75, "0x1.8p-1")]
    #[case(0.1, "0x1.999999999999ap-4")]
    #[case(f64::MAX, "0x1.fffffffffffffp1023")]
    #[case(f64::MIN_POSITIVE, "0x1p-1022")]
    #[case(5e-324, "0x0.0000000000001p-1022")]
    fn a_float_is_written_exactly(#[case] value: f64, #[case] expected: &str) {
        assert_eq!(float64(value).as_deref(), Some(expected));
    }

    #[test]
    fn a_float32_is_one_and_what_is_no_factor_is_none() {
        assert_eq!(float32(0.1).as_deref(), Some("0x1.99999ap-4f"));
        // The least subnormal one.
        assert_eq!(float32(1e-45).as_deref(), Some("0x1p-149f"));
        for none in [0.0, -1.0, f32::INFINITY, f32::NAN] {
            assert_eq!(float32(none), None);
        }
    }

    #[test]
    fn arrays_are_broken_into_lines() {
        let text = array("int8_t", "x", &[-128; 40]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "static const int8_t x[40] = {");
        assert!(lines.len() == 5 && lines.iter().all(|line| line.len() <= WIDTH));
        assert_eq!(text.matches(" -128,").count(), 40);
        assert_eq!(int32(i32::MIN), "-2147483647 - 1");
    }
}

//! The text that `$readmemh` reads: words in hexadecimal between white space, `_` between their
//! digits, `@address`, comments.

use std::collections::BTreeMap;

/// Words by address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Memory(BTreeMap<usize, u32>);

impl Memory {
    /// So many words from an address.
    ///
    /// # Errors
    /// The first that is not there.
    pub(super) fn words(&self, from: usize, count: usize) -> Result<Vec<u32>, String> {
        if count > self.0.len() {
            return Err(format!("{} words, expected at least {count}", self.0.len()));
        }
        let word = |at| {
            let address = from.checked_add(at);
            let word = address.and_then(|address| self.0.get(&address));
            word.copied()
                .ok_or_else(|| format!("no word at address {from} + {at}"))
        };
        (0..count).map(word).collect()
    }
}

/// Reads words of so many bits.
///
/// # Errors
/// Text that `$readmemh` does not read; x and z, which are no numbers; a word that is too wide or
/// written twice. Each with its line.
pub(super) fn parse(text: &str, bits: u32) -> Result<Memory, String> {
    let mut words = BTreeMap::new();
    let mut address = Some(0usize);
    for (line, token) in tokens(text)? {
        let at = |why: String| format!("line {line}: {token:?} {why}");
        if let Some(digits) = token.strip_prefix('@') {
            let there = number(digits, usize::BITS).map_err(at)?;
            // No more than `usize` by its width.
            address = Some(there as usize);
            continue;
        }
        let word = number(token, bits).map_err(at)?;
        let here = address.ok_or_else(|| at("is beyond the last address".into()))?;
        if words.insert(here, word as u32).is_some() {
            return Err(at(format!("is a second word for address {here}")));
        }
        address = here.checked_add(1);
    }
    Ok(Memory(words))
}

/// What stands between white space and comments, each with its line, counted from 1.
fn tokens(text: &str) -> Result<Vec<(usize, &str)>, String> {
    let (mut found, mut line, mut rest) = (Vec::new(), 1, text);
    while let Some(first) = rest.chars().next() {
        let end = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let end = comment.find("*/");
            end.ok_or_else(|| format!("line {line}: a comment that does not end"))? + 4
        } else if first.is_whitespace() {
            first.len_utf8()
        } else {
            let after = rest
                .find(|c: char| c.is_whitespace() || c == '/')
                .unwrap_or(rest.len());
            // A `/` alone begins no comment.
            let end = after.max(1);
            found.push((line, &rest[..end]));
            end
        };
        line += rest[..end].matches('\n').count();
        rest = &rest[end..];
    }
    Ok(found)
}

/// Hexadecimal digits with `_` between them.
fn number(digits: &str, bits: u32) -> Result<u64, String> {
    if digits.is_empty() || digits.starts_with('_') {
        return Err("does not begin with a digit".into());
    }
    let mut number = 0u64;
    for digit in digits.chars().filter(|&digit| digit != '_') {
        let value = digit.to_digit(16).ok_or_else(|| match digit {
            'x' | 'X' | 'z' | 'Z' => {
                "is unknown or not driven; every bit must be 0 or 1".to_owned()
            }
            _ => format!("holds {digit:?}, which is no hexadecimal digit"),
        })?;
        number = (number.checked_mul(16))
            .map(|number| number | u64::from(value))
            .filter(|number| number.checked_shr(bits).unwrap_or(0) == 0)
            .ok_or_else(|| format!("has more than {bits} bits"))?;
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, bits: u32) -> Result<Vec<(usize, u32)>, String> {
        parse(text, bits).map(|memory| memory.0.into_iter().collect())
    }

    #[test]
    fn what_readmemh_reads_is_read() {
        let text = "// weights\n3D18_3208 00000071/* two\nlines */ff\n@10\n7 // end\n8";
        let expected = [(0, 0x3D18_3208), (1, 0x71), (2, 0xff), (16, 7), (17, 8)];
        assert_eq!(words(text, 32).unwrap(), expected);
        assert!(words("", 8).unwrap().is_empty());
        assert_eq!(words("/**/0/*/*/1", 8).unwrap(), [(0, 0), (1, 1)]);
        assert_eq!(
            words("@_", 8).unwrap_err(),
            "line 1: \"@_\" does not begin with a digit"
        );
        // Zeros before it make no word wider.
        assert_eq!(words("0000ff", 8).unwrap(), [(0, 255)]);
        assert_eq!(words("@ffffffffffffffff 1", 8).unwrap(), [(usize::MAX, 1)]);
    }

    #[test]
    fn what_it_does_not_read_is_an_error_with_its_line() {
        for (text, line, why) in [
            ("\n1x", 2, "unknown"),
            ("Z", 1, "unknown"),
            ("/*\n*/\n100", 3, "more than 8 bits"),
            ("10000000000000000000", 1, "more than 8 bits"),
            ("_1", 1, "begin with a digit"),
            ("1 @0 2", 1, "second word for address 0"),
            ("@ffffffffffffffff 1 2", 1, "beyond the last address"),
            ("@10000000000000000 1", 1, "more than 64 bits"),
            ("1\n/ 2", 2, "no hexadecimal digit"),
            ("1 /* 2", 1, "does not end"),
            ("1\n0x2", 2, "unknown"),
            ("é", 1, "no hexadecimal digit"),
        ] {
            let error = words(text, 8).unwrap_err();
            assert!(error.starts_with(&format!("line {line}: ")), "{error}");
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn words_that_are_not_there_are_named() {
        let memory = parse("1 2 @5 3", 8).unwrap();
        assert_eq!(memory.words(0, 2).unwrap(), [1, 2]);
        assert_eq!(memory.words(5, 1).unwrap(), [3]);
        assert_eq!(memory.words(0, 3).unwrap_err(), "no word at address 0 + 2");
        assert_eq!(
            memory.words(0, usize::MAX).unwrap_err(),
            format!("3 words, expected at least {}", usize::MAX)
        );
        assert!(memory.words(usize::MAX, 2).is_err());
        assert!(memory.words(9, 0).unwrap().is_empty());
    }
}

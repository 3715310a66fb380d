//! `.tensor` files: the values of a constant, raw, little-endian, without a header.
//!
//! Nothing in such a file says what it is; its length alone can be checked.

/// The type of a constant's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// Weights, `Mul_shift`, `Infos`.
    Int8,
    /// `Mul_scale`.
    UInt8,
    /// Biases.
    Int32,
}

impl Element {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Int8, Self::UInt8, Self::Int32];

    /// As C and NumPy call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::UInt8 => "uint8",
            Self::Int32 => "int32",
        }
    }

    /// Bytes of a value.
    pub fn size(self) -> usize {
        match self {
            Self::Int8 | Self::UInt8 => 1,
            Self::Int32 => 4,
        }
    }
}

/// The values of a constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elements {
    /// Weights, `Mul_shift`, `Infos`.
    Int8(Vec<i8>),
    /// `Mul_scale`.
    UInt8(Vec<u8>),
    /// Biases.
    Int32(Vec<i32>),
}

/// A file that does not hold what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is {got} bytes long, expected {expected}: {count} values of {}{}",
    element.name(), self.hint()
)]
pub struct SizeError {
    /// Bytes that there are.
    pub got: usize,
    /// Bytes that there should be.
    pub expected: usize,
    /// Values that there should be.
    pub count: usize,
    /// Their type.
    pub element: Element,
}

impl SizeError {
    fn hint(&self) -> String {
        let other = (Element::ALL.iter()).find(|other| {
            **other != self.element && other.size().checked_mul(self.count) == Some(self.got)
        });
        match other {
            Some(other) => format!("; as many values of {} are as long", other.name()),
            None => String::new(),
        }
    }
}

impl Elements {
    /// Their type.
    pub fn element(&self) -> Element {
        match self {
            Self::Int8(_) => Element::Int8,
            Self::UInt8(_) => Element::UInt8,
            Self::Int32(_) => Element::Int32,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Int8(values) => values.len(),
            Self::UInt8(values) => values.len(),
            Self::Int32(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As numbers.
    pub fn numbers(&self) -> Vec<i32> {
        match self {
            Self::Int8(values) => values.iter().map(|&value| value.into()).collect(),
            Self::UInt8(values) => values.iter().map(|&value| value.into()).collect(),
            Self::Int32(values) => values.clone(),
        }
    }

    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Int8(values) => values.iter().map(|value| value.cast_unsigned()).collect(),
            Self::UInt8(values) => values.clone(),
            Self::Int32(values) => values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        }
    }

    /// So many values of a type from the bytes of a file.
    ///
    /// # Errors
    /// A file of another length.
    pub fn from_bytes(element: Element, count: usize, bytes: &[u8]) -> Result<Self, SizeError> {
        let expected = count.saturating_mul(element.size());
        if bytes.len() != expected {
            return Err(SizeError {
                got: bytes.len(),
                expected,
                count,
                element,
            });
        }
        Ok(match element {
            Element::Int8 => Self::Int8(bytes.iter().map(|byte| byte.cast_signed()).collect()),
            Element::UInt8 => Self::UInt8(bytes.to_vec()),
            Element::Int32 => {
                let (words, _) = bytes.as_chunks();
                Self::Int32(words.iter().map(|word| i32::from_le_bytes(*word)).collect())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Elements::Int8(vec![-128, -1, 0, 127]), &[0x80, 0xff, 0, 0x7f])]
    #[case(Elements::UInt8(vec![0, 128, 255]), &[0, 0x80, 0xff])]
    #[case(Elements::Int32(vec![i32::MIN, -2, 0x0102_0304]), &[0, 0, 0, 0x80, 0xfe, 0xff, 0xff, 0xff, 4, 3, 2, 1])]
    #[case(Elements::Int32(vec![]), &[])]
    fn bytes_are_little_endian_and_come_back(#[case] values: Elements, #[case] bytes: &[u8]) {
        assert_eq!(values.to_bytes(), bytes);
        let read = Elements::from_bytes(values.element(), values.len(), bytes);
        assert_eq!(read, Ok(values));
    }

    #[rstest]
    #[case(Element::Int32, 6, 6, Some("as many values of int8 are as long"))]
    #[case(Element::Int8, 6, 24, Some("as many values of int32 are as long"))]
    #[case(Element::Int8, 6, 7, None)]
    #[case(Element::UInt8, usize::MAX, 7, None)]
    #[case(Element::Int32, usize::MAX, 7, None)]
    fn another_length_is_refused(
        #[case] element: Element,
        #[case] count: usize,
        #[case] got: usize,
        #[case] hint: Option<&str>,
    ) {
        let error = Elements::from_bytes(element, count, &vec![0; got]).unwrap_err();
        let expected = count.saturating_mul(element.size());
        let text = error.to_string();
        assert!(text.starts_with(&format!(
            "is {got} bytes long, expected {expected}: {count} values"
        )));
        assert_eq!(text.split_once("; ").map(|(_, hint)| hint), hint);
    }
}

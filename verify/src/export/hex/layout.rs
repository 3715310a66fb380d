//! How a tensor lies in words.
//!
//! ```text
//! row        8 50 24 61 113          5 values, filled up to 8
//! words      3D183208 00000071       four int8 each, the first in bits 7:0
//! ```
//!
//! Rows follow each other, filled up or not; the last word is filled up with zeros.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::Array;
use super::{First, HexOptions, Word};
use crate::dtype::Dtype;

/// Where a tensor is in its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its first word, counted from 0.
    pub base_address: usize,
    /// How many words it takes.
    pub words: usize,
    /// How its values lie in them.
    #[serde(flatten)]
    pub layout: Layout,
}

/// How values lie in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// 8 or 32.
    pub word_bits: u32,
    /// 1 or 4.
    pub values_per_word: usize,
    /// Which of several comes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<First>,
    /// Values in a row.
    pub row: usize,
    /// The same filled up with zeros.
    pub padded_row: usize,
}

impl Layout {
    /// Of a tensor: of codes and weights what the options say, else a word each.
    pub(super) fn new(array: &Array, options: &HexOptions) -> Self {
        let row = array.item_shape().last().copied().unwrap_or(1);
        if array.dtype == Dtype::Int32 {
            return Self {
                word_bits: 32,
                values_per_word: 1,
                first: None,
                row,
                padded_row: row,
            };
        }
        let (word_bits, values_per_word, first) = match options.word {
            Word::Bits8 => (8, 1, None),
            Word::Bits32(first) => (32, 4, Some(first)),
        };
        Self {
            word_bits,
            values_per_word,
            first,
            row,
            padded_row: row.next_multiple_of(options.row_padding.get()),
        }
    }

    /// How many words so many values take.
    pub(super) fn words(&self, values: usize) -> usize {
        let rows = values.div_ceil(self.row.max(1));
        (rows * self.padded_row).div_ceil(self.values_per_word)
    }

    /// The same of a layout that somebody wrote: `None` if it is none for this type.
    pub(super) fn checked_words(&self, values: usize, dtype: Dtype) -> Option<usize> {
        let Self {
            word_bits,
            values_per_word,
            first,
            row,
            padded_row,
        } = *self;
        let kind = match dtype.bits() {
            8 => matches!(
                (word_bits, values_per_word, first),
                (8, 1, None) | (32, 4, Some(_))
            ),
            _ => (word_bits, values_per_word, first) == (32, 1, None),
        };
        if !kind || row == 0 || padded_row < row || !values.is_multiple_of(row) {
            return None;
        }
        let padded = (values / row).checked_mul(padded_row)?;
        Some(padded.div_ceil(values_per_word))
    }

    /// Which word a value is in, and the lowest of its bits there.
    pub(super) fn position(&self, value: usize) -> (usize, usize) {
        let at = value / self.row * self.padded_row + value % self.row;
        let (word, lane) = (at / self.values_per_word, at % self.values_per_word);
        let lane = match self.first {
            Some(First::High) => self.values_per_word - 1 - lane,
            _ => lane,
        };
        (word, lane * 8)
    }

    /// The words of these values.
    pub(super) fn pack(&self, values: &[i32]) -> Vec<u32> {
        let mut words = vec![0; self.words(values.len())];
        for (at, &value) in values.iter().enumerate() {
            let (word, shift) = self.position(at);
            words[word] |= (value as u32 & self.mask()) << shift;
        }
        words
    }

    /// The values in these words, as many as `words` says of `len`.
    ///
    /// # Errors
    /// Something else than zeros beside them.
    pub(super) fn unpack(
        &self,
        words: &[u32],
        len: usize,
        dtype: Dtype,
    ) -> Result<Vec<i32>, String> {
        let value = |at| {
            let (word, shift) = self.position(at);
            let bits = words[word] >> shift & self.mask();
            match dtype {
                Dtype::Int8 => i32::from(bits as u8 as i8),
                Dtype::Uint8 | Dtype::Int32 => bits as i32,
            }
        };
        let values: Vec<i32> = (0..len).map(value).collect();
        match self
            .pack(&values)
            .iter()
            .zip(words)
            .position(|(ours, theirs)| ours != theirs)
        {
            None => Ok(values),
            Some(word) => Err(format!(
                "word {word}, {:X}, holds something beside the values of a row, where zeros should be",
                words[word]
            )),
        }
    }

    /// The bits of a value.
    fn mask(&self) -> u32 {
        match self.word_bits as usize / self.values_per_word {
            8 => 0xff,
            _ => u32::MAX,
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            word_bits,
            values_per_word,
            row,
            padded_row,
            ..
        } = self;
        match self.first {
            None => write!(f, "{word_bits}-bit words, one value each")?,
            Some(First::Low) => write!(
                f,
                "{word_bits}-bit words, {values_per_word} values, first in 7:0"
            )?,
            Some(First::High) => write!(
                f,
                "{word_bits}-bit words, {values_per_word} values, first in 31:24"
            )?,
        }
        match row == padded_row {
            true => Ok(()),
            false => write!(f, "; rows of {row} filled up to {padded_row}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use proptest::prelude::*;

    use super::super::super::Kind;
    use super::*;

    fn array(dtype: Dtype, shape: &[usize], values: Vec<i32>) -> Array {
        Array {
            name: "w".into(),
            kind: Kind::Weights,
            dtype,
            shape: shape.to_vec(),
            values,
            scales: vec![],
            zero_points: vec![],
        }
    }

    fn options(word: Word, row_padding: usize) -> HexOptions {
        HexOptions {
            word,
            row_padding: NonZeroUsize::new(row_padding).unwrap(),
            ..HexOptions::default()
        }
    }

    /// The course's first row of weights, and the same with the first value in the high bits.
    #[test]
    fn the_words_of_a_row_by_hand() {
        let row = array(Dtype::Int8, &[1, 5], vec![8, 50, 24, 61, 113]);
        let words = |word, padding| Layout::new(&row, &options(word, padding)).pack(&row.values);
        let low = Word::Bits32(First::Low);
        assert_eq!(words(low, 4), [0x3D18_3208, 0x0000_0071]);
        assert_eq!(words(low, 8), [0x3D18_3208, 0x0000_0071]);
        assert_eq!(words(low, 1), [0x3D18_3208, 0x0000_0071]);
        assert_eq!(words(low, 9), [0x3D18_3208, 0x0000_0071, 0]);
        assert_eq!(
            words(Word::Bits32(First::High), 4),
            [0x0832_183D, 0x7100_0000]
        );
        assert_eq!(words(Word::Bits8, 3), [8, 50, 24, 61, 113, 0]);

        // Two rows: filled up each, or one behind the other.
        let rows = array(Dtype::Int8, &[2, 3], vec![1, 2, -1, -128, 127, 0]);
        let words = |padding| Layout::new(&rows, &options(low, padding)).pack(&rows.values);
        assert_eq!(words(4), [0x00FF_0201, 0x0000_7F80]);
        assert_eq!(words(1), [0x80FF_0201, 0x0000_007F]);
        let sums = array(Dtype::Int32, &[2], vec![-2, i32::MIN]);
        let layout = Layout::new(&sums, &options(low, 4));
        assert_eq!(layout.pack(&sums.values), [0xFFFF_FFFE, 0x8000_0000]);
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            rows in 1usize..5,
            row in 1usize..12,
            row_padding in 1usize..10,
            word in prop_oneof![
                Just(Word::Bits8),
                Just(Word::Bits32(First::Low)),
                Just(Word::Bits32(First::High)),
            ],
            dtype in prop_oneof![Just(Dtype::Int8), Just(Dtype::Uint8), Just(Dtype::Int32)],
            seed in prop::collection::vec(any::<i32>(), 48),
        ) {
            let wrapped = |value: &i32| match dtype {
                Dtype::Int8 => i32::from(*value as i8),
                Dtype::Uint8 => i32::from(*value as u8),
                Dtype::Int32 => *value,
            };
            let values: Vec<i32> = seed.iter().map(wrapped).take(rows * row).collect();
            let array = array(dtype, &[rows, row], values.clone());
            let layout = Layout::new(&array, &options(word, row_padding));
            let mut words = layout.pack(&values);
            prop_assert_eq!(words.len(), layout.words(values.len()));
            prop_assert_eq!(layout.checked_words(values.len(), dtype), Some(words.len()));
            prop_assert_eq!(layout.unpack(&words, values.len(), dtype).unwrap(), values.clone());

            // Every bit counts: that of a value changes it, that of the padding is an error.
            for bit in 0..words.len() * layout.word_bits as usize {
                let (word, mask) = (bit / layout.word_bits as usize, 1 << (bit % layout.word_bits as usize));
                words[word] ^= mask;
                let read = layout.unpack(&words, values.len(), dtype);
                prop_assert_ne!(read, Ok(values.clone()));
                words[word] ^= mask;
            }
        }
    }

    #[test]
    fn padding_that_is_not_zero_is_named() {
        let row = array(Dtype::Int8, &[1, 5], vec![1; 5]);
        let layout = Layout::new(&row, &HexOptions::default());
        let error = layout
            .unpack(&[0x0101_0101, 0x0001_0001], 5, Dtype::Int8)
            .unwrap_err();
        assert!(error.starts_with("word 1, 10001, "), "{error}");
    }

    #[test]
    fn layouts_that_are_none_have_no_words() {
        let row = array(Dtype::Int8, &[2, 5], vec![1; 10]);
        let layout = Layout::new(&row, &options(Word::Bits32(First::Low), 4));
        assert_eq!(layout.checked_words(10, Dtype::Int8), Some(4));
        let none =
            |layout: Layout| assert_eq!(layout.checked_words(10, Dtype::Int8), None, "{layout:?}");
        none(Layout {
            row: 0,
            ..layout.clone()
        });
        none(Layout {
            row: 3,
            ..layout.clone()
        });
        none(Layout {
            padded_row: 4,
            ..layout.clone()
        });
        none(Layout {
            padded_row: usize::MAX,
            ..layout.clone()
        });
        none(Layout {
            values_per_word: 1,
            ..layout.clone()
        });
        none(Layout {
            first: None,
            ..layout.clone()
        });
        none(Layout {
            word_bits: 8,
            ..layout.clone()
        });
        assert_eq!(layout.checked_words(10, Dtype::Int32), None);
        let word = Layout {
            word_bits: 32,
            values_per_word: 1,
            first: None,
            ..layout.clone()
        };
        assert_eq!(word.checked_words(10, Dtype::Int32), Some(16));
        none(word);
    }
}

//! What is done alike with bytes and with words.

use quant::Rounding;

use super::Simple;
use super::affine::{Finish, Quantize};
use super::pool::{Pool, average_pool, max_pool};

/// A code as it is stored.
pub(crate) trait Code: Copy + Ord {
    /// The least there is.
    const LEAST: Self;
    /// The same.
    fn wide(self) -> i64;
    /// The low bits: a stored code is in them whole.
    fn of(bits: i32) -> Self;
    /// The job among all others.
    fn job(of: OfCodes<'_, Self>) -> Simple<'_>;
}

impl Code for u8 {
    const LEAST: Self = 0;
    #[inline(always)]
    fn wide(self) -> i64 {
        i64::from(self)
    }
    #[inline(always)]
    fn of(bits: i32) -> Self {
        bits as Self
    }
    fn job(of: OfCodes<'_, Self>) -> Simple<'_> {
        Simple::Bytes(of)
    }
}

impl Code for i16 {
    const LEAST: Self = i16::MIN;
    #[inline(always)]
    fn wide(self) -> i64 {
        i64::from(self)
    }
    #[inline(always)]
    fn of(bits: i32) -> Self {
        bits as Self
    }
    fn job(of: OfCodes<'_, Self>) -> Simple<'_> {
        Simple::Words(of)
    }
}

/// A job on stored codes.
pub(crate) enum OfCodes<'a, C> {
    /// The codes of an image.
    Quantize(Quantize<'a, C>),
    /// Eq. 22 of sums.
    Finish(Finish<'a, C>),
    /// The largest of each window, positions outside of the image left out.
    MaxPool(Pool<'a, C>),
    /// The mean of each window.
    AveragePool {
        /// Input, output and windows.
        pool: Pool<'a, C>,
        /// Whether positions outside of the image count.
        count_include_pad: bool,
        /// Of the mean.
        rounding: Rounding,
        /// The stored code of 0.
        zero: i32,
    },
    /// No code below the least.
    AtLeast {
        /// In place.
        codes: &'a mut [C],
        /// The least.
        least: C,
    },
}

impl<C: Code> OfCodes<'_, C> {
    #[inline(always)]
    pub(super) fn run(self) {
        match self {
            Self::Quantize(job) => job.run(),
            Self::Finish(job) => job.run(),
            Self::MaxPool(pool) => max_pool(pool),
            Self::AveragePool {
                pool,
                count_include_pad,
                rounding,
                zero,
            } => average_pool(pool, count_include_pad, rounding, zero),
            Self::AtLeast { codes, least } => {
                for code in codes {
                    *code = (*code).max(least);
                }
            }
        }
    }
}

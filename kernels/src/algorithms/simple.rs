//! Loops that compilers make vectors of: safe code, compiled for each instruction set.

use super::OfCodes;
use crate::add::Multipliers;

/// One job. Codes are as stored, maps NHWC.
pub(crate) enum Simple<'a> {
    /// On bytes.
    Bytes(OfCodes<'a, u8>),
    /// On words.
    Words(OfCodes<'a, i16>),
    /// Stored bytes as words.
    Widen {
        /// Bytes.
        from: &'a [u8],
        /// As many.
        to: &'a mut [i16],
    },
    /// Stored codes of s8 codes.
    Store {
        /// The codes.
        codes: &'a [i8],
        /// As many.
        to: &'a mut [u8],
    },
    /// The same back.
    Load {
        /// Stored codes.
        from: &'a [u8],
        /// As many.
        codes: &'a mut [i8],
    },
    /// Stored sums.
    Add {
        /// The first operand.
        a: &'a [u8],
        /// The second.
        b: &'a [u8],
        /// The constants.
        with: &'a Multipliers,
        /// As many.
        out: &'a mut [u8],
    },
}

impl Simple<'_> {
    /// Runs the job.
    #[inline(always)]
    pub(crate) fn run(self) {
        match self {
            Self::Bytes(job) => job.run(),
            Self::Words(job) => job.run(),
            Self::Widen { from, to } => {
                for (to, &code) in to.iter_mut().zip(from) {
                    *to = i16::from(code);
                }
            }
            Self::Store { codes, to } => {
                for (to, &code) in to.iter_mut().zip(codes) {
                    *to = code as u8 ^ 0x80;
                }
            }
            Self::Load { from, codes } => {
                for (code, &stored) in codes.iter_mut().zip(from) {
                    *code = (stored ^ 0x80) as i8;
                }
            }
            Self::Add { a, b, with, out } => {
                for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                    *out = with.sum(a, b);
                }
            }
        }
    }
}

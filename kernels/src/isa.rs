//! The instruction sets that kernels exist for.

use std::fmt;
use std::str::FromStr;

/// An instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isa {
    /// Plain Rust, for every CPU.
    Portable,
    /// x86-64 with 256-bit vectors.
    Avx2,
    /// The same with dot products of bytes.
    AvxVnni,
    /// x86-64 with 512-bit vectors and dot products of bytes.
    Avx512Vnni,
    /// 64-bit Arm with 128-bit vectors.
    Neon,
    /// The same with dot products of bytes.
    NeonDotprod,
}

impl Isa {
    /// Every instruction set; those of one architecture slowest first.
    pub const ALL: [Self; 6] = [
        Self::Portable,
        Self::Avx2,
        Self::AvxVnni,
        Self::Avx512Vnni,
        Self::Neon,
        Self::NeonDotprod,
    ];

    /// Its name in `KARAT_ISA`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::AvxVnni => "avx_vnni",
            Self::Avx512Vnni => "avx512_vnni",
            Self::Neon => "neon",
            Self::NeonDotprod => "neon_dotprod",
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Isa {
    type Err = IsaError;
    fn from_str(name: &str) -> Result<Self, IsaError> {
        (Self::ALL.into_iter().find(|isa| isa.name() == name)).ok_or_else(|| IsaError::Unknown {
            name: name.to_owned(),
        })
    }
}

/// A `KARAT_ISA` that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IsaError {
    /// No such instruction set.
    #[error("KARAT_ISA={name} is unknown; it can be: {}", Isa::ALL.map(Isa::name).join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// This CPU does not have it.
    #[error("KARAT_ISA={isa}: this CPU does not have it")]
    Unavailable {
        /// What was asked for.
        isa: Isa,
    },
}

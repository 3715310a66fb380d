//! Chooses kernels at run time; the only place that detects CPU features.

use pulp::Arch;

use crate::{Isa, IsaError, Kernels, scalar};

/// The variable that forces an instruction set.
pub const VARIABLE: &str = "KARAT_ISA";

/// The kernels for an instruction set, if this CPU has it.
pub fn kernels(isa: Isa) -> Option<Kernels> {
    match isa {
        Isa::Scalar => Some(scalar::kernels()),
    }
}

/// Every kernel set that this CPU can run, slowest first.
pub fn available() -> Vec<Kernels> {
    Isa::ALL.into_iter().filter_map(kernels).collect()
}

/// The fastest kernels of this CPU, or those that `KARAT_ISA` names.
///
/// # Errors
/// `KARAT_ISA` names no instruction set, or one that this CPU lacks.
pub fn select() -> Result<Kernels, IsaError> {
    choose(std::env::var_os(VARIABLE).map(|name| name.to_string_lossy().into_owned()))
}

/// The vectors in which floats are computed: the widest of this CPU. All give the same bits.
pub(crate) fn vectors() -> Arch {
    Arch::new()
}

fn choose(forced: Option<String>) -> Result<Kernels, IsaError> {
    match forced {
        Some(name) => {
            let isa: Isa = name.parse()?;
            kernels(isa).ok_or(IsaError::Unavailable { isa })
        }
        None => Ok(available().pop().unwrap_or_else(scalar::kernels)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forced_isa_is_followed_or_refused() {
        assert_eq!(
            choose(Some("scalar".into())).map(|k| k.isa),
            Ok(Isa::Scalar)
        );
        for unknown in ["", "Scalar", "avx1024"] {
            assert_eq!(
                choose(Some(unknown.into())).map(|k| k.isa),
                Err(IsaError::Unknown {
                    name: unknown.into()
                })
            );
        }
    }

    #[test]
    fn the_fastest_is_the_default_and_every_cpu_has_the_scalar_path() {
        let available = available();
        assert_eq!(available[0].isa, Isa::Scalar);
        assert_eq!(choose(None).unwrap().isa, available.last().unwrap().isa);
        assert_eq!(
            select().map(|k| k.isa),
            choose(std::env::var(VARIABLE).ok()).map(|k| k.isa)
        );
    }

    #[test]
    fn an_unknown_isa_names_the_known_ones() {
        let error = choose(Some("sse9".into())).map(|k| k.isa).unwrap_err();
        assert_eq!(
            error.to_string(),
            "KARAT_ISA=sse9 is unknown; it can be: scalar"
        );
        let lacking = IsaError::Unavailable { isa: Isa::Scalar };
        assert_eq!(
            lacking.to_string(),
            "KARAT_ISA=scalar: this CPU does not have it"
        );
    }
}

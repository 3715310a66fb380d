//! Chooses kernels at run time; the only place that detects CPU features.

#[cfg(target_arch = "aarch64")]
use std::arch::is_aarch64_feature_detected;

use pulp::Arch;

use crate::entry::Table;
use crate::{Isa, IsaError, Kernels, portable};

/// The variable that forces an instruction set.
pub const VARIABLE: &str = "KARAT_ISA";

/// The kernels for an instruction set, if this CPU has it.
pub fn kernels(isa: Isa) -> Option<Kernels> {
    #[cfg(target_arch = "aarch64")]
    use crate::aarch64::{neon, neon_dotprod};
    #[cfg(target_arch = "x86_64")]
    use crate::x86_64::{avx_vnni, avx2, avx512_vnni};
    let table: unsafe fn() -> Table = match isa {
        Isa::Portable => portable::table,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 if is_x86_feature_detected!("avx2") => avx2::table,
        #[cfg(target_arch = "x86_64")]
        Isa::AvxVnni if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("avxvnni") => {
            avx_vnni::table
        }
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Vnni
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vnni") =>
        {
            avx512_vnni::table
        }
        #[cfg(target_arch = "aarch64")]
        Isa::Neon if is_aarch64_feature_detected!("neon") => neon::table,
        #[cfg(target_arch = "aarch64")]
        Isa::NeonDotprod
            if is_aarch64_feature_detected!("neon") && is_aarch64_feature_detected!("dotprod") =>
        {
            neon_dotprod::table
        }
        _ => return None,
    };
    // SAFETY: the CPU has what the arm asked for.
    Some(Kernels::new(unsafe { table() }))
}

/// Every kernel set that this CPU can run, slowest first.
pub fn available() -> Vec<Kernels> {
    Isa::ALL.into_iter().filter_map(kernels).collect()
}

/// The kernels that every CPU can run.
pub fn portable() -> Kernels {
    // SAFETY: every CPU has it.
    Kernels::new(unsafe { portable::table() })
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
        None => Ok(available().pop().unwrap_or_else(portable)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forced_isa_is_followed_or_refused() {
        assert_eq!(
            choose(Some("portable".into())).map(|k| k.isa()),
            Ok(Isa::Portable)
        );
        for unknown in ["", "Scalar", "avx1024"] {
            assert_eq!(
                choose(Some(unknown.into())).map(|k| k.isa()),
                Err(IsaError::Unknown {
                    name: unknown.into()
                })
            );
        }
    }

    #[test]
    fn the_fastest_is_the_default_and_every_cpu_has_the_portable_path() {
        let available = available();
        assert_eq!(available[0].isa(), Isa::Portable);
        assert_eq!(choose(None).unwrap().isa(), available.last().unwrap().isa());
        assert_eq!(
            select().map(|k| k.isa()),
            choose(std::env::var(VARIABLE).ok()).map(|k| k.isa())
        );
    }

    #[test]
    fn an_unknown_isa_names_the_known_ones() {
        let error = choose(Some("sse9".into())).map(|k| k.isa()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "KARAT_ISA=sse9 is unknown; it can be: portable, avx2, avx_vnni, avx512_vnni, neon, neon_dotprod"
        );
        let lacking = IsaError::Unavailable { isa: Isa::Portable };
        assert_eq!(
            lacking.to_string(),
            "KARAT_ISA=portable: this CPU does not have it"
        );
    }
}

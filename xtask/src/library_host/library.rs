//! The library itself: the only unsafe code of this crate.

use std::ffi::c_int;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::abi::{Input, Output, VERSION, Weights, WindowOf};

/// A loaded library of the right version, with at least one operator.
pub(super) struct Library {
    conv2d: Option<Conv2d>,
    linear: Option<Linear>,
    max_pool: Option<Pool>,
    average_pool: Option<Pool>,
    relu: Option<Relu>,
    /// Holds the code of the functions above, which are not called without `self`.
    _loaded: libloading::Library,
}

type Version = unsafe extern "C" fn() -> u32;
type Conv2d = unsafe extern "C" fn(&Input<'_>, &Weights<'_>, &WindowOf, &mut Output<'_>) -> c_int;
type Linear = unsafe extern "C" fn(&Input<'_>, &Weights<'_>, &mut Output<'_>) -> c_int;
type Pool = unsafe extern "C" fn(&Input<'_>, &WindowOf, &mut Output<'_>) -> c_int;
type Relu = unsafe extern "C" fn(&Input<'_>, &mut Output<'_>) -> c_int;

/// What an operator returned; none if the library has it not.
pub(super) type Returned = Option<c_int>;

impl Library {
    /// Loads a library.
    ///
    /// # Errors
    /// It is none, of another version, or without an operator.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        // SAFETY: loading runs the library's constructors, which may do anything. That is what
        // the user asked for, and why this process does nothing else.
        let loaded = match unsafe { libloading::Library::new(path) } {
            Ok(loaded) => loaded,
            // The loader's reason is behind the error.
            Err(error) => return Err(error).with_context(|| format!("{shown} cannot be loaded")),
        };
        // SAFETY: karat.h declares it so; that the library does too is the user's claim.
        let version = match unsafe { loaded.get::<Version>(b"karat_abi_version\0") } {
            // SAFETY: as above, and it takes nothing.
            Ok(version) => unsafe { version() },
            Err(_) => bail!(
                "{shown} has no karat_abi_version; karat.h: uint32_t karat_abi_version(void), \
                 which returns KARAT_ABI_VERSION (of C++, within extern \"C\")"
            ),
        };
        if version != VERSION {
            bail!(
                "{shown} is of ABI version {version}, this Karat of {VERSION}; compile it anew \
                 with this karat.h"
            );
        }
        macro_rules! operator {
            ($type:ty, $name:literal) => {
                // SAFETY: karat.h declares the symbol of this type; that the library's is of it
                // is the user's claim. It is copied out, and kept with the library.
                unsafe { loaded.get::<$type>(concat!($name, "\0").as_bytes()) }
                    .ok()
                    .map(|symbol| *symbol)
            };
        }
        let library = Self {
            conv2d: operator!(Conv2d, "karat_conv2d"),
            linear: operator!(Linear, "karat_linear"),
            max_pool: operator!(Pool, "karat_max_pool"),
            average_pool: operator!(Pool, "karat_average_pool"),
            relu: operator!(Relu, "karat_relu"),
            _loaded: loaded,
        };
        let none = library.conv2d.is_none()
            && library.linear.is_none()
            && library.max_pool.is_none()
            && library.average_pool.is_none()
            && library.relu.is_none();
        if none {
            bail!(
                "{shown} has no operator; karat.h: define at least one of karat_conv2d, \
                 karat_linear, karat_max_pool, karat_average_pool, karat_relu"
            );
        }
        Ok(library)
    }

    pub(super) fn conv2d(
        &self,
        input: &Input<'_>,
        weights: &Weights<'_>,
        window: &WindowOf,
        output: &mut Output<'_>,
    ) -> Returned {
        // SAFETY: the structs are those of karat.h, and their pointers as long as they say; what
        // the library does with them is why it has a process of its own. So for all below.
        self.conv2d
            .map(|function| unsafe { function(input, weights, window, output) })
    }

    pub(super) fn linear(
        &self,
        input: &Input<'_>,
        weights: &Weights<'_>,
        output: &mut Output<'_>,
    ) -> Returned {
        // SAFETY: as of conv2d.
        self.linear
            .map(|function| unsafe { function(input, weights, output) })
    }

    pub(super) fn max_pool(
        &self,
        input: &Input<'_>,
        window: &WindowOf,
        output: &mut Output<'_>,
    ) -> Returned {
        // SAFETY: as of conv2d.
        self.max_pool
            .map(|function| unsafe { function(input, window, output) })
    }

    pub(super) fn average_pool(
        &self,
        input: &Input<'_>,
        window: &WindowOf,
        output: &mut Output<'_>,
    ) -> Returned {
        // SAFETY: as of conv2d.
        self.average_pool
            .map(|function| unsafe { function(input, window, output) })
    }

    pub(super) fn relu(&self, input: &Input<'_>, output: &mut Output<'_>) -> Returned {
        // SAFETY: as of conv2d.
        self.relu.map(|function| unsafe { function(input, output) })
    }
}

//! The structs of `verify/include/karat.h`, which says what their fields mean.
//!
//! Their pointers come from slices that they borrow, as long as their shapes say; only the
//! constructors make them.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::size_of;

use super::case::{Codes, Window};

/// `KARAT_ABI_VERSION`.
pub(super) const VERSION: u32 = 1;

/// `KARAT_UNSUPPORTED`.
pub(super) const UNSUPPORTED: i32 = 1;

#[repr(C)]
pub(super) struct Input<'a> {
    size: usize,
    shape: [i32; 4],
    is_signed: i32,
    zero_point: i32,
    scale: f64,
    codes: *const c_void,
    borrowed: PhantomData<&'a [u8]>,
}

#[repr(C)]
pub(super) struct Weights<'a> {
    size: usize,
    shape: [i32; 4],
    codes: *const i8,
    zero_points: *const i32,
    scales: *const f64,
    bias: *const i32,
    multipliers: *const f64,
    divisor: f64,
    borrowed: PhantomData<&'a [i8]>,
}

#[repr(C)]
pub(super) struct WindowOf {
    size: usize,
    kernel: [i32; 2],
    stride: [i32; 2],
    padding: [i32; 2],
    dilation: [i32; 2],
    groups: i32,
    count_include_pad: i32,
}

#[repr(C)]
pub(super) struct Output<'a> {
    size: usize,
    shape: [i32; 4],
    is_signed: i32,
    zero_point: i32,
    scale: f64,
    clamp_low: i32,
    clamp_high: i32,
    codes: *mut c_void,
    accumulators: *mut i32,
    has_accumulators: i32,
    borrowed: PhantomData<&'a mut [u8]>,
}

impl<'a> Input<'a> {
    pub(super) fn new(codes: &'a Codes) -> Self {
        Self {
            size: size_of::<Self>(),
            shape: codes.shape,
            is_signed: codes.params.is_signed.into(),
            zero_point: codes.params.zero_point,
            scale: codes.params.scale,
            codes: codes.bytes.as_ptr().cast(),
            borrowed: PhantomData,
        }
    }
}

impl<'a> Weights<'a> {
    pub(super) fn new(weights: &'a super::case::Weights) -> Self {
        Self {
            size: size_of::<Self>(),
            shape: weights.shape,
            codes: weights.codes.as_ptr(),
            zero_points: weights.zero_points.as_ptr(),
            scales: weights.scales.as_ptr(),
            bias: weights.bias.as_ptr(),
            multipliers: weights.multipliers.as_ptr(),
            divisor: weights.divisor,
            borrowed: PhantomData,
        }
    }
}

impl WindowOf {
    pub(super) fn new(window: &Window) -> Self {
        Self {
            size: size_of::<Self>(),
            kernel: window.kernel,
            stride: window.stride,
            padding: window.padding,
            dilation: window.dilation,
            groups: window.groups,
            count_include_pad: window.count_include_pad.into(),
        }
    }
}

impl<'a> Output<'a> {
    /// `codes` and `accumulators` are as long as the codes of `like`.
    pub(super) fn new(
        like: &super::case::Wanted,
        codes: &'a mut [u8],
        accumulators: Option<&'a mut [i32]>,
    ) -> Self {
        Self {
            size: size_of::<Self>(),
            shape: like.shape,
            is_signed: like.params.is_signed.into(),
            zero_point: like.params.zero_point,
            scale: like.params.scale,
            clamp_low: like.clamp[0],
            clamp_high: like.clamp[1],
            codes: codes.as_mut_ptr().cast(),
            accumulators: accumulators.map_or(std::ptr::null_mut(), <[i32]>::as_mut_ptr),
            has_accumulators: 0,
            borrowed: PhantomData,
        }
    }

    pub(super) fn has_accumulators(&self) -> bool {
        self.has_accumulators != 0 && !self.accumulators.is_null()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;
    use std::process::Command;

    /// The header's structs as this compiler lays them out, by a C compiler.
    #[test]
    fn the_header_says_the_same() {
        let mut text = String::from("#include \"karat.h\"\n");
        let mut claim = |c: &str, rust: usize| {
            text += &format!("_Static_assert({c} == {rust}, \"{c}\");\n");
        };
        claim("KARAT_ABI_VERSION", VERSION as usize);
        claim("KARAT_UNSUPPORTED", UNSUPPORTED as usize);
        macro_rules! same {
            ($c:literal, $rust:ident, $($field:ident)*) => {
                claim(concat!("sizeof(", $c, ")"), size_of::<$rust>());
                $(claim(
                    &format!("offsetof({}, {})", $c, stringify!($field)),
                    offset_of!($rust, $field),
                );)*
            };
        }
        same!("karat_input", Input, size shape is_signed zero_point scale codes);
        same!("karat_weights", Weights, size shape codes zero_points scales bias multipliers divisor);
        same!("karat_window", WindowOf, size kernel stride padding dilation groups count_include_pad);
        same!("karat_output", Output, size shape is_signed zero_point scale clamp_low clamp_high
            codes accumulators has_accumulators);
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("same.c");
        std::fs::write(&source, text).unwrap();
        let include = concat!(env!("CARGO_MANIFEST_DIR"), "/../verify/include");
        let mut compiler = Command::new("cc");
        compiler.args([
            "-std=c11",
            "-Wall",
            "-Werror",
            "-fsyntax-only",
            "-I",
            include,
        ]);
        match compiler.arg(&source).output() {
            Ok(done) => assert!(
                done.status.success(),
                "{}",
                String::from_utf8_lossy(&done.stderr)
            ),
            Err(error) => eprintln!("NOT CHECKED: karat.h against its Rust structs: cc: {error}"),
        }
    }
}

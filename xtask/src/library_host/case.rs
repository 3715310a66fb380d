//! The tensors of a case, as long as their shapes say.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use fixtures::npy::{Dtype, parse};
use reference::Tensor;
use verify::backend::folder::{
    LayerDescription, OutputDescription, TensorDescription, WeightsDescription, plain,
};

/// What codes stand for.
#[derive(Clone, Copy)]
pub(super) struct Params {
    pub(super) is_signed: bool,
    pub(super) zero_point: i32,
    pub(super) scale: f64,
}

/// Codes, one byte each, N, C, H, W.
pub(super) struct Codes {
    pub(super) shape: [i32; 4],
    pub(super) params: Params,
    pub(super) bytes: Vec<u8>,
}

/// What a layer is to write.
pub(super) struct Wanted {
    pub(super) shape: [i32; 4],
    pub(super) params: Params,
    pub(super) clamp: [i32; 2],
}

/// The parameters of a weighted layer, one entry a channel.
pub(super) struct Weights {
    pub(super) shape: [i32; 4],
    pub(super) codes: Vec<i8>,
    pub(super) zero_points: Vec<i32>,
    pub(super) scales: Vec<f64>,
    pub(super) bias: Vec<i32>,
    pub(super) multipliers: Vec<f64>,
    pub(super) divisor: f64,
}

/// Where the windows of a layer lie.
pub(super) struct Window {
    pub(super) kernel: [i32; 2],
    pub(super) stride: [i32; 2],
    pub(super) padding: [i32; 2],
    pub(super) dilation: [i32; 2],
    pub(super) groups: i32,
    pub(super) count_include_pad: bool,
}

/// The most bytes of a file of a case.
const LARGEST: u64 = 1 << 30;

impl Codes {
    /// The input of a case.
    pub(super) fn read(folder: &Path, of: &TensorDescription) -> Result<Self> {
        let params = Params::new(&of.dtype, of.zero_point, of.scale)?;
        let (shape, bytes) = if params.is_signed {
            let (shape, codes) = array::<i8>(folder, &of.file, &of.shape)?;
            (shape, codes.into_iter().map(i8::cast_unsigned).collect())
        } else {
            array::<u8>(folder, &of.file, &of.shape)?
        };
        Ok(Self {
            shape: four(&shape)?,
            params,
            bytes,
        })
    }

    /// The same codes of another shape.
    pub(super) fn reshaped(self, shape: [i32; 4]) -> Result<Self> {
        let found = self.bytes.len();
        ensure!(
            volume(shape)? == found,
            "{found} codes, expected shape {shape:?}"
        );
        Ok(Self { shape, ..self })
    }
}

impl Params {
    fn new(dtype: &str, zero_point: i32, scale: f64) -> Result<Self> {
        let is_signed = match dtype {
            "int8" => true,
            "uint8" => false,
            other => bail!("dtype {other}, expected int8 or uint8"),
        };
        Ok(Self {
            is_signed,
            zero_point,
            scale,
        })
    }
}

impl Wanted {
    pub(super) fn new(of: &OutputDescription) -> Result<Self> {
        Ok(Self {
            shape: four(&of.shape)?,
            params: Params::new(&of.dtype, of.zero_point, of.scale)?,
            clamp: of.clamp,
        })
    }

    pub(super) fn volume(&self) -> Result<usize> {
        volume(self.shape)
    }
}

impl Weights {
    pub(super) fn read(
        folder: &Path,
        layer: &LayerDescription,
        of: &WeightsDescription,
    ) -> Result<Self> {
        let (shape, codes) = array::<i8>(folder, &of.weight, &of.weight_shape)?;
        let channels = shape.first().copied().unwrap_or(0);
        let bias = match &of.bias {
            Some(file) => array::<i32>(folder, file, &[channels])?.1,
            None => vec![0; channels],
        };
        ensure!(
            of.mul_scale.is_none(),
            "karat.h has no zero points inside of biases: give NNTool's schemes to a command, not \
             to a library"
        );
        let scales = each(&of.weight_scales, channels)?;
        let multiplier = |scale: &f64| match of.divisor {
            Some(divisor) => 1.0 / divisor,
            // In the order of Karat's own.
            None => scale * of.input_scale / layer.output.scale,
        };
        Ok(Self {
            shape: four(&shape)?,
            codes,
            zero_points: each(&of.weight_zero_points, channels)?,
            multipliers: scales.iter().map(multiplier).collect(),
            scales,
            bias,
            divisor: of.divisor.unwrap_or(0.0),
        })
    }
}

/// One value for every channel, where there is one for all.
fn each<T: Copy>(values: &[T], channels: usize) -> Result<Vec<T>> {
    match values {
        [one] => Ok(vec![*one; channels]),
        all if all.len() == channels => Ok(all.to_vec()),
        all => bail!("{} values for {channels} channels", all.len()),
    }
}

/// A tensor of a case, of this shape.
fn array<E: Dtype>(folder: &Path, file: &str, shape: &[usize]) -> Result<(Vec<usize>, Vec<E>)> {
    ensure!(
        Path::new(file).file_name().is_some_and(|name| name == file),
        "{file:?} is no name of a file in the folder of the case"
    );
    let path = folder.join(file);
    let read = || -> Result<Tensor<E>> {
        let bytes = plain(&path, LARGEST).map_err(|why| anyhow!(why))?;
        let tensor = parse::<E>(&bytes)?;
        ensure!(
            tensor.shape() == shape,
            "shape {:?}, expected {shape:?}",
            tensor.shape()
        );
        Ok(tensor)
    };
    let tensor = read().with_context(|| path.display().to_string())?;
    Ok((tensor.shape().to_vec(), tensor.data().to_vec()))
}

/// N, C, H, W; axes that are not there are 1.
fn four(shape: &[usize]) -> Result<[i32; 4]> {
    let mut four = [1; 4];
    ensure!(shape.len() <= 4, "shape {shape:?} has more than 4 axes");
    for (to, &from) in four.iter_mut().zip(shape) {
        *to = i32::try_from(from)?;
    }
    Ok(four)
}

fn volume(shape: [i32; 4]) -> Result<usize> {
    (shape.into_iter())
        .try_fold(1usize, |product, axis| {
            product.checked_mul(usize::try_from(axis).ok()?)
        })
        .with_context(|| format!("shape {shape:?}"))
}

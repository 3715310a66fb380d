//! Every tensor of an export: what is put in, the parameters, what each step gives.

use reference::Tensor;
use serde::{Deserialize, Serialize};

use super::{Dump, ExportError, Request};
use crate::dtype::Dtype;
use crate::model::{Model, Node, Step};

/// A tensor of integers.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// `pixels`, `<layer>.weight`, `<layer>.bias`, or the node whose output it is.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The least type that every such tensor of the model fits.
    pub dtype: Dtype,
    /// Where it is one for each image, the first axis is the image.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<i32>,
    /// The real size of a step, one or one an output channel; of pixels none.
    pub scales: Vec<f64>,
    /// What stands for 0, as many.
    pub zero_points: Vec<i32>,
}

/// What a tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The images.
    Pixels,
    /// Of a weighted layer: OIHW or [out, in].
    Weights,
    /// Of a weighted layer, in steps of its accumulators.
    Biases,
    /// Sums before requantization.
    Accumulators,
    /// What a layer gives, and the input's codes.
    Codes,
}

impl Kind {
    /// Whether there is one for each image, along the first axis.
    pub fn is_per_image(self) -> bool {
        !matches!(self, Self::Weights | Self::Biases)
    }

    /// As it is written in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pixels => "pixels",
            Self::Weights => "weights",
            Self::Biases => "biases",
            Self::Accumulators => "accumulators",
            Self::Codes => "codes",
        }
    }
}

impl Array {
    /// The shape without the axis of the images.
    pub fn item_shape(&self) -> &[usize] {
        match self.kind.is_per_image() {
            true => &self.shape[1..],
            false => &self.shape,
        }
    }

    /// The values of one image; of parameters all.
    pub fn item(&self, image: usize) -> &[i32] {
        let len: usize = self.item_shape().iter().product();
        match self.kind.is_per_image() {
            true => &self.values[image * len..][..len],
            false => &self.values,
        }
    }
}

/// Pixels, then what each node needs and gives, in order: weights and biases stand before the
/// accumulators that are made of them. A layer without a bias has none.
///
/// # Errors
/// Values that no type of 8 or 32 bits holds.
pub fn arrays(request: &Request, format: &'static str) -> Result<Vec<Array>, ExportError> {
    let model = request.model;
    let dump = Dump::new(request)?;
    let maker = Maker { model, format };
    let mut arrays = vec![maker.array("pixels", Kind::Pixels, Dtype::Uint8, &dump.pixels, &[])?];
    for (node, layer) in model.nodes.iter().zip(&dump.layers) {
        if let Step::Accumulate(sums) = &node.step {
            let layer = node.layer();
            let scales = maker.weight_scales(node);
            let mut weight = maker.array(
                &format!("{layer}.weight"),
                Kind::Weights,
                maker.weight_type(),
                &sums.weight.map(f64::from),
                &scales,
            )?;
            weight.zero_points = sums.weight_zero_points[..scales.len()].to_vec();
            arrays.push(weight);
            let origin = node.weighted.map(|at| &model.origin.layers[at]);
            if origin.is_some_and(|origin| origin.float.bias.is_some()) {
                let values = sums.bias.iter().map(|&bias| bias as f64).collect();
                let bias = Tensor::new(&[sums.bias.len()], values)?;
                let (name, scales) = (format!("{layer}.bias"), maker.sum_scales(node));
                arrays.push(maker.array(&name, Kind::Biases, Dtype::Int32, &bias, &scales)?);
            }
        }
        arrays.push(maker.output(node, &layer.values)?);
    }
    Ok(arrays)
}

struct Maker<'a> {
    model: &'a Model,
    format: &'static str,
}

impl Maker<'_> {
    /// What a node gives.
    fn output(&self, node: &Node, values: &Tensor<f64>) -> Result<Array, ExportError> {
        let (name, dtype) = (&node.name, Dtype::of_node(node));
        let Some(params) = node.params else {
            return self.array(
                name,
                Kind::Accumulators,
                dtype,
                values,
                &self.sum_scales(node),
            );
        };
        let grid = params.grid;
        if [grid.low(), grid.high()]
            .iter()
            .any(|code| !dtype.range().contains(code))
        {
            return Err(self.refuse(name, format!("codes of {} bits", grid.bits)));
        }
        let mut codes = self.array(name, Kind::Codes, dtype, values, &[params.scale.wide()])?;
        codes.zero_points = vec![params.zero_point];
        Ok(codes)
    }

    fn array(
        &self,
        name: &str,
        kind: Kind,
        dtype: Dtype,
        values: &Tensor<f64>,
        scales: &[f64],
    ) -> Result<Array, ExportError> {
        let range = dtype.range();
        let integer = |&value: &f64| match value as i32 {
            code if f64::from(code) == value && range.contains(&code) => Ok(code),
            _ => Err(self.refuse(name, format!("{value} as {}", dtype.name()))),
        };
        Ok(Array {
            name: name.to_owned(),
            kind,
            dtype,
            shape: values.shape().to_vec(),
            values: values
                .data()
                .iter()
                .map(integer)
                .collect::<Result<_, _>>()?,
            scales: scales.to_vec(),
            zero_points: vec![0; scales.len()],
        })
    }

    /// Of the codes of weights.
    fn weight_type(&self) -> Dtype {
        let scheme = &self.model.origin.affine;
        (scheme.as_ref()).map_or(Dtype::Int8, |scheme| Dtype::of_grid(scheme.weights.grid))
    }

    /// s_W of a weighted node.
    fn weight_scales(&self, node: &Node) -> Vec<f64> {
        let origin = node.weighted.map(|at| &self.model.origin.layers[at]);
        let scales = origin.map_or(&[][..], |origin| &origin.weight_scales);
        scales.iter().map(|scale| scale.wide()).collect()
    }

    /// s_W·s_I of a weighted node.
    fn sum_scales(&self, node: &Node) -> Vec<f64> {
        let input = node
            .weighted
            .map_or(1.0, |at| self.model.origin.layers[at].input.wide());
        let scales = self.weight_scales(node);
        scales.iter().map(|scale| scale * input).collect()
    }

    fn refuse(&self, node: &str, what: String) -> ExportError {
        ExportError::Inexpressible {
            network: self.model.network.clone(),
            node: node.to_owned(),
            format: self.format,
            what,
            mend: "quantize to 8 bits".into(),
        }
    }
}

//! tract.

use anyhow::{Result, bail};
use tract_onnx::prelude::*;

use crate::model::Model;

/// Pinned in Cargo.toml.
pub const VERSION: &str = "0.23.9";

/// An optimized plan, its state and its input.
pub struct Engine {
    state: TypedSimpleState,
    input: TValue,
    form: String,
}

impl Engine {
    /// Loads and optimizes it for the input's shape.
    pub fn new(model: &Model) -> Result<Self> {
        if model.threads > 1 {
            bail!("runs on one thread");
        }
        let fact = InferenceFact::dt_shape(u8::datum_type(), &model.shape);
        let state = tract_onnx::onnx()
            .model_for_path(&model.file)?
            .with_input_fact(0, fact)?
            .into_optimized()?
            .into_runnable()?
            .spawn()?;
        let input = Tensor::from_shape(&model.shape, &model.input)?;
        Ok(Self {
            state,
            input: input.into_tvalue(),
            form: model.form.clone(),
        })
    }

    fn run(&mut self) -> Result<TValue> {
        Ok(self.state.run(tvec!(self.input.clone()))?.remove(0))
    }
}

impl crate::Engine for Engine {
    fn form(&self) -> String {
        self.form.clone()
    }

    fn call(&mut self) -> Result<()> {
        self.run().map(drop)
    }

    fn output(&mut self) -> Result<(Vec<usize>, Vec<i32>)> {
        let output = self.run()?;
        let bytes = output.as_bytes();
        // Codes as they are: a cast would take a quantized type for the reals it stands for.
        let values = match output.datum_type().unquantized() {
            DatumType::U8 => bytes.iter().copied().map(i32::from).collect(),
            DatumType::I32 => (bytes.as_chunks().0.iter())
                .map(|&each| i32::from_le_bytes(each))
                .collect(),
            other => bail!("an output of type {other:?}"),
        };
        Ok((output.shape().to_vec(), values))
    }
}

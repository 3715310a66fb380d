//! rten.

use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use rten::{RunOptions, ThreadPool, Value, ValueOrView};
use rten_tensor::prelude::*;

use crate::model::Model;

/// Pinned in Cargo.toml.
pub const VERSION: &str = "0.27.0";

/// A loaded model and its input.
pub struct Engine {
    model: rten::Model,
    input: Value,
    options: RunOptions,
    form: String,
}

impl Engine {
    /// Loads it, with weights packed once.
    pub fn new(model: &Model) -> Result<Self> {
        let mut options = rten::ModelOptions::with_all_ops();
        options.prepack_weights(true);
        let threads = ThreadPool::with_num_threads(model.threads);
        Ok(Self {
            model: options.load_file(&model.file)?,
            input: Value::from_shape(&model.shape, model.input.clone())
                .map_err(|error| anyhow!("{error}"))?,
            options: RunOptions::default().with_thread_pool(Some(Arc::new(threads))),
            form: model.form.clone(),
        })
    }

    fn run(&self) -> Result<Value> {
        let input = ValueOrView::View(self.input.as_view());
        Ok(self.model.run_one(input, Some(self.options.clone()))?)
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
        Ok(match self.run()? {
            Value::UInt8Tensor(values) => {
                let wide = values.to_vec().into_iter().map(i32::from);
                (values.shape().to_vec(), wide.collect())
            }
            Value::Int32Tensor(values) => (values.shape().to_vec(), values.to_vec()),
            other => bail!("an output of another type: {other:?}"),
        })
    }
}

//! A step that is none of the others: only a mistake makes one.

use std::fmt;
use std::sync::Arc;

use reference::ShapeError;

use super::Values;

/// Any function of a step's input.
#[derive(Clone)]
pub struct Function(Arc<Run>);

type Run = dyn Fn(&Values) -> Result<Values, ShapeError> + Send + Sync;

impl Function {
    /// Of this function.
    pub fn new(
        function: impl Fn(&Values) -> Result<Values, ShapeError> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(function))
    }

    pub(super) fn run(&self, input: &Values) -> Result<Values, ShapeError> {
        (self.0)(input)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Function")
    }
}

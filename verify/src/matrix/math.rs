//! LaTeX as MathML, which browsers show by themselves.

use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};

/// None where it is no LaTeX that the converter knows.
pub fn mathml(latex: &str) -> Option<String> {
    let converter = LatexToMathML::new(MathCoreConfig::default()).ok()?;
    let converted = converter.convert_with_local_state(latex, MathDisplay::Block);
    converted.ok().map(|converted| converted.mathml)
}

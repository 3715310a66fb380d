//! Whether a fresh export is the committed one: integers byte for byte, floats within
//! their derived bound.

use fixtures::npy::Dtype;
use fixtures::{FixtureError, Fixtures};
use kernels::Kernels;

use crate::compare::{Same, exact};
use crate::run::{Options, Selection, TRACED_IMAGES, VerifyError, verify};

/// What a comparison of two folders of fixtures found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixtureDifferences {
    /// A line for each file that is not as it must be.
    pub differences: Vec<String>,
    /// Files of rounded floats that differ and may: they come from another CPU.
    pub within_bounds: usize,
}

/// Compares a fresh export with the committed fixtures.
///
/// Tensors that PyTorch rounds may differ from machine to machine. Those of `fresh` must
/// then hold the same claims against Karat as the committed ones, which bounds their
/// distance by the sum of the two bounds. Everything else is equal byte for byte.
///
/// # Errors
/// One of the two cannot be read.
pub fn fixture_differences(
    committed: &Fixtures,
    fresh: &Fixtures,
    kernel_sets: &[Kernels],
) -> Result<FixtureDifferences, VerifyError> {
    let mut found = FixtureDifferences::default();
    for path in committed
        .manifest()
        .files
        .keys()
        .filter(|path| !fresh.has(path))
    {
        found
            .differences
            .push(format!("{path}: is no longer exported"));
    }
    for (path, file) in &fresh.manifest().files {
        let Some(old) = committed.manifest().files.get(path) else {
            found.differences.push(format!("{path}: is new"));
            continue;
        };
        if old == file {
            continue;
        }
        if (&old.dtype, &old.shape) != (&file.dtype, &file.shape) {
            found.differences.push(format!(
                "{path}: was {} {:?}, is {} {:?}",
                old.dtype, old.shape, file.dtype, file.shape
            ));
        } else if is_rounded(path) {
            found.within_bounds += 1;
        } else {
            match difference(committed, fresh, path, &old.dtype)? {
                Some(difference) => found.differences.push(format!("{path}: {difference}")),
                // Hashes of floats: right if the claims below hold of the fresh ones.
                None => found.within_bounds += 1,
            }
        }
    }
    if found.within_bounds > 0 {
        let options = Options {
            fixtures: fresh.root().to_path_buf(),
            selection: Selection::Everything,
            data: None,
            images: TRACED_IMAGES,
        };
        let report = verify(&options, kernel_sets, &|_| {})?;
        found.differences.extend(report.failures().map(|row| {
            format!(
                "{}, {}, {}: {}",
                row.network, row.layer, row.claim, row.outcome
            )
        }));
    }
    Ok(found)
}

/// Whether PyTorch rounds on the way to this tensor, in an order that the CPU decides.
fn is_rounded(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    (folder.starts_with("networks/") && folder.ends_with("/float") && name != "predictions.npy")
        || (folder.starts_with("operators/")
            && folder.ends_with("_rounding")
            && name == "output.npy")
}

/// The first difference between two files of one type, if there is one that counts.
fn difference(
    committed: &Fixtures,
    fresh: &Fixtures,
    path: &str,
    dtype: &str,
) -> Result<Option<String>, FixtureError> {
    let text = match dtype {
        "json" => return json_difference(committed, fresh, path),
        "uint8" => first::<u8>(committed, fresh, path)?,
        "int8" => first::<i8>(committed, fresh, path)?,
        "int32" => first::<i32>(committed, fresh, path)?,
        "float32" => first::<f32>(committed, fresh, path)?,
        "float64" => first::<f64>(committed, fresh, path)?,
        "float16" => first::<half::f16>(committed, fresh, path)?,
        // bfloat16 is stored as the bits.
        _ => first::<u16>(committed, fresh, path)?,
    };
    Ok(Some(text))
}

fn first<E: Dtype + Same>(
    committed: &Fixtures,
    fresh: &Fixtures,
    path: &str,
) -> Result<String, FixtureError> {
    let outcome = exact(&committed.tensor::<E>(path)?, &fresh.tensor::<E>(path)?);
    if outcome.holds() {
        return Ok("has the same values in other bytes".to_owned());
    }
    Ok(outcome.to_string())
}

/// JSON differs in more than the hashes of rounded floats.
fn json_difference(
    committed: &Fixtures,
    fresh: &Fixtures,
    path: &str,
) -> Result<Option<String>, FixtureError> {
    let read = |fixtures: &Fixtures| -> Result<serde_json::Value, FixtureError> {
        let mut value: serde_json::Value = fixtures.json(path)?;
        if let Some(float) = value
            .get_mut("float")
            .and_then(serde_json::Value::as_object_mut)
        {
            float.remove("hashed");
        }
        Ok(value)
    };
    let same = read(committed)? == read(fresh)?;
    Ok((!same).then(|| "the description differs".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_float_sums_may_differ() {
        for path in [
            "networks/lab/float/conv1.npy",
            "networks/lab/float/logits.npy",
            "operators/conv2d_k3_float32_rounding/output.npy",
        ] {
            assert!(is_rounded(path), "{path}");
        }
        for path in [
            "networks/lab/float/predictions.npy",
            "networks/lab/int8/conv1.codes.npy",
            "networks/lab/parameters/conv1.weight.npy",
            "networks/lab/network.json",
            "operators/conv2d_k3_float32_rounding/input.npy",
            "operators/conv2d_k3_float32_dyadic/output.npy",
            "images/mnist/normalized.npy",
        ] {
            assert!(!is_rounded(path), "{path}");
        }
    }
}

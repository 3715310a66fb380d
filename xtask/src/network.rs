//! A committed network by name.

use anyhow::{Result, bail};
use fixtures::{Fixtures, NetworkFixture};

/// Loads it, or says which networks there are.
pub(crate) fn load(name: &str) -> Result<NetworkFixture> {
    let known = fixtures::NETWORKS;
    if !known.contains(&name) {
        bail!(
            "there is no network {name:?}; there are: {}",
            known.join(", ")
        );
    }
    let fixtures = Fixtures::open(Fixtures::committed_root())?;
    Ok(NetworkFixture::load(&fixtures, name)?)
}

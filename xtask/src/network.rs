//! A committed network by name.

use anyhow::{Result, bail};
use fixtures::{Fixtures, NetworkFixture};

/// Its name, or an error that says which networks there are.
pub(crate) fn known(name: &str) -> Result<&'static str> {
    match fixtures::NETWORKS.iter().find(|known| **known == name) {
        Some(known) => Ok(known),
        None => bail!(
            "there is no network {name:?}; there are: {}",
            fixtures::NETWORKS.join(", ")
        ),
    }
}

/// Loads it.
pub(crate) fn load(name: &str) -> Result<NetworkFixture> {
    known(name)?;
    let fixtures = Fixtures::open(Fixtures::committed_root())?;
    Ok(NetworkFixture::load(&fixtures, name)?)
}

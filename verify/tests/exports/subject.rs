//! A model with the images of its data set.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use fixtures::{Fixtures, ImageSet, NetworkFixture};
use verify::export::{Artifact, ExportError, Format, Options, Request};
use verify::model::{Model, ModelScheme};

#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) model: Model,
    pub(crate) images: ImageSet,
}

/// Those that a test has made, by network, scheme and contract.
type Made = BTreeMap<[String; 3], Arc<OnceLock<Subject>>>;

impl Subject {
    /// A copy of what was read and calibrated once.
    pub(crate) fn new(network: &str, scheme: ModelScheme, contract: &str) -> Self {
        static MADE: Mutex<Made> = Mutex::new(Made::new());
        let key = [network, scheme.name(), contract].map(str::to_owned);
        let own = Arc::clone(MADE.lock().unwrap().entry(key).or_default());
        own.get_or_init(|| Self::make(network, scheme, contract))
            .clone()
    }

    fn make(network: &str, scheme: ModelScheme, contract: &str) -> Self {
        let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
        let fixture = NetworkFixture::load(&fixtures, network).unwrap();
        let images = ImageSet::load(&fixtures, &fixture.data).unwrap();
        let model = Model::new(&fixture, &images, scheme, contract).unwrap();
        Self { model, images }
    }

    pub(crate) fn request<'a>(&'a self, options: &'a Options) -> Request<'a> {
        Request {
            model: &self.model,
            images: &self.images,
            options,
        }
    }

    pub(crate) fn export(
        &self,
        format: &str,
        options: &Options,
    ) -> Result<Vec<Artifact>, ExportError> {
        Format::find(format).unwrap().make(&self.request(options))
    }
}

//! A model with the images of its data set.

use fixtures::{Fixtures, ImageSet, NetworkFixture};
use verify::export::{Artifact, ExportError, Format, Options, Request};
use verify::model::{Model, ModelScheme};

#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) model: Model,
    pub(crate) images: ImageSet,
}

impl Subject {
    pub(crate) fn new(network: &str, scheme: ModelScheme, contract: &str) -> Self {
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

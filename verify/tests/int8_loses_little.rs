//! Max-abs int8 loses at most half a point of the float accuracy over all 10,000 test
//! images, and the float networks are as good as they were to become.

use rstest::rstest;

#[rstest]
#[case("lab", 5500)]
#[case("lab-bias", 5500)]
#[case("lenet5-cifar10", 6500)]
#[case("lenet5-mnist", 9890)]
#[case("mlp-mnist", 9700)]
fn over_all_test_images(#[case] name: &str, #[case] least: usize) {
    let fixture = fixtures::NetworkFixture::load(crate::common::open(), name).unwrap();
    let images = fixtures::ImageSet::load(crate::common::open(), &fixture.data).unwrap();
    let right = |predicted: &[u8]| {
        predicted
            .iter()
            .zip(&images.labels)
            .filter(|(a, b)| a == b)
            .count()
    };
    assert_eq!(images.labels.len(), 10_000);
    assert_eq!(fixture.float.predictions.len(), 10_000);
    assert_eq!(fixture.int8.predictions.len(), 10_000);
    let (float, int8) = (
        right(&fixture.float.predictions),
        right(&fixture.int8.predictions),
    );
    assert!(float >= least, "float: {float} of 10,000");
    assert!(int8 + 50 >= float, "int8: {int8}, float: {float} of 10,000");
}

//! Every contract says what it computes, unless it adds a float.

use quant::contracts::{ALL, Channel};

#[test]
fn every_contract_has_a_recipe_but_for_a_float_bias() {
    let channel = Channel::int8(0.75, 0.007, 0.5, 0);
    let mut with_bias = 0;
    for contract in ALL {
        let prepared = contract.prepare(&channel).unwrap();
        let recipe = prepared.recipe().unwrap();
        assert_eq!(recipe.clamp, channel.clamp, "{}", contract.name);
        assert_eq!(recipe.zero_point, 0, "{}", contract.name);
        let biased = Channel {
            bias: Some(0.5),
            ..channel
        };
        if let Ok(prepared) = contract.prepare(&biased) {
            assert_eq!(prepared.recipe(), None, "{}", contract.name);
            with_bias += 1;
        }
    }
    assert_eq!((ALL.len(), with_bias), (34, 9));
}

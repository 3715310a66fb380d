//! Inputs on which hypotheses part.

use verify::diagnosis::{Diagnosis, Segment, separate};
use verify::mistakes::{Site, find};
use verify::model::Step;

use crate::differences_are_described::traced::{hypothesis, lab, padded};

#[test]
fn roundings_are_parted_by_an_input_made_for_them() {
    let lab = lab();
    let (_, up) = lab.mistaken("conv1", "conv1", "conv1", "half-up");
    let (_, history) = lab.mistaken("fc2", "fc2", "fc2", "output-scale-missing-history");
    let right = hypothesis(Vec::new());
    let mut model = lab.model.clone();
    let node = lab.at("conv1");
    if let Step::Requantize(requantize) = &mut model.nodes[node].step {
        requantize
            .channels
            .iter_mut()
            .for_each(|channel| channel.output_scale = 64.0);
    }
    let up_at_64 = (find("half-up").unwrap().variants)(&Site::new(&model, node))
        .remove(0)
        .step;
    for first in [node, node - 1] {
        let segment = Segment {
            model: &model,
            nodes: first..node + 1,
            input: lab.input(first),
            expected: lab.output("conv1"),
            observed: lab.output("conv1"),
        };
        let three = [
            right.clone(),
            hypothesis(vec![(node, up_at_64.clone())]),
            right.clone(),
        ];
        let found = separate(&segment, &three).unwrap();
        assert_eq!(found.groups, [vec![0, 2], vec![1]]);
        assert_eq!(found.partings.len(), 1);
        // The first input is made of what the two steps differ in.
        assert_eq!(separate(&segment, &three[..2]).unwrap().tried, 1);
        let parting = &found.partings[0];
        assert_eq!(parting.input.shape()[1..], lab.input(first).shape()[1..]);
        assert_eq!(parting.input.shape()[0], 1);
        assert!((1..=3).contains(&parting.nonzero), "{}", parting.nonzero);
        for (at, group) in found.groups.iter().enumerate() {
            for &member in group {
                let output = segment.replay_on(&three[member], &parting.input).unwrap();
                assert_eq!(Some(&output), parting.outputs[at].as_ref());
            }
        }
        assert_ne!(parting.outputs[0], parting.outputs[1]);
        let low = if first == node { -1e6 } else { -128.0 };
        assert!((parting.input.data().iter()).all(|x| (low..=-low - 1.0).contains(x)));
        let behind = [right.clone(), three[1].clone(), three[1].clone()];
        let groups = separate(&segment, &behind).unwrap().groups;
        assert_eq!(groups, [vec![0], vec![1, 2]]);
        // A second time the same.
        assert_eq!(
            separate(&segment, &three).unwrap().partings[0].input,
            parting.input
        );
    }
    // A scale that is no dyadic number has no ties within reach: the same on all that is tried.
    let segment = lab.segment("conv1.accumulators", "conv1", lab.output("conv1"));
    let found = separate(&segment, &[right.clone(), up]).unwrap();
    assert_eq!((found.groups.len(), found.partings.len()), (1, 0));
    assert!(found.tried > 64, "{}", found.tried);
    let segment = lab.segment("fc2.accumulators", "fc2", lab.output("fc2"));
    let found = separate(&segment, &[right, history]).unwrap();
    assert_eq!(found.groups.len(), 2);
    let empty = separate(&segment, &[]).unwrap();
    assert!(empty.groups.is_empty() && empty.partings.is_empty());
}

#[test]
fn paddings_are_parted_by_codes() {
    let padded = padded();
    let (observed, zero) = padded.mistaken(
        "conv1.accumulators",
        "pool1",
        "conv1.accumulators",
        "padding-zero",
    );
    let segment = padded.segment("conv1.accumulators", "pool1", &observed);
    let found = separate(&segment, &[zero, hypothesis(Vec::new())]).unwrap();
    assert_eq!(found.groups, [vec![0], vec![1]]);
    let parting = &found.partings[0];
    // Padding shows best where there is nothing else.
    assert_eq!(parting.nonzero, 0);
    let grid = padded.model.nodes[0].params.unwrap().grid;
    let codes = f64::from(grid.low())..=f64::from(grid.high());
    assert!(parting.input.data().iter().all(|code| codes.contains(code)));
    // One explanation needs no other to be told from.
    let diagnosis = Diagnosis::new(&segment, &[], true).unwrap();
    assert_eq!(
        diagnosis.separation(&segment).unwrap().is_some(),
        diagnosis.explanations.len() > 1
    );
}

#[test]
fn the_same_steps_under_two_names_cannot_be_parted() {
    let lab = lab();
    let (observed, floor) = lab.mistaken("conv1", "conv1", "conv1", "floor-activations");
    let segment = lab.segment("conv1", "conv1", &observed);
    let again = floor.clone();
    assert!(floor.is(&again));
    let found = separate(&segment, &[floor.clone(), again]).unwrap();
    assert_eq!((found.tried, found.groups), (0, vec![vec![0, 1]]));
    let right = hypothesis(Vec::new());
    assert!(!floor.is(&right) && !right.is(&floor) && right.is(&right));
    let [(node, step)] = &floor.steps[..] else {
        panic!("one step")
    };
    assert!(!floor.is(&hypothesis(vec![(node + 1, step.clone())])));
    let other = (node + 2, lab.model.nodes[node + 2].step.clone());
    assert!(!floor.is(&hypothesis(vec![(*node, step.clone()), other])));
    let (_, up) = lab.mistaken("conv1", "conv1", "conv1", "half-up");
    assert!(!floor.is(&up));
    let mut diagnosis = Diagnosis::new(&segment, &[], false).unwrap();
    assert_eq!(diagnosis.explanations.len(), 1);
    assert!(diagnosis.separation(&segment).unwrap().is_none());
    diagnosis.explanations.push(up);
    let found = diagnosis.separation(&segment).unwrap().unwrap();
    assert_eq!(found.groups, [[0], [1]]);
}

/// What is found is made small: one code below zero shows a ReLU that is missing.
#[test]
fn an_input_that_parts_loses_what_it_can() {
    let lab = lab();
    let (observed, missing) = lab.mistaken("relu1", "relu1", "relu1", "relu-missing");
    let segment = lab.segment("relu1", "relu1", &observed);
    let found = separate(&segment, &[hypothesis(Vec::new()), missing]).unwrap();
    assert_eq!(found.groups, [[0], [1]]);
    assert_eq!(found.partings[0].nonzero, 1);
}

/// Of the whole layer from the image on, the input are pixels.
#[test]
fn an_image_that_parts_is_an_image() {
    let lab = lab();
    let (observed, floor) = lab.mistaken("input", "conv1", "conv1", "floor-activations");
    let segment = lab.segment("input", "conv1", &observed);
    let found = separate(&segment, &[hypothesis(Vec::new()), floor]).unwrap();
    let pixels = found.partings[0].input.data();
    assert!(
        pixels
            .iter()
            .all(|x| (0.0..=255.0).contains(x) && x.fract() == 0.0)
    );
}

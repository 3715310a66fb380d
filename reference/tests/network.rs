//! A network knows its shapes, refuses what does not fit, and traces what it computes.

use reference::network::apply;
use reference::ops::AveragePoolGeometry;
use reference::{
    Conv2dGeometry, InputSpec, Layer, Network, Op, PoolGeometry, ShapeError, Tensor, Weights,
};

fn spec() -> InputSpec {
    InputSpec {
        shape: [1, 4, 4],
        mean: 0.25,
        std: 0.5,
    }
}

fn layer(name: &str, op: Op<Weights<f32>>) -> Layer<Weights<f32>> {
    Layer {
        name: name.into(),
        op,
    }
}

fn weights(shape: &[usize], bias: Option<usize>) -> Weights<f32> {
    let values = (0..shape.iter().product::<usize>()).map(|i| i as f32 - 4.0);
    Weights {
        weight: Tensor::new(shape, values.collect()).unwrap(),
        bias: bias.map(|n| vec![0.5; n]),
    }
}

fn layers() -> Vec<Layer<Weights<f32>>> {
    let window = PoolGeometry {
        kernel: [2, 2],
        stride: [1, 1],
        padding: [0, 0],
    };
    vec![
        layer(
            "conv",
            Op::Conv2d {
                geometry: Conv2dGeometry::default(),
                weights: weights(&[2, 1, 2, 2], Some(2)),
            },
        ),
        layer("relu", Op::Relu),
        layer("max", Op::MaxPool2d(window)),
        layer(
            "mean",
            Op::AveragePool2d(AveragePoolGeometry {
                window,
                count_include_pad: true,
            }),
        ),
        layer("flatten", Op::Flatten),
        layer(
            "fc",
            Op::Linear {
                weights: weights(&[3, 2], None),
            },
        ),
        layer("log_softmax", Op::LogSoftmax),
    ]
}

#[test]
fn shapes_follow_the_layers() {
    let network = Network::new("n", spec(), layers()).unwrap();
    let shapes: Vec<&[usize]> = network.shapes().iter().map(Vec::as_slice).collect();
    let expected: [&[usize]; 7] = [
        &[1, 2, 3, 3],
        &[1, 2, 3, 3],
        &[1, 2, 2, 2],
        &[1, 2, 1, 1],
        &[1, 2],
        &[1, 3],
        &[1, 3],
    ];
    assert_eq!(shapes, expected);
    assert_eq!(network.name(), "n");
    assert_eq!(network.input(), &spec());
    assert_eq!(
        network.weighted().map(|(name, _)| name).collect::<Vec<_>>(),
        ["conv", "fc"]
    );
}

#[test]
fn the_trace_ends_in_the_output_and_each_step_is_its_operator() {
    let network = Network::new("n", spec(), layers()).unwrap();
    let images = Tensor::new(
        &[2, 1, 4, 4],
        (0..32).map(|v| (v * 7 % 11) as f32).collect(),
    )
    .unwrap();
    let trace = network.trace(&images).unwrap();
    assert_eq!([network.layers().len(), trace.len()], [7, 7]);
    assert_eq!(trace.last(), Some(&network.forward(&images).unwrap()));
    let mut x = images.clone();
    for (layer, (output, shape)) in network
        .layers()
        .iter()
        .zip(trace.iter().zip(network.shapes()))
    {
        x = apply(&layer.op, &x).unwrap();
        assert_eq!(output, &x);
        assert_eq!(output.shape()[1..], shape[1..]);
    }
    let [relu, conv] = [&trace[1], &trace[0]];
    assert!(
        conv.data().iter().any(|&v| v < 0.0),
        "nothing for ReLU to do"
    );
    assert!(relu.data().iter().all(|&v| v >= 0.0));
    // f64 is exact here, and f32 too: integers and halves.
    let wide = network.cast::<f64>().trace(&images.map(f64::from)).unwrap();
    assert_eq!(wide[5], trace[5].map(f64::from));
    assert_eq!(network.cast::<f32>(), network);
}

#[test]
fn wrong_images_are_an_error() {
    let network = Network::new("n", spec(), layers()).unwrap();
    let images = Tensor::new(&[1, 2, 4, 4], vec![0.0; 32]).unwrap();
    assert!(matches!(
        network.forward(&images),
        Err(ShapeError::Mismatch { .. })
    ));
    assert!(matches!(
        network.trace(&images),
        Err(ShapeError::Mismatch { .. })
    ));
}

#[test]
fn the_first_layer_that_does_not_fit_is_named() {
    let check = |change: fn(&mut Vec<Layer<Weights<f32>>>), name: &str| {
        let mut layers = layers();
        change(&mut layers);
        match Network::new("n", spec(), layers) {
            Err(ShapeError::Layer { network, layer, .. }) => {
                assert_eq!((network.as_str(), layer.as_str()), ("n", name));
            }
            other => panic!("{other:?}"),
        }
    };
    check(
        |l| l[0].weights_mut().unwrap().bias = Some(vec![0.0; 3]),
        "conv",
    );
    check(
        |l| l[0].weights_mut().unwrap().weight = Tensor::full(&[2, 2, 2, 2], 0.0).unwrap(),
        "conv",
    );
    check(
        |l| l[5].weights_mut().unwrap().bias = Some(vec![0.0; 2]),
        "fc",
    );
    check(
        |l| l[5].weights_mut().unwrap().weight = Tensor::full(&[3, 3], 0.0).unwrap(),
        "fc",
    );
    check(|l| l[2].name = "relu".into(), "relu");
    check(|l| drop(l.remove(4)), "fc");
    check(|l| drop(l.drain(4..6)), "log_softmax");
    let error = Network::new("n", spec(), vec![layers().remove(5)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "network n, layer fc: input of a linear layer ([N, in]): expected 2 axes, got shape [1, 1, 4, 4]"
    );
}

#[test]
fn a_network_has_inputs_and_outputs() {
    for axis in 0..3 {
        let mut empty = spec();
        empty.shape[axis] = 0;
        for layers in [vec![], vec![layer("flatten", Op::Flatten)]] {
            let refused = Network::new("n", empty.clone(), layers);
            assert!(matches!(refused, Err(ShapeError::Geometry(_))), "{axis}");
        }
    }
    let mut none = layers();
    none[5].weights_mut().unwrap().weight = Tensor::new(&[0, 2], vec![]).unwrap();
    assert_eq!(
        Network::new("n", spec(), none).unwrap_err().to_string(),
        "network n, layer fc: geometry: an output [0] has no values"
    );
}

#[test]
fn pixels_are_normalized_in_the_stated_order() {
    let pixels = Tensor::new(&[3], vec![0u8, 51, 255]).unwrap();
    let fifth = (51.0f32 / 255.0 - 0.25) / 0.5;
    assert_eq!(spec().normalize(&pixels).data(), [-0.5, fifth, 1.5]);
}

#[test]
fn mapping_weights_keeps_the_rest_and_stops_at_the_first_error() {
    let network = Network::new("n", spec(), layers()).unwrap();
    let mut seen = Vec::new();
    let same = network.try_map_weights(|name, w| {
        seen.push(name.to_owned());
        Ok::<_, ()>(w.clone())
    });
    assert_eq!(same, Ok(network.clone()));
    assert_eq!(seen, ["conv", "fc"]);
    let error = network.try_map_weights(|name, _| Err::<Weights<f32>, _>(name.to_owned()));
    assert_eq!(error, Err("conv".to_owned()));
}
